# SPDX-License-Identifier: Apache-2.0
"""System logs as rows: `linux.auth` and `linux.syslog` are the same grammar under two names."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import BinaryIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from locard.parsers.contract import Head
from locard.parsers.linux import auth_messages
from locard.parsers.linux.looks import lines_of
from locard.parsers.linux.place import Line, Place, lines, too_long
from locard.parsers.linux.syslog_lines import DAMAGED, Record, at, begin, pieces
from locard.parsers.linux.syslog_years import Years, infer
from locard.parsers.rows import Rows

_CONTINUED = 1000
"""Lines that may continue one record; more are a problem row of their own."""
AUTH_PROGRAMS = frozenset((
    "sshd", "sshd-session", "sudo", "su", "login", "systemd-logind", "useradd", "usermod",
    "userdel", "groupadd", "passwd", "chpasswd", "gdm-password", "polkitd", "pkexec", "vsftpd",
    "dropbear", "newgrp", "groupmod", "chage", "chsh", "chfn", "lightdm", "gpasswd",
))  # fmt: skip


def zone_of(name: str) -> tzinfo:
    """The zone of that name, or UTC when the name is not one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def read(reopen: Callable[[], BinaryIO], place: Place, rows: Rows) -> None:
    """Append a row for each record; `reopen` gives the stream anew, since years need two looks."""
    zone = zone_of(place.zone)
    years: Years | None = None
    for record in _records(reopen(), place, rows, zone):
        if record.month and years is None:
            years = infer(_records(reopen(), place, _NOWHERE, zone), place.modified, zone)
        _write(record, years, zone, place, rows)


class _Nowhere(Rows):
    """Takes the problems of the first look, which the second look will report."""

    def __init__(self) -> None:
        super().__init__(lambda batch: None, "", "", "")

    def row(self, **values: object) -> None:
        """Drop the row."""


_NOWHERE = _Nowhere()


def _records(stream: BinaryIO, place: Place, rows: Rows, zone: tzinfo) -> Iterator[Record]:
    """The records of a log with the lines that continue them."""
    pending: Record | None = None
    continued: list[bytes] = []
    for whole in lines(stream, place, rows):
        if too_long(whole, place, rows):
            continue
        framed = pending is not None and pending.raw.startswith(b"<")
        for line in pieces(whole, framed):
            record = begin(line, zone)
            if record is None:
                damaged = _damage(line, pending, len(continued))
                if not damaged:
                    continued.append(line.data)
                    continue
                record = Record(line.offset, line.data, damaged=damaged)
            if pending is not None:
                yield _joined(pending, continued)
            pending, continued = record, []
    if pending is not None:
        yield _joined(pending, continued)


def _damage(line: Line, pending: Record | None, continued: int) -> str:
    """Why a line that begins no record does not continue one either; empty when it does."""
    if DAMAGED.match(line.data):
        return "a line with a damaged or impossible date"
    if pending is None or pending.damaged:
        return "" if pending and not line.data.strip() else "a line that is no record of a log"
    if continued >= _CONTINUED:
        return f"more than {_CONTINUED} lines continue one record"
    return ""


def _joined(record: Record, continued: list[bytes]) -> Record:
    while continued and not continued[-1].strip():
        continued.pop()
    if continued:
        record.raw = b"\n".join([record.raw, *continued])
        more = b"\n".join(continued).decode("utf-8", "backslashreplace").replace("\0", "\\x00")
        record.message = f"{record.message}\n{more}"
    return record


def _write(record: Record, years: Years | None, zone: tzinfo, place: Place, rows: Rows) -> None:
    if record.damaged:
        place.problem(rows, record.offset, record.damaged, record.raw)
        return
    attributes = dict(record.attributes)
    when = record.time
    problem = ""
    if record.month:
        year = years.of(record) if years is not None else None
        if year is None:
            attributes["year_inferred"] = "no: the file's modification time is not known"
        else:
            when = at(record, year, zone)
            attributes["year_inferred"] = str(year)
            if when is None:
                problem = f"there is no such day in {year}"
    if record.pid:
        attributes["pid"] = record.pid
    found = auth_messages.read(record.program, record.message)
    attributes.update(found.attributes)
    place.row(
        rows,
        record.offset,
        attributes,
        time=when,
        time_meaning="event" if when is not None else "",
        raw=record.raw,
        problem=problem,
        **{
            "host": record.host or place.host,
            "process": record.program,
            "message": f"{record.program}: {record.message}" if record.program else record.message,
            **found.values,
        },
    )


@dataclass(frozen=True, slots=True)
class Look:
    """What the first lines of a file say about it being a system log."""

    score: int
    """0 to 100; 0 when it is none."""
    records: int
    about: int
    """Records about authentication."""


def look(head: Head) -> Look:
    """Judge the first lines. An ISO date with a blank, as many programs write it, counts little."""
    whole = lines_of(head)
    records = [r for data in whole if (r := begin(Line(0, data, len(data)), UTC))]
    told = [r for r in records if r.program or r.host]
    if not told or len(records) * 3 < len(whole):
        return Look(0, 0, 0)
    blank = sum(1 for r in records if r.raw[10:11] == b" " and r.raw[:1].isdigit())
    named = sum(1 for r in records if r.program)
    score = 40 if blank * 2 > len(records) else 80
    if named * 2 < len(records):
        score -= 15
    about = [r for r in records if r.program in AUTH_PROGRAMS or "pam_unix(" in r.message]
    return Look(score, len(records), len(about))
