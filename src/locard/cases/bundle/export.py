# SPDX-License-Identifier: Apache-2.0
"""A case, or one exhibit of it, written as one sealed bundle (`locard_verify.bundle` has the form).

The order matters. First the bytes and rows are copied, which leaves entries; then a checkpoint is
taken that has them all, and the entries up to it are drawn; then the report is written about
exactly those; last the ledger's entry seals the list of all members, and a checkpoint after it
proves that.
"""

import csv
import io
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from locard import __version__
from locard.cases.bundle import case_file, drawn
from locard.cases.bundle.bag import Bag, Form
from locard.cases.bundle.drawn import Drawn, Point
from locard.cases.bundle.rows import MARKS, MEMBERS, Rows
from locard.cases.bundle.told import Checked, Checkpoint, Key, Told
from locard.cases.bundle.transfer import release
from locard.cases.progress import Progress
from locard.cases.verification import pinned
from locard.evidence import Vault
from locard.evidence.entries import Draft
from locard.model.custody import CustodyEntry, Exhibit, Hand, Verb
from locard.model.errors import Error
from locard_verify.keys import Key as VerifierKey
from locard_verify.ledger import verify_ledger
from locard_verify.seal import SEALED


@dataclass(frozen=True, slots=True)
class About:
    """What a bundle says of its case. `created` is UTC nanoseconds."""

    case: str
    title: str
    created: int
    created_by: str
    simulated: bool


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be exported, where to, and why."""

    path: Path
    reason: str
    form: Form = Form.FOLDER
    references: bool = False
    """Name where the bytes of the evidence are instead of copying them."""
    exhibit: str = ""
    """The number of the one exhibit that is handed over."""
    to: str = ""
    """Whom the exhibits are released to; empty when nobody takes them over."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A bundle that was written. `manifest` is the SHA-256 that the seal names."""

    path: Path
    manifest: str
    entry: int
    exhibits: int
    rows: int
    in_part: int
    """Rows that are left out: the exhibit holds a part of what other evidence holds whole."""
    bytes: int
    fingerprint: str
    """Of the key that the receiver has to compare."""
    stamped: str
    """The time that an authority put on the seal; empty without one."""
    transfer: str
    """The id under which the receiver accepts; empty when nobody takes them over."""
    verdict: tuple[Checked, ...]


class Exporting:
    """One export, from order to seal."""

    def __init__(
        self,
        vault: Vault,
        rows: Callable[[Exhibit | None], Rows],
        about: About,
        order: Order,
        hand: Hand,
        progress: Progress,
        checkpoint: Callable[[], int],
    ) -> None:
        self.vault, self.ledger, self.about = vault, vault.ledger, about
        self.order, self.hand, self.progress = order, hand, progress
        self._rows, self._checkpointed = rows, checkpoint

    def export(self) -> Sealed:
        """Write the bundle. Raises `Error`: nothing is there then, and the ledger says so."""
        first = Drawn.of(self.ledger, self.about.case, self.order.exhibit)
        try:
            with Bag(self.order.path, self.order.form) as bag:
                return self._fill(bag, first.exhibits)
        except BaseException as error:
            said = error.message if isinstance(error, Error) else "it was stopped"
            details = {"output": self.order.path.name}
            reason = f"the export of a bundle broke off: {said}"
            draft = Draft(self.hand, Verb.FAILED, "", self.about.case, reason, details)
            self.ledger.append([draft])
            raise

    def _fill(self, bag: Bag, exhibits: list[Exhibit]) -> Sealed:
        verdict = [*self._verified(), self._evidence(bag, exhibits)]
        rows, in_part = self._timeline(bag, exhibits)
        transfer = self._released(exhibits)
        until = self._point().checkpoint.size
        self.progress.stage("Drawing the entries of the ledger")
        found = Drawn.of(self.ledger, self.about.case, self.order.exhibit, until)
        points = drawn.points(self.ledger, found.sequences, until)
        self._ledger(bag, found, points)
        told = self._told(found, points, verdict)
        self._records(bag, told)
        self._reports(bag, told)
        bag.close_payload(self._facts(told))
        entry, seal = self._seal(bag, told, until, in_part)
        bag.tag("seal.json", seal[0])
        bag.close_tags()
        self.progress.stage("Waiting for the disk")
        return Sealed(
            path=self.order.path,
            manifest=bag.tags["manifest-sha256.txt"],
            entry=entry.sequence,
            exhibits=len(found.exhibits),
            rows=rows,
            in_part=in_part,
            bytes=bag.octets,
            fingerprint=told.keys[0].fingerprint,
            stamped=seal[1],
            transfer=transfer,
            verdict=tuple(verdict),
        )

    # What was verified

    def _verified(self) -> list[Checked]:
        self.progress.stage("Verifying the ledger")
        verdict = verify_ledger(self.ledger.folder, pinned(self.vault))
        return [Checked(one.name, one.state.value, one.detail) for one in verdict.clauses]

    # Evidence

    def _evidence(self, bag: Bag, exhibits: list[Exhibit]) -> Checked:
        if self.order.references:
            self._refer(bag, exhibits)
            detail = f"the bytes of {len(exhibits):,} exhibits are only referred to"
            return Checked("evidence", "not checked", detail)
        total = sum(one.size for one in exhibits)
        self.progress.stage("Copying evidence", total, "bytes")
        for exhibit in {one.evidence: one for one in exhibits}.values():
            chunks = self.vault.copy(
                exhibit.evidence,
                case=self.about.case,
                actor=self.hand,
                reason=f"copied into a bundle: {self.order.reason}",
            )
            bag.put(f"evidence/{exhibit.evidence}", chunks, exhibit.size, self.progress.advance)
        detail = (
            f"all {total:,} bytes of {len(exhibits):,} exhibits were hashed while they were copied "
            "and have the digests of their records"
        )
        return Checked("evidence", "pass", detail)

    def _refer(self, bag: Bag, exhibits: list[Exhibit]) -> None:
        places = [
            {
                "sha256": one.evidence,
                "size": one.size,
                "exhibit": one.number,
                "kind": one.storage.kind,
                "place": one.storage.place,
                "version": one.storage.version,
            }
            for one in exhibits
        ]
        content = json.dumps(places, indent=1).encode() + b"\n"
        bag.put("evidence/references.json", [content], len(content))

    # Timeline

    def _timeline(self, bag: Bag, exhibits: list[Exhibit]) -> tuple[int, int]:
        rows = self._rows(exhibits[0] if self.order.exhibit else None)
        for form, name in MEMBERS.items():
            self.progress.stage(f"Writing the timeline ({form.value})")
            bag.put(name, rows.written(form))
        marks = rows.marks()
        bag.put(MARKS, [marks], len(marks))
        return rows.count, rows.in_part

    # The ledger's extract

    def _released(self, exhibits: list[Exhibit]) -> str:
        if not self.order.to:
            return ""
        return release(self.ledger, exhibits, self.order.to, self.hand, self.order.reason)

    def _point(self) -> Point:
        """A checkpoint of the ledger as it is now, time-stamped when an authority is set."""
        self.progress.stage("Taking a checkpoint")
        return drawn.point(self.ledger, self._checkpointed())

    def _ledger(self, bag: Bag, found: Drawn, points: list[Point]) -> None:
        bag.put("ledger/entries.jsonl", found.written())
        size = points[-1].checkpoint.size
        for one in drawn.tiles(self.ledger, found.sequences, points):
            name, content = drawn.tile(self.ledger, one, size)
            bag.put(f"ledger/{name}", [content], len(content))
        for point in points:
            stem = f"ledger/checkpoints/{point.name}"
            bag.put(f"{stem}.note", [point.note], len(point.note))
            if point.token:
                bag.put(f"{stem}.tsr", [point.token], len(point.token))
        for folder, end in (("keys", "vkey"), ("authorities", "pem")):
            for path in sorted((self.ledger.folder / folder).glob(f"*.{end}")):
                content = path.read_bytes()
                bag.put(f"ledger/{folder}/{path.name}", [content], len(content))

    # Records and report

    def _told(self, found: Drawn, points: list[Point], verdict: list[Checked]) -> Told:
        entries = found.entries()
        names: dict[str, str] = {}
        for entry in entries:
            if "name" in entry.details:
                names.setdefault(entry.evidence, entry.details["name"])
        signers = self.ledger.keys()
        keys = [Key(one.keyid, one.fingerprint, _introduced(one, entries)) for one in signers]
        return Told(
            case=self.about.case,
            title=self.about.title,
            created=self.about.created,
            created_by=self.about.created_by,
            simulated=self.about.simulated,
            only=self.order.exhibit,
            prepared=time.time_ns(),
            by=self.hand,
            reason=self.order.reason,
            version=__version__,
            origin=points[-1].checkpoint.origin,
            exhibits=found.exhibits,
            names=names,
            entries=entries,
            keys=sorted(keys, key=lambda one: one.since != FIRST),
            checkpoints=[self._checkpoint(one) for one in points],
            verdict=verdict,
            references=self.order.references,
        )

    def _checkpoint(self, point: Point) -> Checkpoint:
        size, root = point.checkpoint.size, point.checkpoint.text().decode().split("\n")[2]
        if not point.token:
            return Checkpoint(size, root, gap=point.gap)
        stamp = drawn.stamped(self.ledger, point)
        return Checkpoint(size, root, f"{stamp.time:%Y-%m-%d %H:%M:%S} UTC", stamp.authority)

    def _records(self, bag: Bag, told: Told) -> None:
        self.progress.stage("Writing records", len(told.exhibits), "exhibits")
        for exhibit in told.exhibits:
            content = json.dumps(exhibit.record(), indent=1, ensure_ascii=False).encode() + b"\n"
            bag.put(f"exhibits/{exhibit.number}.json", [content], len(content))
            self.progress.advance(1)
        bag.put("exhibits/list.csv", _listed(told))
        bag.put("case.jsonld", case_file.written(told))

    def _reports(self, bag: Bag, told: Told) -> None:
        self.progress.stage("Writing the report")
        from locard.cases.bundle import report  # the typesetter takes long to load

        page = report.html(told)
        bag.put("report.html", [page], len(page))
        paper = report.pdf(told)
        bag.put("report.pdf", [paper.content], len(paper.content))

    # The seal

    def _facts(self, told: Told) -> Iterator[tuple[str, str]]:
        yield "External-Identifier", told.case
        yield "External-Description", told.title
        yield "Bag-Software-Agent", f"Locard {__version__}"
        yield "Internal-Sender-Identifier", told.origin
        yield "Locard-Exhibits", told.only or str(len(told.exhibits))
        yield "Locard-Key-Fingerprint", told.keys[0].fingerprint

    def _seal(
        self, bag: Bag, told: Told, since: int, in_part: int
    ) -> tuple[CustodyEntry, tuple[bytes, str]]:
        self.progress.stage("Sealing")
        details = {name: bag.tags[name] for name in SEALED} | {
            "exhibits": told.only or str(len(told.exhibits)),
            "members": str(len(bag.payload)),
            "bytes": str(bag.octets),
            "evidence": "referred to" if told.references else "copied",
            "output": self.order.path.name,
        }
        if in_part:
            details["rows left out: other evidence holds the record whole"] = f"{in_part:,}"
        draft = Draft(self.hand, Verb.EXPORTED, "", self.about.case, self.order.reason, details)
        (entry,) = self.ledger.append([draft])
        after = self._point()
        line = Drawn(self.ledger, self.about.case).line(entry.sequence)
        content = drawn.seal(self.ledger, line, entry.sequence, after, since)
        return entry, (content, self._checkpoint(after).stamped)


FIRST = "the first key of this ledger"


def _introduced(key: VerifierKey, entries: list[CustodyEntry]) -> str:
    """How a key came to be trusted, in words."""
    for entry in entries:
        if entry.verb is Verb.KEY_INTRODUCED and entry.details.get("key") == key.vkey:
            return FIRST if entry.sequence == 1 else f"introduced by entry {entry.sequence}"
    return "introduced by no entry that is here"


def _listed(told: Told) -> Iterator[bytes]:
    """All exhibits as CSV; what a spreadsheet would take for a formula gets an apostrophe."""
    columns = ("number", "name", "bytes", "sha256", "blake2b-256", "hashed", "out of", "member")
    yield _row(columns)
    for one in told.exhibits:
        above = one.derived_from
        name = told.names.get(one.evidence, "")
        yield _row(
            (one.number, name, str(one.size), one.evidence, one.blake2b, one.hash_point,
             above.number, above.member)
        )  # fmt: skip


def _row(cells: Iterable[str]) -> bytes:
    text = io.StringIO()
    safe = ["'" + one if one[:1] in "=+-@\t\r" and one else one for one in cells]
    csv.writer(text).writerow(safe)
    return text.getvalue().encode("utf-8", "backslashreplace")
