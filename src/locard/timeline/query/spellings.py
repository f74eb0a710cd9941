# SPDX-License-Identifier: Apache-2.0
"""The spellings of an absolute time that people paste: ISO 8601 and what logs and consoles write.

A date whose day and month could be taken for each other (`07/10/2023`) is none of them.
"""

import re

_SECOND = r"(?::?(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
_CLOCK = rf"(?P<hour>\d{{1,2}})(?::?(?P<minute>\d{{2}}){_SECOND})?"
_ZONE = r"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))"
_MONTH = r"(?P<name>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},? )?"
_SPELLINGS = tuple(
    re.compile(expression, re.IGNORECASE | re.ASCII)
    for expression in (
        # 2023, 2023-07, 2023-07-10T12:00:05.25+02:00, 2023/07/10 12:00 UTC
        rf"(?P<year>\d{{4}})(?:(?P<cut>[-/])(?P<month>\d{{1,2}})(?:(?P=cut)(?P<day>\d{{1,2}})"
        rf"(?:[T ]{_CLOCK}{_ZONE}?)?)?)?",
        # 20230710, 20230710T120005Z, 20230710120005
        rf"(?P<year>\d{{4}})(?P<month>\d{{2}})(?P<day>\d{{2}})(?:[T ]?(?P<hour>\d{{2}})"
        rf"(?P<minute>\d{{2}})(?:(?P<second>\d{{2}})(?:[.,](?P<fraction>\d{{1,9}}))?)?{_ZONE}?)?",
        # Mon, 10 Jul 2023 12:00:05 GMT, 10/Jul/2023:12:00:05 +0000, 10-Jul-2023
        rf"{_WEEKDAY}(?P<day>\d{{1,2}})[ /-]{_MONTH}[ /-](?P<year>\d{{4}})"
        rf"(?:(?:[ :T]|, ){_CLOCK}{_ZONE}?)?",
        # Jul 10, 2023 @ 12:00:05.250, July 10 2023
        rf"{_WEEKDAY}{_MONTH} {{1,2}}(?P<day>\d{{1,2}}),? (?P<year>\d{{4}})"
        rf"(?:(?:,| @| at)? {_CLOCK}{_ZONE}?)?",
        # Mon Jul 10 12:00:05 UTC 2023
        rf"{_WEEKDAY}{_MONTH} {{1,2}}(?P<day>\d{{1,2}}) {_CLOCK}{_ZONE}? (?P<year>\d{{4}})",
    )
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

_COUNTED = re.compile(r"(-?\d+)(?:\.(\d{1,9}))?", re.ASCII)
_DIGITS = {9: 1_000_000_000, 10: 1_000_000_000, 12: 1_000_000, 13: 1_000_000, 16: 1000}
"""Digits of a count since 1970, and the nanoseconds of what it counts."""
_NANOSECONDS = range(17, 20)
"""Digits of a count of nanoseconds."""


def counted(text: str) -> tuple[int, int] | None:
    """A count since 1970 as first nanosecond and the one after the last; None when it is none.

    Seconds have 9 or 10 digits, milliseconds 12 or 13, microseconds 16, nanoseconds 17 to
    19: so all of them mean times that evidence has.
    """
    match = _COUNTED.fullmatch(text)
    if match is None:
        return None
    number, fraction = match.groups()
    digits = len(number.lstrip("-"))
    width = 1 if digits in _NANOSECONDS else _DIGITS.get(digits, 0)
    if not width or (fraction and (width != 1_000_000_000 or number.startswith("-"))):
        return None
    first = int(number) * width
    if fraction:
        width = 10 ** (9 - len(fraction))
        first += int(fraction) * width
    return first, first + width


def parts(text: str) -> dict[str, str] | None:
    """The parts of a time by name, `year` to `fraction` and `zone`; None when it is no time.

    What the text leaves out has no part; `month` is a number however it was written.
    """
    for spelling in _SPELLINGS:
        match = spelling.fullmatch(text)
        if match:
            found = {name: value for name, value in match.groupdict().items() if value}
            found.pop("cut", None)
            if name := found.pop("name", ""):
                found["month"] = str(_MONTHS.index(name.lower()) + 1)
            return found
    return None
