# SPDX-License-Identifier: Apache-2.0
"""The body of a request as a file, for code that reads in a thread.

Nothing is gathered: a chunk is asked of the connection when the reader wants it, so a slow disk
slows the sender and memory stays bounded whatever is sent.
"""

import io
from collections.abc import AsyncIterator
from typing import Any

import anyio.from_thread
from starlette.requests import ClientDisconnect, Request

BUFFER = 1 << 20


def inflow(request: Request) -> io.BufferedReader:
    """The body as a binary file, to be read in a worker thread of the loop that serves it.

    Reading raises `OSError` when the sender goes away before the end, so that a part is never
    taken for the whole.
    """
    return io.BufferedReader(_Body(request.stream()), BUFFER)


class _Body(io.RawIOBase):
    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        super().__init__()
        self._stream = stream
        self._left = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left and not self._ended:
            try:
                self._left = memoryview(anyio.from_thread.run(self._advance))
            except ClientDisconnect as error:
                raise ConnectionResetError("the sender went away before the end") from error
        view = memoryview(buffer).cast("B")
        size = min(len(view), len(self._left))
        view[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    async def _advance(self) -> bytes:
        async for chunk in self._stream:
            if chunk:
                return chunk
        self._ended = True
        return b""
