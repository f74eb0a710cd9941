# SPDX-License-Identifier: Apache-2.0
"""The files of one volume by path, through `dissect` (AGPL-3.0, imported in the worker only)."""

import io
import posixpath
import stat
from collections.abc import Iterator
from importlib import import_module
from typing import Any, BinaryIO, cast

from locard.parsers.disk.image import xfs_directories
from locard.parsers.disk.image.layers import Volume
from locard.parsers.linux.place import printable

_READERS = {
    "ext": ("extfs", "ExtFilesystem"), "xfs": ("xfs", "XfsFilesystem"),
    "ntfs": ("ntfs", "NtfsFilesystem"), "fat": ("fat", "FatFilesystem"),
    "exfat": ("exfat", "ExfatFilesystem"), "btrfs": ("btrfs", "BtrfsFilesystem"),
    "apfs": ("apfs", "ApfsFilesystem"), "ufs": ("ffs", "FfsFilesystem"),
    "squashfs": ("squashfs", "SquashFSFilesystem"),
}  # fmt: skip
MOUNTS = ("/", "/var", "/var/log", "/home", "/root", "/var/lib", "/var/lib/docker", "/usr", "/etc")
"""Where a volume may have been mounted; a path is looked for below each."""


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
        if volume.kind == "xfs":
            xfs_directories.replace(self.filesystem, self.faults.setdefault)
        self.mounts: tuple[str, ...] = ("/",) if self.exists("/etc/passwd") else MOUNTS

    @staticmethod
    def readable(volume: Volume) -> bool:
        """Whether there is a reader for the volume's file system."""
        return volume.kind in _READERS

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder at `path`."""
        return bool(self.filesystem.exists(path))

    def glob(self, pattern: str) -> Iterator[str]:
        """Paths of files that `pattern`, as the running machine saw it, matches on this volume."""
        for mount in self.mounts:
            inside = _inside(pattern, mount)
            if inside is None:
                continue
            yield from sorted(path for path in self._matches(inside) if self._is_file(path))

    def _matches(self, pattern: str) -> Iterator[str]:
        if not any(sign in pattern for sign in "*?["):
            yield pattern
            return
        try:
            yield from (str(path) for path in self.filesystem.glob(pattern))
        except NotADirectoryError:
            return

    def _is_file(self, path: str) -> bool:
        try:
            return bool(self.filesystem.is_file(path))
        except (FileNotFoundError, NotADirectoryError):
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
