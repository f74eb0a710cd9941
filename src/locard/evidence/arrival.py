# SPDX-License-Identifier: Apache-2.0
"""Evidence on its way into the vault, which can be read while it comes in.

One pass hashes, writes and counts, as for any evidence. A reader may be ahead of it: then what it
wants is copied from the source there and then, once, and the pass hashes the copy when it comes to
it and not the source again. So the bytes that were read are the bytes that are hashed and stored,
whatever becomes of the source meanwhile. What cannot be read at will (the inside of a compression)
is waited for. What lies in a file of ours already is hashed where it lies (`adopted`).
"""

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Condition
from types import TracebackType
from typing import BinaryIO, Self

from locard.evidence import spool
from locard.evidence.adopted import Adopted
from locard.evidence.entries import now
from locard.evidence.local import refused
from locard.evidence.sparse import CHUNK
from locard.evidence.spool import Readable
from locard.evidence.store import Watch, unwatched
from locard.model.errors import Error
from locard.model.evidence import Evidence

BLOCK = CHUNK
"""Bytes that are copied together; readers ask for whole blocks."""


class Broken(Error):
    """What was on its way does not come any more, or is not what it was taken for."""


class Arrival:
    """One file on its way. `fill` is the pass; `reach` may be called by other threads meanwhile.

    Leaving the context removes the file unless a store took it or it was the source's own, and
    ends whoever waits.
    """

    def __init__(
        self, path: Path, stream: Readable, watch: Watch = unwatched, size: int | None = None
    ) -> None:
        filed: Path | None = getattr(stream, "lies_in", None)  # a `Filed` says where it lies
        self.path, self.size = filed or path, size
        """`size` is how many bytes there will be, when that is known beforehand."""
        self.begun = now()
        self.evidence: Evidence | None = None
        """What it is, once all of it is here."""
        self._stream, self._watch = stream, watch
        self._source = _positioned(stream) if size else None
        self._changed = Condition()
        self._ahead: set[int] = set()
        """Blocks that were copied before the pass came to them."""
        self._here = 0
        self._failed = self._lacked = False
        self._adopted: Adopted | None = None
        try:
            if filed is not None:
                self._adopted = Adopted(self.path)
                self._file = self._adopted.file
            else:
                self._file = path.open("x+b", buffering=0)
        except OSError as error:
            raise refused(self.path.parent, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def anywhere(self) -> bool:
        """Whether any part can be had at once, and not only what has come in so far."""
        return self._source is not None

    @property
    def sound(self) -> bool:
        """Whether all of it is here, as long as was said, and all that was read ahead was there."""
        return self.evidence is not None and self.evidence.size == self.size and not self._lacked

    @property
    def block(self) -> int:
        """Bytes of a block, which `fetch` waits for."""
        return BLOCK

    def fetch(self, index: int) -> str:
        """Return when a block is in the file; why it does not come, or empty."""
        try:
            self.reach(index * BLOCK, BLOCK)
        except Broken as error:
            self._lacked = True
            return error.message
        return ""

    def fill(self) -> Evidence:
        """Take everything in: the one pass.

        Raises `Unreadable` when the source breaks, and `Storage` when the disk does not take it.
        """
        try:
            chunks = self._blocks() if self._source is not None else spool.chunks(self._stream)
            if self._adopted is not None:
                self.evidence = self._adopted.fill(chunks, self._moved)
            else:
                self.evidence = spool.fill(self._file, chunks, self._moved)
        except OSError as error:
            raise refused(self.path.parent, error) from error
        finally:
            with self._changed:
                self._failed = self.evidence is None
                self._file.close()
                self._changed.notify_all()
        return self.evidence

    def reader(self) -> BinaryIO:
        """The file, for reading only."""
        return self.path.open("rb")

    def reach(self, offset: int, count: int) -> int:
        """Return when these bytes are in the file; how many from the start on are there then.

        Raises `Broken` when they do not come.
        """
        end = min(offset + count, self.size or offset + count)
        with self._changed:
            if self._source is not None and self.evidence is None:
                try:
                    for block in range(offset // BLOCK, -(-end // BLOCK)):
                        self._fetch(block)
                except OSError as error:
                    raise Broken(f"The evidence cannot be read ahead: {error}.") from error
                return self._here
            while self.evidence is None and self._here < end and not self._failed:
                self._changed.wait()
            if self._failed or self._here < end:
                raise Broken("The evidence did not come in to its end.")
            return self._here

    def close(self) -> None:
        """End whoever waits for more of the file, and remove it if it is ours and in no store."""
        with self._changed:
            self._failed = self._failed or self.evidence is None
            self._changed.notify_all()
            self._file.close()
        if self._adopted is None:
            self.path.unlink(missing_ok=True)

    def _fetch(self, block: int) -> None:
        """Copy one block before the pass comes to it. The lock is held."""
        if self._failed:
            raise Broken("The evidence did not come in to its end.")
        if block in self._ahead or (block + 1) * BLOCK <= self._here:
            return
        data = self._read(block * BLOCK)
        if len(data) < min(BLOCK, (self.size or 0) - block * BLOCK):
            raise Broken("The source became shorter while it was read.")
        if data.strip(b"\0"):
            os.pwrite(self._file.fileno(), data, block * BLOCK)
        elif block * BLOCK + len(data) > os.fstat(self._file.fileno()).st_size:
            os.ftruncate(self._file.fileno(), block * BLOCK + len(data))
        self._ahead.add(block)

    def _read(self, at: int) -> bytes:
        """A block of the source, or less at its end."""
        assert self._source is not None
        data = b""
        while len(data) < BLOCK:
            more = os.pread(self._source, BLOCK - len(data), at + len(data))
            if not more:
                break
            data += more
        return data

    def _blocks(self) -> Iterator[bytes]:
        """The source in blocks; what is in the file already is read there."""
        at = 0
        while True:
            with self._changed:
                copied = at // BLOCK in self._ahead
                data = os.pread(self._file.fileno(), BLOCK, at) if copied else None
                if data is None:
                    data = spool.guarded(lambda: self._read(at))  # noqa: B023
            if not data:
                return
            yield data
            at += len(data)
            if len(data) < BLOCK:
                return

    def _moved(self, count: int) -> None:
        with self._changed:
            self._here += count
            self._ahead.discard(self._here // BLOCK - 1)
            self._changed.notify_all()
        self._watch(count)


def _positioned(stream: Readable) -> int | None:
    """The descriptor of a stream that can be read at any place, or None."""
    try:
        descriptor: int = stream.fileno()  # type: ignore[attr-defined]
        os.lseek(descriptor, 0, os.SEEK_CUR)
    except (AttributeError, OSError):
        return None
    return descriptor
