# SPDX-License-Identifier: Apache-2.0
"""Many requests at once, one order: what a store far away needs, in and out.

Bytes are read and hashed in their order while several requests carry them, and never more than a
few parts are in memory.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

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
