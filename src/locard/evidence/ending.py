# SPDX-License-Identifier: Apache-2.0
"""The end of a ledger as a process knows it, and what has to be said when it is found otherwise."""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from locard.evidence.entries import Draft
from locard.evidence.faults import changed
from locard.model.custody import Hand, Verb
from locard_verify.merkle import Edge

ITSELF = Hand("locard", "automation")
"""By whose hand the ledger writes what nobody asked for."""
SHOWN = 600
"""Bytes of a changed head that are kept in the entry about it."""


@dataclass(slots=True)
class End:
    """The end of the ledger as this process knows it."""

    size: int = -1
    """Bytes of the file of entries; -1 when nothing is known."""
    time: int = 0
    edge: Edge = field(default_factory=Edge)
    unindexed: int = 0
    exhibits: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    """Number and last entry by case and evidence; every unindexed one is here."""
    counts: dict[str, int] = field(default_factory=dict)
    head: bytes = b""
    """The signed note, as it was written last."""
    behind: bool = False
    """Whether the head names fewer entries than there are: a crash came between the two."""
    lost: list[Draft] = field(default_factory=list)
    """What has to be said before the next entry: that entries are gone, or the head was changed."""


def gone_before(named: int, count: int, head: bytes) -> Draft:
    """The entry that says which entries are gone."""
    gone = f"{count + 1} to {named}" if named > count + 1 else f"{named}"
    reason = f"entries {gone} are gone; they were not known to have reached the disk"
    details = {"entries": gone, "head": head.decode("utf-8", "replace")}
    return Draft(ITSELF, Verb.ENTRIES_LOST, "", "", reason, details)


def head_changed(found: bytes, size: int, confirmed: int | None = None) -> Draft:
    """The entry that says that somebody else wrote over the head, and what was found there.

    `confirmed` is how many entries an older head confirms, for a process that knew no newer one.
    """
    what = "was emptied" if not found else "was changed"
    details = {
        "entries": f"{size}",
        "sha256": sha256(found).hexdigest(),
        "bytes": f"{len(found)}",
        "found": found[:SHOWN].decode("utf-8", "replace"),
    }
    reason = f"the head of {size:,} entries {what} by another hand; it was written anew"
    if confirmed is not None:
        details["confirmed"] = f"{confirmed}"
        reason += f" from the entries, of which an older head confirms {confirmed:,}"
    return Draft(ITSELF, Verb.HEAD_CHANGED, "", "", reason, details)


def overwrite(path: Path, note: bytes) -> None:
    """Write over a head in place: it fits into one sector, and a rename would wait for the disk.

    One that is made now and for which the disk has no room is gone again: it would say nothing.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        put(fd, note, 0)
        os.ftruncate(fd, len(note))
    except OSError:
        if not os.fstat(fd).st_size:
            path.unlink()
        raise
    finally:
        os.close(fd)


def put(fd: int, data: bytes, offset: int) -> None:
    """Write all of this at an offset: a disk that fills takes a part of it, and says so later."""
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written


def append(fd: int, data: bytes, size: int, durable: bool) -> None:
    """Add to the end of a file of `size` bytes, all of this or nothing."""
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        if durable:
            os.fsync(fd)
    except OSError:
        os.ftruncate(fd, size)
        raise


def take_back(fd: int, size: int, path: Path, head: bytes) -> None:
    """Cut off entries for which what follows from them could not be written.

    Whoever asked for them is told that nothing was written. The head is first: entries that no head
    names are added to it by the next run, and a head that names entries which are gone is a loss.
    """
    with suppress(OSError):
        if path.read_bytes() != head:
            overwrite(path, head)
        os.ftruncate(fd, size)


def whole(fd: int, size: int) -> int:
    """The size once a line that a crash left half-written is cut off."""
    window = min(size, 1 << 20)
    tail = os.pread(fd, window, size - window)
    if tail.endswith(b"\n") or not tail:
        return size
    keep = tail.rfind(b"\n") + 1
    if keep == 0 and window < size:
        raise changed("its end is not a line")
    size = size - window + keep
    os.ftruncate(fd, size)
    return size
