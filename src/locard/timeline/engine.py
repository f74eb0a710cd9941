# SPDX-License-Identifier: Apache-2.0
"""chDB inside the store process: a pool of sessions on the one folder.

chDB takes one process only on a folder, so nothing outside `locard.timeline.serve` imports this.
"""

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chdb.session import Session

from locard.timeline import definitions, schema

SESSIONS = 12
"""Queries that may run at once; further ones wait for their turn."""

ALWAYS: dict[str, str] = {
    "max_memory_usage": str(1200 << 20),
    "max_bytes_before_external_sort": str(300 << 20),
    "max_bytes_before_external_group_by": str(300 << 20),
    "min_insert_block_size_rows": "10000000",
    "min_insert_block_size_bytes": str(1 << 30),
    "max_insert_block_size": "10000000",
    "max_insert_threads": "1",
    "materialize_skip_indexes_on_insert": "0",
    "max_query_size": str(4 << 20),
}
"""Settings of every query: memory bounds, and a batch stays one block, so that it is atomic."""

_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_INSERT = re.compile(
    rb"\s*(INSERT\s+INTO\s+[^\n]*?)\s+FORMAT\s+(\w+)[ \t]*\n", re.IGNORECASE | re.DOTALL
)


class EngineError(Exception):
    """What chDB said, with ClickHouse's number of the error (0 when it gave none)."""

    def __init__(self, message: str) -> None:
        found = message.find("Code: ")
        super().__init__(message[found:] if found > 0 else message)
        code = re.search(r"Code: (\d+)", message)
        self.code = int(code.group(1)) if code else 0


class Engine:
    """Runs statements for many threads at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._room = threading.BoundedSemaphore(SESSIONS)
        self._lock = threading.Lock()
        self._idle: list[_Session] = []
        self._closed = False
        definitions.restore(folder)
        with self._session() as session:
            for statement in schema.statements():
                session.run(statement, "TSV", {})
            # Deletions that wait for what `staging` had would be waited for without an end.
            session.run(schema.end_mutations("staged_"), "TSV", {})
            # What a crash left of `staging`: empty, where a query would take it for an answer.
            left = session.run(
                f"SELECT name FROM system.tables WHERE database = '{schema.DATABASE}' "
                "AND startsWith(name, 'staged_')", "TSV", {},
            )  # fmt: skip
            for name in left.decode().split():
                session.run(f"DROP TABLE {schema.DATABASE}.{name} SYNC", "TSV", {})
            # Rows of evidence that was coming in: whoever took it in writes them anew.
            apart = session.run(
                f"SELECT DISTINCT partition FROM system.parts WHERE database = '{schema.DATABASE}' "
                f"AND table = 'events' AND active AND position(partition, '{schema.APART}') > 0",
                "TSV", {},
            )  # fmt: skip
            for name in apart.decode().split():
                drop = f"ALTER TABLE {schema.DATABASE}.events DROP PARTITION {{name:String}}"
                session.run(drop, "TSV", {"name": name})
        definitions.keep(folder)

    def run(
        self,
        statement: bytes,
        parameters: Mapping[str, str],
        settings: Mapping[str, str],
        form: str,
        data: Iterable[bytes] | None = None,
    ) -> bytes:
        """The answer to a statement, in the format that it names or else in `form`.

        The data of an `INSERT ... FORMAT name` is `data`, in pieces, or follows the statement after
        one line feed. What `data` raises ends the insert without a row.
        """
        with self._session() as session:
            session.set({**settings, **ALWAYS})
            insert = _INSERT.match(statement if data is None else statement + b"\n")
            if insert:
                return session.insert(
                    insert.group(1).decode(),
                    insert.group(2).decode(),
                    [statement[insert.end() :]] if data is None else data,
                )
            if data is not None:
                statement += b"\n" + b"".join(data)
            try:
                return session.run(statement.decode(), form, parameters)
            except EngineError as error:
                if definitions.BROKEN not in str(error) or not definitions.restore(self._folder):
                    raise
                return session.run(statement.decode(), form, parameters)

    def close(self) -> None:
        """Close all idle sessions; one that is at work closes when it is done."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()

    @contextmanager
    def _session(self) -> Iterator["_Session"]:
        with self._room:
            with self._lock:
                session = self._idle.pop() if self._idle else None
            if session is None:
                session = _Session(self._folder)
            try:
                yield session
            finally:
                with self._lock:
                    keep = not self._closed
                    if keep:
                        self._idle.append(session)
                if not keep:
                    session.close()


class _Session:
    """One connection to the engine; its settings are changed only where they differ."""

    def __init__(self, folder: Path) -> None:
        self._session: Any = Session(str(folder))  # type: ignore[no-untyped-call]
        self._settings: dict[str, str] = {}

    def run(self, statement: str, form: str, parameters: Mapping[str, str]) -> bytes:
        try:
            answer = self._session.query(statement, form, params=dict(parameters))
        except RuntimeError as error:
            raise EngineError(str(error)) from error
        return bytes(answer.bytes() or b"")

    def insert(self, statement: str, form: str, data: Iterable[bytes]) -> bytes:
        try:
            with self._session.send_insert(statement, form) as inserting:
                for piece in data:
                    inserting.append(piece)
                inserting.finish()
        except RuntimeError as error:
            raise EngineError(str(error)) from error
        return b""

    def set(self, wanted: Mapping[str, str]) -> None:
        for name in self._settings.keys() - wanted.keys():
            self.run(f"SET {name} = DEFAULT", "TSV", {})
            del self._settings[name]
        for name, value in wanted.items():
            if self._settings.get(name) == value:
                continue
            if not _SETTING.match(name):
                raise EngineError(f"Code: 115. {name!r} is no setting")
            quoted = value.replace("\\", "\\\\").replace("'", "\\'")
            self.run(f"SET {name} = '{quoted}'", "TSV", {})
            self._settings[name] = value

    def close(self) -> None:
        self._session.close()
