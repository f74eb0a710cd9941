# SPDX-License-Identifier: Apache-2.0
"""The year of records that name none.

A log is written in order, so a record that lies more than a day before its predecessor begins a new
year. The last record was written no later than the file was modified, which fixes its year; the
others follow backwards. A 29 February moves all of it back to years in which there is one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from locard.parsers.linux.syslog_lines import Record, at

_BACK = 86_400
_LATE = 2 * 86_400 * 1_000_000_000
"""A clock or zone may put the last record this much (ns) after the file's modification."""


@dataclass(slots=True)
class Years:
    """Turns records into years, in the order of the file."""

    first: int | None
    """Year of the first record; None when nothing tells it."""
    turns: int = 0
    """How often the year has turned so far."""
    _last: int = -1

    def of(self, record: Record) -> int | None:
        """The year of the next record, or None when nothing tells it."""
        self.advance(record)
        return None if self.first is None else self.first + self.turns

    def advance(self, record: Record) -> None:
        """Count the turn of a year before `record`."""
        moment = _of_year(record)
        if self._last >= 0 and moment < self._last - _BACK:
            self.turns += 1
        self._last = moment


def infer(records: Iterable[Record], modified: int | None, zone: tzinfo) -> Years:
    """Look through the records of a whole file and fix the year of the first."""
    counted = Years(None)
    leaps: set[int] = set()
    last: Record | None = None
    for record in records:
        if not record.month:
            continue
        counted.advance(record)
        if (record.month, record.day) == (2, 29):
            leaps.add(counted.turns)
        last = record
    if last is None or modified is None:
        return Years(None)
    final = datetime.fromtimestamp(modified // 1_000_000_000, UTC).year + 1
    while final > 1970:
        when = at(last, final, zone)
        if (when is None or when > modified + _LATE) or not all(
            _leap(final - counted.turns + turn) for turn in leaps
        ):
            final -= 1
            if when is not None and when < modified - 40 * 366 * 86_400 * 1_000_000_000:
                break
            continue
        return Years(final - counted.turns)
    return Years(datetime.fromtimestamp(modified // 1_000_000_000, UTC).year - counted.turns)


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _of_year(record: Record) -> int:
    """Seconds from the start of a year whose months have 31 days: enough to compare."""
    return ((record.month - 1) * 31 + record.day) * 86_400 + record.seconds
