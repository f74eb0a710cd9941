# SPDX-License-Identifier: Apache-2.0
"""Times at the door: UTC nanoseconds inside, ISO 8601 text outside.

JavaScript numbers hold 53 bits, so nanoseconds travel as text and never as a number.
"""

import re
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from locard.model.errors import Error

SECOND = 1_000_000_000
_SMALLEST, _LARGEST = -(1 << 63) + 1, (1 << 63) - 1
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_RELATIVE = re.compile(r"now(?:([+-])(\d{1,9})([smhdw]))?")
_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_ADVICE = "Write 2023-07-10, 2023-07-10T12:00:00Z or now-24h."


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
    """The time that a caller wrote: ISO 8601, `now-24h`, or UTC nanoseconds; None when empty.

    A time without an offset is in `zone`. Raises `Error` for anything else.
    """
    text = text.strip()
    if not text:
        return None
    if relative := _RELATIVE.fullmatch(text):
        sign, amount, unit = relative.groups()
        shift = int(amount) * _UNITS[unit] * SECOND if amount else 0
        return _bounded(text, time.time_ns() + (-shift if sign == "-" else shift))
    if re.fullmatch(r"-?\d{6,20}", text):
        return _bounded(text, int(text))
    found = _ISO.fullmatch(text)
    if found is None:
        raise Error(f"{text[:60]!r} is not a time.", _ADVICE)
    day, minute, second, fraction, offset = found.groups()
    offset = {None: "", "z": "+00:00"}.get(offset and offset.lower(), offset)
    try:
        moment = datetime.fromisoformat(f"{day}T{minute or '00:00'}{second or ':00'}{offset}")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(zone))
        seconds = int(moment.timestamp())
    except (ValueError, OverflowError, KeyError, OSError) as error:
        raise Error(f"{text[:60]!r} is not a time.", _ADVICE) from error
    return _bounded(text, seconds * SECOND + int((fraction or "").ljust(9, "0")))


def _bounded(text: str, ns: int) -> int:
    if not _SMALLEST <= ns <= _LARGEST:
        raise Error(f"{text[:60]!r} is outside of the years 1678 to 2261.", _ADVICE)
    return ns
