# SPDX-License-Identifier: Apache-2.0
"""What a bundle is made of: a folder, a zip or a tar, read as a hostile stranger's.

A bundle may have been written by an opponent. So nothing is extracted: members are listed once,
names that could lead out of the bundle are faults, and so are links and devices. Everything that is
read into memory has a limit, and an archive that promises much more than it is, is refused.
"""

import io
import os
import re
import stat
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

MOST_MEMBERS = 2_000_000
DEEPEST = 16
"""Folders within folders; a bundle of ours has five."""
LONGEST_NAME = 255
MOST_RATIO = 200
"""How many times larger than its archive a bundle may be, above `ALWAYS`. Ours is not packed."""
ALWAYS = 64 << 20
MOST_FAULTS = 1_000
LARGEST_HEADER = 8 << 20
"""Bytes that a tar may ask to be read at once: its long names and extended headers."""
LARGEST_DIRECTORY = 256 << 20
"""Bytes of a zip's directory that are read into memory at most."""

SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
"""Names that a bundle may have: relative, ASCII, no part that begins with a dot."""


class Refused(Exception):
    """Not readable, or larger than anything of its kind may be. `advice` says what to do."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class Container(Protocol):
    """The members of a bundle by name, with their size in bytes."""

    members: dict[str, int]
    faults: list[str]
    """What is in it and may not be: links, devices, names that lead out of it."""

    def open(self, name: str) -> BinaryIO:
        """A member's bytes, to be read from the beginning to the end."""


@contextmanager
def opened(path: Path) -> Iterator[Container]:
    """The bundle at `path`. Raises `Refused` for what cannot be one or is too large to be read."""
    if path.is_dir():
        yield _Folder(path)
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error
    with file:
        begin = file.read(512)
        if begin[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            yield _Zip(file)
        elif begin[257:262] == b"ustar":
            yield _Tar(file)
        else:
            raise Refused(f"{path} is no folder, zip or tar.", "Unpack it and verify the folder.")


def whole(container: Container, name: str, limit: int) -> bytes:
    """A member read into memory. Raises `Refused` when it is larger than `limit` bytes."""
    size = container.members.get(name)
    if size is None:
        raise Refused(f"{name} is missing from the bundle.")
    with container.open(name) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise Refused(f"{name} is larger than {limit:,} bytes, which no such file needs.")
    return data


def lines(file: BinaryIO, limit: int, name: str) -> Iterator[bytes]:
    """The lines of a member without their ends, each of at most `limit` bytes."""
    while line := file.readline(limit + 1):
        if len(line) > limit:
            raise Refused(f"{name} has a line of more than {limit:,} bytes.")
        yield line.rstrip(b"\n")


class _Listing:
    """Members as they are found, with the limits that hold for every kind of container."""

    def __init__(self) -> None:
        self.members: dict[str, int] = {}
        self.faults: list[str] = []
        self.bytes = 0

    def fault(self, text: str) -> None:
        """Something that may not be in a bundle."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(text)

    def add(self, name: str, size: int) -> bool:
        """Take a member in, unless its name is not to be trusted."""
        if len(self.members) >= MOST_MEMBERS:
            raise Refused(f"The bundle has more than {MOST_MEMBERS:,} members.")
        if len(name) > LONGEST_NAME or name.count("/") >= DEEPEST or not SAFE.fullmatch(name):
            self.fault(f"a member is called {name[:LONGEST_NAME]!r}, which no bundle may use")
            return False
        if name in self.members:
            self.fault(f"{name} is there more than once")
            return False
        self.members[name] = size
        self.bytes += size
        return True

    def bounded(self, held: int) -> None:
        """Refuse an archive of `held` bytes that says it holds far more."""
        if self.bytes > held * MOST_RATIO + ALWAYS:
            raise Refused(
                f"The archive has {held:,} bytes and says it holds {self.bytes:,}.",
                "Bundles are not packed that tightly. Unpack it with care and verify the folder.",
            )


class _Folder(_Listing):
    """A bundle as a folder. Links are never followed."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root
        self._walk("", 0)

    def _walk(self, prefix: str, depth: int) -> None:
        if depth > DEEPEST:
            self.fault(f"{prefix[:80]!r} lies deeper than {DEEPEST} folders")
            return
        with os.scandir(self.root / prefix) as found:
            for one in found:
                name = prefix + one.name
                if one.is_symlink():
                    self.fault(f"{name[:LONGEST_NAME]!r} is a link; links are not followed")
                elif one.is_dir(follow_symlinks=False):
                    self._walk(name + "/", depth + 1)
                elif one.is_file(follow_symlinks=False):
                    self.add(name, one.stat(follow_symlinks=False).st_size)
                else:
                    self.fault(f"{name[:LONGEST_NAME]!r} is no file")

    def open(self, name: str) -> BinaryIO:
        fd = os.open(self.root / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise Refused(f"{name} is no file any more.")
        return os.fdopen(fd, "rb")


class _Zip(_Listing):
    """A bundle in a zip. Its one folder, when everything is inside one, is taken off."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        held = os.fstat(file.fileno()).st_size
        _bounded_directory(file, held)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise Refused(f"The zip cannot be read: {error}.") from error
        infos = self._zip.infolist()
        root = _root([info.filename for info in infos])
        self._infos: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            name = info.filename.removeprefix(root)
            mode = info.external_attr >> 16
            if info.is_dir() and not info.file_size:
                continue
            if mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode):
                self.fault(f"{name[:LONGEST_NAME]!r} is a link or no file")
            elif info.flag_bits & 1:
                self.fault(f"{name[:LONGEST_NAME]!r} is encrypted")
            elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                self.fault(f"{name[:LONGEST_NAME]!r} is packed in a way that bundles do not use")
            elif self.add(name, info.file_size):
                self._infos[name] = info
        self.bounded(held)

    def open(self, name: str) -> BinaryIO:
        try:
            return cast(BinaryIO, self._zip.open(self._infos[name]))
        except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
            raise Refused(f"{name} cannot be read from the zip: {error}.") from error


def _bounded_directory(file: BinaryIO, held: int) -> None:
    """Read how large the zip's directory says it is, before anybody reads it into memory."""
    file.seek(max(0, held - (1 << 16) - 22))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise Refused("The zip has no directory: it is cut off.")
    size = struct.unpack("<I", tail[at + 12 : at + 16])[0]
    if at >= 20 and tail[at - 20 : at - 16] == b"PK\x06\x07":
        file.seek(min(held, struct.unpack("<Q", tail[at - 12 : at - 4])[0]))
        record = file.read(56)
        if len(record) < 56 or record[:4] != b"PK\x06\x06":
            raise Refused("The zip's directory is damaged.")
        size = struct.unpack("<Q", record[40:48])[0]
    if size > LARGEST_DIRECTORY:
        raise Refused("The zip's directory is too large.", "Unpack it and verify the folder.")
    file.seek(0)


class _Tar(_Listing):
    """A bundle in a plain tar. Headers that ask for much memory are refused."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        held = os.fstat(file.fileno()).st_size
        file.seek(0)
        self._at: dict[str, tuple[int, int]] = {}
        found: list[tarfile.TarInfo] = []
        try:
            with tarfile.open(fileobj=cast(BinaryIO, _Frugal(file)), mode="r:") as tar:
                while (info := tar.next()) is not None:
                    tar.members.clear()  # type: ignore[attr-defined]
                    found.append(info)
                    if len(found) > MOST_MEMBERS:
                        raise Refused(f"The tar has more than {MOST_MEMBERS:,} members.")
        except (tarfile.TarError, ValueError, OSError, RecursionError) as error:
            raise Refused(f"The tar cannot be read: {error}.") from error
        root = _root([info.name + "/" * info.isdir() for info in found])
        for info in found:
            name = info.name.removeprefix(root)
            if info.isdir():
                continue
            if not info.isreg() or info.issparse():
                self.fault(f"{name[:LONGEST_NAME]!r} is a link or no plain file")
            elif info.offset_data + info.size > held:
                raise Refused(f"The tar is cut off within {name[:LONGEST_NAME]!r}.")
            elif self.add(name, info.size):
                self._at[name] = (info.offset_data, info.size)

    def open(self, name: str) -> BinaryIO:
        return io.BufferedReader(_Slice(self._file.fileno(), *self._at[name]), 1 << 20)


class _Frugal:
    """A file that refuses to read very much at once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= LARGEST_HEADER:
            raise Refused("The tar has a header of unreasonable length.")
        return self._file.read(size)


class _Slice(io.RawIOBase):
    """A part of a file, with a position of its own."""

    def __init__(self, fd: int, start: int, size: int) -> None:
        super().__init__()
        self._fd, self._at, self._end = fd, start, start + size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        data = os.pread(self._fd, min(len(view), self._end - self._at), self._at)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


def _root(names: list[str]) -> str:
    """The one folder that everything lies in, with its slash, or nothing."""
    firsts = {name.partition("/")[0] for name in names}
    if len(firsts) != 1 or any("/" not in name for name in names):
        return ""
    return firsts.pop() + "/"
