# SPDX-License-Identifier: Apache-2.0
"""`locard runs`: what was collected, isolated and released, step by step."""

from typing import Annotated

import typer
from sqlalchemy import select

from locard.cli.responding import Told, show_run
from locard.cli.terminal import Json, Who, desk, emit, hand, listing, moment
from locard.model.action import RunState
from locard.state import runs
from locard.state.runs import RunRow

Run = Annotated[str, typer.Argument(help="The run, or how its id begins.")]
EXAMPLES = """Examples:

    locard runs list breach

    locard runs show r261126-9f3a1c20 --json > receipt.json

    locard runs resume r261126-9f3a1c20
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        no_args_is_help=True, help="What was done in clouds, step by step.", epilog=EXAMPLES
    )
    group.command("list")(list_runs)
    group.command("show")(show)
    group.command("resume")(resume)
    group.command("verify")(verify)
    app.add_typer(group, name="runs")


def list_runs(
    case: Annotated[str, typer.Argument(help="Of this case; of all if left out.")] = "",
    as_json: Json = False,
) -> None:
    """List runs, the newest first."""
    with desk() as at, at.state.session() as session:
        wanted = select(RunRow).order_by(RunRow.started.desc())
        rows = session.scalars(wanted.where(RunRow.case == case) if case else wanted).all()
    found = [
        {
            "run": one.id,
            "state": one.state,
            "action": one.action,
            "target": one.target,
            "case": one.case,
            "who": one.who,
            "started": moment(one.started),
            "reason": one.reason,
        }
        for one in rows
    ]
    if as_json:
        emit(found)
    else:
        listing(found, "run")


def show(run: Run, as_json: Json = False) -> None:
    """Show a run with its steps; as JSON it is the receipt that another machine can release."""
    with desk() as at, at.state.session() as session:
        found = runs.receipt(session, run)
    if as_json:
        emit(found.record())
    else:
        show_run(found)


def resume(
    run: Annotated[list[str], typer.Argument(help="The runs, or how their ids begin.")],
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Carry runs on that were stopped or failed, forth or back; nothing is done twice."""
    with desk() as at:
        found = [at.response.carry(one, hand(who), Told()) for one in run]
    if as_json:
        emit([one.record() for one in found])
    else:
        for one in found:
            show_run(one)
    if any(one.state in (RunState.FAILED, RunState.RELEASE_FAILED) for one in found):
        raise typer.Exit(1)


def verify(run: Run, who: Who = None, as_json: Json = False) -> None:
    """Look again whether every change of a run holds."""
    with desk() as at:
        found = at.response.runner.verify(run, hand(who))
    if as_json:
        emit(found.record())
    else:
        show_run(found)
    if any(one.verdict is not None and one.verdict.holds is False for one in found.steps):
        raise typer.Exit(1)
