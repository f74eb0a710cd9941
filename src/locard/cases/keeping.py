# SPDX-License-Identifier: Apache-2.0
"""How long evidence is kept: holds and retentions of a case, and disposal by two people.

What people decide stands in the state and in the custody ledger; the store is told to refuse
deletion accordingly. Disposal takes the bytes and the rows that were read from them; the ledger
with its exhibits stays whole, and so do the names of what was held.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from locard.cases import holdings
from locard.cases.holdings import Item
from locard.cases.progress import Progress
from locard.cases.turns import alone
from locard.evidence import Draft, Vault
from locard.model.custody import Authority, CustodyEntry, Hand, Verb, same_person
from locard.model.errors import Conflict, Denied, Error, Missing
from locard.state import authorities, keeping
from locard.state.authorities import Entered
from locard.state.database import State
from locard.state.investigations import Holding, Place, Stage
from locard.state.keeping import Disposal, Hold, Standing, day
from locard.timeline import Timeline

TAKEN = frozenset({Verb.ACQUIRED, Verb.DERIVED, Verb.TRANSFERRED_IN})


@dataclass(frozen=True, slots=True)
class Kept:
    """How a case is kept."""

    case: str
    held: bool
    until: int | None
    """UTC nanoseconds; None when nobody said."""
    barred: str
    """What stands against disposal now, in one sentence; empty when nothing does."""
    holds: tuple[Hold, ...]
    disposals: tuple[Disposal, ...]
    authorities: tuple[Entered, ...] = ()
    """Under what it was taken in; the last one is in force."""
    lapsed: str = ""
    """Why the authority in force does not hold today; empty when it does, or when there is none."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a disposal would take, and what of it would stay."""

    case: str
    items: tuple[Item, ...]
    """Evidence whose bytes and rows would go, what was derived from it included."""
    bytes: int
    rows: int
    shared: int
    """How many of them another case holds too: their bytes stay."""
    again: int
    """Further evidence that holds some of the same records and would be read again."""
    takers: tuple[str, ...]
    """Who took some of it in, and can therefore neither ask nor agree."""
    barred: str
    """What stands against it now, in one sentence; empty when nothing does."""


class Keeping:
    """Holds, retentions and disposals of one installation."""

    def __init__(
        self, home: Path, state: State, vault: Vault, timeline: Callable[[], Timeline]
    ) -> None:
        self.home, self.state, self.vault, self.timeline = home, state, vault, timeline

    def of(self, case: str) -> Kept:
        """How a case is kept. Raises `Missing`."""
        with self.state.session() as session:
            holdings.find_case(session, case)
            holds = keeping.holds(session, case)
            entered = authorities.authorities(session, case)
            today = datetime.now(UTC).date().isoformat()
            return Kept(
                case=case,
                held=any(one.released is None for one in holds),
                until=keeping.retained(session, case),
                barred=keeping.barred(session, case, time.time_ns()),
                holds=tuple(holds),
                disposals=tuple(keeping.disposals(session, case)),
                authorities=tuple(entered),
                lapsed=entered[-1].lapsed(today) if entered else "",
            )

    def authorise(self, case: str, authority: Authority, *, who: Hand) -> Entered:
        """Say under which authority evidence is taken in; what comes later carries it."""
        with self.state.session() as session:
            holdings.find_case(session, case)
            made = authorities.authorise(session, case, authority, who=who.name)
            one = made.authority
            named = (field.name for field in fields(Authority))
            details = {name: text for name in named if (text := getattr(one, name))}
            self._say(who, Verb.AUTHORISED, case, f"{one.kind} {one.reference}", details)
        return made

    def plan(self, case: str, evidence: Sequence[str] = ()) -> Plan:
        """What disposing of this evidence, or of all of it, would take. Changes nothing."""
        with self.state.session() as session:
            holdings.find_case(session, case)
            chosen = _family(session, case, evidence) if evidence else _held(session, case)
            shared = sum(_shared(session, case, one) for one in chosen)
            barred = keeping.barred(session, case, time.time_ns())
        items = [holdings.item(self.state, case, one) for one in chosen]
        return Plan(
            case=case,
            items=tuple(items),
            bytes=sum(one.size for one in items),
            rows=sum(one.rows + one.problems for one in items),
            shared=shared,
            again=len(self.timeline().sharing(case, chosen)) if chosen else 0,
            takers=tuple(sorted(self._takers(case, chosen))),
            barred=barred,
        )

    def hold(self, case: str, *, reference: str, reason: str, who: Hand) -> Hold:
        """Put a legal hold on the case and on all that it holds."""
        with self.state.session() as session:
            holdings.find_case(session, case)
            placed = keeping.hold(session, case, reference=reference, reason=reason, who=who.name)
            details = {"hold": str(placed.id), "exhibits": str(len(_held(session, case)))}
            if placed.reference:
                details["reference"] = placed.reference
            self._say(who, Verb.HELD, case, placed.reason, details)
        protect(self.state, self.vault, case)
        return placed

    def release(self, case: str, number: int, *, reason: str, who: Hand) -> Hold:
        """End one hold of the case; other holds and the retention stand."""
        with self.state.session() as session:
            holdings.find_case(session, case)
            ended = keeping.release(session, case, number, reason=reason, who=who.name)
            self._say(who, Verb.HOLD_RELEASED, case, ended.released_reason, {"hold": str(number)})
        protect(self.state, self.vault, case)
        return ended

    def retain(self, case: str, until: int, *, reason: str, who: Hand) -> None:
        """Keep the case and all that it holds until then. It can be lengthened, never shortened."""
        with self.state.session() as session:
            holdings.find_case(session, case)
            keeping.retain(session, case, until, reason=reason, who=who.name)
            self._say(who, Verb.RETAINED, case, reason, {"until": day(until)})
        protect(self.state, self.vault, case)

    def ask(self, case: str, evidence: Sequence[str] = (), *, reason: str, who: Hand) -> Disposal:
        """Ask for the disposal of evidence with all that was derived from it, or of all of it.

        Raises `Denied` while hold or retention stand, and for somebody who took some of it in.
        """
        with self.state.session() as session:
            holdings.find_case(session, case)
            chosen = _family(session, case, evidence) if evidence else _held(session, case)
            if not chosen:
                raise Missing(
                    f"The case {case} holds nothing that could be disposed of.",
                    f"See: locard evidence {case}",
                )
            asked = keeping.ask(session, case, chosen, reason=reason, who=who.name)
            self._may(case, chosen, who)
            details = {"disposal": str(asked.id), "exhibits": str(len(chosen))}
            self._say(who, Verb.DISPOSAL_ASKED, case, asked.reason, details)
        return asked

    def refuse(self, case: str, number: int, *, reason: str, who: Hand) -> Disposal:
        """Refuse a disposal, or take back what one asked for oneself."""
        with self.state.session() as session:
            refused = keeping.decide(
                session, case, number, agreed=False, reason=reason, who=who.name
            )
            self._say(who, Verb.DISPOSAL_REFUSED, case, reason, {"disposal": str(number)})
        return refused

    def agree(self, case: str, number: int, *, who: Hand, reason: str = "") -> Disposal:
        """Agree to a disposal as the second person; `carry_out` does it then."""
        with self.state.session() as session:
            for one in keeping.disposals(session, case):
                if one.id == number:
                    self._may(case, one.evidence, who)
            agreed = keeping.decide(session, case, number, agreed=True, reason=reason, who=who.name)
            details = {"disposal": str(number), "asked by": agreed.asked_by}
            self._say(who, Verb.DISPOSAL_AGREED, case, reason or agreed.reason, details)
        return agreed

    def carry_out(
        self,
        case: str,
        number: int,
        *,
        who: Hand,
        begun: Callable[[Progress], None] = lambda _progress: None,
    ) -> Disposal:
        """Carry out a disposal that was agreed to, by the hand of who agreed.

        Cut off anywhere, it is carried on by doing it again. Evidence whose records another piece
        of evidence holds too leaves that one queued, to be read again.
        """
        agreed = self.asked(case, number)
        if agreed.standing is not Standing.AGREED or agreed.decided_by != who.name:
            raise Conflict(
                f"Disposal {number} is {agreed.standing}, and {who.name} has not agreed to it.",
                f"Agree to it first: locard case agree {case} {number}",
            )
        count = len(agreed.evidence)
        progress = Progress(self.state, case, f"Disposing of {count:,} exhibits", who.name)
        begun(progress)
        ended = "failed"
        try:
            with alone(self.home, case, lambda: progress.stage("Waiting for another run")):
                progress.stage("Removing rows")
                self._remove_rows(case, agreed)
                progress.stage("Removing bytes", count, "exhibits")
                for name in agreed.evidence:
                    self._dispose(case, name, agreed, who)
                    progress.advance(1)
            with self.state.session() as session:
                keeping.done(session, case, number)
            ended = "done"
        except Error as error:
            progress.log(error.message)
            raise
        finally:
            progress.finish(ended)
        return self.asked(case, number)

    def asked(self, case: str, number: int) -> Disposal:
        """A disposal that was asked for. Raises `Missing`."""
        with self.state.session() as session:
            holdings.find_case(session, case)
            return keeping.disposal(session, case, number)

    def _remove_rows(self, case: str, agreed: Disposal) -> None:
        """Others are queued before the rows go: cut off in between, nothing of theirs is missed."""
        others = self.timeline().sharing(case, agreed.evidence)
        with self.state.session() as session:
            session.execute(
                update(Holding)
                .where(
                    Holding.case == case,
                    Holding.evidence.in_(others),
                    Holding.stage == Stage.PARSED.value,
                )
                .values(stage=Stage.QUEUED.value, attempts=0)
            )
        self.timeline().remove(case, agreed.evidence)

    def _dispose(self, case: str, evidence: str, agreed: Disposal, who: Hand) -> None:
        with self.state.session() as session:
            mine = session.scalar(
                select(Holding).where(Holding.case == case, Holding.evidence == evidence)
            )
            if mine is None or mine.stage == Stage.DISPOSED:
                return
            shared = _shared(session, case, evidence)
        self.vault.dispose(
            evidence,
            case=case,
            actor=who,
            reason=f"disposal {agreed.id}, asked for by {agreed.asked_by}: {agreed.reason}",
            shared=shared,
        )
        with self.state.session() as session:
            session.execute(
                update(Holding)
                .where(Holding.case == case, Holding.evidence == evidence)
                .values(stage=Stage.DISPOSED.value, reason=f"disposal {agreed.id}")
            )

    def _may(self, case: str, evidence: Collection[str], who: Hand) -> None:
        """Nobody can both acquire and dispose."""
        takers = self._takers(case, evidence).items()
        taken = next((entry for name, entry in takers if same_person(name, who.name)), None)
        if taken is not None:
            raise Denied(
                f"{who.name} took {taken.details.get('name', '') or taken.evidence[:16]} in, and "
                "nobody can both acquire and dispose.",
                "Somebody else has to ask, and a third person to agree.",
            )

    def _takers(self, case: str, evidence: Collection[str]) -> dict[str, CustodyEntry]:
        """Who took some of this evidence in, each with the first entry that says so."""
        wanted, found = set(evidence), dict[str, CustodyEntry]()
        for entry in self.vault.ledger.entries(case=case):
            if entry.verb in TAKEN and entry.evidence in wanted:
                found.setdefault(entry.actor, entry)
        return found

    def _say(self, who: Hand, verb: Verb, case: str, reason: str, details: dict[str, str]) -> None:
        self.vault.ledger.append([Draft(who, verb, "", case, reason, details)])


def protect(state: State, vault: Vault, case: str, evidence: Collection[str] | None = None) -> None:
    """Have the store refuse to delete what the case holds, as its holds and retention say.

    What comes into a case later is protected when it comes in. Raises what the store says.
    """
    with state.session() as session:
        until = keeping.retained(session, case)
        here = any(one.released is None for one in keeping.holds(session, case))
        if evidence is not None and until is None and not here:
            return
        wanted = _held(session, case) if evidence is None else evidence
        held = {one: here or keeping.held_elsewhere(session, case, one) for one in wanted}
    for one, on in held.items():
        vault.protect(one, held=on, until=until)


def _shared(session: Session, case: str, evidence: str) -> bool:
    """Whether another case holds the same bytes."""
    others = select(func.count()).where(
        Holding.evidence == evidence,
        Holding.case != case,
        Holding.stage != Stage.DISPOSED.value,
    )
    return bool(session.scalar(others))


def _held(session: Session, case: str) -> list[str]:
    """The evidence of a case whose bytes are there, in the order it was added."""
    return list(
        session.scalars(
            select(Holding.evidence)
            .where(Holding.case == case, Holding.stage != Stage.DISPOSED.value)
            .order_by(Holding.id)
        )
    )


def _family(session: Session, case: str, evidence: Sequence[str]) -> list[str]:
    """This evidence and all that was taken out of it, unless it was found elsewhere too."""
    held = _held(session, case)
    known = set(held)
    for one in evidence:
        if one not in known:
            raise Missing(
                f"The case {case} holds no evidence {one[:16]}….", f"See: locard evidence {case}"
            )
    parents: dict[str, set[str]] = {}
    for one, parent in session.execute(
        select(Holding.evidence, Place.parent)
        .join(Place, Place.holding == Holding.id)
        .where(Holding.case == case)
    ):
        parents.setdefault(one, set()).add(parent)
    chosen = set(evidence)
    grown = True
    while grown:
        more = {one for one in known - chosen if parents.get(one) and parents[one] <= chosen}
        chosen |= more
        grown = bool(more)
    return [one for one in held if one in chosen]
