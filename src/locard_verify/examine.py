# SPDX-License-Identifier: Apache-2.0
"""One stretch of a file of entries, examined by itself: form, signature, number, time, exhibit.

What needs the entries before it (that numbers go on, that an exhibit's entries follow each other)
is handed back, and judged where the stretches meet.
"""

import json
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

from locard_verify import dsse
from locard_verify.keys import Key
from locard_verify.malformed import Malformed
from locard_verify.merkle import leaf_hash
from locard_verify.statement import read_payload

KEPT = 200
"""Faults of one clause in one stretch that are kept word for word; all are counted."""
LONGEST = 8 << 20
"""Bytes of a line that is looked at."""
ROW = 8
"""Bytes of `row_digest`."""
TOLD = frozenset(
    {
        "key-introduced",
        "authority-set",
        "checkpoint-kept",
        "time-stamped",
        "time-stamp-missed",
        "clock-set-back",
        "entries-lost",
        "head-changed",
        "loss-explained",
        "transferred-out",
        "transferred-in",
        "exported",
        "disposed",
    }
)
"""Verbs whose entries are handed back whole."""


@dataclass(slots=True)
class Record:
    """An exhibit as the entry that made it says."""

    sequence: int
    number: str
    case: str
    evidence: str
    digest: bytes
    """SHA-256 of the record as canonical JSON."""


@dataclass(slots=True)
class Stretch:
    """What was found in one stretch of entries."""

    count: int = 0
    leaves: bytes = b""
    first: int = 0
    """The number that the first entry carries, 0 when there is none."""
    last: int = 0
    earliest: str = ""
    """The time of the first entry, and of the last."""
    latest: str = ""
    faults: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """By clause: the line (from 0, in this stretch) and what is wrong with it."""
    counted: dict[str, int] = field(default_factory=dict)
    exhibits: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """By number: its first entry here, the one that entry names before it, and its last here."""
    told: list[dict[str, Any]] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    signers: dict[str, int] = field(default_factory=dict)
    """By key id: the first entry here that it signed."""
    rows: bytes = b""
    """For each line `row_digest` of what an index says of its entry."""

    def fault(self, clause: str, line: int, detail: str) -> None:
        """Note something wrong."""
        found = self.faults.setdefault(clause, [])
        self.counted[clause] = self.counted.get(clause, 0) + 1
        if len(found) < KEPT:
            found.append((line, detail))


def row_digest(verb: str, actor: str, evidence: str, case: str, exhibit: str) -> bytes:
    """Eight bytes by which a row of an index is compared with the entry that it stands for."""
    told = "\0".join((verb, actor, evidence, case, exhibit))
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=ROW).digest()


def canonical(record: Any) -> bytes:
    """A record as JSON with sorted names and no spaces, to be hashed and compared."""
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode()


def examine(path: Path, start: int, end: int, keys: dict[str, Key]) -> Stretch:
    """The entries from byte `start`, where a line begins, up to byte `end`, where one ends."""
    found = Stretch()
    leaves: list[bytes] = []
    rows: list[bytes] = []
    with path.open("rb") as file:
        file.seek(start)
        while start < end:
            line = file.readline(min(LONGEST, end - start))
            start += len(line)
            leaves.append(leaf_hash(line[:-1] if line.endswith(b"\n") else line))
            rows.append(_entry(found, found.count, line, keys))
            found.count += 1
    found.leaves, found.rows = b"".join(leaves), b"".join(rows)
    return found


def _entry(found: Stretch, number: int, line: bytes, keys: dict[str, Key]) -> bytes:
    """Judge one line; the `row_digest` of its entry, or zeros when it is none."""
    if not line.endswith(b"\n"):
        found.fault("format", number, "the line has no end")
        return bytes(ROW)
    try:
        envelope = dsse.read_line(line[:-1])
        said = read_payload(envelope.payload)
    except Malformed as error:
        found.fault("format", number, f"it is not a custody entry: {error}")
        return bytes(ROW)
    sequence: int = said["sequence"]
    key = keys.get(envelope.keyid)
    if key is None:
        found.fault("keys", number, f"entry {sequence} is signed by an unknown key")
    elif not key.signed(dsse.pae(envelope.payload), envelope.signature):
        found.fault(
            "signatures", number, f"entry {sequence} was changed: its signature does not fit"
        )
    found.signers.setdefault(envelope.keyid, sequence)
    _place(found, number, sequence, said)
    if exhibit := said["exhibit"]:
        _exhibit(found, number, exhibit, sequence, said)
    elif said["previous"]:
        found.fault("sequence", number, f"entry {sequence} follows another and is of no exhibit")
    if said["verb"] in TOLD:
        said["keyid"] = envelope.keyid
        found.told.append(said)
    return row_digest(said["verb"], said["actor"], said["evidence"], said["case"], exhibit)


def _place(found: Stretch, number: int, sequence: int, said: dict[str, Any]) -> None:
    """Number and time after those of the entry before."""
    time: str = said["time"]
    if not found.first:
        found.first, found.earliest = sequence, time
    else:
        if sequence != found.last + 1:
            found.fault("sequence", number, misplaced(found.last + 1, sequence))
        if time <= found.latest:
            found.fault("clock", number, set_back(sequence, found.latest, time))
    found.last, found.latest = sequence, time


def _exhibit(
    found: Stretch, number: int, exhibit: str, sequence: int, said: dict[str, Any]
) -> None:
    before = found.exhibits.get(exhibit)
    if before is None:
        found.exhibits[exhibit] = (sequence, said["previous"], sequence)
    else:
        if said["previous"] != before[2]:
            found.fault("sequence", number, unlinked(sequence, exhibit, before[2]))
        found.exhibits[exhibit] = (before[0], before[1], sequence)
    record = said.get("record")
    if record is None:
        return
    try:
        told = (record["number"], record["case"], record["evidence"]["sha256"])
    except (KeyError, TypeError):
        told = None
    if told != (exhibit, said["case"], said["evidence"]):
        found.fault("exhibits", number, f"entry {sequence} holds the record of another exhibit")
        return
    digest = sha256(canonical(record)).digest()
    found.records.append(Record(sequence, exhibit, said["case"], said["evidence"], digest))


def misplaced(wanted: int, sequence: int) -> str:
    """The sentence for a number that is out of its place."""
    if sequence > wanted:
        gap = str(wanted) if sequence == wanted + 1 else f"{wanted} to {sequence - 1}"
        return f"entry {gap} is missing here: entry {sequence} stands in its place"
    return f"entry {sequence} stands where entry {wanted} belongs: swapped or repeated"


def set_back(sequence: int, before: str, time: str) -> str:
    """The sentence for a time that is not after the one before."""
    return (
        f"entry {sequence} is of {time}, and the one before it of {before}: the clock was set back"
    )


def unlinked(sequence: int, exhibit: str, wanted: int) -> str:
    """The sentence for an entry that does not name the one before it about its exhibit."""
    return f"entry {sequence} does not follow entry {wanted}, the one before it about {exhibit}"


def cut_off(count: int) -> str:
    """The sentence for so many entries that are missing at the end."""
    return f"the last {count:,} entries were cut off" if count > 1 else "the last entry was cut off"
