# SPDX-License-Identifier: Apache-2.0
"""What was installed, changed and removed: dpkg.log, apt's history.log, yum.log, dnf.rpm.log.

Their times are local and name no zone; the place's zone is used. apt writes one stanza for a run;
each package in it is a record, since a responder looks for a package.
"""

import re
from datetime import datetime, tzinfo
from typing import BinaryIO

from locard.parsers.linux import syslog_rows
from locard.parsers.linux.place import Line, Place, lines, text, too_long
from locard.parsers.linux.syslog_lines import MONTHS, epoch
from locard.parsers.rows import Rows

_DPKG = re.compile(rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (\S+) (.*)\Z")
_APT = re.compile(rb"([A-Z][A-Za-z-]+): ?(.*)\Z", re.DOTALL)
_APT_PACKAGE = re.compile(rb"([^\s,()]+)(?: \(([^)]*)\))?(?:, |\Z)")
_APT_WHEN = re.compile(rb"(\d{4}-\d\d-\d\d)  ?(\d\d:\d\d:\d\d)")
_APT_ACTIONS = {
    b"Install": "installed", b"Upgrade": "upgraded", b"Remove": "removed", b"Purge": "purged",
    b"Downgrade": "downgraded", b"Reinstall": "reinstalled",
}  # fmt: skip
_YUM = re.compile(
    rb"([A-Z][a-z]{2}) (\d\d) (\d\d:\d\d:\d\d) "
    rb"(Installed|Updated|Erased|Obsoleted|Dep-Installed):? (.+)\Z"
)
_DNF = re.compile(
    rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:?\d\d)?) (?:[A-Z]+ )+"
    rb"(Installed|Upgraded|Upgrade|Erase|Erased|Removed|Cleanup|Reinstalled|Downgraded|Obsoleted)"
    rb": (.+)\Z"
)


def read_dpkg(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append a row for each line of dpkg.log."""
    zone = syslog_rows.zone_of(place.zone)
    for line in lines(stream, place, rows):
        if too_long(line, place, rows) or not line.data.strip():
            continue
        match = _DPKG.match(line.data.rstrip(b"\r"))
        when = _time(match[1], zone) if match else None
        if match is None or when is None:
            place.problem(rows, line.offset, "a line that is no record of dpkg", line.data)
            continue
        verb, rest = text(match[2]), text(match[3]).split(" ")
        status = rest.pop(0) if verb == "status" and rest else ""
        package = rest[0] if verb not in ("startup", "conffile") and rest else ""
        attributes = {
            "verb": verb,
            "status": status,
            "versions": " ".join(rest[1:]) if package else "",
        }
        place.row(
            rows,
            line.offset,
            {name: value for name, value in attributes.items() if value},
            time=when,
            time_meaning="event",
            action=f"package {status or verb}",
            resource=package or " ".join(rest),
            message=text(line.data)[20:],
            raw=line.data,
        )


def read_apt(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append a row for each package of each run in apt's history.log."""
    zone = syslog_rows.zone_of(place.zone)
    stanza: list[Line] = []
    for line in lines(stream, place, rows):
        if too_long(line, place, rows):
            continue
        if line.data.strip():
            stanza.append(line)
            continue
        _apt_run(stanza, zone, place, rows)
        stanza = []
    _apt_run(stanza, zone, place, rows)


def _apt_run(stanza: list[Line], zone: tzinfo, place: Place, rows: Rows) -> None:
    if not stanza:
        return
    facts: dict[str, str] = {}
    operations: list[tuple[Line, re.Match[bytes]]] = []
    for line in stanza:
        match = _APT.match(line.data)
        if match is None:
            place.problem(rows, line.offset, "a line that is no part of apt's history", line.data)
        elif match[1] in _APT_ACTIONS:
            operations.append((line, match))
        else:
            facts[text(match[1]).lower().replace("-", "_")] = text(match[2])
    start = _APT_WHEN.match(facts.get("start_date", "").encode())
    when = _time(start[1] + b" " + start[2], zone) if start else None
    user = facts.get("requested_by", "").split(" ")[0]
    common = {name: value[:4096] for name, value in facts.items() if name != "start_date"}
    for line, match in operations:
        for found in _APT_PACKAGE.finditer(match[2]):
            _apt_package(line, match, found, when, user, common, place, rows)
    if not operations:
        place.row(
            rows,
            stanza[0].offset,
            common,
            time=when,
            time_meaning="event" if when is not None else "",
            actor=user,
            action="package run",
            message=facts.get("commandline", "apt run without changes"),
            raw=b"\n".join(line.data for line in stanza),
            problem="" if when is not None else "a run of apt without a start",
        )


def _apt_package(
    line: Line, match: re.Match[bytes], found: re.Match[bytes], when: int | None, user: str,
    common: dict[str, str], place: Place, rows: Rows,
) -> None:  # fmt: skip
    action = _APT_ACTIONS[match[1]]
    package, versions = text(found[1]), text(found[2] or b"")
    place.row(
        rows,
        line.offset + match.start(2) + found.start(),
        {"versions": versions, **common},
        time=when,
        time_meaning="event" if when is not None else "",
        actor=user,
        action=f"package {action}",
        resource=package,
        message=f"{action} {package} {versions}".rstrip(),
        raw=found[0].removesuffix(b", "),
        problem="" if when is not None else "a run of apt without a start",
    )


def read_yum(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append a row for each line of yum.log or dnf.rpm.log; yum names no year."""
    zone = syslog_rows.zone_of(place.zone)
    year = datetime.fromtimestamp((place.modified or 0) // 1_000_000_000, zone).year
    for line in lines(stream, place, rows):
        if too_long(line, place, rows) or not line.data.strip():
            continue
        attributes: dict[str, str] = {}
        if match := _DNF.match(line.data):
            when = _time(match[1].replace(b"T", b" "), zone)
            verb, package = text(match[2]), text(match[3])
        elif match := _YUM.match(line.data):
            month = MONTHS.get(text(match[1]), 0)
            when = _time(f"{year}-{month:02}-{text(match[2])} {text(match[3])}".encode(), zone)
            attributes["year_inferred"] = str(year)
            verb, package = text(match[4]), text(match[5])
        else:
            _yum_other(line, zone, place, rows)
            continue
        place.row(
            rows,
            line.offset,
            attributes,
            time=when,
            time_meaning="event" if when is not None else "",
            action=f"package {verb.lower()}",
            resource=package,
            message=f"{verb.lower()} {package}",
            raw=line.data,
            problem="" if when is not None else "a date that does not exist",
        )


def _yum_other(line: Line, zone: tzinfo, place: Place, rows: Rows) -> None:
    """A line of dnf that is about something else still has its time."""
    begin = re.match(
        rb"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:,\d+)?(Z|[+-]\d\d:?\d\d)?", line.data
    )
    when = _time(begin[1] + b" " + begin[2] + (begin[3] or b""), zone) if begin else None
    if when is None:
        place.problem(rows, line.offset, "a line that is no record of yum or dnf", line.data)
        return
    place.row(
        rows, line.offset, time=when, time_meaning="event", message=text(line.data), raw=line.data
    )


def _time(shown: bytes, zone: tzinfo) -> int | None:
    try:
        when = datetime.fromisoformat(shown.decode("ascii"))
    except ValueError:
        return None
    return epoch(when if when.tzinfo else when.replace(tzinfo=zone))
