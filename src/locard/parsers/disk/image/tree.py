# SPDX-License-Identifier: Apache-2.0
"""The files of one volume by path, through `dissect` (AGPL-3.0, imported in the worker only)."""

import io
import posixpath
import stat
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from importlib import import_module
from itertools import islice
from typing import Any, BinaryIO, cast

from locard.parsers.disk.image import ext_nodes, xfs_directories
from locard.parsers.disk.image.boundary import fault_text
from locard.parsers.disk.image.layers import Volume
from locard.parsers.linux.place import printable

_READERS = {
    "ext": ("extfs", "ExtFilesystem"), "xfs": ("xfs", "XfsFilesystem"),
    "ntfs": ("ntfs", "NtfsFilesystem"), "fat": ("fat", "FatFilesystem"),
    "exfat": ("exfat", "ExfatFilesystem"), "btrfs": ("btrfs", "BtrfsFilesystem"),
    "apfs": ("apfs", "ApfsFilesystem"), "ufs": ("ffs", "FfsFilesystem"),
    "squashfs": ("squashfs", "SquashFSFilesystem"),
}  # fmt: skip
_MENDED = {"ext": ext_nodes.replace, "xfs": xfs_directories.replace}
"""What reads parts of a file system in the place of the library, which reads less."""
MOUNTS = ("/", "/var", "/var/log", "/home", "/root", "/var/lib", "/var/lib/docker", "/usr", "/etc")
"""Where a volume may have been mounted; a path is looked for below each."""

_REMEMBERED = 10_000
"""Names of a folder that are kept; a larger one is listed anew each time."""
_FOLDERS = 256


class Tree:
    """The files of a volume. Paths begin with `/` and are the volume's own."""

    def __init__(self, volume: Volume) -> None:
        module, name = _READERS[volume.kind]
        reader = getattr(import_module(f"dissect.target.filesystems.{module}"), name)
        volume.stream.seek(0)
        self.filesystem: Any = reader(volume.stream)
        self.volume = volume
        self.faults: dict[str, None] = {}
        """What the file system could not read and went on: sentences, in order."""
        self.unlisted: dict[str, str] = {}
        """Folders that could not be read in full when files were looked for, and why."""
        self._listed: OrderedDict[str, list[str]] = OrderedDict()
        if volume.kind in _MENDED:
            _MENDED[volume.kind](self.filesystem, self.faults.setdefault)
        self.mounts: tuple[str, ...] = ("/",) if self.exists("/etc/passwd") else MOUNTS

    @staticmethod
    def readable(volume: Volume) -> bool:
        """Whether there is a reader for the volume's file system."""
        return volume.kind in _READERS

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder at `path`."""
        return bool(self.filesystem.exists(path))

    def glob(self, pattern: str) -> Iterator[tuple[str, str]]:
        """Files of this volume that `pattern` matches, which is as the running machine saw it.

        Each as its path here and its path there.
        Names that begin with a dot match too: who hides something is who is looked for.
        """
        for mount in self.mounts:
            inside = _inside(pattern, mount)
            if inside is None:
                continue
            for path in sorted(path for path in self._matches(inside) if self._is_file(path)):
                yield path, f"{mount.rstrip('/')}{path}"

    def _matches(self, pattern: str) -> Iterator[str]:
        *folders, last = pattern.strip("/").split("/")
        found = ["/"]
        for part in folders:
            found = [posixpath.join(at, name) for at in found for name in self._named(at, part)]
        for at in found:
            for name in self._named(at, last):
                yield posixpath.join(at, name)

    def _named(self, folder: str, pattern: str) -> Iterable[str]:
        if not any(sign in pattern for sign in "*?["):
            return (pattern,)
        return (name for name in self._names(folder) if fnmatchcase(name, pattern))

    def _names(self, folder: str) -> Iterable[str]:
        """Names in a folder, none where there is no such; the last few folders are remembered."""
        known = self._listed.get(folder)
        if known is not None:
            return known
        names = list(islice(self._listing(folder), _REMEMBERED + 1))
        if len(names) > _REMEMBERED:
            return self._listing(folder)
        self._listed[folder] = names
        if len(self._listed) > _FOLDERS:
            self._listed.popitem(last=False)
        return names

    def _listing(self, folder: str) -> Iterator[str]:
        from dissect.target.exceptions import SymlinkRecursionError

        try:
            for entry in self.filesystem.scandir(folder):
                if entry.name not in (".", ".."):
                    yield entry.name
        except (FileNotFoundError, NotADirectoryError, SymlinkRecursionError):
            return
        except Exception as fault:  # noqa: BLE001  a folder of hostile bytes: reported
            self.unlisted.setdefault(printable(folder), fault_text(fault))

    def _is_file(self, path: str) -> bool:
        from dissect.target.exceptions import SymlinkRecursionError

        try:
            return bool(self.filesystem.is_file(path))
        except (FileNotFoundError, NotADirectoryError, SymlinkRecursionError):
            return False
        except Exception as fault:  # noqa: BLE001  as above
            self.unlisted.setdefault(printable(posixpath.dirname(path)), fault_text(fault))
            return False

    def open(self, path: str) -> BinaryIO:
        """A stream over the file's content."""
        return cast(BinaryIO, self.filesystem.open(path))

    def text(self, path: str, limit: int = 1 << 20) -> str:
        """The beginning of a small text file; empty when there is none."""
        if not self.filesystem.is_file(path):
            return ""
        return self.open(path).read(limit).decode("utf-8", "backslashreplace")

    def link(self, path: str) -> str:
        """What a symbolic link points to; empty when `path` is none."""
        if not self.filesystem.is_symlink(path):
            return ""
        return str(self.filesystem.get(path).readlink())

    def identity(self, path: str) -> str:
        """What two names of the same file have in common: the inode where there are such."""
        inode = self.filesystem.get(path).stat().st_ino
        return f"{inode}" if inode else path

    def modified(self, path: str) -> int | None:
        """Modification time, UTC nanoseconds."""
        found = self.filesystem.get(path).stat()
        when = found.st_mtime_ns if found.st_mtime_ns is not None else int(found.st_mtime * 1e9)
        return int(when) or None

    def walk(self) -> Iterator[tuple[str, Any]]:
        """Every file and folder with its `stat` record, or the exception that took its place."""
        todo = ["/"]
        while todo:
            folder = todo.pop()
            entries = []
            try:
                for entry in self.filesystem.scandir(folder):
                    entries.append(entry)  # noqa: PERF402  those in front of a fault are kept
            except Exception as fault:  # noqa: BLE001  a folder of hostile bytes: reported
                yield printable(folder), fault
            for entry in entries:
                if entry.name in (".", ".."):
                    continue
                path = posixpath.join(folder, entry.name)
                try:
                    found = entry.stat(follow_symlinks=False)
                except Exception as fault:  # noqa: BLE001  as above
                    yield printable(path), fault
                    continue
                yield printable(path), found
                if stat.S_ISDIR(found.st_mode):
                    todo.append(path)


def _inside(pattern: str, mount: str) -> str | None:
    if mount == "/":
        return pattern
    return pattern[len(mount) :] if pattern.startswith(f"{mount}/") else None


def buffered(stream: BinaryIO) -> BinaryIO:
    """The stream with a buffer, for readers that take few bytes at a time."""
    return cast(BinaryIO, io.BufferedReader(cast(Any, stream), 1 << 20))
