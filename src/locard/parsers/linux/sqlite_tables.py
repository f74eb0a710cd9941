# SPDX-License-Identifier: Apache-2.0
"""SQLite databases of a Linux machine, read in memory.

Nothing in them is trusted: only plain tables are asked, and views, triggers and functions of a
schema stay unused.
"""

import sqlite3
from collections.abc import Callable
from typing import BinaryIO

from locard.parsers.linux.place import Place
from locard.parsers.rows import Rows

MAGIC = b"SQLite format 3\0"
_MOST = 256 << 20
_JOURNAL = slice(18, 20)
"""Write and read version of the format: 2 says that a write-ahead log may lie beside the file."""


def read(
    stream: BinaryIO, place: Place, rows: Rows, each: Callable[[sqlite3.Connection], None]
) -> None:
    """Hand the database to `each`; what SQLite cannot read becomes a problem row."""
    data = bytearray(stream.read(_MOST + 1))
    if len(data) > _MOST:
        place.problem(rows, "database", f"a database of more than {_MOST:,} bytes is not read")
        return
    if data[_JOURNAL] == b"\2\2":
        data[_JOURNAL] = b"\1\1"  # SQLite opens no database with a write-ahead log in memory
    base = sqlite3.connect(":memory:")
    try:
        base.deserialize(data)
        base.execute("PRAGMA trusted_schema = OFF")
        base.text_factory = lambda value: value.decode("utf-8", "replace")
        each(base)
    except (sqlite3.Error, ValueError) as error:
        place.problem(rows, "database", f"the database cannot be read further: {error}")
    finally:
        base.close()


def tables(base: sqlite3.Connection) -> list[str]:
    """Names of the tables."""
    found = base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [str(name) for (name,) in found]
