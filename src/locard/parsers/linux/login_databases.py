# SPDX-License-Identifier: Apache-2.0
"""wtmpdb and lastlog2: the logins of newer distributions, in SQLite.

Both keep what wtmp and lastlog kept, beyond the year 2038: wtmpdb microseconds, lastlog2 seconds.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from locard.parsers.addresses import address
from locard.parsers.linux import sqlite_tables
from locard.parsers.linux.place import Place
from locard.parsers.rows import Rows
from locard.parsers.times import LATEST
from locard.parsers.times import text as time_text

_TABLES = {"wtmp": "wtmp", "lastlog2": "lastlog2"}
_KINDS = {1: "boot", 2: "run level", 3: "login"}
_SCALE = {"wtmp": 1000, "lastlog2": 1_000_000_000}


def looks_like(first: bytes) -> bool:
    """Whether the schema on the first page is one of the two."""
    head = first[:65_536].lower()
    return first.startswith(sqlite_tables.MAGIC) and any(
        mark in head for mark in (b"table wtmp", b"table lastlog2", b"exists wtmp")
    )


def read(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append a row for each login of wtmpdb, or for each account of lastlog2."""
    sqlite_tables.read(stream, place, rows, lambda base: _logins(base, place, rows))


def _logins(base: sqlite3.Connection, place: Place, rows: Rows) -> None:
    for table in sqlite_tables.tables(base):
        if table.lower() in _TABLES:
            for number, record in _records(base, table):
                _login(_TABLES[table.lower()], number, record, place, rows)


def _records(base: sqlite3.Connection, table: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each record with its number; what a damaged table numbers twice is told apart."""
    seen = Counter[int]()
    cursor = base.execute(f'SELECT rowid AS "rowid", * FROM "{table}" ORDER BY rowid')  # noqa: S608
    names = [str(column[0]).lower() for column in cursor.description]
    for record in cursor:
        number = int(record[0])
        seen[number] += 1
        named = f"{number}" if seen[number] == 1 else f"{number}.{seen[number]}"
        yield named, dict(zip(names[1:], record[1:], strict=True))


def _login(table: str, number: str, record: dict[str, Any], place: Place, rows: Rows) -> None:
    user = _text(record, "name" if table == "lastlog2" else "user")
    remote = _text(record, "remotehost")
    kind = "last login" if table == "lastlog2" else _KINDS.get(record.get("type") or 0, "other")
    person = "login" in kind
    when = _time(record.get("time" if table == "lastlog2" else "login"), table)
    until = _time(record.get("logout"), table)
    source = address(remote)
    terminal = _text(record, "tty")
    details = {
        "terminal": terminal,
        "remote": remote,
        "service": _text(record, "service"),
        "logout": time_text(until) if until is not None else "",
    }
    place.row(
        rows,
        f"{table}:{number}",
        {name: value for name, value in details.items() if value},
        time=when,
        time_meaning=kind if when is not None else "",
        actor=user if person else "",
        actor_kind="user" if person else "",
        action=kind,
        outcome="success" if person else "",
        src_ip=source,
        domain=remote if person and not source else "",
        message=f"{kind} of {user} on {terminal}" + (f" from {remote}" if remote else ""),
        raw=repr(record).encode("utf-8", "replace")[:65_536],
        problem="" if when is not None else "a login without a time that can be shown",
    )


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


def _time(value: object, table: str) -> int | None:
    if not isinstance(value, int) or not 0 < value * _SCALE[table] <= LATEST:
        return None
    return value * _SCALE[table]
