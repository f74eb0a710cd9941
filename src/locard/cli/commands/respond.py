# SPDX-License-Identifier: Apache-2.0
"""`locard collect`, `locard isolate` and `locard release`: a plan first, and `--apply` to act."""

import json
from pathlib import Path
from typing import Annotated

import typer

from locard.cases.desk import Desk
from locard.cases.response.runner import Asked
from locard.cli.responding import (
    Apply,
    Case,
    In,
    Name,
    Reason,
    Region,
    Told,
    account_of,
    meant,
    options_of,
    show_plan,
    show_run,
    target_of,
)
from locard.cli.terminal import Json, Who, desk, emit, errors, hand, out
from locard.model.action import Plan, Receipt, RunState
from locard.model.custody import Hand
from locard.model.errors import Error, Unreadable

COLLECTING = """Examples:

    locard collect breach i-0abc1234def567890 --account prod

    locard collect breach i-0abc1234def567890 --only instance --reason 'GuardDuty 4711' --apply

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

    locard release --receipt receipt.json --case breach --account prod --apply --reason 'all clear'

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
    reason: Reason = "",
    apply: Apply = False,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Take evidence of a target in a cloud into a case, what is lost first, first."""
    named = [one for one in meant("collect", target)
             if not only or one.action.id.rpartition(".")[2] in only]  # fmt: skip
    if not named:
        raise Error(f"Nothing called {', '.join(only or ())} can be collected of {target}.")
    with desk() as at:
        found = account_of(at, account, named[0].account)
        plans = [
            at.runner.plan(one.action.id, found.name, target_of(found, one, region), case, {})
            for one in named
        ]
        if not apply:
            _plans(plans, as_json)
            return
        done = _collect(at, plans, found.name, case, hand(who), reason)
        _answer(done, as_json)
        at.resume(case, who=hand(who))
    _end(done)


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
    named = meant("isolate", target)[0]
    with desk() as at:
        found, by = account_of(at, account, named.account), hand(who)
        where = target_of(found, named, region)
        options = options_of(named.action, choose or ())
        plan = at.runner.plan(named.action.id, found.name, where, case, options)
        missing = at.runner.uncollected(plan, case)
        if not apply:
            _plans([plan], as_json, missing)
            return
        done = []
        if missing and collecting and not plan.refusals:
            before = [at.runner.plan(one, found.name, where, case, {}) for one in missing]
            done = _collect(at, before, found.name, case, by, reason)
            if any(one.state != RunState.DONE for one in done):
                _answer(done, as_json)
                raise Error(
                    "It was not isolated, for collecting before did not succeed.",
                    "Collect again, or isolate all the same: --without-collecting REASON",
                )
        _case(at, case, by)
        run = at.runner.begin(plan, found.name, Asked(case, by, reason, without_collecting))
        done.append(at.runner.carry_on(run, by, Told()))
        _answer(done, as_json)
        if not as_json and done[-1].state == RunState.DONE:
            out.print(f"Put it back with: locard release {run}", markup=False)
    _end(done)


def release(
    run: Annotated[str, typer.Argument(help="The run that isolated it.")] = "",
    receipt: Annotated[
        Path | None, typer.Option(help="A receipt of a run that another installation made.")
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
            read = _receipt(receipt)
            found = account_of(at, account, read.plan.target.account)
            _case(at, case or read.case, hand(who))
            run = at.runner.adopt(read, found.name, case or read.case, hand(who))
        if not run:
            raise Error("Which run is to be released?", "See: locard runs list")
        undo = at.runner.standing(run)
        if not apply:
            if as_json:
                emit([{"step": one.step.key, "undo": one.step.undo_title, "prior": one.prior}
                      for one in undo])  # fmt: skip
                return
            for number, one in enumerate(undo, 1):
                out.print(f"{number:3}. {one.step.undo_title}  ({one.step.key})", markup=False)
                out.print(f"     was: {json.dumps(one.prior)}", style="dim", markup=False)
            errors.print("Nothing was changed. Add --apply and --reason to do it.")
            return
        done = at.runner.release(run, hand(who), reason, leave or (), Told())
        _answer([done], as_json)
    _end([done])


def _collect(
    at: Desk, plans: list[Plan], account: str, case: str, who: Hand, reason: str
) -> list[Receipt]:
    _case(at, case, who)
    done = []
    for plan in sorted(plans, key=lambda one: one.volatility):
        run = at.runner.begin(plan, account, Asked(case, who, reason))
        done.append(at.runner.carry_on(run, who, Told()))
    return done


def _case(at: Desk, case: str, who: Hand) -> None:
    if not at.has_case(case):
        at.create(case, who=who)


def _plans(plans: list[Plan], as_json: bool, missing: list[str] | None = None) -> None:
    if as_json:
        emit([{**one.record(), "uncollected": missing or []} for one in plans])
        return
    for one in plans:
        show_plan(one, missing or ())
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


def _receipt(path: Path) -> Receipt:
    try:
        return Receipt.of(json.loads(path.read_bytes()))
    except OSError as error:
        raise Error(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(
            f"{path} is no receipt of a run.", "locard runs show RUN --json writes one."
        ) from error
