# SPDX-License-Identifier: Apache-2.0
"""The judgement on a whole ledger, from its files alone.

`entries` is the only truth. Everything beside it is judged by it: head, checkpoints, tokens, keys,
the tree's hashes on disk and the index.
"""

import fcntl
import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from locard_verify import checkpoints, derived, losses, transfers
from locard_verify.examine import Stretch, cut_off, misplaced, set_back, unlinked
from locard_verify.facts import Facts
from locard_verify.files import beginning
from locard_verify.keys import Key, read_key
from locard_verify.malformed import Malformed
from locard_verify.merkle import Levels
from locard_verify.note import Checkpoint, open_checkpoint
from locard_verify.stretches import cores, examined
from locard_verify.verdict import Clause, State, Verdict

if TYPE_CHECKING:
    from cryptography import x509


def _silent(_done: int, _whole: int) -> None:
    pass


def verify_ledger(
    folder: Path,
    trusted: Sequence[Key] = (),
    roots: "Sequence[x509.Certificate] | None" = None,
    kept: Sequence[bytes] = (),
    *,
    processes: int = 0,
    progress: Callable[[int, int], None] = _silent,
) -> Verdict:
    """The verdict on the ledger in `folder`.

    `trusted` are keys that the reader got elsewhere, `roots` the certificates of time-stamping
    authorities that they trust (those beside the ledger when None), `kept` checkpoints that they
    kept from earlier. `progress` is told bytes done and in all.
    """
    facts = gather(folder, trusted, processes=processes, progress=progress)
    return Verdict(tuple(clauses(facts, trusted, roots, kept)))


def gather(
    folder: Path,
    trusted: Sequence[Key] = (),
    *,
    processes: int = 0,
    progress: Callable[[int, int], None] = _silent,
) -> Facts:
    """Read all entries, verify their signatures and put together what they say."""
    facts = Facts(folder, {})
    for path in sorted((folder / "keys").glob("*.vkey")):
        try:
            key = read_key(beginning(path).decode("utf-8", "replace"))
            facts.keys[key.keyid] = key
        except Malformed as error:
            facts.fault("keys", f"it holds no key: {error}", f"keys/{path.name}")
    held = set(facts.keys)
    for key in trusted:
        facts.keys.setdefault(key.keyid, key)
    path = folder / "entries"
    try:
        whole = _seen(facts, path)
    except FileNotFoundError:
        facts.fault("format", "the file of entries is missing", "entries")
        return facts
    known = list(facts.keys.values())
    found = examined(path, known, whole, processes or cores(), progress)
    last: dict[str, int] = {}
    ends = ("", 0)
    for stretch in found:
        ends = _joined(facts, stretch, last, ends)
    facts.tree = Levels(b"".join(one.leaves for one in found))
    _signers(facts, found, held)
    return facts


def _seen(facts: Facts, path: Path) -> int:
    """Note head and checkpoints while nobody adds to the ledger; the bytes of entries then."""
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        head = facts.folder / "head"
        facts.head = beginning(head) if head.is_file() else None
        for note in sorted((facts.folder / "checkpoints").glob("*.note")):
            facts.notes[note.name] = beginning(note)
        return os.fstat(file.fileno()).st_size


def clauses(
    facts: Facts,
    trusted: Sequence[Key],
    roots: "Sequence[x509.Certificate] | None",
    kept: Sequence[bytes],
) -> list[Clause]:
    """One clause for each thing that can be wrong with a ledger."""
    head = _head(facts)
    stamps = checkpoints.judge(facts, roots, kept)
    derived.hashes(facts)
    number = f"{facts.size:,}"
    return [
        facts.judged("format", f"{number} entries, each a signed statement"),
        facts.judged("sequence", f"numbered 1 to {number} without a gap"),
        facts.judged("signatures", f"{number} signatures hold"),
        facts.judged("keys", f"{_count(len(_introduced(facts)), 'key')} signed, each introduced"),
        _identity(facts, trusted),
        facts.judged("tree", f"head and entries give the root {head.root.hex()}"),
        *stamps,
        facts.judged("clock", "no entry is older than the one before it"),
        losses.judge(facts.told, "entries"),
        derived.exhibits(facts),
        transfers.judge(facts.told, "entries"),
    ]


def _joined(
    facts: Facts, stretch: Stretch, last: dict[str, int], ends: tuple[str, int]
) -> tuple[str, int]:
    """Add a stretch to what was read before it; time and number of its last entry."""
    base, (time, number) = facts.size, ends
    for clause, found in stretch.faults.items():
        for line, detail in found:
            facts.fault(clause, detail, f"entries, line {base + line + 1}")
        facts.more[clause] = facts.more.get(clause, 0) + stretch.counted[clause] - len(found)
    where = f"entries, line {base + 1}"
    if stretch.first:
        if stretch.first != number + 1:
            facts.fault("sequence", misplaced(number + 1, stretch.first), where)
        if time and stretch.earliest <= time:
            facts.fault("clock", set_back(stretch.first, time, stretch.earliest), where)
        ends = (stretch.latest, stretch.last)
    for exhibit, (first, before, newest) in stretch.exhibits.items():
        if before != last.get(exhibit, 0):
            detail = unlinked(first, exhibit, last.get(exhibit, 0))
            facts.fault("sequence", detail, f"entries, entry {first}")
        last[exhibit] = newest
    facts.told += stretch.told
    facts.records += stretch.records
    facts.rows.append(stretch.rows)
    facts.size += stretch.count
    return ends


def _introduced(facts: Facts) -> dict[str, int]:
    """By key id: the entry that introduced it."""
    found: dict[str, int] = {}
    for entry in facts.about("key-introduced"):
        try:
            key = read_key(entry["details"].get("key", ""))
        except Malformed:
            continue
        found.setdefault(key.keyid, entry["sequence"])
    return found


def _signers(facts: Facts, found: Sequence[Stretch], held: Collection[str]) -> None:
    """Each key was introduced before it signed, the first one by itself, and is `held` here."""
    introduced = _introduced(facts)
    entries = facts.about("key-introduced")
    if entries and entries[0]["sequence"] == 1:
        facts.first_key = entries[0]["keyid"]
    if facts.size and introduced.get(facts.first_key) != 1:
        facts.fault("keys", "entry 1 does not introduce the key that signed it", "entries, line 1")
    names = {facts.keys[one].name for one in introduced if one in facts.keys}
    for keyid, sequence in introduced.items():
        if keyid not in held:
            facts.fault("keys", f"the key {keyid} is missing among the keys", "keys")
        elif len(names) > 1:
            facts.fault("keys", f"the key {keyid} bears another name", f"entries, entry {sequence}")
    for stretch in found:
        for keyid, sequence in stretch.signers.items():
            if keyid in facts.keys and sequence < introduced.get(keyid, sequence + 1):
                detail = f"entry {sequence} is signed by {keyid}, which no entry before introduced"
                facts.fault("keys", detail, f"entries, entry {sequence}")


def _identity(facts: Facts, trusted: Sequence[Key]) -> Clause:
    """Whether this is the ledger that the reader thinks it is, and not one that looks like it."""
    key = facts.keys.get(facts.first_key)
    if key is None:
        return Clause("identity", State.FAIL, "the first entry introduces no key", "entries")
    if not trusted:
        detail = f"begun with the key of fingerprint {key.fingerprint}, not compared with any"
        return Clause("identity", State.NOT_CHECKED, detail)
    if any(one.vkey == key.vkey for one in trusted):
        detail = f"begun with the trusted key {key.keyid} ({key.fingerprint})"
        return Clause("identity", State.PASS, detail)
    detail = (
        f"the ledger was begun with another key than the trusted one: {key.keyid} "
        f"({key.fingerprint}); it is another ledger, or was rebuilt"
    )
    return Clause("identity", State.FAIL, detail, "entries, line 1")


def _head(facts: Facts) -> Checkpoint:
    """What the head signs; that it is missing, wrong or names more than there is are faults."""
    nothing = Checkpoint("", facts.size, checkpoints.root(facts, facts.size))
    if facts.head is None:
        facts.fault("tree", "the head that names the last entry is missing", "head")
        return nothing
    try:
        found, _ = open_checkpoint(facts.head, list(facts.keys.values()))
    except Malformed as error:
        facts.fault("tree", f"the head: {error}", "head")
        return nothing
    if found.size > facts.size:
        detail = f"the head names {found.size:,} and there are {facts.size:,}"
        facts.fault("tree", f"{cut_off(found.size - facts.size)}: {detail}", "head")
    elif checkpoints.root(facts, found.size) != found.root:
        detail = f"the first {found.size:,} entries are not those that the head signs"
        facts.fault("tree", detail, "head")
    return found


def _count(number: int, one: str) -> str:
    return f"{number:,} {one if number == 1 else one + 's'}"
