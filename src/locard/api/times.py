# SPDX-License-Identifier: Apache-2.0
"""Times at the door: UTC nanoseconds inside, ISO 8601 text outside.

JavaScript numbers hold 53 bits, so nanoseconds travel as text and never as a number.
"""

import re
from datetime import UTC, datetime

from locard.model.errors import Error
from locard.timeline import instant

SECOND = 1_000_000_000
_SMALLEST, _LARGEST = -(1 << 63) + 1, (1 << 63) - 1
_NANOSECONDS = re.compile(r"-?\d{17,20}")


def iso(ns: int) -> str:
    """`2023-07-10T12:04:05.123456789Z`; the fraction has 0, 3, 6 or 9 digits as it needs."""
    seconds, rest = divmod(ns, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
    if not rest:
        return f"{text}Z"
    if rest % 1_000_000 == 0:
        return f"{text}.{rest // 1_000_000:03d}Z"
    if rest % 1_000 == 0:
        return f"{text}.{rest // 1_000:06d}Z"
    return f"{text}.{rest:09d}Z"


def iso_or_none(ns: int | None) -> str | None:
    """The same, for a time that may be unknown."""
    return None if ns is None else iso(ns)


def nanoseconds(text: str, zone: str = "UTC") -> int | None:
    """The time that a caller wrote: as in a query, or UTC nanoseconds; None when empty.

    A time without an offset is in `zone`. Digits are what they are in a query, so that seconds
    are not taken for nanoseconds. Raises `Error` for anything else.
    """
    text = text.strip()
    if not text:
        return None
    if not _NANOSECONDS.fullmatch(text):
        return instant(text, zone)
    if not _SMALLEST <= int(text) <= _LARGEST:
        raise Error(f"{text} is outside of the years 1678 to 2261.")
    return int(text)
