# SPDX-License-Identifier: Apache-2.0
"""`locard playbook`: what is done when an alert is like this; tried out, then switched on."""

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from locard.cli.automating import playbook_row, show_trial, trial_record
from locard.cli.terminal import Json, Who, desk, emit, errors, hand, listing, moment, out
from locard.model.errors import Error

DAY = 24 * 3_600_000_000_000
CHECK = """Examples:

    locard playbook check isolate-miners.yaml

    locard playbook check isolate-compromised-instance --json

Exit status 1: the file has faults; each is named with its line.
"""
TEST = """Examples:

    locard playbook test isolate-compromised-instance

    locard playbook test my-own.yaml --alert a-093493cf --plan

Nothing is changed, and nobody is told. --plan asks the cloud what each step would do now.
"""
ENABLE = """Examples:

    locard playbook enable isolate-compromised-instance

What is switched on is the text as it is now: when the file changes it is off again.
"""
Name = Annotated[str, typer.Argument(help="The playbook.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="What is done when an alert is like this.")
    group.command("list", epilog="Example: locard playbook list --json")(list_playbooks)
    group.command("show", epilog="Example: locard playbook show isolate-compromised-instance")(show)
    group.command("check", epilog=CHECK)(check)
    group.command("test", epilog=TEST)(test)
    group.command("enable", epilog=ENABLE)(enable)
    group.command("disable", epilog="Example: locard playbook disable collect-instances")(disable)
    app.add_typer(group, name="playbook")


def list_playbooks(as_json: Json = False) -> None:
    """List playbooks, those that are on and those that are off."""
    with desk() as at:
        found, faulty = at.response.shelf.every(), at.response.shelf.faulty()
    if as_json:
        emit({"playbooks": [asdict(one) for one in found],
              "faulty": {name: list(error.faults) for name, error in faulty.items()}})  # fmt: skip
        return
    listing([playbook_row(one) for one in found], "playbook")
    for error in faulty.values():
        errors.print(f"off: {error.message}", style="red", markup=False)


def show(name: Name, as_json: Json = False) -> None:
    """Show a playbook as it is written, and whether it is on."""
    with desk() as at:
        found = at.response.shelf.get(name)
    if as_json:
        emit(asdict(found))
        return
    out.print(found.text.rstrip(), markup=False)
    row = playbook_row(found)
    since = f", since {moment(found.enabled_at)} by {found.enabled_by}" if found.enabled else ""
    errors.print(f"It is {row['state']}{since}.", markup=False)


def check(
    name: Annotated[str, typer.Argument(help="A file, or the name of a playbook.")],
    as_json: Json = False,
) -> None:
    """Check a playbook: every fault with its line, and what a careful person would look at."""
    from locard.cases.document import BadDocument
    from locard.cases.playbooks.shelf import path_of

    with desk() as at:
        try:
            if Path(name).suffix:
                written = at.response.shelf.check(*path_of(name))
            else:
                written = at.response.shelf.written(name)
        except BadDocument as error:
            if not as_json:
                errors.print(f"{error.message}\n{error.advice}", style="red", markup=False)
            else:
                emit({"good": False, "faults": list(error.faults), "warnings": []})
            raise typer.Exit(1) from None
        settings = at.response.settings()
    warnings = list(written.warnings)
    channels = {one.what for one in written.playbook.then if one.does.value == "notify"} - {"all"}
    if unknown := sorted(channels - set(settings.channels)):
        warnings.append(f"No channel is called {', '.join(unknown)} in response.yaml.")
    if as_json:
        emit({"good": True, "faults": [], "warnings": warnings})
        return
    for one in warnings:
        out.print(f"note: {one}", style="yellow", markup=False)
    out.print(f"{written.playbook.id} is good: {written.playbook.title}", markup=False)


def test(
    name: Annotated[str, typer.Argument(help="A file, or the name of a playbook.")],
    alert: Annotated[
        list[str] | None, typer.Option(help="Against this alert; against all of --days if left out")
    ] = None,
    case: Annotated[str, typer.Option(help="Against the alerts of this case.")] = "",
    days: Annotated[int, typer.Option(help="How many days back.", min=1, max=3_660)] = 30,
    plan: Annotated[
        bool, typer.Option("--plan", help="Ask the cloud what each step would do now; it reads.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Try a playbook on past alerts: what it would have done. Nothing is changed."""
    from locard.cases.playbooks.shelf import path_of

    with desk() as at:
        shelf, alerts = at.response.shelf, at.response.alerts
        written = shelf.check(*path_of(name)) if Path(name).suffix else shelf.written(name)
        if alert:
            past = [alerts.get(one) for one in alert]
        else:
            since = time.time_ns() - days * DAY
            past = alerts.every(case, limit=None, since=since)
        trials = at.response.playbooks.trials.of(written, past, plans=plan)
    if as_json:
        emit([trial_record(one) for one in trials])
        return
    known = {one.id: one for one in past}
    for one in trials:
        show_trial(one, known[one.alert])
    fitting = sum(one.matches for one in trials)
    out.print(f"{written.playbook.id} would have acted on {fitting} of {len(trials)} alerts.",
              markup=False)  # fmt: skip


def enable(name: Name, who: Who = None, as_json: Json = False) -> None:
    """Switch a playbook on, as it is now."""
    with desk() as at:
        found = at.response.shelf.enable(name, hand(who))
        warnings = at.response.shelf.written(name).warnings
    if as_json:
        emit(asdict(found) | {"warnings": list(warnings)})
        return
    for one in warnings:
        errors.print(f"note: {one}", style="yellow", markup=False)
    out.print(f"{name} is on: {found.title}", markup=False)


def disable(name: Name, who: Who = None, as_json: Json = False) -> None:
    """Switch a playbook off. What it began goes on; refuse it with locard runs refuse."""
    with desk() as at:
        at.response.shelf.disable(name, hand(who))
        try:
            found = asdict(replace(at.response.shelf.get(name)))
        except Error:
            found = {"id": name, "enabled": False}
    if as_json:
        emit(found)
        return
    out.print(f"{name} is off.", markup=False)
