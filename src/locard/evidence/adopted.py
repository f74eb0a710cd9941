# SPDX-License-Identifier: Apache-2.0
"""A file that whoever fetches the bytes has filled already becomes the evidence where it lies.

It is hashed as any other source and not written again. Nobody is believed for that: each chunk is
held against the file before it is hashed, and written where the file has something else, so that
the bytes of the hash are the bytes of the file.
"""

import os
from collections.abc import Iterable
from io import FileIO
from pathlib import Path
from typing import Protocol

from locard.evidence import sparse
from locard.evidence.flushing import Flushing
from locard.evidence.spool import Meter, Readable, finished
from locard.evidence.store import Watch, unwatched
from locard.model.evidence import Evidence


class Filed(Readable, Protocol):
    """A source whose bytes are in a file of ours, at their places, when they are read from it."""

    @property
    def lies_in(self) -> Path:
        """The file. Its name stays: it leads to the bytes after a store has taken them too."""


class Adopted:
    """The file of a `Filed`. One that is read-only was finished before, and may be in a store."""

    def __init__(self, path: Path) -> None:
        self.path, self._finished = path, is_finished(path)
        how = os.O_RDONLY if self._finished else os.O_RDWR
        self.file = FileIO(os.open(path, how | os.O_CLOEXEC), "r+b")

    def fill(self, source: Iterable[bytes], watch: Watch = unwatched) -> Evidence:
        """Hash the chunks, each of which the file then holds, and make it read-only."""
        meter = Meter()
        with Flushing(self.file.fileno()) as disk:
            for chunk in source:
                if self._hold(chunk, meter.size):
                    disk.wrote(len(chunk))
                meter.take(chunk)
                watch(len(chunk))
            if self._finished and os.fstat(self.file.fileno()).st_size != meter.size:
                self._leave()
            return finished(self.file, meter, disk)

    def _hold(self, chunk: bytes, at: int) -> bool:
        """See that the file has this at its place; whether that is more than a hole."""
        descriptor = self.file.fileno()
        if sparse.zeros(chunk) and sparse.is_hole(descriptor, at, len(chunk)):
            return False
        if os.pread(descriptor, len(chunk), at) == chunk:
            return True
        if self._finished:
            self._leave()
        view = memoryview(chunk)
        while view:
            written = os.pwrite(descriptor, view, at)
            view, at = view[written:], at + written
        return True

    def _leave(self) -> None:
        """Go on in a copy: a store may have the finished file, and nobody writes to that."""
        new = self.path.with_name(f"{self.path.name}.{os.getpid()}.copy")
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with FileIO(descriptor, "r+b") as copy, self.path.open("rb", buffering=0) as source:
            sparse.copy(source, copy)
            os.dup2(descriptor, self.file.fileno(), inheritable=False)
        new.replace(self.path)
        self._finished = False


def is_finished(path: Path) -> bool:
    """Whether a file has become read-only, after which nobody of us writes to it."""
    return not path.stat().st_mode & 0o222
