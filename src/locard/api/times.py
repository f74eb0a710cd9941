# SPDX-License-Identifier: Apache-2.0
"""Times at the door: UTC nanoseconds inside, ISO 8601 text outside.

JavaScript numbers hold 53 bits, so nanoseconds travel as text and never as a number.
"""

from datetime import UTC, datetime

SECOND = 1_000_000_000


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


def nanoseconds(moment: datetime) -> int:
    """A time that was asked for, to the microsecond; one without a zone is in UTC."""
    known = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    since = known - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds * 1_000


def iso_or_none(ns: int | None) -> str | None:
    """The same, for a time that may be unknown."""
    return None if ns is None else iso(ns)
