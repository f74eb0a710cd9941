# SPDX-License-Identifier: Apache-2.0
"""What the record of an exhibit says about this program and about the clock it ran by."""

import ctypes
import time
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import locard
from locard.model.custody import Clocks, Tool

_UNSYNCHRONISED = 5
"""What adjtimex(2) answers while nothing disciplines the clock (TIME_ERROR)."""
_FRESH = 60
"""Seconds for which what the kernel said of its clock is not asked again."""


@lru_cache(maxsize=1)
def this_tool() -> Tool:
    """This program: its version, and the SHA-256 over its modules by path and content."""
    digest = sha256()
    folder = Path(locard.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\0".encode())
        digest.update(sha256(path.read_bytes()).digest())
    return Tool("locard", locard.__version__, digest.hexdigest())


def this_clock() -> Clocks:
    """What the kernel says of this machine's clock."""
    return _clock(int(time.monotonic() / _FRESH))


@lru_cache(maxsize=1)
def _clock(_minute: int) -> Clocks:
    platform = "CLOCK_REALTIME of this machine, UTC"
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return Clocks(platform, source="unknown: the kernel cannot be asked")
    timex = (ctypes.c_long * 64)()
    state = adjtimex(ctypes.byref(timex))
    if state < 0:
        return Clocks(platform, source="unknown: the kernel does not say")
    if state == _UNSYNCHRONISED:
        return Clocks(platform, source="the kernel says that nothing keeps it in time")
    offset = f"at most {timex[3] / 1_000_000:.6f} s"
    return Clocks(platform, offset, "kept in time, as the kernel says (adjtimex)")
