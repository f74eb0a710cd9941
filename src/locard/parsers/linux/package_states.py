# SPDX-License-Identifier: Apache-2.0
"""Packages that a machine has: the databases of dpkg and apk, which are texts of stanzas.

dpkg keeps no times, so the time of a row is when the database was last modified, and its
`time_meaning` says so; apk keeps the time at which a package was built.
"""

from typing import Any, BinaryIO

from locard.parsers.linux.place import Line, Place, lines, text, too_long
from locard.parsers.rows import Rows

_DPKG = {
    b"Package": "package", b"Status": "status", b"Version": "version",
    b"Architecture": "architecture", b"Maintainer": "maintainer", b"Source": "source_package",
}  # fmt: skip
_APK = {
    b"P": "package", b"V": "version", b"A": "architecture", b"m": "maintainer",
    b"o": "source_package", b"t": "built", b"U": "url",
}  # fmt: skip
_SECOND = 1_000_000_000
_KEPT = 64 << 10
"""Bytes that are kept of a stanza; an apk stanza lists every file."""


def read_dpkg_status(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append a row for each package in dpkg's `status`."""
    _read(stream, place, rows, _DPKG)


def read_apk_installed(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append a row for each package in apk's `installed`."""
    _read(stream, place, rows, _APK)


def _read(stream: BinaryIO, place: Place, rows: Rows, names: dict[bytes, str]) -> None:
    stanza: list[Line] = []
    size = 0
    for line in lines(stream, place, rows):
        if too_long(line, place, rows):
            continue
        if not line.data.strip():
            _package(stanza, place, rows, names)
            stanza, size = [], 0
        elif size < _KEPT:
            stanza.append(line)
            size += len(line.data) + 1
    _package(stanza, place, rows, names)


def _package(stanza: list[Line], place: Place, rows: Rows, names: dict[bytes, str]) -> None:
    if not stanza:
        return
    facts: dict[str, str] = {}
    for line in stanza:
        name, _, value = line.data.partition(b":")
        if name in names:
            facts.setdefault(names[name], text(value.strip()))
    raw = b"\n".join(line.data for line in stanza)
    package = facts.pop("package", "")
    if not package:
        place.problem(rows, stanza[0].offset, "a stanza that names no package", raw)
        return
    state = facts.get("status", "install ok installed").rsplit(" ", 1)[-1]
    place.row(
        rows,
        stanza[0].offset,
        facts,
        **_time(facts.pop("built", ""), place),
        action=f"package is {state}",
        resource=package,
        message=f"{package} {facts.get('version', '')} is {state}",
        raw=raw,
    )


def _time(built: str, place: Place) -> dict[str, Any]:
    if built.isascii() and built.isdigit() and len(built) <= 10:
        return {"time": int(built) * _SECOND, "time_meaning": "package built"}
    if place.modified is None:
        return {"time": None}
    return {"time": place.modified, "time_meaning": "file modified"}
