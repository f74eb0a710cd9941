# SPDX-License-Identifier: Apache-2.0
"""Names and inodes of a file system through the Sleuth Kit, deleted ones included.

`pytsk3` is imported inside the functions: this runs in the parsing worker only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from locard.parsers.disk.image.boundary import fault_text
from locard.parsers.disk.image.ext_times import ExtTimes
from locard.parsers.disk.image.layers import Volume

KINDS = {1: "fifo", 2: "character device", 4: "folder", 6: "block device", 8: "file",
         10: "link", 12: "socket"}  # fmt: skip
"""File types by the four upper bits of a Unix mode."""
_READS = frozenset(("ext", "ntfs", "fat", "exfat", "hfs", "iso9660", "ufs", "unknown"))
_META_KINDS = {1: "file", 2: "folder", 3: "fifo", 4: "character device", 5: "block device",
               6: "link", 7: "shadow", 8: "socket", 10: "virtual file",
               11: "virtual folder"}  # fmt: skip
_DEPTH = 4096
_ORPHANS = "/$OrphanFiles"
_SCANNED = 5_000_000
"""Inodes that are looked at one by one for orphans; more would take minutes."""
_WITHOUT_DOT = frozenset(("fat", "exfat"))
"""File systems whose root folder does not hold its own name."""
_ALLOCATED = 1
"""TSK_FS_NAME_FLAG_ALLOC and TSK_FS_META_FLAG_ALLOC."""
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a directory, with what its inode says."""

    path: str
    parent: str
    """Inode of the directory that holds the name."""
    index: int
    """Position of the name in that directory."""
    inode: str
    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    deleted: bool
    times: tuple[int | None, int | None, int | None, int | None]
    """Modified, accessed, changed, born: UTC nanoseconds."""
    reallocated: bool = False
    """A deleted name whose inode now belongs to another file: the times are that file's."""

    def attributes(self) -> tuple[tuple[str, str], ...]:
        """The values that have no column of their own."""
        found = [
            ("inode", self.inode),
            ("kind", self.kind),
            ("mode", f"{self.mode:04o}"),
            ("uid", str(self.uid)),
            ("gid", str(self.gid)),
            ("size", str(self.size)),
        ]
        if self.deleted:
            found.append(("deleted", "true"))
        if self.reallocated:
            found.append(("inode_reallocated", "true"))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Remark:
    """What is worth knowing of a volume and is no problem."""

    text: str


def reads(kind: str) -> bool:
    """Whether the Sleuth Kit should be tried on a volume of that kind."""
    return kind in _READS


def entries(volume: Volume, only: str | None = None) -> Iterator[Entry | Remark | str]:
    """Every name of the volume, or a sentence for what could not be read.

    With `only` (a locator of the file-system timeline) the folders that do not lead there are left
    out. A volume of unknown kind that the Sleuth Kit does not know either gives one sentence when
    it holds anything but zeros.
    """
    import pytsk3

    faults: list[str] = []
    image = _image(pytsk3, volume, faults)
    try:
        filesystem = pytsk3.FS_Info(image)
    except OSError as fault:
        if volume.kind != "unknown" or _used(volume):
            what = "file system" if volume.kind == "unknown" else f"{volume.kind} file system"
            yield f"the {what} of {volume.name} cannot be opened: {_short(fault)}"
        return
    wanted = only[len(volume.name) :].rsplit("#", 1)[0] if only else None
    root = filesystem.info.root_inum
    todo: list[tuple[str, int, int]] = [("", root, 0)]
    seen = {root}
    clock = ExtTimes(volume.kind, image.read)
    if clock.scattered and wanted is None:
        yield (
            f"the file system of {volume.name} keeps descriptors of its groups apart (meta_bg), "
            "which is not read: files are missing. Mount it read-only and add that folder"
        )
    named: set[int] = set()
    unnamed, lost = True, False
    while todo:
        path, inode, depth = todo.pop()
        if wanted is not None and path and not wanted.startswith(f"{path}/"):
            continue
        for found in _directory(filesystem, clock, path, inode):
            if isinstance(found, str):
                if path == _ORPHANS and filesystem.info.last_inum <= _SCANNED:
                    yield from _orphans(filesystem, clock, inode, named)
                else:
                    yield found
                continue
            entry, address = found
            if entry.deleted:
                named.add(address)
            unnamed &= _is_made_up(entry)
            lost |= entry.path.startswith(f"{_ORPHANS}/")
            yield entry
            folder = entry.kind in ("folder", "virtual folder")
            if folder and address not in seen and depth < _DEPTH and not entry.reallocated:
                seen.add(address)
                # Orphans come last: an inode to which a deleted name leads is none.
                place = 0 if entry.path == _ORPHANS else len(todo)
                todo.insert(place, (entry.path, address, depth + 1))
    if faults:
        yield f"parts of the image cannot be read, first {faults[0]}"
    if unnamed and wanted is None:
        sound = not faults and not lost and _has_root(filesystem, volume.kind)
        yield nameless(volume, sound=sound)


def nameless(volume: Volume, *, sound: bool) -> Remark | str:
    """What is said of a file system that opens and in which no name was found.

    `sound`: the folder at its root was read, and there is nothing in it.
    """
    if sound:
        return Remark(
            f"the {volume.kind} file system of {volume.name} is empty: the folder at its root "
            "holds no name, and no deleted one"
        )
    return (
        f"the {volume.kind} file system of {volume.name} gives not one name: it is empty, "
        "or the folder at its root cannot be read"
    )


def _has_root(filesystem: Any, kind: str) -> bool:
    """Whether the root names itself, as it does everywhere but where folders never do."""
    if kind in _WITHOUT_DOT:
        return True
    try:
        found = [entry.info.name for entry in filesystem.open_dir(filesystem.info.root_inum)]
    except OSError:
        return False
    return any(name is not None and name.name == b"." for name in found)


def _is_made_up(entry: Entry) -> bool:
    """Whether the Sleuth Kit shows it though no directory names it."""
    return entry.kind.startswith("virtual") or entry.path.startswith(_ORPHANS)


def _image(pytsk3: Any, volume: Volume, faults: list[str]) -> Any:
    class Image(pytsk3.Img_Info):  # type: ignore[misc]
        """The volume as the Sleuth Kit wants it: reads by position."""

        def __init__(self) -> None:
            super().__init__(url="", type=pytsk3.TSK_IMG_TYPE_EXTERNAL)

        def close(self) -> None:
            """Nothing to close: the volume is the caller's."""

        def read(self, offset: int, size: int) -> bytes:
            """`size` bytes at `offset`; none, and a note, where the image cannot be read.

            An exception would end the whole walk, so all of them are caught: a container of
            hostile bytes raises whatever its structures run into.
            """
            try:
                volume.stream.seek(offset)
                return volume.stream.read(size)
            except Exception as fault:  # noqa: BLE001  as the text above says
                if not faults:
                    faults.append(f"byte {offset} of {volume.name}: {fault_text(fault)}")
                return b""

        def get_size(self) -> int:
            """Bytes of the volume."""
            return volume.size

    return Image()


def _used(volume: Volume) -> bool:
    try:
        volume.stream.seek(0)
        return any(volume.stream.read(1 << 20))
    except EOFError:
        return True


def _orphans(filesystem: Any, clock: ExtTimes, parent: int, named: set[int]) -> Iterator[Entry]:
    """Inodes that were deleted and that no name leads to, where the Sleuth Kit's list fails.

    It fails on ext file systems whose inode tables were never written to the end.
    """
    for inode in range(1, filesystem.info.last_inum):
        try:
            meta = filesystem.open_meta(inode).info.meta
        except OSError:
            continue
        if int(meta.flags) & _ALLOCATED or not (meta.mtime or meta.ctime) or inode in named:
            continue
        yield _described(meta, clock, f"{_ORPHANS}/OrphanFile-{inode}", parent, inode, True)


def _directory(
    filesystem: Any, clock: ExtTimes, path: str, inode: int
) -> Iterator[tuple[Entry, int] | str]:
    try:
        directory = filesystem.open_dir(inode=inode)
    except OSError as fault:
        yield f"the folder {path or '/'} (inode {inode}) cannot be read: {_short(fault)}"
        return
    index = -1
    names = iter(directory)
    while True:
        index += 1
        try:
            found = next(names, None)
        except OSError as fault:
            yield f"a name in the folder {path or '/'} cannot be read: {_short(fault)}"
            continue
        if found is None:
            return
        name = found.info.name
        if name is None or name.name is None or name.name in (b".", b".."):
            continue
        entry = _entry(found, clock, f"{path}/{_text(name.name)}", inode, index)
        yield entry, int(name.meta_addr)


def _entry(found: Any, clock: ExtTimes, path: str, parent: int, index: int) -> Entry:
    name, meta = found.info.name, found.info.meta
    deleted = not int(name.flags) & _ALLOCATED
    if meta is None:
        return Entry(path, str(parent), index, str(name.meta_addr), "name only", 0, 0, 0, 0,
                     deleted, (None, None, None, None))  # fmt: skip
    return _described(meta, clock, path, parent, index, deleted)


def _described(
    meta: Any, clock: ExtTimes, path: str, parent: int, index: int, deleted: bool
) -> Entry:
    inode_live = bool(int(meta.flags) & _ALLOCATED)
    return Entry(
        path=path,
        parent=str(parent),
        index=index,
        inode=str(meta.addr),
        kind=_META_KINDS.get(int(meta.type), "other"),
        mode=int(meta.mode) & 0o7777,
        uid=int(meta.uid),
        gid=int(meta.gid),
        size=int(meta.size),
        deleted=deleted or not inode_live,
        reallocated=deleted and inode_live,
        times=clock.of(int(meta.addr), int(meta.mtime))
        or (
            _time(meta.mtime, meta.mtime_nano),
            _time(meta.atime, meta.atime_nano),
            _time(meta.ctime, meta.ctime_nano),
            _time(meta.crtime, meta.crtime_nano),
        ),
    )


def _time(seconds: int, nanoseconds: int) -> int | None:
    """UTC nanoseconds; a zero means that the file system does not keep or did not set the time."""
    return int(seconds) * _SECOND + int(nanoseconds) if seconds else None


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def _short(fault: BaseException) -> str:
    said = " ".join(str(fault).split())
    return re.sub(r"^\w+: \(tsk3\.cpp:\d+\) (?:Unable to .*? with error: )?", "", said)[:300]
