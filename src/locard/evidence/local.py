# SPDX-License-Identifier: Apache-2.0
"""The store that is a folder: read-only files, with the immutable flag where it was asked for.

objects/ab/cdef…   the bytes, mode 0444, named by the SHA-256 of the evidence
incoming/          bytes on their way in; what a crash left there is removed
locks/cdef…        holds and retentions: a folder has none of its own, so this is our word for it

The immutable flag (`chattr +i`) is what the operating system has: not even root changes or deletes
such a file before taking the flag off, which only root can.
"""

import errno
import fcntl
import json
import os
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock, get_ident
from typing import BinaryIO

from locard.evidence import sparse
from locard.evidence.own import lives, named
from locard.evidence.sparse import CHUNK
from locard.evidence.store import Content, Kept, Watch, locked, unwatched
from locard.model.errors import Denied, Error, Missing, Storage, Tampered

_DURABLE_ALONE = 8 << 20
"""Files from this size on were flushed when they were written; smaller ones in `settle`."""
_AT_ONCE = 16
"""Files that are flushed at the same time."""
_GET_FLAGS, _SET_FLAGS, _IMMUTABLE = 0x80086601, 0x40086602, 0x10
"""FS_IOC_GETFLAGS, FS_IOC_SETFLAGS and FS_IMMUTABLE_FL of <linux/fs.h>."""


class LocalStore:
    """A folder that keeps evidence. `immutable` asks for the flag wherever it is allowed."""

    def __init__(self, folder: Path, *, immutable: bool = False) -> None:
        self.folder, self.immutable = folder, immutable
        self._unsettled: list[Path] = []
        self._settling = Lock()

    @property
    def address(self) -> str:
        """The folder as an address."""
        return self.folder.absolute().as_uri()

    @property
    def spool(self) -> Path | None:
        """Bytes that wait here are linked into their place, not copied."""
        return self.folder / "incoming"

    def describe(self) -> str:
        """Whether the immutable flag is in force here."""
        if not self.immutable:
            return "read-only files: whoever owns the folder can still change or delete them"
        if fault := self.flag_fault():
            return f"read-only files without the immutable flag: {fault}"
        return "read-only files with the immutable flag: only root can take it off"

    def prepare(self) -> None:
        """Make the folders and remove what a crashed process left half-way in."""
        ready(self.folder, "objects", "locks")

    def place(
        self, name: str, path: Path, content: Content, watch: Watch = unwatched
    ) -> tuple[Kept, bool]:
        """Link the file into its place, or copy it when it lies on another disk.

        What did not wait in the spool is somebody's, who goes on finding it under its name.
        """
        target = self._path(name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            new = self._link(path, target, content)
            self._leave(path, target)
            if self.immutable and not _flagged(target):
                with suppress(OSError):  # what is in force is said in `protection`
                    _flag(target, True)
        except OSError as error:
            raise refused(self.folder, error) from error
        if not new and target.stat().st_size != content.size:
            raise Tampered(
                f"The vault's copy of {name[:16]}… has another size than it was taken in.",
                "Restore it from a copy before adding the same evidence again.",
            )
        if new:
            if content.size < _DURABLE_ALONE:
                self._unsettled.append(target)
            self._unsettled.append(target.parent)
        watch(content.size)
        return self._kept(name, target, content.size), new

    def settle(self) -> None:
        """Flush what was placed, and the folders that name it.

        Many at once: the file system writes its journal once for all that wait for it.
        """
        with self._settling:  # what another thread is about to flush is waited for
            count = len(self._unsettled)  # others append meanwhile
            unsettled = list(dict.fromkeys(self._unsettled[:count]))
            with ThreadPoolExecutor(min(_AT_ONCE, len(unsettled)) or 1) as pool:
                for _ in pool.map(flush, unsettled):
                    pass
            del self._unsettled[:count]

    def open(self, name: str) -> BinaryIO | None:
        """The file itself."""
        try:
            return self._path(name).open("rb")
        except FileNotFoundError as error:
            raise absent(name) from error
        except OSError as error:
            raise refused(self.folder, error) from error

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes, a MiB at a time."""
        file = self.open(name)
        assert file is not None
        with file:
            while chunk := file.read(CHUNK):
                yield chunk

    def stat(self, name: str) -> Kept | None:
        """What lies there."""
        path = self._path(name)
        try:
            return self._kept(name, path, path.stat().st_size)
        except FileNotFoundError:
            return None

    def renew(self, name: str) -> Kept:
        """Nothing counts from when it was placed."""
        return self._found(name)

    def hold(self, name: str, held: bool) -> Kept:
        """Note a hold, which `remove` respects."""
        kept = self._found(name)
        return self._note(name, held, kept.until)

    def retain(self, name: str, until: int) -> Kept:
        """Note a retention, which `remove` respects; the later one counts."""
        kept = self._found(name)
        return self._note(name, kept.held, max(until, kept.until or 0))

    def remove(self, name: str) -> None:
        """Delete the file, after taking the immutable flag off."""
        locked(self._found(name), time.time_ns())
        path = self._path(name)
        try:
            if _flagged(path):
                unflagged(path)
            path.unlink()
            flush(path.parent)
            (self.folder / "locks" / name).unlink(missing_ok=True)
        except OSError as error:
            raise refused(self.folder, error) from error

    def names(self) -> Iterator[str]:
        """What lies below `objects/`."""
        for folder in (self.folder / "objects").glob("??"):
            for path in folder.iterdir():
                yield folder.name + path.name

    def _path(self, name: str) -> Path:
        return self.folder / "objects" / name[:2] / name[2:]

    def _link(self, path: Path, target: Path, content: Content) -> bool:
        """Put the file into its place; whether the place was free."""
        try:
            os.link(path, target)
            return True
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        beside = self.folder / "incoming" / named(target.name)
        try:
            _copied(path, beside, content)
            return self._link(beside, target, content)
        finally:
            beside.unlink(missing_ok=True)

    def _leave(self, path: Path, target: Path) -> None:
        """Take away the file's other name, through which it could be written to or outlive us.

        In its stead comes a symbolic link where the name belongs to somebody.
        """
        if path.parent == self.spool:
            _gone(path)
        elif path.samefile(target):
            if _flagged(path):
                unflagged(path)
            link = path.with_name(f"{path.name}.{os.getpid()}.link")
            link.unlink(missing_ok=True)
            link.symlink_to(target.absolute())
            link.replace(path)

    def _found(self, name: str) -> Kept:
        kept = self.stat(name)
        if kept is None:
            raise absent(name)
        return kept

    def _kept(self, name: str, path: Path, size: int) -> Kept:
        lock: dict[str, int] = {}
        try:
            lock = json.loads((self.folder / "locks" / name).read_text())
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            raise Storage(
                f"The lock of {name[:16]}… in {self.folder / 'locks'} cannot be read.",
                "Restore it from a copy: it says until when the evidence has to be kept.",
            ) from error
        return Kept(
            kind="folder",
            place=path.absolute().as_uri(),
            size=size,
            protection="read-only, immutable flag" if _flagged(path) else "read-only",
            until=lock.get("until") or None,
            held=bool(lock.get("held")),
        )

    def _note(self, name: str, held: bool, until: int | None) -> Kept:
        path = self.folder / "locks" / name
        new = path.with_name(f"{name}.{os.getpid()}.new")
        try:
            path.parent.mkdir(exist_ok=True, mode=0o700)
            with new.open("w") as file:
                json.dump({"held": int(held), "until": until or 0}, file)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
            flush(path.parent)
        except OSError as error:
            new.unlink(missing_ok=True)
            raise refused(self.folder, error) from error
        return self._found(name)

    def mark(self, on: bool, watch: Watch = unwatched) -> tuple[int, list[str]]:
        """Set the immutable flag on all that is kept, or take it off.

        How many files were changed, and what could not be, with the reason. `watch` is told of
        every file.
        """
        changed, faults = 0, list[str]()
        for name in self.names():
            path = self._path(name)
            try:
                if _flagged(path) != on:
                    _flag(path, on)
                    changed += 1
            except FileNotFoundError:  # it was disposed of meanwhile
                pass
            except OSError as error:
                faults.append(f"{name}: {error.strerror}")
            watch(1)
        return changed, faults

    def marked(self) -> int:
        """How many of the files that are kept have the immutable flag."""
        return sum(_flagged(self._path(name)) for name in self.names())

    def flag_fault(self) -> str:
        """Why the immutable flag cannot be set here, or empty; tried on a file of its own."""
        self.prepare()
        probe = self.folder / "incoming" / named(f"flag-{get_ident()}")
        try:
            probe.touch()
            _flag(probe, True)
            _flag(probe, False)
        except OSError as error:
            return f"{error.strerror} (it needs root and a file system such as ext4 or XFS)"
        finally:
            probe.unlink(missing_ok=True)
        return ""


def ready(folder: Path, *names: str) -> None:
    """Make `incoming/` and the folders `names`, and remove what a crashed process left half-way in.

    Raises `Storage` when it cannot be written.
    """
    try:
        for name in ("incoming", *names):
            (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in (folder / "incoming").iterdir():
            if not lives(left.name):
                _gone(left)
        probe = folder / "incoming" / named(f"probe-{get_ident()}")
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise refused(folder, error) from error


def absent(name: str) -> Missing:
    """The error of a name that a store has not."""
    return Missing(
        f"The vault holds no evidence {name[:16]}….",
        "List what a case holds with `locard evidence CASE`.",
    )


def flush(path: Path) -> None:
    """Wait until a file or folder is on the disk; one that is gone is none of our business."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def refused(folder: Path, error: OSError) -> Error:
    """What an error of the operating system means for a folder of evidence."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Storage(
            f"The disk of the vault {folder} is full.",
            "Free some space and run the same command again; what was taken in so far is kept.",
        )
    if error.errno == errno.EFBIG:
        return Storage(
            f"The vault {folder} takes no file of that length.",
            "Keep it on another file system (FAT32 holds 4 GiB at most) or raise `ulimit -f`, and "
            "run the same command again.",
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return Storage(
            f"The vault {folder} is read-only: {error.strerror}.",
            "Make it writable or set LOCARD_HOME to another folder. Nothing was changed.",
        )
    return Storage(f"The vault {folder} cannot be used: {error.strerror}.", "Check the disk.")


def _copied(path: Path, beside: Path, content: Content) -> None:
    """Copy to another disk. Raises `Tampered` when it is not what was measured."""
    with path.open("rb", buffering=0) as source, beside.open("xb", buffering=0) as file:
        found = sparse.copy(source, file)
        os.fchmod(file.fileno(), 0o444)
        os.fsync(file.fileno())
    if found != content.sha256:
        raise Tampered(
            f"{path} changed on its way into the store.",
            "Check the disk that LOCARD_HOME is on; nothing was stored.",
        )


def unflagged(path: Path) -> None:
    """Take the immutable flag off. Raises `Denied` when this process may not."""
    try:
        _flag(path, False)
    except PermissionError as error:
        raise Denied(
            f"{path} has the immutable flag, and this process may not take it off.",
            "Run the same command as root, who set it.",
        ) from error


def _gone(path: Path) -> None:
    """Take a name away, also one of a file that others have placed and flagged meanwhile."""
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        if not _flagged(path):
            raise
        unflagged(path)
        path.unlink(missing_ok=True)


def _flagged(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return bool(_flags(file.fileno()) & _IMMUTABLE)
    except OSError:
        return False


def _flags(fd: int) -> int:
    return int(struct.unpack("i", fcntl.ioctl(fd, _GET_FLAGS, bytes(4)))[0])


def _flag(path: Path, on: bool) -> None:
    """Set or clear the immutable flag. Raises `OSError` where it cannot be had."""
    with path.open("rb") as file:
        flags = _flags(file.fileno())
        flags = flags | _IMMUTABLE if on else flags & ~_IMMUTABLE
        fcntl.ioctl(file.fileno(), _SET_FLAGS, struct.pack("i", flags))
