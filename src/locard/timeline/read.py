# SPDX-License-Identifier: Apache-2.0
"""Reading rows: pages by cursor, one event, its surroundings, and streams for exports."""

import base64
import binascii
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from locard.model.errors import BadQuery, Error, Missing
from locard.model.event import Event, Kind
from locard.timeline import schema
from locard.timeline.arriving import APART, MARK, scope
from locard.timeline.client import Client
from locard.timeline.query import Condition, condition
from locard.timeline.results import Page, Row, Surroundings
from locard.timeline.search import Arriving, Search

_DB = schema.DATABASE
PAGE_ROWS = 10_000
"""The longest page. More rows than that are an export."""
CONTEXT_ROWS = 500
"""Rows on either side of an event that its surroundings hold at most."""
LISTED = tuple(name for name in schema.NAMES if name not in ("raw", "attributes"))
"""Columns that are short."""
EXPORT_ROWS = 20_000
EXPORT_SECONDS = 600.0


def _instant(name: str) -> str:
    """The SQL of a bound time."""
    return f"fromUnixTimestamp64Nano({{{name}:Int64}}, 'UTC')"


_AFTER = f"(time, id) > ({_instant('cursor_time')}, unhex({{cursor_id:String}}))"
_BEFORE = _AFTER.replace(" > ", " < ", 1)


@dataclass(frozen=True, slots=True)
class Place:
    """Which page of what a search finds is wanted. Raises `Error` for one that cannot be."""

    limit: int
    cursor: str | None = None
    offset: int = 0
    order: str = "asc"
    columns: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if self.order not in ("asc", "desc"):
            raise Error("The order of a page is asc or desc.")
        object.__setattr__(self, "limit", max(1, min(self.limit, PAGE_ROWS)))
        object.__setattr__(self, "offset", max(0, self.offset))

    @property
    def first(self) -> bool:
        """Whether nothing stands before it."""
        return self.cursor is None and self.offset == 0


def page(client: Client, where: Condition, place: Place) -> Page:
    """A page of the rows that match, see `Timeline.page`."""
    backwards, found = found_rows(client, where, place)
    return paged(found, place, backwards, where.notes)


def found_rows(
    client: Client, where: Condition, place: Place, further: Sequence[str] = ()
) -> tuple[bool, list[Row]]:
    """Whether the cursor leads backwards, and the rows on its way, one more than the page has.

    They have the columns of the page, `further` ones, time and id.
    """
    parameters = dict(where.parameters)
    backwards, clause = False, where.sql
    if place.cursor is not None:
        backwards, time, key = _read_cursor(place.cursor, place.order)
        parameters.update(cursor_time=time, cursor_id=key)
        ascending = (place.order == "asc") != backwards
        # The bound on time alone lets the primary key skip what lies on the other side.
        side = ">=" if ascending else "<="
        clause += (
            f" AND time {side} {_instant('cursor_time')} AND {_AFTER if ascending else _BEFORE}"
        )
    direction = "ASC" if (place.order == "asc") != backwards else "DESC"
    names = dict.fromkeys((*names_of(place.columns), *further, "time", "id"))
    table = client.table(
        f"SELECT {', '.join(map(schema.presented, names))} FROM {_DB}.events WHERE {clause} "
        f"ORDER BY time {direction}, id {direction} "
        f"LIMIT {{page_limit:UInt32}} OFFSET {{page_offset:UInt64}}",
        {**parameters, "page_limit": place.limit + 1, "page_offset": place.offset},
    )
    return backwards, rows_of_table(table)


def paged(rows: list[Row], place: Place, backwards: bool, notes: list[str]) -> Page:
    """The page of these rows, with cursors to those beside it."""
    more = len(rows) > place.limit
    rows = rows[: place.limit]
    if backwards:
        rows = rows[::-1]
    first, last = (rows[0], rows[-1]) if rows else (None, None)
    if backwards:
        has_next, has_previous = True, more
    else:
        has_next, has_previous = more, not place.first
    following = _write_cursor("n", place.order, last) if last and has_next else None
    preceding = _write_cursor("p", place.order, first) if first and has_previous else None
    wanted = set(names_of(place.columns))
    shown = [{k: v for k, v in row.items() if k in wanted} for row in rows]
    return Page(shown, following, preceding, notes)


def event(client: Client, key: str, case: str | None, coming: Sequence[Arriving] = ()) -> Event:
    """One event with its sightings. Raises `Missing`, and `Error` when several cases hold it."""
    parameters: dict[str, Any] = {"id": _id(key)}
    inside = f"NOT {APART}" if case is None else scope(case, coming, parameters)
    clause = f"id = unhex({{id:String}}) AND {inside}"
    rows = rows_of_table(
        client.table(
            f"SELECT {_all()} FROM {_DB}.events WHERE {clause} LIMIT 1 BY `case`", parameters
        )
    )
    if len(rows) > 1:
        names = sorted(str(row["case"]) for row in rows)
        raise Error(
            f"{len(rows)} cases hold event {key}: {', '.join(names)}.",
            f"Each has a row of its own. Name one: --case {names[0]}",
        )
    if not rows:
        raise Missing(f"There is no event {key}.", "An id has 32 hex digits; a search shows it.")
    row = rows[0]
    values = {
        name: row[name]
        for name in schema.NAMES
        if name not in ("id", "case", "time", "attributes", "raw")
    }
    return Event(
        row["id"], row["case"], row["time"], values, row["attributes"], row["raw"],
        tuple(sightings(client, row["case"], row["id"])),
    )  # fmt: skip


def sightings(client: Client, case: str, key: str) -> list[tuple[str, str]]:
    """The further places, evidence and locator, of an event."""
    table = client.table(
        f"SELECT DISTINCT evidence, locator FROM {_DB}.sightings "
        "WHERE `case` = {case:String} AND id = unhex({id:String}) ORDER BY evidence, locator",
        {"case": case, "id": _id(key)},
    )
    return [(row["evidence"], row["locator"]) for row in table.to_pylist()]


def context(
    client: Client, case: str, key: str, minutes: float, most: int, coming: Sequence[Arriving] = ()
) -> Surroundings:
    """The events around an event, at most `most` on each side.

    Without their raw records and attributes: those of a thousand rows are megabytes that a list
    does not show.
    """
    most = max(1, min(most, CONTEXT_ROWS))
    bound: dict[str, Any] = {}
    inside = scope(case, coming, bound)
    listed = ", ".join(schema.presented(name) for name in LISTED)
    rows = rows_of_table(
        client.table(
            f"SELECT {listed} FROM {_DB}.events WHERE {inside} AND id = unhex({{id:String}}) "
            "LIMIT 1",
            {**bound, "id": _id(key)},
        )
    )
    if not rows:
        raise Missing(f"There is no event {key}.", "An id has 32 hex digits; a search shows it.")
    (middle,) = rows
    if middle["time"] is None:
        return Surroundings(rows, 0, False, False)
    span = int(minutes * 60_000_000_000)
    time = int(middle["time"])
    edges = max(schema.UNDATED + 1, time - span), min((1 << 63) - 1, time + span)
    sides: list[list[Row]] = []
    for edge, beyond, toward, passed, direction in (
        (edges[0], ">=", "<=", "<", "DESC"),
        (edges[1], "<=", ">=", ">=", "ASC"),
    ):
        table = client.table(
            f"SELECT {listed} FROM {_DB}.events WHERE {inside}"
            f" AND time {beyond} {_instant('edge')} AND time {toward} {_instant('at')}"
            f" AND (time, id) {passed} ({_instant('at')}, unhex({{id:String}}))"
            f" ORDER BY time {direction}, id {direction} LIMIT {{rows:UInt32}}",
            {**bound, "edge": edge, "at": time, "id": middle["id"], "rows": most + 2},
        )
        sides.append(rows_of_table(table))
    before, after = sides
    earlier = before[:most][::-1]
    later = after[: most + 1]
    return Surroundings(earlier + later, len(earlier), len(before) > most, len(after) > most + 1)


def batches(
    client: Client, search: Search, columns: Sequence[str] | None
) -> Iterator[pa.RecordBatch]:
    """Everything that a search finds, in order of time, in batches of bounded size."""
    names = names_of(columns)
    chosen = ", ".join(schema.presented(n) for n in dict.fromkeys((*names, "time", "id")))
    with condition(client, search) as where:
        clause, parameters = where.sql, {**where.parameters, "rows": EXPORT_ROWS}
        while True:
            table = client.table(
                f"SELECT {chosen} FROM {_DB}.events WHERE {clause} "
                "ORDER BY time, id LIMIT {rows:UInt32}",
                parameters,
                seconds=EXPORT_SECONDS,
            )
            if table.num_rows:
                time = table.column("time_ns")[-1].as_py()
                key = table.column("id")[-1].as_py().hex()
                clause = f"{where.sql} AND time >= {_instant('cursor_time')} AND {_AFTER}"
                parameters.update(cursor_time=time, cursor_id=key)
                yield from _shown(table, names)
            if table.num_rows < EXPORT_ROWS:
                return


def _shown(table: pa.Table, names: Sequence[str]) -> list[pa.RecordBatch]:
    """The table with times as times and null where a record has no time or no port."""
    dated = table.column("time_ns")
    times = pc.if_else(pc.equal(dated, schema.UNDATED), None, dated).cast(pa.timestamp("ns", "UTC"))
    arrays = [times if n == "time" else _plain(n, table.column(n)) for n in names]
    shown: list[pa.RecordBatch] = pa.table(arrays, names=list(names)).combine_chunks().to_batches()
    return shown


def _plain(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    if schema.KINDS[name] is Kind.PORT:
        none = pa.scalar(None, column.type)
        return pc.if_else(pc.equal(column, 0), none, column)
    if name == "id":
        return pa.chunked_array([[key.hex() for key in column.to_pylist()]], pa.string())
    return column


def rows_of_table(table: pa.Table) -> list[Row]:
    """Rows as the outside sees them."""
    rows: list[Row] = table.to_pylist(maps_as_pydicts="lossy")
    for row in rows:
        if "time_ns" in row:
            time = row.pop("time_ns")
            row["time"] = None if time == schema.UNDATED else time
        if "id" in row:
            row["id"] = row["id"].hex()
        if "case" in row:
            row["case"] = row["case"].partition(MARK)[0]
    return rows


def names_of(columns: Sequence[str] | None) -> tuple[str, ...]:
    """The names of columns, each once; all of them for None. Raises `BadQuery`."""
    if columns is None:
        return schema.NAMES
    for name in columns:
        if name not in schema.KINDS:
            raise BadQuery(f"There is no column {name!r}.")
    return tuple(dict.fromkeys(columns))


def _all() -> str:
    return ", ".join(schema.presented(name) for name in schema.NAMES)


def _id(key: str) -> str:
    """An id as it was made: 32 hex digits. Raises `Missing`, since no event has another."""
    text = key.strip().lower()
    if len(text) != 32 or not set(text) <= set("0123456789abcdef"):
        raise Missing(f"There is no event {key[:80]!r}.", "An id has 32 hex digits.")
    return text


def _write_cursor(way: str, order: str, row: Row) -> str:
    time = schema.UNDATED if row["time"] is None else row["time"]
    packed = way.encode() + order[:1].encode() + struct.pack(">q", time) + bytes.fromhex(row["id"])
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _read_cursor(cursor: str, order: str) -> tuple[bool, int, str]:
    """Whether the cursor leads backwards, and the time and id it stands at."""
    try:
        packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        (time,) = struct.unpack(">q", packed[2:10])
    except (binascii.Error, ValueError, struct.error):
        packed, time = b"", 0
    if len(packed) != 26 or packed[:1] not in b"np" or packed[1:2] != order[:1].encode():
        raise Error("The cursor is not one of this search.", "Start again from the first page.")
    return packed[:1] == b"p", time, packed[10:].hex()


def rows_of(client: Client, case: str, evidence: str) -> int:
    """How many rows of a case stand on this evidence, sightings not counted."""
    table = client.table(
        f"SELECT count() AS n FROM {_DB}.events "
        "WHERE `case` = {case:String} AND evidence = {evidence:String}",
        {"case": case, "evidence": evidence},
    )
    return int(table.column("n")[0].as_py())


def one(table: pa.Table) -> dict[str, Any]:
    """The only row of a table."""
    (row,) = table.to_pylist()
    return dict(row)
