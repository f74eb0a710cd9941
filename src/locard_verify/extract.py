# SPDX-License-Identifier: Apache-2.0
"""The entries that a bundle carries out of a ledger, each judged by itself and by its place.

A line of `data/ledger/entries.jsonl` is `{"sequence":N,"envelope":…}`, the envelope exactly as the
ledger has it, since that is the leaf of the tree.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, BinaryIO

from locard_verify import dsse, losses
from locard_verify.container import lines
from locard_verify.examine import LONGEST, canonical, set_back, unlinked
from locard_verify.keys import Key, read_key
from locard_verify.malformed import Malformed
from locard_verify.merkle import leaf_hash
from locard_verify.statement import read_payload
from locard_verify.verdict import Fault

NAME = "data/ledger/entries.jsonl"
OF_THE_INSTALLATION = frozenset(
    {
        "key-introduced",
        "authority-set",
        "clock-set-back",
        "entries-lost",
        "head-changed",
        "loss-explained",
    }
)
"""Entries about no case that belong to every bundle: by them the others are judged."""
_LINE = re.compile(rb'\{"sequence":(\d{1,15}),"envelope":(.+)\}')


@dataclass(frozen=True, slots=True)
class Exhibit:
    """An exhibit as the entry that made it says."""

    sequence: int
    evidence: str
    blake2b: str
    size: int
    record: bytes
    """SHA-256 of the record as canonical JSON."""


@dataclass(slots=True)
class Extract:
    """What the entries of a bundle say."""

    case: str
    keys: Mapping[str, Key]
    leaves: dict[int, bytes] = field(default_factory=dict)
    """By sequence: the hash of the leaf."""
    exhibits: dict[str, Exhibit] = field(default_factory=dict)
    """By number."""
    transfers: list[dict[str, Any]] = field(default_factory=list)
    """The releases and acceptances."""
    losses: list[dict[str, Any]] = field(default_factory=list)
    """That entries are gone, and who signed for it."""
    authorities: set[str] = field(default_factory=set)
    """SHA-256 of the root certificates that entries name."""
    introduced: dict[str, int] = field(default_factory=dict)
    """By key id: the entry that introduced it."""
    used: dict[str, int] = field(default_factory=dict)
    """By key id: the first entry that it signed."""
    first_key: str = ""
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    """By exhibit: the last entry about it."""

    def fault(self, clause: str, detail: str, where: str) -> None:
        """Note something wrong."""
        self.faults.setdefault(clause, []).append(Fault(detail, where))


def split(line: bytes) -> tuple[int, bytes]:
    """The number and the envelope of a line. Raises `Malformed`."""
    parts = _LINE.fullmatch(line)
    if parts is None:
        raise Malformed("it is not an entry with its number")
    return int(parts[1]), parts[2]


def opened(envelope: bytes, keys: Mapping[str, Key]) -> tuple[dict[str, Any], str, str]:
    """What an envelope says, the key that is to have signed it, and what is wrong with that.

    Raises `Malformed` when it says nothing at all.
    """
    found = dsse.read_line(envelope)
    said = read_payload(found.payload)
    key = keys.get(found.keyid)
    if key is None:
        return said, found.keyid, "is signed by a key that the bundle does not have"
    if not key.signed(dsse.pae(found.payload), found.signature):
        return said, found.keyid, "was changed: its signature does not fit"
    return said, found.keyid, ""


def read(file: BinaryIO, case: str, keys: Mapping[str, Key]) -> Extract:
    """Judge all entries that a bundle carries."""
    found = Extract(case, keys)
    last, time = 0, ""
    for number, line in enumerate(lines(file, LONGEST, NAME), 1):
        where = f"{NAME}, line {number}"
        try:
            sequence, envelope = split(line)
            said, keyid, wrong = opened(envelope, keys)
        except Malformed as error:
            found.fault("format", f"it is not a custody entry: {error}", where)
            continue
        found.leaves[sequence] = leaf_hash(envelope)
        if wrong:
            clause = "signatures" if keyid in keys else "keys"
            found.fault(clause, f"entry {sequence} {wrong}", where)
        if said["sequence"] != sequence or sequence <= last:
            detail = f"entry {said['sequence']} stands as {sequence} after {last}"
            found.fault("sequence", f"{detail}: swapped, repeated or renumbered", where)
        if said["time"] <= time:
            found.fault("clock", set_back(sequence, time, said["time"]), where)
        last, time = sequence, said["time"]
        _about(found, sequence, said, keyid, where)
    _signed(found)
    return found


def _about(found: Extract, sequence: int, said: dict[str, Any], keyid: str, where: str) -> None:
    verb, details = said["verb"], said["details"]
    if said["case"] != found.case and not (not said["case"] and verb in OF_THE_INSTALLATION):
        found.fault("exhibits", f"entry {sequence} is not about case {found.case}", where)
        return
    if exhibit := said["exhibit"]:
        before = found.last.get(exhibit, 0)
        if said["previous"] != before:
            found.fault("sequence", _gap(sequence, exhibit, before, said["previous"]), where)
        found.last[exhibit] = sequence
        if "record" in said:
            _made(found, sequence, said, where)
        elif exhibit not in found.exhibits:
            found.fault("exhibits", f"entry {sequence} is about {exhibit}, which none made", where)
    elif said["previous"]:
        found.fault("sequence", f"entry {sequence} follows another and is of no exhibit", where)
    if verb == "key-introduced":
        _key(found, sequence, details, keyid)
    elif verb == "authority-set":
        found.authorities.update(details.get("roots", "").split())
    elif verb in ("transferred-out", "transferred-in"):
        found.transfers.append(said)
    elif verb in losses.VERBS:
        found.losses.append(said)
    found.used.setdefault(keyid, sequence)


def _gap(sequence: int, exhibit: str, before: int, previous: int) -> str:
    if previous > before:
        return f"entry {previous} about {exhibit} is missing before entry {sequence}"
    return unlinked(sequence, exhibit, before)


def _made(found: Extract, sequence: int, said: dict[str, Any], where: str) -> None:
    record = said["record"]
    try:
        digests = record["evidence"]
        told = (record["number"], record["case"], digests["sha256"])
        size, second = digests.get("size", 0), digests.get("blake2b-256", "")
        if told != (said["exhibit"], said["case"], said["evidence"]) or type(size) is not int:
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError):
        found.fault("exhibits", f"entry {sequence} holds the record of another exhibit", where)
        return
    if said["exhibit"] in found.exhibits:
        found.fault("exhibits", f"entry {sequence} makes {said['exhibit']} again", where)
        return
    digest = sha256(canonical(record)).digest()
    found.exhibits[said["exhibit"]] = Exhibit(sequence, told[2], str(second), size, digest)


def _key(found: Extract, sequence: int, details: dict[str, str], keyid: str) -> None:
    try:
        key = read_key(details.get("key", ""))
    except Malformed:
        return
    found.introduced.setdefault(key.keyid, sequence)
    if sequence == 1 and key.keyid == keyid:
        found.first_key = keyid


def _signed(found: Extract) -> None:
    """Each key was introduced before it signed; the first one by itself, in entry 1."""
    if not found.first_key:
        found.fault("keys", "entry 1, which introduces the first key, is not there", NAME)
    for keyid in found.introduced.keys() - found.keys.keys():
        found.fault("keys", f"the key {keyid} is missing among the keys", "data/ledger/keys")
    for keyid, sequence in found.used.items():
        if keyid in found.keys and sequence < found.introduced.get(keyid, sequence + 1):
            detail = f"entry {sequence} is signed by {keyid}, which no entry before introduced"
            found.fault("keys", detail, NAME)
