# SPDX-License-Identifier: Apache-2.0
"""Evidence whose bytes arrive when they are asked for: a disk that is somewhere else.

A worker has no network, and needs none. Its descriptor is a sparse file of the whole disk; before
it reads a block that it has not read before, it names the block over a socket and waits. The parent
fetches the block, checks it, writes it into the file and answers. So a worker that was taken over
can ask for blocks of this one disk, and for nothing else.
"""

import errno
import os
import socket
import struct
import time as clock
from collections.abc import Callable
from threading import Thread
from types import TracebackType
from typing import Protocol, Self

_ASK = struct.Struct("<Q")
_ANSWER = struct.Struct("<H")
"""Length of the reason why the block cannot be had; 0 when it is there."""
LONGEST = 500


class Blocks(Protocol):
    """Blocks of a disk as the parent has them."""

    @property
    def block(self) -> int:
        """Bytes of a block."""

    def fetch(self, index: int) -> str:
        """Put a block into the file that the worker reads; why it is not there, or empty.

        Asked from one thread, for indices that the worker made up. Must not raise.
        """


class Asking:
    """The worker's end."""

    def __init__(
        self, fd: int, block: int, size: int, before: Callable[[], None] = lambda: None
    ) -> None:
        self._fd, self._block, self._size, self._before = fd, block, size, before
        """`before` is called before a block is waited for."""
        self._there: set[int] = set()

    def within(self, at: int, count: int) -> int:
        """How many of the `count` bytes from `at` can be read now: up to the end of their block.

        None behind the end of all.
        Raises `OSError` that says why the block cannot be had.
        """
        if at >= self._size:
            return 0
        index, inside = divmod(at, self._block)
        if index not in self._there:
            self._before()
            os.write(self._fd, _ASK.pack(index))
            (length,) = _ANSWER.unpack(self._exactly(_ANSWER.size))
            if length:
                reason = self._exactly(length).decode("utf-8", "replace")
                raise OSError(errno.EIO, reason)
            self._there.add(index)
        return min(count, self._block - inside)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = os.read(self._fd, count - len(data))
            if not more:
                raise OSError(errno.EIO, "whoever fetches the blocks is gone")
            data += more
        return data


class Serving:
    """The parent's end: a thread that answers as long as the context is open."""

    def __init__(self, blocks: Blocks, size: int) -> None:
        self._blocks, self._count = blocks, -(-size // blocks.block)
        self._ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._thread = Thread(target=self._serve, name="locard-blocks", daemon=True)
        self._served, self._since = 0.0, 0.0

    def served_seconds(self) -> float:
        """Seconds for which the worker waited for blocks so far."""
        since = self._since
        return self._served + (clock.monotonic() - since if since else 0.0)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.theirs.close()
        self._ours.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._ours.close()

    def _serve(self) -> None:
        try:
            while data := self._ours.recv(_ASK.size, socket.MSG_WAITALL):
                if len(data) < _ASK.size:
                    return
                (index,) = _ASK.unpack(data)
                beyond = f"there is no block {index}" if index >= self._count else ""
                self._since = clock.monotonic()
                said = beyond or self._blocks.fetch(index)
                self._served, self._since = self.served_seconds(), 0.0
                reason = said.encode("utf-8", "replace")[:LONGEST]
                self._ours.sendall(_ANSWER.pack(len(reason)) + reason)
        except OSError:
            return  # The worker is gone, and the pool says so.
