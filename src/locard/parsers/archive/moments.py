# SPDX-License-Identifier: Apache-2.0
"""Times as archives write them, as UTC nanoseconds since 1970; None for what is no time."""

import calendar
import math

_WINDOWS_EPOCH = 11_644_473_600
_MOST = (1 << 63) - 1


def from_dos(date: int, time: int) -> int | None:
    """A DOS date and time (steps of 2 s). They carry no zone; they are taken as UTC."""
    year, month, day = 1980 + (date >> 9), date >> 5 & 15, date & 31
    hour, minute, second = time >> 11, time >> 5 & 63, (time & 31) * 2
    if not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(year, month)[1]:
        return None
    if hour > 23 or minute > 59 or second > 59:
        return None
    return calendar.timegm((year, month, day, hour, minute, second)) * 1_000_000_000


def from_windows(ticks: int) -> int | None:
    """100 ns since 1601."""
    return _bounded(ticks * 100 - _WINDOWS_EPOCH * 1_000_000_000)


def from_seconds(seconds: float) -> int | None:
    """Seconds since 1970, with a fraction perhaps; the kind that tar keeps."""
    if isinstance(seconds, float) and not math.isfinite(seconds):
        return None
    whole = math.floor(seconds)
    return _bounded(whole * 1_000_000_000 + round((seconds - whole) * 1_000_000_000))


def _bounded(moment: int) -> int | None:
    return moment if -_MOST <= moment <= _MOST else None
