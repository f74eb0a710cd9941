# SPDX-License-Identifier: Apache-2.0
"""The index of the ledger: where each entry stands, by case and evidence, and the exhibits.

It follows from the entries alone: it reads on from where it stopped, and is made anew when it is
missing, broken, or longer than what it indexes. Nothing is proved by it.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

from locard.evidence.entries import read
from locard.evidence.faults import changed
from locard.model.errors import Storage
from locard_verify.malformed import Malformed

_TABLES = """
CREATE TABLE covered (bytes INTEGER NOT NULL, entries INTEGER NOT NULL);
INSERT INTO covered VALUES (0, 0);
CREATE TABLE entries (
    sequence INTEGER PRIMARY KEY, start INTEGER NOT NULL, length INTEGER NOT NULL,
    time INTEGER NOT NULL, verb TEXT NOT NULL, actor TEXT NOT NULL, evidence TEXT NOT NULL,
    "case" TEXT NOT NULL, exhibit TEXT NOT NULL
);
CREATE INDEX of_case ON entries ("case", sequence);
CREATE INDEX of_evidence ON entries (evidence, sequence) WHERE evidence <> '';
CREATE TABLE exhibits (
    "case" TEXT NOT NULL, evidence TEXT NOT NULL, count INTEGER NOT NULL, number TEXT NOT NULL,
    sequence INTEGER NOT NULL, record TEXT NOT NULL, PRIMARY KEY ("case", evidence)
) WITHOUT ROWID;
CREATE UNIQUE INDEX of_number ON exhibits (number);
CREATE INDEX of_count ON exhibits ("case", count);
PRAGMA user_version = 1;
"""
BATCH = 5_000
"""Entries that are decoded before they are written."""


class Found(NamedTuple):
    """Where an entry stands in the file of entries."""

    sequence: int
    start: int
    length: int


class Index:
    """The index file beside the entries. Safe between threads and processes."""

    def __init__(self, path: Path, entries: Path) -> None:
        self.path, self.entries = path, entries
        self._lock = RLock()
        self._open: sqlite3.Connection | None = None
        self._covered = (0, 0)
        self._version = -1

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._open is not None:
                self._open.close()
                self._open = None
            self._version = -1

    def catch_up(self) -> tuple[int, int]:
        """Index what was appended since. The bytes and the entries covered then.

        Raises `Tampered` at a line that is not the entry that belongs there.
        """
        with self._lock:
            try:
                if self._covered[0] != self._size() or self._changed():
                    self._covered = self._read_on()
            except (sqlite3.DatabaseError, TypeError, ValueError) as error:
                self._covered = self._made_anew(error)
            return self._covered

    def rebuild(self) -> tuple[int, int]:
        """Read all entries anew: for whoever was led to a line that is not what the index says.

        Nobody sees it half-made, and it stays as it was when a line is none: whoever added an entry
        meanwhile would take an exhibit for one that is not known.
        """
        with self._lock:
            self._covered = (-1, 0)
            try:
                self._covered = self._read_on(anew=True)
            except (sqlite3.DatabaseError, TypeError, ValueError) as error:
                self._covered = self._made_anew(error)
            return self._covered

    def _made_anew(self, broken: Exception) -> tuple[int, int]:
        """Read all entries into another file, or on in this one where the disk was at fault: it may
        have been read-only when the file was opened. Raises `Storage` where it still is."""
        self.close()
        try:
            if not _of_the_disk(broken):
                self.path.unlink(missing_ok=True)
            return self._read_on()
        except OSError as error:
            raise _unwritten(self.path, str(error.strerror)) from error
        except sqlite3.DatabaseError as error:
            self.close()
            if _of_the_disk(error):
                raise _unwritten(self.path, str(error)) from error
            raise

    def where(
        self,
        *,
        evidence: str | None = None,
        case: str | None = None,
        before: int | None = None,
        newest: bool = False,
        limit: int = -1,
    ) -> list[Found]:
        """Where the entries about this evidence or case stand, in their order or newest first."""
        wanted = {'"case" = ?': case, "evidence = ?": evidence, "sequence < ?": before}
        said = {text: value for text, value in wanted.items() if value is not None}
        # The index on evidence has no entries without one, and is used only by who says so.
        words = [*said, "evidence <> ''"] if evidence else [*said]
        filters = f" WHERE {' AND '.join(words)}" if words else ""
        order = "DESC" if newest else "ASC"
        rows = self.rows(
            f"SELECT sequence, start, length FROM entries{filters} "  # noqa: S608 (our own words)
            f"ORDER BY sequence {order} LIMIT ?",
            *said.values(),
            limit,
        )
        return [Found(*row) for row in rows]

    def others(self, after: int, verbs: Collection[str]) -> bool:
        """Whether an entry of another verb than these came after number `after`."""
        marks = ", ".join("?" * len(verbs))
        text = f"SELECT 1 FROM entries WHERE sequence > ? AND verb NOT IN ({marks}) LIMIT 1"  # noqa: S608
        return bool(self.rows(text, after, *verbs))

    def entry(self, sequence: int) -> Found | None:
        """Where entry number `sequence` stands."""
        rows = self.rows("SELECT sequence, start, length FROM entries WHERE sequence = ?", sequence)
        return Found(*rows[0]) if rows else None

    def exhibit(self, case: str, evidence: str) -> tuple[str, int] | None:
        """Number of the exhibit, and the last entry about it."""
        rows = self.rows(
            'SELECT number, (SELECT max(sequence) FROM entries e WHERE e."case" = x."case" '
            "AND e.evidence = x.evidence AND e.evidence <> '') "
            'FROM exhibits x WHERE "case" = ? AND evidence = ?',
            case,
            evidence,
        )
        return (rows[0][0], rows[0][1]) if rows else None

    def count(self, case: str) -> int:
        """How many exhibits a case has."""
        return int(
            self.rows('SELECT coalesce(max(count), 0) FROM exhibits WHERE "case" = ?', case)[0][0]
        )

    def makers(self, case: str, evidence: str | None = None) -> list[Found]:
        """The entries that made the exhibits of a case, in the order of their numbers."""
        rows = self.rows(
            "SELECT x.sequence, coalesce(e.start, 0), coalesce(e.length, 0) FROM exhibits x "
            'LEFT JOIN entries e ON e.sequence = x.sequence WHERE x."case" = ? '
            "AND coalesce(?, x.evidence) = x.evidence ORDER BY x.count",
            case,
            evidence,
        )
        return [Found(*row) for row in rows]

    def made(self, case: str, evidence: str) -> int | None:
        """The entry that made the exhibit of this evidence in this case."""
        rows = self.rows(
            'SELECT sequence FROM exhibits WHERE "case" = ? AND evidence = ?', case, evidence
        )
        return int(rows[0][0]) if rows else None

    def rows(self, text: str, *values: object) -> list[tuple[Any, ...]]:
        """What the index says to a question in SQL, for what only reads."""
        with self._lock:
            try:
                return self._database().execute(text, values).fetchall()
            except sqlite3.DatabaseError as error:
                if _of_the_disk(error):
                    raise _unwritten(self.path, str(error)) from error
                self.rebuild()
                return self._database().execute(text, values).fetchall()

    def _changed(self) -> bool:
        """Whether the index may be other than this process left it.

        Another process that saw the entries while they were shorter has emptied it.
        """
        (version,) = self._database().execute("PRAGMA data_version").fetchone()
        return bool(version != self._version)

    def _database(self) -> sqlite3.Connection:
        if self._open is None:
            with suppress(OSError):  # what cannot be made cannot be opened either, which says it
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._open = sqlite3.connect(
                self.path, timeout=60, check_same_thread=False, isolation_level=None
            )
            self._open.execute("PRAGMA synchronous = OFF")
            if self._open.execute("PRAGMA user_version").fetchone()[0] == 1:
                return self._open
            with self._writing(self._open) as database:
                if database.execute("PRAGMA user_version").fetchone()[0] != 1:
                    for statement in _TABLES.split(";\n"):
                        database.execute(statement)
        return self._open

    @contextmanager
    def _writing(self, database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
        database.execute("BEGIN IMMEDIATE")
        try:
            yield database
        except BaseException:
            if database.in_transaction:  # a full disk has ended it
                database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")

    def _empty(self, database: sqlite3.Connection) -> None:
        for table in ("entries", "exhibits", "covered"):
            database.execute(f"DELETE FROM {table}")  # noqa: S608 (our own words)
        database.execute("INSERT INTO covered VALUES (0, 0)")

    def _size(self) -> int:
        return self.entries.stat().st_size if self.entries.exists() else 0

    def _read_on(self, *, anew: bool = False) -> tuple[int, int]:
        """Index what is not yet, in one transaction; all of it when the entries became fewer.

        Where nothing is to be done nothing is written: the disk may be read-only. How long they are
        is asked when nobody else can write the index any more: whoever waits for that with a length
        from before would empty what others indexed meanwhile.
        """
        if not anew:
            (version,) = self._database().execute("PRAGMA data_version").fetchone()
            covered = self._database().execute("SELECT bytes, entries FROM covered").fetchone()
            if covered[0] == self._size():
                self._version = version
                return int(covered[0]), int(covered[1])
        with self._writing(self._database()) as database:
            size = self._size()
            covered = database.execute("SELECT bytes, entries FROM covered").fetchone()
            start, sequence = (size + 1, 0) if anew else covered
            if start > size:
                self._empty(database)
                start = sequence = 0
            if start < size:
                with self.entries.open("rb") as file:
                    file.seek(start)
                    start, sequence = self._take(database, file, start, sequence)
                database.execute("UPDATE covered SET bytes = ?, entries = ?", (start, sequence))
            (self._version,) = database.execute("PRAGMA data_version").fetchone()
            return start, sequence

    def _take(
        self, database: sqlite3.Connection, lines: Iterator[bytes], start: int, sequence: int
    ) -> tuple[int, int]:
        rows: list[tuple[Any, ...]] = []
        for line in lines:
            if not line.endswith(b"\n"):
                break
            sequence += 1
            try:
                found = read(line[:-1])
            except Malformed as error:
                raise changed(f"line {sequence} is not a custody entry: {error}") from error
            entry = found.entry
            if entry.sequence != sequence:
                raise changed(
                    f"entry {sequence} carries number {entry.sequence}: removed or swapped"
                )
            rows.append(
                (sequence, start, len(line) - 1, entry.time, entry.verb.value, entry.actor,
                 entry.evidence, entry.case, entry.exhibit)
            )  # fmt: skip
            if found.record is not None:
                _exhibit(database, sequence, entry.case, entry.evidence, found.record)
            start += len(line)
            if len(rows) >= BATCH:
                _insert(database, rows)
        _insert(database, rows)
        return start, sequence


def _of_the_disk(error: Exception) -> bool:
    """Whether another index would meet with the same."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    full = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
    return code in (*full, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)


def _unwritten(path: Path, why: str) -> Storage:
    return Storage(
        f"The index of the custody ledger, {path}, cannot be written: {why}.",
        "Free space or make the vault writable, then run the same command again.",
    )


def _insert(database: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> None:
    database.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    rows.clear()


def _exhibit(
    database: sqlite3.Connection, sequence: int, case: str, evidence: str, record: dict[str, Any]
) -> None:
    number = str(record.get("number", ""))
    count = number.rpartition("-")[2]
    database.execute(
        "INSERT OR IGNORE INTO exhibits VALUES (?, ?, ?, ?, ?, ?)",
        (case, evidence, int(count) if count.isdecimal() else 0, number, sequence,
         json.dumps(record, separators=(",", ":"))),
    )  # fmt: skip
