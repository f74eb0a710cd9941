# SPDX-License-Identifier: Apache-2.0
"""System logs as text: from bytes to records with a time, a host, a program and a message.

Forms: the traditional one (RFC 3164 and what syslogd writes, no year; BusyBox and OpenWrt add
`facility.severity`), ISO 8601 (rsyslog's default since Debian 12, ChromeOS with a severity instead
of a host), RFC 5424, each with or without the `<PRI>` in front. A line that begins no record
continues the one before.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from locard.parsers.linux.place import Line

MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
)  # fmt: skip
_LEVELS = frozenset((*SEVERITIES, "warn", "error", "critical", "emergency", "fatal", "trace"))
_SECOND = 1_000_000_000
_OLD_NAMES = {"warn": "warning", "error": "err", "panic": "emerg"}
_SELECTOR = re.compile(
    rf"(?P<facility>{'|'.join(FACILITIES)})\.(?P<severity>{'|'.join((*SEVERITIES, *_OLD_NAMES))}) "
)
"""What BusyBox writes behind the host, and OpenWrt, which names no host, behind the time."""
_WEEKDAY = r"(?:[A-Z][a-z]{2} (?=[^:]+:\d\d:\d\d \d{4} [a-z0-7]+\.[a-z]+ ))?"
"""OpenWrt begins with the day of the week; so do logs that are none of a system."""

_TRADITIONAL = re.compile(
    r"(?:<(?P<pri>\d{1,3})>)?" + _WEEKDAY + r"(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>\d{1,2})"
    r"(?: (?P<year>\d{4}))? (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
    r"(?:\.(?P<fraction>\d{1,9}))?(?: (?P<later>(?:19|20)\d\d)(?= ))?"
    r"(?: ?(?P<zone>[+-]\d\d:?\d\d|(?<= )(?:UTC|GMT))(?=:? ))?(?P<rest>:? .*)?\Z",
    re.DOTALL,
)
_ISO = re.compile(
    r"(?:<(?P<pri>\d{1,3})>)?(?P<date>\d{4}-\d\d-\d\d)[T ](?P<clock>\d\d:\d\d:\d\d)"
    r"(?:[.,](?P<fraction>\d{1,9}))?\d*(?P<zone>Z|[+-]\d\d:?\d\d)?(?P<rest>:? .*)?\Z",
    re.DOTALL,
)
_RFC5424 = re.compile(
    r"<(?P<pri>\d{1,3})>1 (?P<date>\d{4}-\d\d-\d\d)T(?P<clock>\d\d:\d\d:\d\d)"
    r"(?:\.(?P<fraction>\d{1,9}))?\d*(?P<zone>Z|[+-]\d\d:\d\d) (?P<host>\S+) (?P<program>\S+) "
    r"(?P<pid>\S+) (?P<msgid>\S+) ?(?P<rest>.*)\Z",
    re.DOTALL,
)
_STRUCTURED = re.compile(r'(?:-|(?:\[[^\]\s]+(?: [^=\s]+="(?:[^"\\]|\\.)*")*\])+)(?: +|\Z)')
_PARAMETER = re.compile(r'([^=\s\[\]]+)="((?:[^"\\]|\\.)*)"')
_TAG = re.compile(
    r"(?P<program>[^\s:\[\]]+)(?:\[(?P<pid>[^\]\s]*)\])?(?: <(?P<level>\w+)>)?:"
    r"(?:\s+|\Z)(?P<message>.*)\Z",
    re.DOTALL,
)
_BARE_TAG = re.compile(
    r"(?P<program>[^\s:\[\]]+)\[(?P<pid>\d+)\] +(?P<message>\S.*)\Z",
    re.DOTALL,
)
"""How rsyslog writes a record that came as RFC 5424: its tag has no colon."""
_FRAMED = re.compile(
    rb"(?=<\d{1,3}>(?:1 \d{4}-\d\d-\d\dT|\d{4}-\d\d-\d\dT|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ))"
)
DAMAGED = re.compile(
    rb"\x00|(?:<\d{1,3}>(?:1 )?)?"
    rb"(?:(?:[A-Z]{3}|[A-Z][a-z]{2}) {1,2}\d{1,2} |\d{4}-\d\d-\d\d[T ]\d)"
)
"""A line that was meant to begin a record and does not."""


@dataclass(slots=True)
class Record:
    """One record of a system log, before its year is known."""

    offset: int
    raw: bytes
    month: int = 0
    """1 to 12 with `day`, `seconds` and `fraction` when the record names no year; else 0."""
    day: int = 0
    seconds: int = 0
    """Seconds since midnight."""
    fraction: int = 0
    """Nanoseconds."""
    time: int | None = None
    """UTC nanoseconds when the record names the year."""
    zone: tzinfo | None = None
    """That of a record without a year, when it names one."""
    host: str = ""
    program: str = ""
    pid: str = ""
    message: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    damaged: str = ""
    """Why this is no record; empty when it is one."""


def pieces(line: Line, framed: bool) -> Iterator[Line]:
    """The records that a forwarder wrote into one line; most often the line itself.

    Only a file whose records begin with `<PRI>` (`framed`) is cut, since a message may hold what
    looks like the beginning of a record.
    """
    if not framed and not line.data.startswith(b"<"):
        yield line
        return
    cuts = [match.start() for match in _FRAMED.finditer(line.data)]
    if not cuts or cuts == [0]:
        yield line
        return
    if cuts[0] != 0:
        cuts.insert(0, 0)
    for start, end in zip(cuts, [*cuts[1:], len(line.data)], strict=True):
        yield Line(line.offset + start, line.data[start:end], end - start)


def begin(line: Line, zone: tzinfo) -> Record | None:
    """The record that `line` begins, or None when it begins none."""
    shown = line.data.decode("utf-8", "backslashreplace").rstrip("\r").replace("\0", "\\x00")
    record = Record(line.offset, line.data)
    if match := _RFC5424.match(shown):
        return _rfc5424(record, match, zone)
    if match := _ISO.match(shown):
        if not _absolute(record, match, zone):
            return None
    elif match := _TRADITIONAL.match(shown):
        if not _traditional(record, match, zone):
            return None
    else:
        return None
    _priority(record, match["pri"])
    _rest(record, (match["rest"] or "").removeprefix(":").removeprefix(" "))
    return record


def _rfc5424(record: Record, match: re.Match[str], zone: tzinfo) -> Record | None:
    if not _absolute(record, match, zone):
        return None
    _priority(record, match["pri"])
    record.host, record.program, record.pid = (
        "" if match[name] == "-" else match[name] for name in ("host", "program", "pid")
    )
    if match["msgid"] != "-":
        record.attributes["msgid"] = match["msgid"]
    rest = match["rest"]
    if structured := _STRUCTURED.match(rest):
        record.attributes.update(
            (name, re.sub(r'\\(["\\\]])', r"\1", value))
            for name, value in _PARAMETER.findall(structured[0])
        )
        rest = rest[structured.end() :]
    record.message = rest.removeprefix("\ufeff")
    return record


def _absolute(record: Record, match: re.Match[str], zone: tzinfo) -> bool:
    shift = match["zone"] or ""
    try:
        when = datetime.fromisoformat(f"{match['date']}T{match['clock']}{shift}")
    except ValueError:
        return False
    if not shift:
        when = when.replace(tzinfo=zone)
    record.fraction = int((match["fraction"] or "0").ljust(9, "0"))
    record.time = epoch(when) + record.fraction
    return True


def _traditional(record: Record, match: re.Match[str], zone: tzinfo) -> bool:
    month, day = MONTHS.get(match["month"], 0), int(match["day"])
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"])
    if not (month and 1 <= day <= 31 and hour < 24 and minute < 60 and second <= 60):
        return False
    record.fraction = int((match["fraction"] or "0").ljust(9, "0"))
    record.seconds = hour * 3600 + minute * 60 + second
    record.month, record.day = month, day
    if shift := match["zone"]:
        record.zone = _zone(shift)
    if year := match["year"] or match["later"]:
        record.time = at(record, int(year), zone)
        record.month = 0
        return record.time is not None
    return True


def _zone(shift: str) -> tzinfo:
    """The zone that is called `UTC`, `GMT` or `+01:00`."""
    if shift[0] not in "+-":
        return UTC
    ahead = timedelta(hours=int(shift[1:3]), minutes=int(shift[-2:]))
    return timezone(-ahead if shift[0] == "-" else ahead) if ahead < timedelta(days=1) else UTC


def _priority(record: Record, pri: str | None) -> None:
    if pri is None or int(pri) > 191:
        return
    facility, severity = divmod(int(pri), 8)
    record.attributes["facility"] = FACILITIES[facility]
    record.attributes["severity"] = SEVERITIES[severity]


def _rest(record: Record, rest: str) -> None:
    """Host, program, process id and message out of what follows the time."""
    if selector := _SELECTOR.match(rest):
        _selected(record, selector)
        _message(record, rest[selector.end() :])
        return
    if match := _TAG.match(rest):
        _tagged(record, match)
        return
    host, _, message = rest.partition(" ")
    message = message.lstrip(" ")
    if rest.startswith("---") or not message:
        record.message = rest
        return
    if host.lower() in _LEVELS:
        record.attributes["severity"] = host.lower()
    elif host != "-":
        record.host = host
    if selector := _SELECTOR.match(message):
        _selected(record, selector)
        message = message[selector.end() :]
    _message(record, message)


def _message(record: Record, message: str) -> None:
    if match := _TAG.match(message) or _BARE_TAG.match(message):
        _tagged(record, match)
    else:
        record.message = message


def _selected(record: Record, selector: re.Match[str]) -> None:
    severity = selector["severity"]
    record.attributes["facility"] = selector["facility"]
    record.attributes["severity"] = _OLD_NAMES.get(severity, severity)


def _tagged(record: Record, match: re.Match[str]) -> None:
    record.program, record.pid = match["program"], match["pid"] or ""
    record.message = match["message"]
    if match.groupdict().get("level"):
        record.attributes["severity"] = match["level"].lower()


def at(record: Record, year: int, zone: tzinfo) -> int | None:
    """UTC nanoseconds of a record without a year in `year`; None when there is no such day."""
    try:
        day = datetime(year, record.month, record.day, tzinfo=record.zone or zone)
    except ValueError:
        return None
    hour, rest = divmod(min(record.seconds, 86399), 3600)
    when = day.replace(hour=hour, minute=rest // 60, second=rest % 60)
    return epoch(when) + record.fraction


def epoch(when: datetime) -> int:
    """UTC nanoseconds of a time with a zone, microseconds aside."""
    delta = when.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86400 + delta.seconds) * _SECOND
