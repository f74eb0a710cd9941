# SPDX-License-Identifier: Apache-2.0
"""How much memory this worker holds, and when it should make way for a fresh one."""

import ctypes
import gc
import os
import sys

SWOLLEN = 384 << 20
"""Growth between orders after which a worker is replaced: what it holds, the next file lacks."""


class Memory:
    """Watches the process from inside; made before confinement, when /proc can still be opened."""

    def __init__(self) -> None:
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._statm = -1
        if sys.platform == "linux":
            self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        self._base = 0

    @property
    def resident(self) -> int:
        """Bytes in memory now; 0 where that cannot be told."""
        if self._statm < 0:
            return 0
        return int(os.pread(self._statm, 128, 0).split()[1]) * self._page

    @property
    def mapped(self) -> int:
        """Bytes of address space now; 0 where that cannot be told."""
        if self._statm < 0:
            return 0
        return int(os.pread(self._statm, 128, 0).split()[0]) * self._page

    @property
    def private(self) -> int:
        """Bytes of private memory now (what RLIMIT_DATA counts); 0 where that cannot be told."""
        if self._statm < 0:
            return 0
        return int(os.pread(self._statm, 128, 0).split()[5]) * self._page

    def settle(self) -> None:
        """Take the present size as what a rested worker holds."""
        self._base = self.resident

    def is_swollen(self) -> bool:
        """Whether the worker kept so much that it should be replaced."""
        if self.resident - self._base < SWOLLEN:
            return False
        gc.collect()
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)
        return self.resident - self._base >= SWOLLEN
