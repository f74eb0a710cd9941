# SPDX-License-Identifier: Apache-2.0
"""The proof of a row: from the row back to the bytes it came from, each step said aloud.

event → custody entry → stored bytes → locator → the record parsed again → the row. A proof says
that the row is what this parser version makes of those bytes, and that those bytes are the ones
that were taken in. It does not say that the source told the truth.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import pyarrow as pa
from sqlalchemy import select

from locard.cases.reading import opened
from locard.evidence import Inclusion, Vault
from locard.model.custody import CustodyEntry, Hand
from locard.model.errors import Error, Missing, Tampered
from locard.model.event import COLUMNS, Event
from locard.parsers import catalogue
from locard.parsers import frames as f
from locard.parsers.contract import Limits
from locard.parsers.pool import Pool, WorkerLost
from locard.settings import Settings
from locard.state.database import State
from locard.state.investigations import Holding, Place


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a proof."""

    name: str
    passed: bool
    detail: str
    differences: tuple[tuple[str, str, str], ...] = ()
    """Column, what the timeline says, what the evidence says."""
    further: bool = False
    """Whether it is about a further place of the record: the proof does not stand on it."""


@dataclass(frozen=True, slots=True)
class Proof:
    """All steps that were taken, up to the one that failed, and one for each further place."""

    event: str
    case: str
    steps: tuple[Step, ...]

    @property
    def passed(self) -> bool:
        """Whether the row is proved by the place that it names."""
        return all(step.passed for step in self.steps if not step.further)

    @property
    def copies(self) -> str:
        """What the further places add to the verdict, in one sentence; empty when nothing."""
        held = sum(step.passed for step in self.steps if step.further)
        failed = sum(not step.passed for step in self.steps if step.further)
        if not self.passed and held:
            return f"The record is still held by {held:,} further place{'s' * (held > 1)}."
        if self.passed and failed:
            return f"{failed:,} further place{'s' * (failed > 1)} of the record did not hold."
        return ""


MOST_PLACES = 20
"""Further places of one record that are tried."""


class _Failed(Exception):
    """A step failed; the proof ends there."""


class Prover:
    """Proves rows of one installation."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        vault: Vault,
        limits: Limits,
        mappings: Mapping[str, dict[str, object]],
        watch: Callable[[Step], None] = lambda _step: None,
    ) -> None:
        self.settings, self.state, self.vault = settings, state, vault
        self.limits, self.mappings, self.watch = limits, mappings, watch
        self.steps: list[Step] = []

    def prove(self, event: Event, who: Hand | str) -> Proof:
        """Walk from the row to the bytes and back; a failure is a step that says what differs."""
        self.steps = []
        hand = Hand.of(who)
        try:
            self._say("Row", f"event {event.id} of case {event.case}, read by {_source(event)}")
            self._compare(event, self._walk(event, hand))
        except _Failed:
            pass
        for number, (evidence, locator) in enumerate(_further(event), 1):
            self._further(event, hand, number, evidence, locator)
        return Proof(event.id, event.case, tuple(self.steps))

    def _walk(self, event: Event, hand: Hand) -> dict[str, Any]:
        """The record as one place holds it, once its custody and its bytes were found good."""
        holding, name = self._holding(event)
        self._custody(event, holding)
        self._bytes(event, holding, hand)
        return self._record(event, holding, name, hand)

    def _further(self, event: Event, hand: Hand, number: int, evidence: str, locator: str) -> None:
        """One step for a further place of the record: whether its bytes are sound and hold it.

        It may be written in another way there, or in part. What fails there says nothing against
        the first place, and what holds there does not mend the first.
        """
        place = f"{evidence[:16]}… at {locator}"
        name = f"Further place {number}"
        if number > MOST_PLACES:
            if number == MOST_PLACES + 1:
                self._say(name, f"{len(_further(event)) - MOST_PLACES:,} more were not tried")
            return
        there = replace(event, values={**event.values, "evidence": evidence, "locator": locator})
        alone = Prover(self.settings, self.state, self.vault, self.limits, self.mappings)
        alone.steps = [Step("Row", True, "")]
        try:
            found = _differences(there, alone._walk(there, hand))
        except _Failed:
            last = alone.steps[-1]
            detail = f"{place}: {last.name}: {last.detail}"
            self.steps.append(Step(name, False, detail, last.differences, further=True))
        else:
            columns = {column for column, _, _ in found}
            part = "id" in columns and columns != {"id"}  # what has no number of its own
            columns -= {"id"} if not part else set()
            same = "holds the record in part" if part else "holds the same record"
            other = f", written differently in: {', '.join(sorted(columns))}" if columns else ""
            self.steps.append(Step(name, True, f"{place} {same}{other}", further=True))
        self.watch(self.steps[-1])

    def _say(self, name: str, detail: str) -> None:
        self.steps.append(Step(name, True, detail))
        self.watch(self.steps[-1])

    def _fail(
        self, name: str, detail: str, differences: tuple[tuple[str, str, str], ...] = ()
    ) -> NoReturn:
        self.steps.append(Step(name, False, detail, differences))
        self.watch(self.steps[-1])
        raise _Failed

    def _holding(self, event: Event) -> tuple[Holding, str]:
        evidence = str(event.values["evidence"])
        with self.state.session() as session:
            holding = session.scalar(
                select(Holding).where(Holding.case == event.case, Holding.evidence == evidence)
            )
            if holding is None:
                self._fail(
                    "Evidence",
                    f"the row names evidence {evidence[:16]}…, which the case does not hold",
                )
            name = session.scalars(
                select(Place.name).where(Place.holding == holding.id).order_by(Place.id)
            ).first()
        return holding, name or ""

    def _custody(self, event: Event, holding: Holding) -> None:
        proof = self._taken(event.case, holding.evidence)
        if proof is None:
            self._fail("Custody entry", "the ledger has no entry that this was taken in")
        entry = proof.entry
        self._say(
            "Custody entry",
            f"entry {entry.sequence} of {proof.size}: {entry.verb} by {entry.actor} as exhibit "
            f"{entry.exhibit}, {entry.details.get('name', '')}; signed by {proof.key.keyid}, and "
            f"in the tree of all entries that the head signs ({len(proof.path)} hashes)",
        )
        self._digests(entry, holding)
        self._ancestors(entry)

    def _taken(self, case: str, evidence: str) -> Inclusion | None:
        """The entry by which the case took it in, its signature and place in the tree verified."""
        try:
            ledger = self.vault.ledger
            sequence = ledger.made(case, evidence)
            if sequence is None:
                ledger.index.rebuild()  # it may lack what the entries have
                sequence = ledger.made(case, evidence)
            return ledger.proof(sequence, whole=not self.steps[1:]) if sequence else None
        except (Tampered, Missing) as error:
            self._fail("Custody ledger", error.message)

    def _digests(self, entry: CustodyEntry, holding: Holding) -> None:
        said = (
            entry.details.get("sha256"),
            entry.details.get("blake2b-256"),
            entry.details.get("size"),
        )
        noted = (holding.evidence, holding.blake2b, str(holding.size))
        if said != noted:
            names = ("sha256", "blake2b-256", "size")
            differences = tuple(
                (name, str(ours), str(ledger))
                for name, ours, ledger in zip(names, noted, said, strict=True)
                if ours != ledger
            )
            self._fail("Digests", "case and custody entry disagree", differences)

    def _ancestors(self, entry: CustodyEntry) -> None:
        seen: set[str] = set()
        while parent := entry.details.get("parent"):
            proof = self._taken(entry.case, parent)
            if proof is None or parent in seen:
                self._fail("Origin", f"the ledger has no entry for {parent[:16]}…")
            above = proof.entry
            self._say(
                "Origin",
                f"taken out of {above.details.get('name', '')} ({parent[:16]}…, entry "
                f"{above.sequence})",
            )
            seen.add(parent)
            entry = above

    def _bytes(self, event: Event, holding: Holding, who: Hand) -> None:
        try:
            found = self.vault.verify(
                holding.evidence, case=event.case, actor=who, reason=f"proof of {event.id}"
            )
        except (Tampered, Missing) as error:
            self._fail("Stored bytes", error.message)
        if found.blake2b != holding.blake2b:
            self._fail("Stored bytes", "SHA-256 fits but BLAKE2b does not")
        self._say(
            "Stored bytes",
            f"{found.size:,} bytes read again: SHA-256 {found.id} and BLAKE2b-256 are those of "
            "the custody entry",
        )

    def _record(self, event: Event, holding: Holding, name: str, who: Hand) -> dict[str, Any]:
        known = catalogue.load().sources.get(holding.parser)
        installed = known.version if known else "none"
        wanted = str(event.values["source_version"])
        if installed != wanted:
            self._fail(
                "Parser",
                f"the row was read by version {wanted} of {holding.parser}, installed is "
                f"{installed}: install that version to prove it, or add the evidence anew",
            )
        self._say("Parser", f"{holding.parser} {installed}, the version that read the row")
        locator = str(event.values["locator"])
        try:
            rows = self._parse(event, holding, name, locator, who)
        except (WorkerLost, Error) as error:
            self._fail("Record", f"reading the evidence again failed: {error}")
        if not rows:
            self._fail("Record", f"the evidence has no record at {locator}")
        self._say("Record", f"found at {locator}, {len(rows[0]['raw']):,} bytes")
        return next((row for row in rows if row["id"] == event.id), rows[0])

    def _parse(
        self, event: Event, holding: Holding, name: str, locator: str, who: Hand
    ) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        with (
            Pool(1, self.settings.scratch, self.limits) as pool,
            opened(
                self.state,
                self.vault,
                holding,
                name,
                who=who,
                reason=f"proof of {event.id}",
                limits=self.limits,
                mappings=self.mappings,
                parser=holding.parser,
                only=locator,
            ) as task,
        ):
            for frame in pool.run(task):
                if isinstance(frame, f.Batch):
                    times = frame.batch.column("time").cast(pa.int64()).to_pylist()
                    others = frame.batch.drop_columns(["time"]).to_pylist()
                    rows += [{**row, "time": at} for row, at in zip(others, times, strict=True)]
                elif isinstance(frame, f.Failed):
                    raise Error(frame.reason)
        return rows

    def _compare(self, event: Event, record: dict[str, Any]) -> None:
        differences = _differences(event, record)
        if differences:
            names = ", ".join(name for name, _, _ in differences)
            self._fail(
                "Comparison",
                f"the row differs from the evidence in: {names}",
                differences,
            )
        self._say("Comparison", f"all {len(COLUMNS)} columns equal what the evidence says")


def _differences(event: Event, record: dict[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """Column, what the row says, what the record says, wherever they differ."""
    differences = []
    for column in COLUMNS:
        kept: object
        if column.name == "id":
            kept = event.id
        elif column.name == "time":
            kept = event.time
        elif column.name == "raw":
            kept = event.raw
        elif column.name == "attributes":
            kept = event.attributes
        else:
            kept = event.values[column.name]
        found = record[column.name]
        if column.name == "attributes":
            found = dict(found)
        if kept != found:
            differences.append((column.name, _shown(kept), _shown(found)))
    return tuple(differences)


def _further(event: Event) -> list[tuple[str, str]]:
    """The places of the record but for the one that the row names."""
    own = (event.values["evidence"], event.values["locator"])
    return [one for one in dict.fromkeys(event.sightings) if one != own]


def _source(event: Event) -> str:
    return f"{event.values['source']} {event.values['source_version']}"


def _shown(value: object) -> str:
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    return text if len(text) <= 2000 else f"{text[:2000]}… ({len(text):,} characters)"
