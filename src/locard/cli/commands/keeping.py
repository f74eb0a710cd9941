# SPDX-License-Identifier: Apache-2.0
"""`locard case ...`: how a case is kept, under which authority, and how evidence leaves it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from locard.cases.background import handed_on
from locard.cli.terminal import (
    BEYOND,
    Json,
    Who,
    answered,
    desk,
    emit,
    errors,
    exhibits,
    group,
    hand,
    moment,
    out,
    shown,
    size,
    visible,
)
from locard.model.custody import Authority
from locard.model.errors import Error

if TYPE_CHECKING:
    from locard.cases.keeping import Kept, Plan
    from locard.state.keeping import Disposal

Case = Annotated[str, typer.Argument(help="The case.")]
Number = Annotated[int, typer.Argument(max=BEYOND, help="Its number: locard case keeping CASE")]
Reason = Annotated[str, typer.Option(help="Why, in one sentence; it goes into the ledger.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]

KEEPING = """Example:

    locard case keeping intrusion
"""
HOLD = """Example:

    locard case hold intrusion --reference 2026/17 --reason "order of the court of 3 March"
"""
RELEASE = """Example:

    locard case release intrusion 1 --reason "order lifted on 9 June"
"""
RETAIN = """Example:

    locard case retain intrusion --until 2033-12-31 --reason "limitation period"
"""
DISPOSE = """Examples:

    locard case dispose intrusion --reason "the case is closed and all periods are over"

    locard case dispose intrusion 3f2a9c --reason "private mail, out of scope"

    locard case dispose intrusion --plan
"""
AGREE = """Example:

    locard case agree intrusion 1 --reason "checked with counsel"
"""
REFUSE = """Example:

    locard case refuse intrusion 1 --reason "appeal is pending"
"""
AUTHORITY = """Examples:

    locard case authority intrusion --kind warrant --reference "Gs 12/26" --issued-by "Amtsgericht
    Mitte" --valid-from 2026-03-01 --valid-to 2026-09-01 --scope "mail and logs of account 1111"

    locard case authority intrusion
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    case = group(app, "case", "One case: how it is kept, and what leaves it.")
    case.command("keeping", epilog=KEEPING)(keeping)
    case.command("hold", epilog=HOLD)(hold)
    case.command("release", epilog=RELEASE)(release)
    case.command("retain", epilog=RETAIN)(retain)
    case.command("authority", epilog=AUTHORITY)(authority)
    case.command("dispose", epilog=DISPOSE)(dispose)
    case.command("agree", epilog=AGREE)(agree)
    case.command("refuse", epilog=REFUSE)(refuse)


def keeping(case: Case, as_json: Json = False) -> None:
    """Say how a case is kept: authority, holds, retention, and disposals that were asked for."""
    with desk() as at:
        found = at.keeping.of(case)
    if as_json:
        emit(asdict(found))
        return
    for line in _told(found):
        out.print(visible(line, 4000), markup=False)


def hold(
    case: Case,
    reference: Annotated[str, typer.Option(help="The matter, order or letter behind it.")] = "",
    reason: Reason = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Put a legal hold on a case: nothing of it can be disposed of until it is released."""
    with desk() as at:
        placed = at.keeping.hold(case, reference=reference, reason=reason, who=hand(who))
    if as_json:
        emit(asdict(placed))
    else:
        out.print(f"Hold {placed.id} stands on case {case}. It ends only by: ", end="")
        out.print(f"locard case release {case} {placed.id}", markup=False)


def release(
    case: Case, number: Number, reason: Reason = "", who: Who = None, as_json: Json = False
) -> None:
    """End one hold. Other holds and the retention stand."""
    with desk() as at:
        ended = at.keeping.release(case, number, reason=reason, who=hand(who))
        left = at.keeping.of(case)
    if as_json:
        emit(asdict(ended))
        return
    out.print(f"Hold {number} is released.")
    out.print(left.barred or "Nothing stands against disposal now.", markup=False)


def retain(
    case: Case,
    until: Annotated[str, typer.Option(help="The last day of keeping, such as 2033-12-31.")] = "",
    reason: Reason = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Keep a case until then. A later day replaces an earlier one, never the other way round."""
    from locard.state.keeping import day

    if not until:
        raise Error("Until when is it to be kept?", "Say it: --until 2033-12-31")
    last = _last(until)
    with desk() as at:
        at.keeping.retain(case, last, reason=reason, who=hand(who))
    emit({"case": case, "until": last}) if as_json else out.print(
        f"Case {case} is kept until {day(last)}."
    )


def authority(
    case: Case,
    kind: Annotated[str, typer.Option(help="warrant, consent, policy or contract.")] = "",
    reference: Annotated[str, typer.Option(help="How somebody else finds it.")] = "",
    issued_by: Annotated[str, typer.Option(help="Who gave it.")] = "",
    valid_from: Annotated[str, typer.Option(help="First day, such as 2026-03-01.")] = "",
    valid_to: Annotated[str, typer.Option(help="Last day.")] = "",
    scope: Annotated[str, typer.Option(help="What it covers.")] = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Say under which authority evidence is taken in; every exhibit from then on carries it.

    The case is made when it is new, so that its first exhibit carries it too. Without options the
    authorities that were entered so far are shown.
    """
    wanted = Authority(kind, reference, issued_by, valid_from, valid_to, scope)
    with desk() as at:
        if wanted != Authority():
            if not at.has_case(case):
                at.create(case, who=hand(who))
                errors.print(f"Made case {case}.")
            at.keeping.authorise(case, wanted, who=hand(who))
        found = at.keeping.of(case)
    if as_json:
        emit([asdict(one) for one in found.authorities])
        return
    for line in _authority(found):
        out.print(visible(line, 4000), markup=False)


def dispose(
    case: Case,
    evidence: Annotated[
        list[str] | None, typer.Argument(help="Evidence ids or their beginnings; all without.")
    ] = None,
    reason: Reason = "",
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would go.")] = False,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Ask for the disposal of evidence. Nothing goes before a second person agrees."""
    with desk() as at:
        chosen = [at.evidence_item(case, one).id for one in evidence or ()]
        planned = at.keeping.plan(case, chosen)
        if plan:
            emit(asdict(planned)) if as_json else _plan(planned)
            return
        asked = at.keeping.ask(case, chosen, reason=reason, who=hand(who))
    if as_json:
        emit(asdict(asked))
        return
    _plan(planned)
    out.print(f"Disposal {asked.id} is asked for. A second person has to agree: ", end="")
    out.print(f"locard case agree {case} {asked.id}", markup=False)


def agree(
    case: Case,
    number: Number,
    reason: Reason = "",
    yes: Yes = False,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Agree to a disposal as the second person, and carry it out. Bytes and rows are gone then.

    One that was agreed to and cut off is carried on.
    """
    from locard.state.keeping import Standing

    by = handed_on() or hand(who)
    with desk() as at, shown() as watch:
        found = _numbered(at.keeping.of(case), number)
        if found.standing is Standing.ASKED or found.decided_by != by.name:
            if not yes:
                _plan(at.keeping.plan(case, found.evidence))
                errors.print("This cannot be undone.")
                with answered("In a script: --yes"):
                    typer.confirm(
                        f"Dispose of {exhibits(len(found.evidence))}?", abort=True, err=True
                    )
            at.keeping.agree(case, number, reason=reason, who=by)
        done = at.keeping.carry_out(case, number, who=by, begun=watch.begun)
        again = at.resume(case, who=by)
    if as_json:
        emit(asdict(done))
    else:
        out.print(
            f"Disposed of {exhibits(len(done.evidence))}. The ledger keeps what they were and "
            "what happened to them."
        )
        if again:
            out.print("What holds some of the same records is being read again.")


def refuse(
    case: Case, number: Number, reason: Reason = "", who: Who = None, as_json: Json = False
) -> None:
    """Refuse a disposal, or take back one that you asked for yourself."""
    with desk() as at:
        refused = at.keeping.refuse(case, number, reason=reason, who=hand(who))
    emit(asdict(refused)) if as_json else out.print(f"Disposal {number} is refused.")


def _last(until: str) -> int:
    """The last nanosecond of what is named: of a date the end of its day."""
    from locard.timeline import bounds

    _, after = bounds("", until)
    if after is None:
        raise Error("Until when is it to be kept?", "Give a day such as 2033-12-31.")
    return after - 1


def _numbered(kept: "Kept", number: int) -> "Disposal":
    for one in kept.disposals:
        if one.id == number:
            return one
    known = ", ".join(str(one.id) for one in kept.disposals) or "none"
    raise Error(f"The case {kept.case} has no disposal {number}.", f"There are: {known}.")


def _told(kept: "Kept") -> list[str]:
    """How a case is kept, in sentences."""
    from locard.state.keeping import day

    lines = _authority(kept)
    for hold in kept.holds:
        about = f" ({hold.reference})" if hold.reference else ""
        said = f"Hold {hold.id}{about}, by {hold.placed_by} {day(hold.placed)}: {hold.reason}."
        if hold.released is not None:
            said += f" Released by {hold.released_by} {day(hold.released)}: {hold.released_reason}."
        lines.append(said)
    if not kept.held:
        lines.append("No legal hold stands.")
    if kept.until is None:
        lines.append("Nobody has said how long it is kept, so it is kept.")
    else:
        lines.append(f"It is kept until {day(kept.until)}.")
    lines += [_disposal(one) for one in kept.disposals]
    if kept.barred:
        lines.append(f"It cannot be disposed of now: {kept.barred[0].lower()}{kept.barred[1:]}")
    else:
        lines.append("Nothing stands against disposal, which takes two people.")
    return lines


def _authority(kept: "Kept") -> list[str]:
    if not kept.authorities:
        return ["No authority was entered: exhibits say nothing about why they could be taken."]
    lines = []
    for number, entered in enumerate(kept.authorities, 1):
        one = entered.authority
        said = f"{one.kind.capitalize()} {one.reference}"
        said += f", issued by {one.issued_by}" if one.issued_by else ""
        said += f", from {one.valid_from}" if one.valid_from else ""
        said += f", to {one.valid_to}" if one.valid_to else ""
        said += f"; it covers {one.scope}" if one.scope else ""
        newest = number == len(kept.authorities)
        until = "in force" if newest else "until the next was entered"
        lines.append(f"{said} ({until}, entered by {entered.set_by} {moment(entered.set)}).")
    return [*lines, kept.lapsed] if kept.lapsed else lines


def _disposal(one: "Disposal") -> str:
    from locard.state.keeping import Standing, day

    said = (
        f"Disposal {one.id} of {exhibits(len(one.evidence))}, asked for by {one.asked_by} "
        f"{day(one.asked)}: {one.reason}."
    )
    if one.standing is Standing.ASKED:
        return f"{said} It waits for a second person."
    because = f": {one.decided_reason}" if one.decided_reason else ""
    ends = {
        Standing.AGREED: "Agreed to, not finished",
        Standing.DONE: "Carried out",
        Standing.REFUSED: "Refused",
    }
    return f"{said} {ends[one.standing]} (by {one.decided_by} {day(one.decided or 0)}{because})."


def _plan(plan: "Plan") -> None:
    out.print(
        f"{exhibits(len(plan.items))} of case {plan.case}, {size(plan.bytes)}; rows of the "
        f"timeline: {plan.rows:,}"
    )
    for item in plan.items[:20]:
        out.print(f"  {item.id[:12]}  {size(item.size):>10}  {visible(item.name)}", markup=False)
    if len(plan.items) > 20:
        out.print(f"  ... and {len(plan.items) - 20:,} more")
    if plan.shared:
        out.print(f"The bytes of {plan.shared:,} stay: another case holds them too.")
    if plan.again:
        out.print(f"{plan.again:,} further pieces with the same records would be read again.")
    if plan.takers:
        names = visible(", ".join(plan.takers), 400)
        out.print(f"Took it in, and can neither ask nor agree: {names}.", markup=False)
    if plan.barred:
        out.print(f"It cannot be disposed of now: {plan.barred}", markup=False)
