# SPDX-License-Identifier: Apache-2.0
"""Many requests at once, one order: what a store far away needs, in and out.

Bytes are read and hashed in their order while several requests carry them, and never more than a
few parts are in memory.
"""

import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Full, Queue
from threading import Event, Thread
from typing import Protocol, TypeVar

from locard.evidence.spool import Readable

THREADS = 8
"""Requests at once for one object."""
READ_PART = 8 << 20
"""Bytes of one request that reads."""

T = TypeVar("T")
U = TypeVar("U")


def ahead(read: Callable[[int, int], bytes], size: int, part: int = READ_PART) -> Iterator[bytes]:
    """All bytes of an object of `size` in their order, by calls of `read(offset, count)`."""
    if size <= part:
        if size:
            yield read(0, size)
        return
    spans = ((offset, min(part, size - offset)) for offset in range(0, size, part))
    yield from in_order(lambda span: read(*span), spans)


def parts(source: Readable, size: int, part: int) -> Iterator[tuple[int, bytes]]:
    """The parts of a source of `size` bytes, numbered from 1; one empty part when it is empty.

    `source` is read to its end, because only there it says whether it is what it should be.
    """
    for number, left in enumerate(range(size, 0, -part) if size else (0,), 1):
        yield number, source.read(min(part, left))


def in_order(do: Callable[[T], U], items: Iterable[T], threads: int = THREADS) -> Iterator[U]:
    """`do` of each item, several at once, the results in the order of the items.

    The first error ends it, after what had begun has ended.
    """
    waiting: deque[Future[U]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(do, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


class Writable(Protocol):
    """Anything bytes can be written to."""

    def write(self, data: bytes, /) -> int:
        """Take all of `data`."""

    def flush(self) -> None:
        """Nothing is kept back."""


class Flow(io.RawIOBase):
    """Chunks as a file that is read once, from its beginning to its end."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks, self._rest = chunks, memoryview(b"")
        self.error: BaseException | None = None
        """What the chunks raised, for whoever gets it back in other words."""

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Fill as much of the buffer as the chunk at hand does."""
        try:
            while not self._rest:
                self._rest = memoryview(next(self._chunks))
        except StopIteration:
            return 0
        except BaseException as error:
            self.error = error
            raise
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


class _Sink:
    """Where a pumping thread writes; it waits while nobody takes."""

    def __init__(self) -> None:
        self.queue: Queue[bytes | None] = Queue(64)
        self.stopped = Event()

    def write(self, data: bytes, /) -> int:
        if not self._put(bytes(data)):
            raise BrokenPipeError("nobody reads on")
        return len(data)

    def flush(self) -> None:
        return

    def end(self) -> None:
        self._put(None)

    def _put(self, item: bytes | None) -> bool:
        while not self.stopped.is_set():
            with suppress(Full):
                self.queue.put(item, timeout=0.1)
                return True
        return False


def pumped(push: Callable[[Writable], None]) -> Iterator[bytes]:
    """What `push` writes, as chunks, while it writes in a thread of its own.

    What it raises is raised here, at the end. When nobody reads on, its next write fails.
    """
    sink, errors = _Sink(), list[BaseException]()

    def run() -> None:
        try:
            push(sink)
        except BaseException as error:  # noqa: BLE001 (it is raised again where it is read)
            errors.append(error)
        finally:
            sink.end()

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        while (chunk := sink.queue.get()) is not None:
            yield chunk
    finally:
        sink.stopped.set()
        thread.join()
    if errors:
        raise errors[0]
