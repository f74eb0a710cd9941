# SPDX-License-Identifier: Apache-2.0
"""Packages that an RPM machine has: the SQLite form of its database.

Table `Packages` holds one header for each package: the numbers of entries and of data bytes, the
entries (tag, type, offset, count), then the data, all in network order. The older Berkeley DB and
the ndb form are recognised and said not to be read.
"""

import sqlite3
import struct
from collections.abc import Callable
from typing import Any, BinaryIO

from locard.parsers.linux import sqlite_tables
from locard.parsers.linux.place import KEPT_OF_LONG_RECORDS, Place, text
from locard.parsers.rows import Rows

_ENTRY = struct.Struct(">IIiI")
_ENTRIES = 65_535
"""Most entries that rpm itself takes."""
_LONGEST = 4096
"""Most bytes of one text."""
_SECOND = 1_000_000_000
_INT32, _INT64, _STRING = 4, 5, 6
_NUMBERS = {_INT32: struct.Struct(">I"), _INT64: struct.Struct(">Q")}
_TEXTS = {
    1000: "package", 1001: "version", 1002: "release", 1011: "vendor", 1022: "architecture",
    1044: "source_package",
}  # fmt: skip
_COUNTS = {1003: "epoch", 1008: "installed", 1009: "size", 5009: "size"}
_LOGS = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_BERKELEY = (b"\x61\x15\x06\x00", b"\x00\x06\x15\x61")


def form(first: bytes, name: str) -> str:
    """Which form of the database `first` begins, or nothing; `name` decides where bytes do not."""
    named = name.replace("\\", "/").rsplit("/", 1)[-1].lower()
    if first.startswith(sqlite_tables.MAGIC):
        head = first[:65_536].lower()
        marked = any(mark in head for mark in (b"'packages' (hnum", b"'packages'(hnum"))
        return "SQLite" if marked or named == "rpmdb.sqlite" else ""
    if first.startswith(b"RpmP"):
        return "ndb"
    if first[12:16] in _BERKELEY and named == "packages":
        return "Berkeley DB"
    if first[:4] in _LOGS and named == "rpmdb.sqlite-wal":
        return "write-ahead log"
    return ""


def read(reopen: Callable[[], BinaryIO], place: Place, rows: Rows) -> None:
    """Append a row for each package of the SQLite form, or say why another form is not read."""
    with reopen() as stream:
        first = stream.read(65_536)
    found = form(first, place.path)
    if found == "SQLite":
        sqlite_tables.read(reopen(), place, rows, lambda base: _packages(base, place, rows))
    elif found == "write-ahead log":
        place.problem(
            rows, "database", "the write-ahead log of the RPM database is not read: packages that "
            "were changed last may be missing; list them with rpm -qa from a copy of the folder",
        )  # fmt: skip
    elif first:
        place.problem(
            rows, "database", f"an RPM database in the form {found or 'that is not known'} is not "
            "read; list its packages with rpm -qa --dbpath from a copy of the folder",
        )  # fmt: skip


def _packages(base: sqlite3.Connection, place: Place, rows: Rows) -> None:
    named = [name for name in sqlite_tables.tables(base) if name.lower() == "packages"]
    if not named:
        place.problem(rows, "database", "an RPM database without the table Packages")
    for table in named:
        before = None
        records = base.execute(f'SELECT hnum, blob FROM "{table}" ORDER BY hnum')  # noqa: S608
        for index, (number, blob) in enumerate(records, 1):
            known = blob if isinstance(blob, bytes) else b""
            if not isinstance(number, int) or number == before:
                fault = "a package whose number is none, or is that of another"
                _damaged(f"Packages:row {index}", fault, known, place, rows)
            elif not isinstance(blob, bytes):
                fault = "a package whose header is not bytes"
                _damaged(f"Packages:{number}", fault, b"", place, rows)
            else:
                _package(f"Packages:{number}", blob, place, rows)
            before = number


def _package(position: str, blob: bytes, place: Place, rows: Rows) -> None:
    try:
        facts, faults = _header(blob)
    except ValueError as error:
        _damaged(position, f"a damaged package header: {error}", blob, place, rows)
        return
    package = facts.pop("package", "")
    if not package:
        fault = "; ".join(["a package header without a name", *faults])
        _damaged(position, fault, blob, place, rows)
        return
    version = "-".join(facts.pop(part) for part in ("version", "release") if part in facts)
    epoch = facts.pop("epoch", "")
    facts["version"] = f"{epoch}:{version}" if epoch else version
    place.row(
        rows,
        position,
        facts,
        **_time(facts.pop("installed", ""), place),
        action="package is installed",
        resource=package,
        message=f"{package} {facts['version']} is installed",
        raw=blob[:KEPT_OF_LONG_RECORDS],
        problem="; ".join(faults),
    )


def _damaged(position: str, fault: str, blob: bytes, place: Place, rows: Rows) -> None:
    raw = blob[:KEPT_OF_LONG_RECORDS]
    place.row(rows, position, raw=raw, problem=fault, message="a package that cannot be read")


def _time(installed: str, place: Place) -> dict[str, Any]:
    if installed:
        return {"time": int(installed) * _SECOND, "time_meaning": "package installed"}
    if place.modified is None:
        return {"time": None}
    return {"time": place.modified, "time_meaning": "file modified"}


def _header(blob: bytes) -> tuple[dict[str, str], list[str]]:
    """What a header says, and which of its values are damaged; a later entry replaces an earlier.

    Raises `ValueError` when its parts do not make up its length.
    """
    if len(blob) < 8:
        raise ValueError(f"{len(blob)} bytes are too few")
    entries, size = struct.unpack_from(">II", blob)
    start = 8 + entries * _ENTRY.size
    if not 0 < entries <= _ENTRIES:
        raise ValueError(f"{entries} entries")
    if start + size != len(blob):
        raise ValueError(f"{entries} entries and {size} bytes of data are not {len(blob)} bytes")
    facts: dict[str, str] = {}
    faults: dict[str, str] = {}
    for tag, kind, offset, count in _ENTRY.iter_unpack(memoryview(blob)[8:start]):
        name = _TEXTS.get(tag) or _COUNTS.get(tag)
        if name is None:
            continue
        faults.pop(name, None)
        try:
            if count != 1 or not 0 <= offset < size:
                raise ValueError(f"{count} values at byte {offset} of {size}")
            read_one = _text if tag in _TEXTS else _number
            facts[name] = read_one(blob, start + offset, kind)
        except ValueError as error:
            faults[name] = f"its {name.replace('_', ' ')} is damaged: {error}"
    return facts, list(faults.values())


def _text(blob: bytes, at: int, kind: int) -> str:
    if kind != _STRING:
        raise ValueError(f"type {kind} is no text")
    end = blob.find(b"\0", at, at + _LONGEST + 1)
    if end < 0:
        raise ValueError(f"a text without an end in {_LONGEST:,} bytes")
    return text(blob[at:end])


def _number(blob: bytes, at: int, kind: int) -> str:
    layout = _NUMBERS.get(kind)
    if layout is None:
        raise ValueError(f"type {kind} is no number")
    if at + layout.size > len(blob):
        raise ValueError("a number beyond the end")
    return str(layout.unpack_from(blob, at)[0])
