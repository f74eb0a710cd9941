# SPDX-License-Identifier: Apache-2.0
"""`locard collect`, `locard isolate` and `locard release`: a plan first, and `--apply` to act."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from locard.cli import trust
from locard.cli.responding import (
    Apply,
    Case,
    In,
    Name,
    Reason,
    Region,
    Told,
    options_of,
    show_plan,
    show_run,
)
from locard.cli.terminal import Json, Who, desk, emit, errors, hand, out
from locard.model.action import Receipt, RunState
from locard.model.custody import Hand
from locard.model.errors import Error, Unreadable
from locard.model.spoken import spoken

if TYPE_CHECKING:
    from locard.cases.desk import Desk
    from locard.cases.response.orders import Begun, Proposal

COLLECTING = """Examples:

    locard collect breach i-0abc1234def567890 --account prod

    locard collect breach i-0abc1234def567890 --only instance --reason 'GuardDuty 4711' --apply

    locard collect breach i-0abc1234def567890 --only triage --set most=64 --reason '4711' --apply

Exit status 1: some of it could not be collected.
"""
ISOLATING = """Examples:

    locard isolate breach i-0abc1234def567890 --account prod

    locard isolate breach i-0abc1234def567890 --collect --reason 'beacons to 198.51.100.7' --apply

    locard isolate breach i-0abc1234def567890 --set cut=untracked --set stop=yes

Put back with locard release. Exit status 1: it stopped half-way; the answer says what stands.
"""
RELEASING = """Examples:

    locard release r261126-9f3a1c20

    locard release r261126-9f3a1c20 --reason 'false alarm, ticket 12' --apply

    locard release --receipt receipt.json --key other.vkey --case breach --reason 'clear' --apply

What others have changed meanwhile is not overwritten: --leave STEP lets it be.
"""
Set = Annotated[
    list[str] | None, typer.Option("--set", help="An option of the action, such as stop=yes.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("collect", epilog=COLLECTING)(collect)
    app.command("isolate", epilog=ISOLATING)(isolate)
    app.command("release", epilog=RELEASING)(release)


def collect(
    case: Case,
    target: Name,
    account: In = "",
    region: Region = "",
    only: Annotated[
        list[str] | None, typer.Option(help="Only this: instance, disks. The last word of its id.")
    ] = None,
    choose: Set = None,
    reason: Reason = "",
    apply: Apply = False,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Take evidence of a target in a cloud into a case, what is lost first, first."""
    from locard.actions.catalogue import catalogue
    from locard.cases.response.orders import COLLECT, Order

    options = options_of([one.action for one in catalogue().meant(COLLECT, target)], choose or ())
    order = Order(case, COLLECT, target, account, region, tuple(only or ()), options)
    with desk() as at:
        proposals = at.response.orders.propose(order)
        if not apply:
            _plans(proposals, as_json)
            return
        _case(at, case, hand(who))
        begun = at.response.orders.begin(order, hand(who), reason, proposals=proposals)
        done = _carry(at, begun, hand(who))
        _answer(done, as_json)
    lacking = [one for one in proposals if one.failed]
    for one in lacking:
        errors.print(f"not collected: {one.action.id}: {one.failed}", markup=False)
    _end(done)
    if lacking:
        raise typer.Exit(1)


def isolate(
    case: Case,
    target: Name,
    account: In = "",
    region: Region = "",
    choose: Set = None,
    collecting: Annotated[
        bool, typer.Option("--collect", help="Collect before what would be lost otherwise.")
    ] = False,
    without_collecting: Annotated[
        str, typer.Option(help="Isolate before it is collected, and why.", metavar="REASON")
    ] = "",
    reason: Reason = "",
    apply: Apply = False,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Contain a target in a cloud so that everything can be put back."""
    from locard.actions.catalogue import catalogue
    from locard.cases.response.orders import ISOLATE, Order

    named = catalogue().meant(ISOLATE, target)[0]
    options = options_of([named.action], choose or ())
    order = Order(case, ISOLATE, target, account, region, (named.action.id,), options)
    with desk() as at:
        proposals = at.response.orders.propose(order)
        if not apply:
            _plans(proposals, as_json)
            return
        _case(at, case, hand(who))
        begun = at.response.orders.begin(
            order,
            hand(who),
            reason,
            exception=without_collecting,
            collecting=collecting,
            proposals=proposals,
        )
        done = _carry(at, begun, hand(who))
        _answer(done, as_json)
        if not as_json and done[-1].state == RunState.DONE:
            out.print(f"Put it back with: locard release {done[-1].run}", markup=False)
    _end(done)


def release(
    run: Annotated[str, typer.Argument(help="The run that isolated it.")] = "",
    receipt: Annotated[
        Path | None, typer.Option(help="A receipt of a run that another installation made.")
    ] = None,
    key: Annotated[
        list[Path] | None, typer.Option(help="File with the key of that installation.")
    ] = None,
    case: Annotated[str, typer.Option(help="The case that the receipt is taken into.")] = "",
    account: In = "",
    leave: Annotated[
        list[str] | None, typer.Option(help="A step that others have built on: let it be.")
    ] = None,
    reason: Reason = "",
    apply: Apply = False,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Put back what a run changed, the newest first; only what is ours is taken away."""
    with desk() as at:
        if receipt is not None:
            read = _receipt(at, receipt, key)
            found = at.response.orders.account(account, read.plan.target.account)
            _case(at, case or read.case, hand(who))
            run = at.response.runner.adopt(read, found.name, case or read.case, hand(who))
        if not run:
            raise Error("Which run is to be released?", "See: locard runs list")
        undo = at.response.runner.standing(run)
        if not apply:
            if as_json:
                emit([{"step": one.step.key, "undo": one.step.undo_title, "prior": one.prior}
                      for one in undo])  # fmt: skip
                return
            for number, one in enumerate(undo, 1):
                out.print(f"{number:3}. {one.step.undo_title}  ({one.step.key})", markup=False)
                out.print(f"     was: {spoken(one.prior)}", style="dim", markup=False)
            errors.print("Nothing was changed. Add --apply and --reason to do it.")
            return
        done = at.response.release(run, hand(who), reason, leave or (), Told())
        _answer([done], as_json)
    _end([done])


def _carry(at: "Desk", begun: "Begun", who: Hand) -> list[Receipt]:
    from locard.state import runs

    for run in begun.carry:
        at.response.carry(run, who, Told())
    with at.state.session() as session:
        return [runs.receipt(session, run) for run in begun.runs]


def _case(at: "Desk", case: str, who: Hand) -> None:
    if not at.has_case(case):
        at.create(case, who=who)


def _plans(proposals: "list[Proposal]", as_json: bool) -> None:
    if as_json:
        emit([{**one.plan.record(), "uncollected": one.uncollected} for one in proposals])
        return
    for one in proposals:
        show_plan(one.plan, one.uncollected)
    errors.print("Nothing was changed. Add --apply and --reason to do it.")


def _answer(done: list[Receipt], as_json: bool) -> None:
    if as_json:
        emit([one.record() for one in done])
        return
    for one in done:
        show_run(one)


def _end(done: list[Receipt]) -> None:
    if any(one.state in (RunState.FAILED, RunState.RELEASE_FAILED) for one in done):
        raise typer.Exit(1)


def _receipt(at: "Desk", path: Path, key: list[Path] | None) -> Receipt:
    from locard.cases.response import receipts

    try:
        with path.open("rb") as file:
            content = file.read(receipts.LONGEST + 1)
    except OSError as error:
        raise Error(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > receipts.LONGEST:
        raise Unreadable(f"{path} is too large for a receipt.", "Name the right file.")
    found, by = receipts.opened(content, [*trust.keys(key), *receipts.ours(at.vault)])
    errors.print(f"The receipt is signed with {by.fingerprint}", markup=False)
    return found
