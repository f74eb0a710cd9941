# SPDX-License-Identifier: Apache-2.0
"""Times at the door: UTC nanoseconds inside, ISO 8601 text outside.

JavaScript numbers hold 53 bits, so nanoseconds travel as text and never as a number.
"""

from datetime import UTC, datetime

SECOND = 1_000_000_000


def iso(ns: int | None) -> str | None:
    """`2023-07-10T12:04:05.123456789Z`; the fraction is as long as it has to be (0, 3, 6 or 9)."""
    if ns is None:
        return None
    seconds, rest = divmod(ns, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    year, tail = text.split("-", 1)
    text = f"{year:0>4}-{tail}"
    if not rest:
        return text + "Z"
    for digits, unit in ((3, 1_000_000), (6, 1_000)):
        if rest % unit == 0:
            return f"{text}.{rest // unit:0{digits}d}Z"
    return f"{text}.{rest:09d}Z"
