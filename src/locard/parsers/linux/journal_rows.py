# SPDX-License-Identifier: Apache-2.0
"""Journal entries as rows. `raw` is the entry's fields as they stand in the file, one a line."""

from typing import BinaryIO

from locard.parsers.linux import auth_messages
from locard.parsers.linux.journal_objects import Damage, Entry, Journal
from locard.parsers.linux.place import Place, text
from locard.parsers.linux.syslog_lines import FACILITIES, SEVERITIES
from locard.parsers.rows import Rows

_SHOWN = (
    "_PID", "_UID", "_GID", "_SYSTEMD_UNIT", "UNIT", "_COMM", "_CMDLINE", "_TRANSPORT",
    "SYSLOG_IDENTIFIER", "_AUDIT_SESSION", "_AUDIT_LOGINUID", "MESSAGE_ID", "CODE_FILE",
    "_SYSTEMD_CGROUP", "_SYSTEMD_SLICE", "_MACHINE_ID", "_KERNEL_SUBSYSTEM", "EXIT_CODE",
    "EXIT_STATUS", "JOB_TYPE", "JOB_RESULT", "SESSION_ID", "USER_ID", "LEADER",
)  # fmt: skip
_VALUE = 4096


def read(stream: BinaryIO, size: int, place: Place, rows: Rows) -> None:
    """Append a row for each entry; raises `Unreadable` when the file is no journal at all."""
    journal = Journal(stream, size)
    count = 0
    for entry in journal.read():
        if isinstance(entry, Damage):
            position = f"broken@{entry.offset}" if entry.broken else entry.offset
            place.problem(rows, position, f"the journal is damaged at byte {entry.offset}: {entry}")
            continue
        count += 1
        _write(entry, place, rows)
    if place.only is None and count < journal.entries:
        place.problem(
            rows,
            "entries",
            f"the journal's header counts {journal.entries} entries, {count} are there",
        )


def _write(entry: Entry, place: Place, rows: Rows) -> None:
    fields: dict[str, str] = {}
    for field in entry.fields:
        name, _, value = field.partition(b"=")
        fields.setdefault(text(name[:64]), text(value))
    attributes = {
        name.lstrip("_").lower(): fields[name][:_VALUE] for name in _SHOWN if name in fields
    }
    attributes["boot_id"] = entry.boot
    attributes["monotonic_us"] = str(entry.monotonic)
    attributes["sequence"] = str(entry.sequence)
    _number(fields, "PRIORITY", SEVERITIES, "severity", attributes)
    _number(fields, "SYSLOG_FACILITY", FACILITIES, "facility", attributes)
    program = fields.get("SYSLOG_IDENTIFIER") or fields.get("_COMM", "")
    message = fields.get("MESSAGE", "")
    found = auth_messages.read(program, message)
    attributes.update(found.attributes)
    place.row(
        rows,
        entry.offset,
        attributes,
        time=entry.realtime * 1000,
        time_meaning="event",
        raw=b"\n".join(entry.fields),
        problem=entry.damage,
        **{
            "host": fields.get("_HOSTNAME") or place.host,
            "process": fields.get("_EXE") or program,
            "message": f"{program}: {message}" if program else message,
            **found.values,
        },
    )


def _number(
    fields: dict[str, str], name: str, words: tuple[str, ...], key: str, into: dict[str, str]
) -> None:
    value = fields.get(name, "")
    if value.isdigit() and int(value) < len(words):
        into[key] = words[int(value)]
