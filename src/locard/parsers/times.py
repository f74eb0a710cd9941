# SPDX-License-Identifier: Apache-2.0
"""Times as texts and numbers, turned into exact UTC nanoseconds.

The timeline holds 1900-01-01 to 2262-04-11 (ClickHouse `DateTime64(9)`, a signed 64-bit count of
nanoseconds). A time outside of it is not bent into it: it is a `NotATime`, and the row says so.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from locard.model.errors import Error

SECOND = 1_000_000_000
EARLIEST = -2_208_988_800 * SECOND
"""1900-01-01T00:00:00Z, the first time that the timeline can hold."""
LATEST = 2**63 - 1
"""2262-04-11T23:47:16.854775807Z, the last time that the timeline can hold."""

UNITS = {"epoch_s": SECOND, "epoch_ms": 1_000_000, "epoch_us": 1000, "epoch_ns": 1}
"""Nanoseconds in each unit of an epoch number, by its name in a mapping."""

_ISO = re.compile(
    r"\s*(\d{4})[-/](\d\d)[-/](\d\d)"
    r"(?:(?:[Tt_]|,? +(?:@ )?)(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?"
    r"\s*(Z|z|UTC|GMT|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)?)?\s*",
    re.ASCII,
)
_BASIC = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(?:[.,](\d+))?(Z|[+-]\d{4})?", re.ASCII)
_MONTH_NAMES = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip
_MONTHS = {m: n for n, m in enumerate(_MONTH_NAMES, 1)}
_DAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? +)?"
_CLOCK = r"(?P<clock>\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?)(?: *(?P<half>am|pm))?"
_ZONE = r"(?: *\(?(?P<zone>z|utc|gmt|(?:utc|gmt)?[+-]\d\d:?\d\d)\)?)?"
_WORDED = tuple(
    re.compile(pattern, re.ASCII | re.IGNORECASE)
    for pattern in (
        # 10/Jul/2023:11:42:36 +0000 (web servers) and Mon, 10 Jul 2023 11:42:36 GMT (mail, HTTP)
        rf"{_DAY}(?P<day>\d{{1,2}})[/ -](?P<month>[a-z]{{3}})[a-z]*[/ -](?P<year>\d{{4}})"
        rf"[: ,T]+{_CLOCK}{_ZONE}",
        # Jul 10, 2023 @ 11:42:36.000 (Kibana) and July 10, 2023, 13:42:36 (UTC+02:00) (AWS console)
        rf"{_DAY}(?P<month>[a-z]{{3}})[a-z]* +(?P<day>\d{{1,2}}),? +(?P<year>\d{{4}}),? +(?:@ +)?"
        rf"{_CLOCK}{_ZONE}",
        # Mon Jul 10 11:42:36 2023 (ctime), with an optional zone before the year
        rf"{_DAY}(?P<month>[a-z]{{3}}) +(?P<day>\d{{1,2}}) +{_CLOCK}{_ZONE} +(?P<year>\d{{4}})",
        # 7/10/2023 11:42:36 AM: only Americans write a half of the day after a date with slashes
        r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}),? +"
        r"(?P<clock>\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?) *(?P<half>am|pm)" + _ZONE,
    )
)
_NUMBER = re.compile(r"[+-]?\d{1,24}(?:\.\d{1,24})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_ORIGIN = date(1970, 1, 1).toordinal()


class NotATime(ValueError):
    """A text or number that is no time, or one outside of 1900 to 2262; says which."""


class NoSuchZone(Error):
    """A time zone that the machine does not know."""


def within(nanoseconds: int) -> int:
    """The same number when the timeline can hold it, else `NotATime`."""
    if EARLIEST <= nanoseconds <= LATEST:
        return nanoseconds
    raise NotATime("time out of range: the timeline holds 1900-01-01 to 2262-04-11")


def zone(name: str) -> ZoneInfo:
    """The IANA zone called `name`, or `NoSuchZone`."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise NoSuchZone(
            f"There is no time zone {name!r}.", "Give an IANA name such as Europe/Berlin or UTC."
        ) from error


@lru_cache(maxsize=65536)
def iso(text: str, zone_name: str = "UTC") -> int:
    """UTC nanoseconds of an ISO 8601 time with up to nine decimals; `zone_name` if it names none.

    Takes `T`, blank or Kibana's ` @ ` between date and time, slashes in the date, and a date
    alone. Decimals beyond the ninth are cut off. Raises `NotATime`.
    """
    match = _ISO.fullmatch(text) or _BASIC.fullmatch(text)
    if match is None:
        raise NotATime("not a time")
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    return _assemble(
        (int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0)),
        fraction or "",
        offset or "",
        zone_name,
    )


def iso_column(texts: Sequence[object]) -> pa.Array:
    """UTC nanoseconds of times that are all written `2023-07-10T11:42:36Z`, many at once.

    Raises `NotATime` when any is not: then each is a matter for `iso`, which says why.
    """
    try:
        column = pa.array(texts, pa.string())
        plain = pc.and_(pc.equal(pc.binary_length(column), 20), pc.ends_with(column, "Z"))
        if not column.null_count and pc.all(plain).as_py() is not False:
            times = column.cast(pa.timestamp("ns", "UTC"))
            if not len(times) or pc.min(times.cast(pa.int64())).as_py() >= EARLIEST:
                return times
    except (pa.ArrowException, TypeError):
        pass
    raise NotATime("not all times are written alike")


def epoch(number: int | float | str | Decimal, unit: int = 0) -> int:
    """UTC nanoseconds of a count since 1970; `unit` is nanoseconds of one, 0 to judge by size.

    By size: up to 11 digits are seconds, 14 milliseconds, 17 microseconds, more nanoseconds.
    Raises `NotATime`.
    """
    if isinstance(number, str):
        number = number.strip()
        if not _NUMBER.fullmatch(number):
            raise NotATime("not a number of seconds")
    try:
        exact = Decimal(str(number))
        if not exact.is_finite() or abs(exact) > Decimal(10) ** 25:
            raise NotATime("time out of range: the timeline holds 1900-01-01 to 2262-04-11")
    except InvalidOperation as error:
        raise NotATime("not a number of seconds") from error
    if not unit:
        size = abs(exact)
        unit = SECOND if size < 10**11 else 10**6 if size < 10**14 else 1000 if size < 10**17 else 1
    return within(int(exact * unit))


def any_time(value: object, zone_name: str = "UTC") -> int:
    """UTC nanoseconds of whatever a log may hold as time: ISO, epoch of any unit, or worded.

    Dates with slashes are read only when the year is first or `AM`/`PM` follows: `03/04/2023`
    alone could be March or April, and a guess would be wrong silently. Raises `NotATime`.
    """
    if isinstance(value, bool) or value is None:
        raise NotATime("not a time")
    if isinstance(value, (int, float, Decimal)):
        return epoch(value)
    text = str(value)
    if len(text) > 80:
        raise NotATime("not a time")
    if _NUMBER.fullmatch(text.strip()):
        return epoch(text)
    if text[:4].isdigit() or text[:1].isspace():
        return iso(text, zone_name)
    return _worded(text.strip().strip("[]"), zone_name)


@lru_cache(maxsize=16384)
def _worded(text: str, zone_name: str) -> int:
    for pattern in _WORDED:
        match = pattern.fullmatch(text)
        if match is None:
            continue
        parts = match.groupdict()
        month = parts["month"]
        number = int(month) if month.isdigit() else _MONTHS.get(month.lower(), 0)
        clock, _, fraction = parts["clock"].replace(",", ".").partition(".")
        hour, minute, second = (int(n) for n in (clock + ":0").split(":")[:3])
        half = (parts.get("half") or "").lower()
        if half:
            if not 1 <= hour <= 12:
                raise NotATime("not a time")
            hour = hour % 12 + (12 if half == "pm" else 0)
        when = (int(parts["year"]), number, int(parts["day"]), hour, minute, second)
        offset = parts.get("zone") or ""
        if len(offset) > 3:
            offset = offset.lstrip("utcgmUTCGM")
        return _assemble(when, fraction, offset, zone_name)
    raise NotATime("not a time")


_DIRECTIVES = frozenset("YymdbBjHIMSfpzaA%")
"""What a written form may ask for (`datetime.strptime`), all of it meaning the same everywhere."""


def misformed(form: str) -> str:
    """Why a form such as `%d.%m.%Y %H:%M` says no whole time; empty when it does."""
    asked = re.findall("%(.?)", form)
    if unknown := [one for one in asked if one not in _DIRECTIVES]:
        return f"%{unknown[0]} is none of {' '.join('%' + one for one in sorted(_DIRECTIVES))}"
    if twice := [one for one in asked if one != "%" and asked.count(one) > 1]:
        return f"%{twice[0]} stands there twice"
    has = set(asked)
    if not has & {"Y", "y"} or not ("j" in has or ("d" in has and has & {"m", "b", "B"})):
        return "it names no year, month and day (%Y, %m and %d)"
    if "I" in has and "p" not in has:
        return "%I without %p could be morning or evening"
    return ""


@lru_cache(maxsize=16384)
def written(text: str, form: str, zone_name: str = "UTC") -> int:
    """UTC nanoseconds of a time written in `form` (`%d.%m.%Y %H:%M`); `zone_name` if it names none.

    `%f` takes up to nine decimals and cuts off what is beyond. Raises `NotATime`.
    """
    if len(text) > 80:
        raise NotATime("not a time")
    text = text.strip()
    finer = ""
    try:
        when = datetime.strptime(text, form)
    except ValueError as error:
        found = _finer(text, form)
        if found is None:
            raise NotATime(f"not a time of the form {form}") from error
        when, finer = found
    ahead = when.utcoffset()
    parts = (when.year, when.month, when.day, when.hour, when.minute, when.second)
    moment = _assemble(
        parts, f"{when.microsecond:06d}{finer}", "" if ahead is None else "Z", zone_name
    )
    return within(moment - (int(ahead.total_seconds()) * SECOND if ahead else 0))


def _finer(text: str, form: str) -> tuple[datetime, str] | None:
    """A time with more than the six decimals that Python's `%f` takes, and those beyond them."""
    if "%f" not in form.replace("%%", ""):
        return None
    for run in re.finditer(r"\d{7,}", text):
        for cut in range(run.end() - 1, run.start() + 5, -1):
            try:
                when = datetime.strptime(text[:cut] + text[run.end() :], form)
            except ValueError:
                continue
            return when, text[cut : run.end()]
    return None


def _assemble(
    when: tuple[int, int, int, int, int, int], fraction: str, offset: str, zone_name: str
) -> int:
    year, month, day, hour, minute, second = when
    try:
        days = date(year, month, day).toordinal() - _ORIGIN
    except ValueError as error:
        raise NotATime(f"not a time: {error}") from error
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second)):
        raise NotATime("not a time: there is no such hour, minute or second")
    seconds = days * 86400 + hour * 3600 + minute * 60 + second
    if offset and offset[0] in "+-":
        digits = offset[1:].replace(":", "").ljust(6, "0")
        shift = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:6])
        seconds += shift if offset[0] == "-" else -shift
    elif not offset and zone_name != "UTC":
        seconds -= _shift(seconds, zone_name)
    return within(seconds * SECOND + int(fraction[:9].ljust(9, "0") or 0))


def abbreviation(local: int, zone_name: str) -> str:
    """What people call the zone at a local time (nanoseconds): `CEST` of Europe/Berlin in July."""
    moment = datetime(1970, 1, 1, tzinfo=zone(zone_name)) + timedelta(seconds=local // SECOND)
    return moment.tzname() or ""


def _shift(local_seconds: int, zone_name: str) -> int:
    """Seconds by which the zone is ahead of UTC at a local time; the first of two at a fold."""
    try:
        local = datetime(1970, 1, 1, tzinfo=zone(zone_name)) + timedelta(seconds=local_seconds)
    except OverflowError as error:
        raise NotATime("time out of range: the timeline holds 1900-01-01 to 2262-04-11") from error
    ahead = local.utcoffset()
    return int(ahead.total_seconds()) if ahead else 0


def text(nanoseconds: int) -> str:
    """ISO 8601 in UTC with as many decimals as are not zero, for messages."""
    seconds, rest = divmod(nanoseconds, SECOND)
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    decimals = f".{rest:09d}".rstrip("0") if rest else ""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") + decimals + "Z"
