# SPDX-License-Identifier: Apache-2.0
"""The timeline of a file system: when each file was modified, accessed, changed and born.

Every name in a directory, deleted ones included, gives a record for each distinct time, whose
`time_meaning` spells out which of the four times it is (`modified, changed`). A name without any
time gives one record without a time. The Sleuth Kit reads what it knows (ext2/3/4, NTFS, FAT,
exFAT, HFS+, ISO 9660, UFS); `dissect` reads the others (XFS, Btrfs, APFS, squashfs).

A locator is `VOLUME/PATH#PARENT:INDEX:TIMES`: inode of the directory, position in it, and the
letters m, a, c, b of the times that the row stands for.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from locard.parsers.contract import Context
from locard.parsers.disk.image import boundary, sleuthkit
from locard.parsers.disk.image.layers import Volume
from locard.parsers.disk.image.sleuthkit import Entry, Remark
from locard.parsers.disk.image.tree import Tree
from locard.parsers.rows import Rows

SOURCE = "disk.filesystem"
MEANINGS = {"m": "modified", "a": "accessed", "c": "changed", "b": "born"}
_BATCH = 20_000
_INT64 = 1 << 63


@dataclass(slots=True)
class _Gathered:
    """Columns of the rows that are on their way."""

    time: list[int | None]
    meaning: list[str]
    file: list[str]
    message: list[str]
    locator: list[str]
    raw: list[bytes]
    attributes: list[tuple[tuple[str, str], ...]]
    problem: list[str]


def read(volume: Volume, tree: Tree | None, rows: Rows, context: Context, host: str) -> None:
    """Append the file-system timeline of `volume`; a volume without a file system gives nothing."""
    entries: Iterator[Entry | Remark | str]
    if sleuthkit.reads(volume.kind):
        entries = sleuthkit.entries(volume, _sought(volume, context.only))
    elif tree is not None:
        entries = _walked(tree)
    else:
        return
    gathered = _empty()
    with boundary.kept(rows, f"{volume.name}!files", f"the files of {volume.name}", host):
        for number, entry in enumerate(entries):
            if not isinstance(entry, Entry):
                locator = f"{volume.name}!files{number}"
                if context.only not in (None, locator):
                    continue
                if isinstance(entry, Remark):
                    boundary.remark(rows, locator, entry.text, host)
                else:
                    boundary.problem(rows, locator, entry, host)
                continue
            _gather(entry, volume.name, context.only, gathered)
            if len(gathered.file) >= _BATCH:
                _leave(gathered, rows, host)
                gathered = _empty()
    _leave(gathered, rows, host)


def _sought(volume: Volume, only: str | None) -> str | None:
    """The locator whose folders are enough; None where all have to be walked, for a problem too."""
    return None if only is None or only.startswith(f"{volume.name}!") else only


def _empty() -> _Gathered:
    return _Gathered([], [], [], [], [], [], [], [])


def _gather(entry: Entry, volume: str, only: str | None, into: _Gathered) -> None:
    times: dict[int, str] = {}
    for letter, when in zip("macb", entry.times, strict=True):
        if when is not None:
            times[when] = times.get(when, "") + letter
    place = f"{volume}{entry.path}#{entry.parent}:{entry.index}"
    attributes = entry.attributes()
    raw = json.dumps({"path": entry.path, **dict(attributes)}, separators=(",", ":")).encode()
    size = f" ({entry.size} bytes)" if entry.kind == "file" else f" ({entry.kind})"
    message = f"{entry.path}{size}{' deleted' if entry.deleted else ''}"
    whens: list[tuple[int | None, str]] = list(times.items()) or [(None, "")]
    for when, letters in whens:
        locator = f"{place}:{letters or 'none'}"
        if only is not None and locator != only:
            continue
        sound = when is None or -_INT64 < when < _INT64
        into.time.append(when if sound else None)
        into.meaning.append(", ".join(MEANINGS[letter] for letter in letters))
        into.file.append(entry.path)
        into.message.append(message)
        into.locator.append(locator)
        into.raw.append(raw)
        into.attributes.append(attributes)
        into.problem.append("" if sound else f"the time {when} ns since 1970 is out of range")


def _leave(gathered: _Gathered, rows: Rows, host: str) -> None:
    rows.columns(
        len(gathered.file),
        {
            "source": SOURCE,
            "provider": "linux",
            "host": host,
            "time": gathered.time,
            "time_meaning": gathered.meaning,
            "file": gathered.file,
            "message": gathered.message,
            "locator": gathered.locator,
            "raw": gathered.raw,
            "attributes": gathered.attributes,
            "problem": gathered.problem,
        },
    )


def _walked(tree: Tree) -> Iterator[Entry | Remark | str]:
    """Entries of a file system that only `dissect` reads; it does not see deleted names."""
    named, broken = False, False
    for index, (path, found) in enumerate(tree.walk()):
        if isinstance(found, Exception):
            broken = True
            yield f"{path} cannot be read: {boundary.fault_text(found)}"
            continue
        named = True
        born = getattr(found, "st_birthtime_ns", None) or getattr(found, "st_birthtime", None)
        if isinstance(born, float):
            born = int(born * 1_000_000_000)
        yield Entry(
            path=path,
            parent="walk",
            index=index,
            inode=str(found.st_ino),
            kind=sleuthkit.KINDS.get(found.st_mode >> 12, "other"),
            mode=found.st_mode & 0o7777,
            uid=found.st_uid,
            gid=found.st_gid,
            size=found.st_size,
            deleted=False,
            times=(found.st_mtime_ns, found.st_atime_ns, found.st_ctime_ns, born or None),
        )
    yield from tree.faults
    if not named:
        yield sleuthkit.nameless(tree.volume, sound=not broken and not tree.faults)
