# SPDX-License-Identifier: Apache-2.0
"""What custody tells people: exhibits, the life of each, one entry with its proof, the key.

Reading the ledger leaves no entry: it is about evidence, and nothing of the evidence is in it.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select

from locard.cases import holdings
from locard.cases.bundle import drawn
from locard.evidence import Inclusion, Ledger, lives
from locard.evidence.lives import Extent, Last, Tally
from locard.model.custody import CustodyEntry, Exhibit, Verb
from locard.model.errors import Error, Missing
from locard.state import keeping
from locard.state.database import State
from locard.state.investigations import Holding, Stage
from locard.state.keeping import Standing
from locard_verify import dsse


@dataclass(frozen=True, slots=True)
class Shown:
    """An exhibit with what people look for first."""

    exhibit: Exhibit
    name: str
    state: str
    """kept, held, disposal asked, disposed."""
    last: Last | None


@dataclass(frozen=True, slots=True)
class Stamped:
    """A checkpoint of the ledger, and the time stamp on it or why there is none."""

    size: int
    note: str
    time: str = ""
    """What the authority attests, RFC 3339; empty without a token."""
    authority: str = ""
    gap: str = ""


@dataclass(frozen=True, slots=True)
class Proved:
    """An entry as it was signed, and its way to the head of the ledger."""

    inclusion: Inclusion
    checkpoint: Stamped | None
    """The first checkpoint that has it."""


@dataclass(frozen=True, slots=True)
class Signing:
    """By which key the ledger is signed, and how it stands with its time stamps."""

    key: str
    """The public key in the form in which it is handed on; empty before the first entry."""
    fingerprint: str
    pinned: bool
    """Whether it is the key that is kept outside the vault."""
    entries: int
    authority: str
    """The address of the time-stamping authority; empty when none is asked."""
    stamped: Stamped | None
    """The newest checkpoint that has a time stamp."""
    waiting: int
    """Checkpoints that wait for a time stamp."""
    why: str


class Records:
    """The custody record of one installation, to be read."""

    def __init__(self, state: State, ledger: Ledger) -> None:
        self.state, self.ledger = state, ledger

    def exhibits(
        self, case: str, *, text: str = "", only: str = "", limit: int = 200, offset: int = 0
    ) -> tuple[list[Shown], int]:
        """A page of the exhibits of a case, and how many there are.

        `only` is `acquired`, `derived` or `disposed`, or empty. Raises `Missing`.
        """
        with self.state.session() as session:
            holdings.find_case(session, case)
            gone = set(
                session.scalars(
                    select(Holding.evidence).where(
                        Holding.case == case, Holding.stage == Stage.DISPOSED.value
                    )
                )
            )
            held = any(one.released is None for one in keeping.holds(session, case))
            asked = {
                evidence
                for one in keeping.disposals(session, case)
                if one.standing in (Standing.ASKED, Standing.AGREED)
                for evidence in one.evidence
            }
        found, total = lives.exhibits(
            self.ledger,
            case,
            text=text,
            derived={"derived": True, "acquired": False}.get(only),
            among=gone if only == "disposed" else None,
            limit=limit,
            offset=offset,
        )
        ids = [one.evidence for one in found]
        last = lives.last(self.ledger, case, ids)
        names = holdings.names(self.state, case, ids)

        def state(evidence: str) -> str:
            if evidence in gone:
                return "disposed"
            if evidence in asked:
                return "disposal asked"
            return "held" if held else "kept"

        return [
            Shown(
                one,
                names.get(one.evidence) or _named(one),
                state(one.evidence),
                last.get(one.evidence),
            )
            for one in found
        ], total

    def exhibit(self, case: str, wanted: str) -> Shown:
        """One exhibit, by its number or the id of its evidence. Raises `Missing`."""
        found, _ = self.exhibits(case, text=wanted, limit=1000)
        for one in found:
            if wanted in (one.exhibit.number, one.exhibit.evidence):
                return one
        raise Missing(
            f"The case {case} has no exhibit {wanted[:80]!r}.",
            f"List them: locard custody exhibits {case}",
        )

    def entries(
        self,
        case: str,
        *,
        evidence: str = "",
        whole: bool = False,
        verbs: Collection[str] = (),
        actor: str = "",
        before: int | None = None,
        limit: int = 200,
    ) -> list[CustodyEntry]:
        """Entries about a case or one exhibit, the newest first. Raises `Missing`.

        `whole` adds to the life of an exhibit what happened to all of the case.
        """
        wide: tuple[Verb, ...] = ()
        if case:
            with self.state.session() as session:
                holdings.find_case(session, case)
                if whole:
                    asked = keeping.disposals(session, case)
                    within = any(evidence in one.evidence for one in asked)
                    wide = lives.OF_ALL + (lives.OF_SOME if within else ())
        return lives.entries(
            self.ledger,
            case,
            evidence=evidence,
            whole=wide,
            verbs=verbs,
            actor=actor,
            before=before,
            limit=limit,
        )

    def tally(self, case: str) -> Tally:
        """How often each thing happened in a case, and how much each person did."""
        return lives.tally(self.ledger, case)

    def extents(self) -> dict[str, Extent]:
        """How much the ledger has about each case."""
        return lives.extents(self.ledger)

    def entry(self, case: str, sequence: int) -> Proved:
        """One entry of this case with its proof. Raises `Missing`, and `Tampered`."""
        proof = self.ledger.proof(sequence)
        if proof.entry.case != case:
            raise Missing(f"Entry {sequence} is not about this case.")
        for size in self.ledger.checkpoints.sizes():
            if size >= sequence:
                return Proved(proof, self._stamped(drawn.point(self.ledger, size)))
        return Proved(proof, None)

    def signing(self) -> Signing:
        """The key of the ledger and its time stamps. Raises `Tampered` when the keys are broken."""
        kept = self.ledger.checkpoints
        if not self.ledger.path.exists():
            return Signing("", "", False, 0, "", None, 0, "")
        key = self.ledger.signer.key
        pinned = self.ledger.pinned
        first = pinned.read_text().strip() if pinned is not None and pinned.exists() else ""
        authority = self.ledger.authorities.current()
        waiting = kept.waiting()
        stamped = None
        for size in reversed(kept.sizes()):
            if kept.held(size):
                stamped = self._stamped(drawn.point(self.ledger, size))
                break
        return Signing(
            key=key.vkey,
            fingerprint=key.fingerprint,
            pinned=first == key.vkey,
            entries=self.ledger.size(),
            authority=authority.url if authority else "",
            stamped=stamped,
            waiting=len(waiting),
            why=str(kept.why(waiting[-1]).get("why", "")) if waiting else "",
        )

    def _stamped(self, point: drawn.Point) -> Stamped:
        note, size = point.note.decode("utf-8", "replace"), point.checkpoint.size
        if not point.token:
            return Stamped(size, note, gap=point.gap)
        try:
            stamp = drawn.stamped(self.ledger, point)
        except Error as error:
            return Stamped(size, note, gap=error.message)
        return Stamped(size, note, f"{stamp.time:%Y-%m-%dT%H:%M:%SZ}", stamp.authority)


def statement(envelope: bytes) -> str:
    """What an envelope signs, indented for reading, nothing left out."""
    return json.dumps(json.loads(dsse.read_line(envelope).payload), indent=1, ensure_ascii=False)


def _named(exhibit: Exhibit) -> str:
    return exhibit.source.get("name", "") or exhibit.derived_from.member or exhibit.evidence[:16]
