# SPDX-License-Identifier: Apache-2.0
"""A BagIt bag (RFC 8493) that is written once, streamed and hashed on the way: all or nothing.

It grows under a name that begins with a dot, beside where it will stand, and takes its own name
when it is whole and on the disk. Whatever breaks off leaves nothing; what a killed process left is
removed by the next one.
"""

import errno
import io
import os
import shutil
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self

from locard.model.errors import Conflict, Missing, Storage

BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_UNFINISHED = ".unfinished-"


class Form(StrEnum):
    """What a bundle is written as."""

    FOLDER = "folder"
    ZIP = "zip"
    TAR = "tar"


class _Sink(Protocol):
    """Where members go."""

    def put(self, name: str, chunks: Iterable[bytes], size: int | None) -> None:
        """Write one member."""

    def finish(self) -> None:
        """Everything was put: bring it to the disk."""

    def abandon(self) -> None:
        """Let go of what is open; the files are removed by the caller."""


class Bag:
    """A bag while it is written; it is there when its `with` block ends without a mistake.

    Raises `Conflict` when something stands there already, `Missing` without the folder above it,
    and `Storage` when the disk is full or may not be written.
    """

    def __init__(self, path: Path, form: Form) -> None:
        self.path, self.form = path.absolute(), form
        self.payload: dict[str, str] = {}
        """SHA-256 of each member below `data/`."""
        self.tags: dict[str, str] = {}
        self.octets = 0
        above = self.path.parent
        self._growing = above / f".{self.path.name}{_UNFINISHED}{os.getpid()}"
        if os.path.lexists(self.path):
            raise Conflict(f"{path} is there already.", "Name another place, or remove it first.")
        if not above.is_dir():
            raise Missing(f"There is no folder {above}.", "Make it first, or name another place.")

    def __enter__(self) -> Self:
        with self._writable():
            self._sweep()
            sinks: dict[Form, Callable[[Path, str], _Sink]] = {
                Form.FOLDER: _Folder,
                Form.ZIP: _Zip,
                Form.TAR: _Tar,
            }
            self._sink = sinks[self.form](self._growing, self._root())
        return self

    def put(
        self,
        name: str,
        chunks: Iterable[bytes],
        size: int | None = None,
        watch: Callable[[int], None] = lambda _bytes: None,
    ) -> str:
        """Write a member below `data/`, hashed on the way; its SHA-256."""
        counted = _Counted(chunks, watch)
        with self._writable():
            self._sink.put(f"data/{name}", counted, size)
        self.octets += counted.size
        digest = self.payload[f"data/{name}"] = counted.digest()
        return digest

    def tag(self, name: str, content: bytes) -> str:
        """Write a file about the bag itself; its SHA-256."""
        with self._writable():
            self._sink.put(name, [content], len(content))
        digest = self.tags[name] = sha256(content).hexdigest()
        return digest

    def close_payload(self, facts: Iterable[tuple[str, str]]) -> None:
        """Everything below `data/` is there: write the files that say so."""
        lines = [
            *facts,
            ("Bagging-Date", f"{time.strftime('%Y-%m-%d', time.gmtime())}"),
            ("Payload-Oxum", f"{self.octets}.{len(self.payload)}"),
        ]
        self.tag("bagit.txt", BAGIT)
        self.tag("bag-info.txt", "".join(f"{k}: {_line(v)}\n" for k, v in lines).encode())
        self.tag("manifest-sha256.txt", _manifest(self.payload))

    def close_tags(self) -> None:
        """Every file about the bag is there: write their list, the last member."""
        content = _manifest(self.tags)
        with self._writable():
            self._sink.put("tagmanifest-sha256.txt", [content], len(content))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                with self._writable():
                    self._sink.finish()
                    if os.path.lexists(self.path):
                        raise Conflict(f"{self.path} came into being meanwhile.", "Name another.")
                    self._growing.rename(self.path)
                    _flush(self.path.parent)
            else:
                self._sink.abandon()
        finally:
            _remove(self._growing)

    def _root(self) -> str:
        name = self.path.name
        for end in (".zip", ".tar"):
            name = name.removesuffix(end)
        kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)
        return kept.strip("-") or "bundle"

    def _sweep(self) -> None:
        """Remove what a killed process left of the same bundle."""
        for left in self.path.parent.glob(f".{_escaped(self.path.name)}{_UNFINISHED}*"):
            pid = left.name.rpartition("-")[2]
            if not (pid.isdigit() and Path(f"/proc/{pid}").exists()):
                _remove(left)

    def _writable(self) -> "_Writable":
        return _Writable(self.path.parent)


class _Writable:
    """Says plainly that a disk is full or read-only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, OSError):
            return
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise Storage(
                f"The disk of {self.folder} is full.",
                "Free some space or name another place. Nothing half-written was left.",
            ) from error
        raise Storage(
            f"The bundle cannot be written into {self.folder}: {error.strerror or error}.",
            "Name another place. Nothing half-written was left.",
        ) from error


class _Counted:
    """Chunks that are hashed and counted while somebody takes them."""

    def __init__(self, chunks: Iterable[bytes], watch: Callable[[int], None]) -> None:
        self._chunks, self._watch, self._digest, self.size = chunks, watch, sha256(), 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._digest.update(chunk)
            self.size += len(chunk)
            yield chunk
            self._watch(len(chunk))

    def digest(self) -> str:
        return self._digest.hexdigest()


class _Folder:
    """Members as files."""

    def __init__(self, path: Path, _root: str) -> None:
        path.mkdir(mode=0o700)
        self._path = path

    def put(self, name: str, chunks: Iterable[bytes], size: int | None) -> None:
        path = self._path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb", buffering=0) as file:
            for chunk in chunks:
                view = memoryview(chunk)
                while view:
                    view = view[file.write(view) :]

    def finish(self) -> None:
        os.sync()
        self._path.chmod(0o755)

    def abandon(self) -> None:
        return None


class _Zip:
    """Members in a zip, not packed: evidence mostly is already, and size is what it seems."""

    def __init__(self, path: Path, root: str) -> None:
        self._file = path.open("xb")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED, allowZip64=True)
        self._root = root

    def put(self, name: str, chunks: Iterable[bytes], size: int | None) -> None:
        info = zipfile.ZipInfo(f"{self._root}/{name}", time.gmtime()[:6])
        info.external_attr = 0o100644 << 16
        large = size is None or size >= 1 << 31
        with self._zip.open(info, "w", force_zip64=large) as member:
            for chunk in chunks:
                member.write(chunk)

    def finish(self) -> None:
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        # The zip's directory is not written: nobody will read it, and the disk may be full.
        self._zip.fp = None
        _dropped(self._file)


class _Tar:
    """Members in a plain tar. What has no size yet is written beside it first."""

    def __init__(self, path: Path, root: str) -> None:
        self._file = path.open("xb")
        self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._root, self._folder = root, path.parent

    def put(self, name: str, chunks: Iterable[bytes], size: int | None) -> None:
        if size is None:
            with tempfile.TemporaryFile(dir=self._folder) as spool:
                size = sum(spool.write(chunk) for chunk in chunks)
                spool.seek(0)
                self._add(name, spool, size)
        else:
            self._add(name, io.BufferedReader(_Chunks(chunks), 1 << 20), size)

    def _add(self, name: str, source: BinaryIO, size: int) -> None:
        info = tarfile.TarInfo(f"{self._root}/{name}")
        info.size, info.mode, info.mtime = size, 0o644, int(time.time())
        self._tar.addfile(info, source)
        self._tar.members.clear()  # type: ignore[attr-defined]
        grew = False
        while source.read(1 << 20):  # to its end, since who reads may have more to say
            grew = True
        if grew:
            raise Conflict(f"{name} grew while it was written.", "Run the same command again.")

    def finish(self) -> None:
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        _dropped(self._file)


class _Chunks(io.RawIOBase):
    """Chunks as a file that is read."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        super().__init__()
        self._chunks, self._left = iter(chunks), memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            try:
                self._left = memoryview(next(self._chunks))
            except StopIteration:
                return 0
        part = self._left[: len(buffer)]
        buffer[: len(part)] = part
        self._left = self._left[len(part) :]
        return len(part)


def _manifest(digests: dict[str, str]) -> bytes:
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())).encode()


def _line(text: str) -> str:
    return " ".join(text.split())


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _dropped(file: BinaryIO) -> None:
    """Close a file that is not wanted; what still waits to be written may not fit on the disk."""
    with suppress(OSError):
        file.close()


def _flush(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
