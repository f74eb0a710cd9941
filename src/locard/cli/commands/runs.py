# SPDX-License-Identifier: Apache-2.0
"""`locard runs`: what was collected, isolated and released, step by step."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from locard.cli.automating import SHORT, carry_on, show_asked, show_playbook_run
from locard.cli.responding import Told, show_copying, show_run
from locard.cli.terminal import Json, Who, desk, emit, errors, hand, listing, moment
from locard.model.action import RunState
from locard.model.custody import Hand
from locard.model.errors import Error
from locard.model.playbook import PlaybookRun, PlaybookState

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from locard.cases.desk import Desk

Run = Annotated[str, typer.Argument(help="The run, or how its id begins.")]
Reason = Annotated[str, typer.Option(help="Why; it goes into the custody ledger.")]
EXAMPLES = """Examples:

    locard runs list breach

    locard runs list --state waiting --limit 10

    locard runs receipt r261126-9f3a1c20 > receipt.json

    locard runs resume r261126-9f3a1c20

    locard runs approve p261126-1c209f3a

Ids that begin with p are runs of playbooks, those with r are runs of single actions.
"""
APPROVE = """Examples:

    locard runs approve p261126-1c209f3a

    locard runs approve p261126-1c209f3a --plan 5f3a9c01 --reason 'beacon confirmed, ticket 12'

Without --plan it shows what would be done, and the digest by which somebody agrees to exactly that.
Nobody agrees to what they set off themselves, nor to what a playbook does that they switched on.
Once enough people have agreed it is carried on.
"""
REFUSE = """Examples:

    locard runs refuse p261126-1c209f3a --reason 'known scanner, ticket 12'

What was done stays and is recorded; what was not done yet is not done any more.
"""
PLAYBOOK = "p"
"""How ids of runs of playbooks begin."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        no_args_is_help=True, help="What was done in clouds, step by step.", epilog=EXAMPLES
    )
    group.command("list")(list_runs)
    group.command("show")(show)
    group.command("receipt")(receipt)
    group.command("resume")(resume)
    group.command("verify")(verify)
    group.command("approve", epilog=APPROVE)(approve)
    group.command("refuse", epilog=REFUSE)(refuse)
    app.add_typer(group, name="runs")


def list_runs(
    case: Annotated[str, typer.Argument(help="Of this case; of all if left out.")] = "",
    state: Annotated[
        list[str] | None, typer.Option(help="Only in this state: waiting, done, failed, lapsed …")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many.", min=1, max=10_000)] = 50,
    before: Annotated[str, typer.Option(help="Only those that were begun before this run.")] = "",
    as_json: Json = False,
) -> None:
    """List runs of actions and of playbooks, the newest first."""
    states, books = _states(state or ())
    with desk() as at, at.state.session() as session:
        place = _place(session, before) if before else None
        found = _listed(session, case, states, books, limit + 1, place, bool(state))
    shown = [{**one, "started": moment(int(one["started"]))} for one in found[:limit]]
    if as_json:
        emit(shown)
    else:
        listing(shown, "run")
    if len(found) > limit:
        words = [case, *(f"--state {one}" for one in state or ()), f"--before {shown[-1]['run']}"]
        more = " ".join(filter(None, ["locard runs list", *words]))
        errors.print(f"There are older ones: {more}", markup=False)


def _states(words: Sequence[str]) -> tuple[list[RunState], list[PlaybookState]]:
    """The states that words name; a word may be one of runs of actions, of playbooks, or both."""
    known = [*dict.fromkeys([*map(str, PlaybookState), *map(str, RunState)])]
    if strange := [word for word in words if word not in known]:
        raise Error(f"There is no state {strange[0][:40]!r}.", f"There are: {', '.join(known)}.")
    runs = [RunState(word) for word in words if word in list(map(str, RunState))]
    return runs, [PlaybookState(word) for word in words if word in list(map(str, PlaybookState))]


def _place(session: "Session", run: str) -> tuple[int, str]:
    from locard.state import playbooks, runs

    found = (playbooks.row if run.startswith(PLAYBOOK) else runs.run)(session, run)
    return found.started, found.id


def _listed(
    session: "Session", case: str, states: Sequence[RunState], books: Sequence[PlaybookState],
    limit: int, before: tuple[int, str] | None, narrowed: bool,
) -> list[dict[str, str]]:  # fmt: skip
    from locard.state import playbooks, runs

    found = []
    if books or not narrowed:
        wanted = playbooks.Wanted(case, states=books)
        found += [
            {"run": one.id, "state": one.state.value, "action": f"playbook {one.playbook}",
             "target": one.alert, "case": one.case, "who": one.asker,
             "started": str(one.started), "reason": one.error or one.title}
            for one in playbooks.page(session, wanted, limit=limit, before=before)
        ]  # fmt: skip
    if states or not narrowed:
        rows = runs.page(session, runs.Wanted(case, states), limit=limit, before=before)
        found += [
            {"run": one.id, "state": one.state, "action": one.action, "target": one.target,
             "case": one.case, "who": one.who, "started": str(one.started), "reason": one.reason}
            for one in rows
        ]  # fmt: skip
    return sorted(found, key=lambda one: (int(one["started"]), one["run"]), reverse=True)[:limit]


def show(run: Run, as_json: Json = False) -> None:
    """Show a run with its steps."""
    from locard.state import runs

    if run.startswith(PLAYBOOK):
        with desk() as at:
            book = at.response.playbooks.run(run)
        _book(book, as_json)
        return
    with desk() as at:
        with at.state.session() as session:
            found = runs.receipt(session, run)
        jobs = at.progress(found.case)
    if as_json:
        emit(found.record())
    else:
        show_run(found)
        show_copying(found, jobs)


def receipt(run: Run, who: Who = None) -> None:
    """Print the signed receipt of a run, from which another machine can release it."""
    from locard.cases.response import receipts

    with desk() as at:
        emit(receipts.signed(at.state, at.vault, run, actor=hand(who)))


def resume(
    run: Annotated[list[str], typer.Argument(help="The runs, or how their ids begin.")],
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Carry runs on that were stopped or failed, forth or back; nothing is done twice."""
    with desk() as at:
        books = [_again(at, one, hand(who)) for one in run if one.startswith(PLAYBOOK)]
        found = [
            at.response.carry(one, hand(who), Told()) for one in run if not one.startswith(PLAYBOOK)
        ]
    if as_json:
        emit([*(asdict(one) for one in books), *(one.record() for one in found)])
    else:
        for book in books:
            show_playbook_run(book)
        for one in found:
            show_run(one)
    if any(one.state in (RunState.FAILED, RunState.RELEASE_FAILED) for one in found) or any(
        one.state is PlaybookState.FAILED for one in books
    ):
        raise typer.Exit(1)


def _again(at: "Desk", run: str, who: Hand) -> PlaybookRun:
    """Carry a run of a playbook on; what failed is tried again, what lapsed is asked again.

    While it waits for people, and after they refused, it still reads its copies to their end.
    """
    known = at.response.playbooks.run(run)
    if known.state in (PlaybookState.WAITING, PlaybookState.REFUSED):
        at.response.playbooks.copying.hand_over(known)
    if known.state in (PlaybookState.FAILED, PlaybookState.LAPSED):
        at.response.playbooks.retry(run, who)
    return at.response.playbooks.carry_on(run, Told())


def approve(
    run: Run,
    plan: Annotated[
        str, typer.Option(help="The digest of the plan that you agree to, or how it begins.")
    ] = "",
    reason: Reason = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Agree to a run of a playbook that waits for people; without --plan, show what it would do."""
    with desk() as at:
        asked = at.response.playbooks.asked(run)
        if reason or plan:
            at.response.playbooks.approvals.may(run, hand(who), reason)
        if not plan:
            if as_json:
                emit(asdict(asked))
            else:
                show_asked(asked)
            if reason:
                raise Error(
                    "Nobody has agreed yet: the plan that you agree to has to be named.",
                    f"Read it, then: locard runs approve {asked.id} --plan {asked.plan[:SHORT]}",
                )
            return
        whole = asked.plan if len(plan) >= SHORT and asked.plan.startswith(plan) else plan
        found = at.response.playbooks.approve(run, hand(who), reason, whole)
        if found.state is PlaybookState.DUE:
            found = next(iter(carry_on(at, [found.id])), found)
    _book(found, as_json)


def refuse(run: Run, reason: Reason, who: Who = None, as_json: Json = False) -> None:
    """Refuse a run of a playbook: what it has not done yet is not done any more."""
    with desk() as at:
        found = at.response.playbooks.refuse(run, hand(who), reason)
    _book(found, as_json)


def _book(found: PlaybookRun, as_json: bool) -> None:
    if as_json:
        emit(asdict(found))
    else:
        show_playbook_run(found)


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
