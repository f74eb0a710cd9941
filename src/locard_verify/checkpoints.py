# SPDX-License-Identifier: Apache-2.0
"""Checkpoints beside a ledger, judged by its entries, and the time stamps on them.

checkpoints/000000001234.note   the head as it was with 1,234 entries
            000000001234.tsr    an authority's RFC 3161 response over the note's bytes
            000000001234.gap    why there is none yet
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from locard_verify.facts import Facts
from locard_verify.files import beginning
from locard_verify.malformed import Malformed
from locard_verify.merkle import root_of
from locard_verify.note import open_checkpoint
from locard_verify.verdict import Clause, State

if TYPE_CHECKING:
    from cryptography import x509

TOLERANCE = timedelta(minutes=5)
"""How far this machine's clock may be from an authority's when a token is noted."""


def root(facts: Facts, size: int) -> bytes:
    """The root over the first `size` entries, as many as there are."""
    return root_of(min(size, facts.tree.size), facts.tree.at)


def judge(
    facts: Facts, roots: "Sequence[x509.Certificate] | None", kept: Sequence[bytes]
) -> list[Clause]:
    """The clauses on consistency between checkpoints, and on time stamps."""
    notes = [facts.folder / "checkpoints" / name for name in facts.notes]
    for name, note in facts.notes.items():
        _consistent(facts, note, f"checkpoints/{name}", name.removesuffix(".note"))
    _missing(facts)
    for number, note in enumerate(kept, 1):
        _consistent(facts, note, f"checkpoint {number} that you kept", "")
    more = f", {len(kept)} of them kept elsewhere" if kept else ""
    good = f"{len(notes) + len(kept):,} checkpoints are of this ledger as it grew{more}"
    return [facts.judged("consistency", good), _stamps(facts, notes, roots)]


def _consistent(facts: Facts, note: bytes, where: str, stem: str) -> None:
    try:
        found, _ = open_checkpoint(note, list(facts.keys.values()))
    except Malformed as error:
        facts.fault("consistency", f"a checkpoint of another log, or a changed one: {error}", where)
        return
    first = facts.keys.get(facts.first_key)
    if first is not None and found.origin != first.name:
        detail = f"it is a checkpoint of another log, {found.origin}"
    elif stem and (not stem.isdecimal() or int(stem) != found.size):
        detail = f"it is the checkpoint of {found.size:,} entries under another name"
    elif found.size > facts.size:
        detail = f"it names {found.size:,} entries and there are {facts.size:,}: others are gone"
    elif root(facts, found.size) != found.root:
        detail = f"the first {found.size:,} entries are not those that it signs"
    else:
        return
    facts.fault("consistency", detail, where)


def _missing(facts: Facts) -> None:
    """Every checkpoint that an entry names is there, as it was made."""
    for entry in facts.about("checkpoint-kept"):
        name = f"{entry['details'].get('checkpoint', '').zfill(12)}.note"
        note, where = facts.notes.get(name), f"checkpoints/{Path(name).name}"
        if note is None:
            detail = f"the checkpoint that entry {entry['sequence']} names is missing"
        elif sha256(note).hexdigest() != entry["details"].get("note"):
            detail = f"it is not the checkpoint that entry {entry['sequence']} names"
        else:
            continue
        facts.fault("consistency", detail, where)


def _stamps(
    facts: Facts, notes: Sequence[Path], roots: "Sequence[x509.Certificate] | None"
) -> Clause:
    authorities = facts.about("authority-set")
    trusted = list(roots) if roots is not None else _roots(facts, authorities)
    held, gaps = 0, 0
    reason = ""
    latest: datetime | None = None
    for note in notes:
        token, gap = note.with_suffix(".tsr"), note.with_suffix(".gap")
        if token.exists():
            found = _token(facts, token, note, trusted)
            held += 1
            latest = max(latest, found) if latest and found else found or latest
        elif gap.exists() or token.exists():
            gaps += 1
            reason = reason or _why(gap)
        elif note.stem.isdecimal() and _asked(authorities, int(note.stem)):
            detail = "the checkpoint has neither a time stamp nor a gap that says why"
            facts.fault("time stamps", detail, f"checkpoints/{note.name}")
    _noted(facts)
    if not authorities and not held and not facts.faults.get("time stamps"):
        return Clause("time stamps", State.NOT_CHECKED, "no time-stamping authority was configured")
    whose = "the reader's roots" if roots is not None else "the roots kept beside the ledger"
    said = f"{held:,} tokens hold under {whose}"
    if latest:
        said += f", the latest of {latest:%Y-%m-%dT%H:%M:%SZ}"
    if gaps:
        said += f"; {gaps:,} checkpoints wait for one: {reason}"
    return facts.judged("time stamps", said)


def _asked(authorities: Sequence[dict[str, Any]], size: int) -> bool:
    """Whether an authority was configured when the checkpoint of this size was made."""
    before = [one for one in authorities if one["sequence"] <= size]
    return bool(before) and bool(before[-1]["details"].get("url"))


def _roots(facts: Facts, authorities: Sequence[dict[str, Any]]) -> "list[x509.Certificate]":
    """The roots beside the ledger, as far as entries named them."""
    from cryptography import x509

    from locard_verify import stamp

    named = {digest for one in authorities for digest in one["details"].get("roots", "").split()}
    found: list[x509.Certificate] = []
    for path in sorted((facts.folder / "authorities").glob("*.pem")):
        where, data = f"authorities/{path.name}", beginning(path)
        if sha256(data).hexdigest() not in named:
            facts.fault("time stamps", "no entry names this root certificate", where)
            continue
        try:
            found += stamp.certificates(data)
        except Malformed as error:
            facts.fault("time stamps", str(error), where)
    return found


def _token(
    facts: Facts, token: Path, note: Path, roots: "Sequence[x509.Certificate]"
) -> datetime | None:
    from locard_verify import stamp

    where = f"checkpoints/{token.name}"
    try:
        return stamp.check(beginning(token), facts.notes[note.name], roots).time
    except Malformed as error:
        facts.fault("time stamps", f"the token does not stamp this checkpoint: {error}", where)
        return None


def _noted(facts: Facts) -> None:
    """Every token that an entry names is there, and the clock then was near the authority's."""
    for entry in facts.about("time-stamped"):
        details, sequence = entry["details"], entry["sequence"]
        name = f"{details.get('checkpoint', '').zfill(12)}.tsr"
        path = facts.folder / "checkpoints" / Path(name).name
        if not path.is_file():
            detail = f"the token that entry {sequence} names is missing"
            facts.fault("time stamps", detail, f"checkpoints/{name}")
        elif sha256(beginning(path)).hexdigest() != details.get("token"):
            detail = f"it is not the token that entry {sequence} names"
            facts.fault("time stamps", detail, f"checkpoints/{name}")
        _near(facts, sequence, entry["time"], details.get("time", ""))


def _near(facts: Facts, sequence: int, ours: str, theirs: str) -> None:
    try:
        here = datetime.strptime(ours[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
        there = datetime.strptime(theirs[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return
    if abs(here - there) > TOLERANCE:
        way = "behind" if here < there else "ahead of"
        detail = (
            f"entry {sequence} is of {ours} and the token that it notes of {theirs}: "
            f"this clock was {abs(here - there).total_seconds():,.0f} s {way} the authority's"
        )
        facts.fault("clock", detail, f"entries, entry {sequence}")


def _why(gap: Path) -> str:
    """What a gap says, for people."""
    try:
        found = json.loads(beginning(gap))
        return f"{found['why']} ({found['authority']}, {found['time']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "it cannot be read"
