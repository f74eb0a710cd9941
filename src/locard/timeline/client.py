# SPDX-License-Identifier: Apache-2.0
"""The client side of the store: finds or starts the store process, asks, and explains failures."""

import contextlib
import json
import shutil
import threading
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.client import Client as Driver
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError
from clickhouse_connect.driver.httputil import get_pool_manager

from locard.model.errors import Error, Storage
from locard.timeline import schema
from locard.timeline.asking import Asking, Unwanted, comment
from locard.timeline.process import OWNED, UNUSABLE, begun, identity, start

START_SECONDS = 60.0
QUERY_SECONDS = 60.0
"""Longest time of one query, unless the caller gives another bound."""

_TIMED_OUT = frozenset({159, 160})
_FULL = ("No space left", "NOT_ENOUGH_SPACE", "Disk quota exceeded")
_READ_ONLY = ("Read-only file system", "Permission denied", "TABLE_IS_READ_ONLY")
_MEMORY = frozenset({241})
_ENDED = frozenset({394})

PIECE = 2 << 20
"""Rows leave for the store by about so many bytes."""
FEW = 400
"""Rows that are too few for a piece of their own: each costs the store as much as a hundred."""
_END = b"\xff\xff\xff\xff\0\0\0\0"
"""What ends an Arrow stream."""

SPARE = 64 << 20
"""Bytes that stay free on the disk of the store, or a twentieth of a disk that is small."""

_T = TypeVar("_T")


class TooSlow(Error):
    """A query met its time bound and was ended."""

    http_status = 503


class Lost(Storage):
    """The store process ended while it was asked: what it was asked to do is done or not."""


class EngineRefused(Error):
    """The engine refused a statement: `code` is ClickHouse's number of the error."""

    http_status = 500

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class Client:
    """Asks the store; used from several threads at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._lock = threading.Lock()
        self._driver: Driver | None = None
        self._closed = False
        self._life = threading.local()

    def in_one_life(self, work: Callable[[], _T]) -> _T:
        """Do work whose steps build on each other within one life of the store process.

        Tables in memory end with the process, and an insert that got no answer may be on the disk:
        when the process ends amid the work, the work is done again from its beginning.
        """
        for attempt in (1, 2):
            self._life.driver = self._connected()
            try:
                return work()
            except Lost:
                if attempt == 2:
                    raise
            finally:
                self._life.driver = None
        raise AssertionError("unreachable")

    def table(
        self,
        statement: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        seconds: float = QUERY_SECONDS,
        settings: Mapping[str, Any] | None = None,
    ) -> pa.Table:
        """The rows that a statement gives. Raises `TooSlow` after `seconds`, `Storage`."""
        limits = {
            "max_execution_time": seconds,
            "output_format_arrow_string_as_string": 0,
            **(settings or {}),
        }
        asked = comment()
        if asked is not None:
            limits["log_comment"] = asked

        def ask(driver: Driver) -> bytes:
            return driver.raw_query(
                statement, parameters=dict(parameters or {}), settings=limits, fmt="ArrowStream"
            )

        answer = self._try(ask)
        comment()  # a query that is ended amid its work may answer with a part, and with no error
        return _text(pa.ipc.open_stream(answer).read_all())

    def command(
        self,
        statement: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """Run a statement that gives no rows."""
        self._try(
            lambda driver: driver.raw_query(
                statement, parameters=dict(parameters or {}), settings=dict(settings or {})
            )
        )

    def end(self, asking: Asking) -> None:
        """End the queries of those who wait for them no longer; none of them begins any more."""
        asking.ended = True
        self.command(
            "KILL QUERY WHERE Settings['log_comment'] = {group:String} ASYNC",
            {"group": asking.group},
        )

    def insert(self, table: str, rows: pa.Table, settings: Mapping[str, Any] | None = None) -> None:
        """Insert rows as one block: all of them are in the store and on the disk, or none."""
        if rows.column(0).num_chunks * FEW > rows.num_rows:
            rows = rows.combine_chunks()
        batches = rows.to_batches(max_chunksize=_rows_of(rows, PIECE))
        length = sum(map(pa.ipc.get_record_batch_size, batches))
        length += rows.schema.serialize().size + len(_END)
        self._try(
            lambda driver: driver.raw_insert(
                f"{schema.DATABASE}.{table}",
                rows.schema.names,
                _stream(batches, rows.schema),
                fmt="ArrowStream",
                settings=dict(settings or {}),
                transport_settings={"Content-Length": str(length)},
            )
        )

    def require_room(self) -> None:
        """Raise `Storage` when the disk is nearly full, before anything is written.

        The engine does not survive a disk that fills up under it as well as it survives a refusal.
        """
        try:
            disk = shutil.disk_usage(self.folder)
        except OSError as error:
            raise Storage(f"{self.folder} cannot be used: {error.strerror}.") from error
        if disk.free < min(SPARE, disk.total // 20):
            raise full(self.folder)

    def close(self) -> None:
        """Close the connections. The store process stays, for others and for a while."""
        with self._lock:
            self._closed = True
            driver, self._driver = self._driver, None
        if driver is not None:
            driver.close()

    def _try(self, ask: Callable[[Driver], _T]) -> _T:
        """Ask; when the store process is gone, start it and ask once more.

        Raises `Lost` instead where this is a step of `in_one_life`, or when it is gone again.
        """
        pinned: Driver | None = getattr(self._life, "driver", None)
        for attempt in (1, 2):
            driver = pinned or self._connected()
            try:
                return ask(driver)
            except DatabaseError as error:
                if error.code is None or error.code == 516:
                    self._forget(driver)
                    if attempt == 1 and pinned is None:
                        continue
                    raise Lost(
                        "The timeline store does not answer.",
                        f"Its log is {self.folder / 'store.log'}; try again.",
                    ) from error
                raise _explained(error.code, str(error), self.folder) from error
        raise AssertionError("unreachable")

    def _forget(self, driver: Driver) -> None:
        with self._lock:
            if self._driver is driver:
                self._driver = None

    def _connected(self) -> Driver:
        with self._lock:
            if self._closed:
                raise Storage("The timeline was closed.")
            if self._driver is None:
                self._driver = _reach(self.folder)
            return self._driver


def _stream(batches: list[pa.RecordBatch], schema: pa.Schema) -> Generator[bytes, None, None]:
    """An Arrow stream in pieces: no copy of the whole is ever made."""
    yield schema.serialize()
    for batch in batches:
        yield batch.serialize(memory_pool=pa.system_memory_pool())  # pages are used again
    yield _END


def _rows_of(rows: pa.Table, size: int) -> int:
    """How many of these rows have about so many bytes."""
    return max(1, int(size * rows.num_rows // max(1, rows.nbytes)))


def _text(table: pa.Table) -> pa.Table:
    """The table with text as text: the store hands out bytes, and only `raw` is meant to be."""
    for index, field in enumerate(table.schema):
        kind: pa.DataType | None = None
        if pa.types.is_binary(field.type) and field.name != "raw":
            kind = pa.string()
        elif pa.types.is_map(field.type):
            kind = pa.map_(pa.string(), pa.string())
        if kind is not None:
            table = table.set_column(index, field.name, table.column(index).cast(kind))
    return table


def _reach(folder: Path) -> Driver:
    """A connection to the store process of the folder, which is started when none answers."""
    until = time.monotonic() + START_SECONDS
    process = begun(folder)
    while True:
        driver = _answering(folder)
        if driver is not None:
            return driver
        status = process.poll() if process is not None else OWNED
        if status == UNUSABLE:
            raise _unusable(folder)
        if time.monotonic() > until:
            raise Storage(
                "The timeline store could not be started.", f"Its log is {folder / 'store.log'}."
            )
        if status not in (None, OWNED):  # somebody ended it, and would not want it begun anew
            raise Storage(
                "The timeline store was ended while it began.",
                f"Try again; when it happens again, look into {folder / 'store.log'}.",
            )
        if status is not None:
            process = start(folder)
        time.sleep(0.03)


def _answering(folder: Path) -> Driver | None:
    """A connection when `store.json` names a process that knows its secret and locked this folder.

    A folder that was copied while its store ran names the store of the original.
    """
    try:
        told = json.loads((folder / "store.json").read_text())
        here = identity(folder / "lock")
        if told.get("lock", here) != here:
            return None
        port, secret, version = int(told["port"]), str(told["secret"]), int(told["version"])
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None
    except OSError as error:
        raise Storage(f"{folder / 'store.json'} cannot be read: {error.strerror}.") from error
    pool = get_pool_manager(maxsize=32, num_pools=4)
    try:
        driver = clickhouse_connect.get_client(
            interface="http", host="127.0.0.1", port=port, username="locard", password=secret,
            compress=False, pool_mgr=pool, autogenerate_session_id=False, query_retries=0,
            connect_timeout=5, send_receive_timeout=7200, database="__default__",
        )  # fmt: skip
    except ClickHouseError:
        return None
    if version != schema.VERSION:
        raise Storage(
            f"The timeline store has version {version} of its tables; this is version "
            f"{schema.VERSION}.",
            "End the other Locard, or use the version that made the store.",
        )
    return driver


def _unusable(folder: Path) -> Storage:
    reason = ""
    with contextlib.suppress(OSError, IndexError):
        reason = (folder / "store.log").read_text(errors="replace").splitlines()[-1][:300]
    return Storage(
        f"The timeline store cannot use {folder}: {reason}",
        "Free space or make the folder writable, and try again.",
    )


def full(folder: Path) -> Storage:
    """The error of a disk without room for rows."""
    return Storage(
        f"The disk of the timeline {folder} is full.",
        "Free some space and run the same command again; it goes on where it stopped.",
    )


def _explained(code: int, message: str, folder: Path) -> Error:
    """The engine's error in words for a person."""
    if code in _TIMED_OUT:
        return TooSlow(
            "The query took too long and was ended.",
            "Narrow the time range or the filter, or search for whole words.",
        )
    if code in _ENDED:
        return Unwanted("Nobody waits for this answer any more.")
    if code in _MEMORY:
        return TooSlow(
            "The query needs more memory than it may have.", "Narrow the time range or the filter."
        )
    if any(text in message for text in _FULL):
        return full(folder)
    if any(text in message for text in _READ_ONLY):
        return Storage(
            f"The timeline store may not write to {folder}.", "Make it writable and try again."
        )
    return EngineRefused(f"The timeline store refused a statement: {message[:500]}", code)
