# SPDX-License-Identifier: Apache-2.0
"""Times as they are written in a query, absolute and relative, as spans in UTC nanoseconds."""

import re
import time
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from locard.model.errors import Error
from locard.timeline.query import spellings

SMALLEST, LARGEST = -(1 << 63) + 1, (1 << 63) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

_RELATIVE = re.compile(r"(?P<steps>(?:[+-]\d{1,6}[smhdwMy])*)(?:/(?P<round>[smhdwMy]))?\Z")
_ADVICE = "write 2023-07-10, 2023-07-10T12:00:00Z, 1688990400 or now-24h"
_STEP = re.compile(r"([+-])(\d+)([smhdwMy])")


class NotATime(ValueError):
    """The text is no time; the message says why."""


def zone_named(name: str) -> tzinfo:
    """The zone of an IANA name. Raises `Error`."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise Error(
            f"There is no time zone {name[:80]!r}.", "Use a name like UTC or Europe/Berlin."
        ) from error


def span(text: str, now: int, zone: tzinfo) -> tuple[int, int]:
    """The time that a text names: first nanosecond, and the one after the last.

    `2023-07-10` is a day, `2023-07-10T12:00` a minute, `now-1d` an instant, `now/d` today;
    `2023-07-10||+1w` counts from a time that is not now. Times without an offset are in `zone`; one
    that clocks show twice there names both, and what lies between: nothing of it may be missed.
    Raises `NotATime`.
    """
    anchor, counts, steps = text.partition("||")
    if not counts and text.startswith("now"):
        anchor, steps = "now", text.removeprefix("now")
    try:
        whole = (now, now + 1) if anchor == "now" else _absolute(anchor.strip(), zone)
        if not steps and not (counts or anchor == "now"):
            return _within(whole[0]), _within(whole[1])
        relative = _RELATIVE.match(steps)
        if not relative:
            raise NotATime(_ADVICE)
        start, end = _relative(relative, whole[0], zone)
    except NotATime:
        raise
    except (ValueError, OverflowError) as error:
        raise NotATime(str(error)) from error
    return _within(start), _within(end)


def _absolute(text: str, zone: tzinfo) -> tuple[int, int]:
    if counted := spellings.counted(text):
        return counted
    parts = spellings.parts(text)
    if parts is None:
        raise NotATime(_ADVICE)
    number = {k: int(v) for k, v in parts.items() if k not in ("zone", "fraction")}
    if offset := parts.get("zone"):
        zone = _offset(offset)
    start = datetime(
        number["year"], number.get("month", 1), number.get("day", 1), number.get("hour", 0),
        number.get("minute", 0), number.get("second", 0), tzinfo=zone,
    )  # fmt: skip
    first = _nanoseconds(start)
    last = max(first, _nanoseconds(start.replace(fold=1)))
    if fraction := parts.get("fraction"):
        width = 10 ** (9 - len(fraction))
        within = int(fraction) * width
        return first + within, last + within + width
    if "second" in number:
        return first, last + 1_000_000_000
    if "minute" in number:
        return first, last + 60_000_000_000
    if "hour" in number:
        return first, last + 3600_000_000_000
    try:
        if "day" in number:
            return first, _nanoseconds(start + timedelta(days=1))
        return first, _nanoseconds(_months(start, 1 if "month" in number else 12))
    except (OverflowError, ValueError):
        return first, LARGEST  # what begins in year 9999 may end after all that Python can say


def _offset(text: str) -> tzinfo:
    if text[0] not in "+-":
        return UTC
    return datetime.strptime(text if len(text) > 3 else f"{text}00", "%z").tzinfo or UTC


def _relative(match: re.Match[str], at: int, zone: tzinfo) -> tuple[int, int]:
    unit = match["round"]
    for sign, digits, step in _STEP.findall(match["steps"]):
        amount = int(digits) * (1 if sign == "+" else -1)
        if step in _UNITS:
            at += amount * _UNITS[step] * 1_000_000_000
        else:
            moved = _months(_moment(at, zone), amount * (12 if step == "y" else 1))
            at = _nanoseconds(moved) + at % 1000
    if unit is None:
        return at, at + 1
    start = _floor(_moment(at, zone), unit)
    end = (
        _months(start, 12 if unit == "y" else 1)
        if unit in "My"
        else start + timedelta(seconds=_UNITS[unit])
    )
    return _nanoseconds(start), _nanoseconds(end)


def _floor(moment: datetime, unit: str) -> datetime:
    moment = moment.replace(microsecond=0)
    if unit == "s":
        return moment
    moment = moment.replace(second=0)
    if unit == "m":
        return moment
    moment = moment.replace(minute=0)
    if unit == "h":
        return moment
    moment = moment.replace(hour=0)
    if unit == "w":
        return moment - timedelta(days=moment.weekday())
    if unit == "d":
        return moment
    return moment.replace(day=1, month=1 if unit == "y" else moment.month)


def _moment(nanoseconds: int, zone: tzinfo) -> datetime:
    return (_EPOCH + timedelta(microseconds=nanoseconds // 1000)).astimezone(zone)


def _months(moment: datetime, amount: int) -> datetime:
    """The same day `amount` months on, or the last one of a shorter month."""
    years, month = divmod(moment.month - 1 + amount, 12)
    year = moment.year + years
    longest = 31 if month == 11 else (date(year, month + 2, 1) - timedelta(days=1)).day
    return moment.replace(year=year, month=month + 1, day=min(moment.day, longest))


def _nanoseconds(moment: datetime) -> int:
    delta = moment.astimezone(UTC) - _EPOCH
    return (delta.days * 86400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1000


def _within(nanoseconds: int) -> int:
    """The nearest time that the store can hold."""
    return max(SMALLEST, min(nanoseconds, LARGEST))


def bounds(
    start: str, end: str, zone: str = "UTC", now: int | None = None
) -> tuple[int | None, int | None]:
    """What a search `from` one text `to` another holds: its first nanosecond, and the one after it.

    Both ends are included with all that they name, as in `time:[start TO end]`: a date as an end
    includes its day. An empty text leaves its end open. Raises `Error`.
    """
    now, within = time.time_ns() if now is None else now, zone_named(zone)
    first = _named(start, now, within)[0] if start.strip() else None
    after = _named(end, now, within)[1] if end.strip() else None
    if first is not None and after is not None and after <= first:
        raise Error(f"The span ends at {end.strip()[:80]}, before it begins.", "Swap its ends.")
    return first, after


def _named(text: str, now: int, zone: tzinfo) -> tuple[int, int]:
    try:
        return span(text.strip(), now, zone)
    except NotATime as error:
        raise Error(f"{text[:80]!r} is not a time.", str(error)) from error
