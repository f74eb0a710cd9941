# SPDX-License-Identifier: Apache-2.0
"""A long file on its way to the disk while it is still being written.

Left alone, the kernel keeps gigabytes in memory, and whoever wants them durable at the end waits
for all of them.
"""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

EVERY = 32 << 20
"""Bytes after which the disk is asked to take what was written so far."""


class Flushing:
    """Has the bytes of an open file flushed in a thread of its own, one time after the other."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._due = descriptor, 0
        self._thread: ThreadPoolExecutor | None = None
        self._going: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._thread is not None:
            self._thread.shutdown()

    def wrote(self, count: int) -> None:
        """So many bytes more were written. Raises `OSError` when the disk did not take others."""
        self._due += count
        if self._due < EVERY or (self._going is not None and not self._going.done()):
            return
        if self._going is not None:
            self._going.result()
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "flushing")
        self._going, self._due = self._thread.submit(os.fdatasync, self._descriptor), 0

    def finish(self) -> None:
        """Wait until everything is on the disk.

        Raises `OSError` when it is not: the kernel tells of a write that failed only once, so what
        was told to the thread counts too.
        """
        if self._going is not None:
            self._going.result()
        os.fsync(self._descriptor)
