# SPDX-License-Identifier: Apache-2.0
"""Figures over what a search finds: counts, histogram, facets, and a case in numbers."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from locard.model.errors import Missing
from locard.model.event import Kind
from locard.timeline import attributes, schema
from locard.timeline.arriving import APART
from locard.timeline.client import Client
from locard.timeline.outliers import Kept, Span, most, without
from locard.timeline.query import Condition
from locard.timeline.read import one
from locard.timeline.results import Count, Facet, Facets, Histogram, Summary
from locard.timeline.search import Search

_DB = schema.DATABASE
UNDATED = f"(toUnixTimestamp64Nano(time) = {schema.UNDATED})"
BUCKETS = 2000
SERIES = 20
"""Series of a histogram at most; further values are counted together."""
FACET_VALUES = 1000
_NO_FACETS = ("time", "raw", "attributes", "id")

_SECOND = 1_000_000_000
_WIDTHS: tuple[int, ...] = (
    *(n * 10**power for power in range(6, 9) for n in (1, 2, 5)),
    *(n * _SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * 60 * _SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * 3600 * _SECOND for n in (1, 2, 3, 6, 12)),
    *(n * 86400 * _SECOND for n in (1, 2, 7, 14, 28, 91, 182, 364)),
)
"""Widths of a bucket, nanoseconds."""


def count(client: Client, search: Search, where: Condition) -> Count:
    """How many events match."""
    row = one(
        client.table(
            f"SELECT count() AS n, countIf({UNDATED}) AS undated FROM {_DB}.events "
            f"WHERE {where.sql}",
            where.parameters,
        )
    )
    return counted(client, search, where, row["n"], row["undated"])


def counted(client: Client, search: Search, where: Condition, rows: int, undated: int) -> Count:
    """The answer, with what a person should know when there are no rows."""
    told = [] if rows else attributes.unknown(client, search)
    return Count(rows, undated, [*told, *where.notes])


def histogram(
    client: Client, where: Condition, buckets: int, by: str, outliers: bool = True
) -> Histogram:
    """Events over time, in buckets of a width that people use, from a round time on.

    Without `outliers`, few events that are far away in time are counted and have no bucket.
    """
    ends = one(
        client.table(
            f"SELECT toUnixTimestamp64Nano(minIf(time, NOT {UNDATED})) AS first, "
            "toUnixTimestamp64Nano(max(time)) AS last, "
            f"countIf({UNDATED}) AS undated, count() AS n FROM {_DB}.events "
            f"WHERE {where.sql}",
            where.parameters,
        )
    )
    undated, dated = ends["undated"], ends["n"] - ends["undated"]
    if not dated:
        return nothing_dated(undated, where)
    kept = Kept(ends["first"], ends["last"], 0, 0)
    drawn = _drawn(client, where, kept, buckets, by)
    while not outliers and drawn.rows:
        spans = [Span(row["first"], row["last"], row["n"]) for row in drawn.rows]
        found = without(spans, most(dated) - kept.before - kept.after)
        if not found.before + found.after:
            break
        # What was close together among bars of years may be far apart among bars of days.
        kept = Kept(*found[:2], kept.before + found.before, kept.after + found.after)
        drawn = _drawn(client, where, kept, buckets, by)
    number = (kept.last - drawn.start) // drawn.width + 1
    return Histogram(
        drawn.start,
        drawn.width,
        series(drawn.rows, number),
        undated,
        where.notes,
        kept.before,
        kept.after,
    )


class _Drawn(NamedTuple):
    start: int
    width: int
    rows: list[dict[str, Any]]


def _drawn(client: Client, where: Condition, kept: Kept, buckets: int, by: str) -> _Drawn:
    """How many events of each value are in each bucket, between the times that are kept."""
    width, start = grid(kept.first, kept.last, buckets)
    # The difference of two times may need all 64 bits, so it is taken without a sign.
    table = client.table(
        "SELECT intDiv(toUInt64(nanoseconds - {origin:Int64}), {width:UInt64}) AS bucket, value, "
        "count() AS n, min(nanoseconds) AS first, max(nanoseconds) AS last FROM ("
        f"SELECT toString({value(by)}) AS value, toUnixTimestamp64Nano(time) AS nanoseconds "
        f"FROM {_DB}.events WHERE {where.sql} "
        "AND time >= fromUnixTimestamp64Nano({first:Int64}, 'UTC') "
        "AND time <= fromUnixTimestamp64Nano({last:Int64}, 'UTC')) GROUP BY bucket, value",
        {
            **where.parameters,
            "origin": start,
            "width": width,
            "first": kept.first,
            "last": kept.last,
        },
    )
    return _Drawn(start, width, table.to_pylist())


def nothing_dated(undated: int, where: Condition) -> Histogram:
    """The histogram of no event that has a time."""
    return Histogram(0, _WIDTHS[0], {}, undated, where.notes)


def series(rows: Sequence[Mapping[str, Any]], number: int) -> dict[str, list[int]]:
    """Counts in `number` buckets by value, most frequent first; the further ones are one series.

    A row has `bucket`, `value` and `n`; there may be several of one bucket and value.
    """
    totals: dict[str, int] = {}
    for row in rows:
        totals[row["value"]] = totals.get(row["value"], 0) + row["n"]
    ranked = sorted(totals, key=lambda v: (-totals[v], v))[:SERIES]
    found = {name: [0] * number for name in ranked}
    for row in rows:
        name = row["value"] if row["value"] in found else ""
        found.setdefault(name, [0] * number)[row["bucket"]] += row["n"]
    return found


def grid(first: int, last: int, buckets: int) -> tuple[int, int]:
    """Width of the buckets between two times, and where the first one begins."""
    width = _width(first, last, max(1, min(buckets, BUCKETS)))
    return width, max(-(1 << 63), first // width * width)


def _width(first: int, last: int, buckets: int) -> int:
    """The narrowest usual width with which the span needs no more buckets than wanted.

    Buckets of every width begin at 1970, so a span with times on both sides of it needs two.
    """
    if first < 0 <= last:
        buckets = max(2, buckets)
    for width in _WIDTHS:
        if last // width - first // width + 1 <= buckets:
            return width
    width = _WIDTHS[-1]
    while last // width - first // width + 1 > buckets:
        width *= 2
    return width


def facets(client: Client, where: Condition, fields: Sequence[str], size: int) -> Facets:
    """The most frequent values of each of these different fields among the events that match.

    How many have none is always said, under the empty value and beside the `size` others.
    """
    size = max(1, min(size, FACET_VALUES))
    statement = _one_reading(fields, where.sql) if where.scans else _each(fields, where.sql)
    table = client.table(statement, {**where.parameters, "size": size + 1})
    counts: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        counts.setdefault(fields[row["field"]], []).append(row)
    found = [facet(name, counts.get(name, []), size) for name in fields]
    total = next((rows[0]["total"] for rows in counts.values()), 0)
    return Facets(found, total, where.notes)


def facet(name: str, rows: Sequence[Mapping[str, Any]], size: int) -> Facet:
    """The most frequent values of one field.

    A row has `value`, `n` and, for all values, `total` and `distincts`. They come in order: the
    empty value, then the most frequent ones, `size` of them at least where there are as many.
    """
    total = rows[0]["total"] if rows else 0
    distinct = rows[0]["distincts"] if rows else 0
    most = [row for row in rows if row["value"]][:size] + [r for r in rows if not r["value"]]
    most.sort(key=lambda row: (-row["n"], row["value"]))
    shown = [(row["value"], row["n"]) for row in most]
    return Facet(name, shown, total - sum(n for _, n in shown), distinct)


def _each(names: Sequence[str], where: str) -> str:
    """A grouping for each field: the quickest while the condition itself costs little."""
    return " UNION ALL ".join(
        f"(SELECT {index} AS field, toString({value(name)}) AS value, count() AS n, "
        "sum(n) OVER () AS total, count() OVER () AS distincts "
        f"FROM {_DB}.events WHERE {where} GROUP BY value ORDER BY value = '' DESC, n DESC, value "
        "LIMIT {size:UInt32})"
        for index, name in enumerate(names)
    )


def _one_reading(names: Sequence[str], where: str) -> str:
    """All groupings over one reading: for a condition that reads the raw records."""
    inner = ", ".join(f"toString({value(name)}) AS v{i}" for i, name in enumerate(names))
    sets = ", ".join(f"(v{i})" for i in range(len(names)))
    every = ", ".join(f"v{i}" for i in range(len(names)))
    # `grouping` has a bit for each column, the first one highest; that of the grouped one is 0.
    fields = ", ".join(str((1 << len(names)) - 1 - (1 << i)) for i in reversed(range(len(names))))
    return (
        f"SELECT indexOf([{fields}], g) - 1 AS field, [{every}][field + 1] AS value, n, total, "
        "distincts FROM (SELECT *, sum(n) OVER (PARTITION BY g) AS total, "
        "count() OVER (PARTITION BY g) AS distincts FROM ("
        f"SELECT {every}, grouping({every}) AS g, count() AS n "
        f"FROM (SELECT {inner} FROM {_DB}.events WHERE {where}) "
        f"GROUP BY GROUPING SETS ({sets}))) "
        "ORDER BY field, value = '' DESC, n DESC, value LIMIT {size:UInt32} BY field "
        "SETTINGS force_grouping_standard_compatibility = 1"
    )


def values(client: Client, case: str, name: str, prefix: str, size: int) -> list[tuple[str, int]]:
    """Values of a field that begin with a prefix, for completion.

    Those of `attributes` are the names, those of `attributes.NAME` the values under a name.
    """
    if name == "attributes":
        return attributes.names(client, case, prefix, size)
    parameters = {"case": case, "prefix": prefix, "size": size}
    if name.startswith(attributes.PREFIX):
        shown = "attributes[{attribute:String}]"
        parameters["attribute"] = name.removeprefix(attributes.PREFIX)
    else:
        shown = f"toString({value(name)})"
    table = client.table(
        f"SELECT {shown} AS value, count() AS n FROM {_DB}.events "
        "WHERE `case` = {case:String} AND value != '' "
        "AND startsWith(lowerUTF8(value), lowerUTF8({prefix:String})) "
        "GROUP BY value ORDER BY n DESC, value LIMIT {size:UInt32}",
        parameters,
    )
    return [(row["value"], row["n"]) for row in table.to_pylist()]


def span(client: Client, case: str) -> tuple[int, int] | None:
    """First and last time of a case."""
    row = one(
        client.table(
            "SELECT toUnixTimestamp64Nano(min(time)) AS first, "
            "toUnixTimestamp64Nano(max(time)) AS last, "
            f"count() AS n FROM {_DB}.events WHERE `case` = {{case:String}} "
            f"AND time > fromUnixTimestamp64Nano({schema.UNDATED}, 'UTC')",
            {"case": case},
        )
    )
    return (row["first"], row["last"]) if row["n"] else None


def summaries(client: Client, case: str | None = None) -> dict[str, Summary]:
    """Cases in numbers, by name: all that have rows, or only the one that is named."""
    only = f"WHERE NOT {APART}" if case is None else "WHERE `case` = {case:String}"
    parameters = {} if case is None else {"case": case}
    dated = f"NOT {UNDATED}"
    table = client.table(
        f"SELECT toString(`case`) AS held, toString(source) AS value, count() AS n, "
        f"countIf({UNDATED}) AS undated, countIf(problem != '') AS problems, "
        f"toUnixTimestamp64Nano(minIf(time, {dated})) AS first, "
        f"toUnixTimestamp64Nano(maxIf(time, {dated})) AS last "
        f"FROM {_DB}.events {only} GROUP BY held, value ORDER BY held, n DESC, value",
        parameters,
    )
    seen = client.table(
        "SELECT toString(`case`) AS held, uniqExact(id, evidence, locator) AS n "
        f"FROM {_DB}.sightings {only} GROUP BY held",
        parameters,
    )
    sightings = {row["held"]: row["n"] for row in seen.to_pylist()}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        found.setdefault(row["held"], []).append(row)
    return {name: _summary(rows, sightings.get(name, 0)) for name, rows in found.items()}


def cases(client: Client) -> set[str]:
    """The cases that have rows, by the names of the parts that hold them."""
    table = client.table(
        "SELECT DISTINCT partition AS held FROM system.parts WHERE database = {database:String} "
        "AND table = 'events' AND active AND rows > 0",
        {"database": schema.DATABASE},
    )
    return {row["held"] for row in table.to_pylist()}


def _summary(rows: list[dict[str, Any]], sightings: int) -> Summary:
    dated = [row for row in rows if row["n"] > row["undated"]]
    return Summary(
        rows=sum(r["n"] for r in rows),
        problems=sum(r["problems"] for r in rows),
        undated=sum(r["undated"] for r in rows),
        first=min((r["first"] for r in dated), default=None),
        last=max((r["last"] for r in dated), default=None),
        sources={r["value"]: r["n"] for r in rows},
        sightings=sightings,
    )


def evidence_counts(client: Client, case: str) -> dict[str, int]:
    """Rows by evidence."""
    table = client.table(
        f"SELECT toString(evidence) AS value, count() AS n FROM {_DB}.events "
        "WHERE `case` = {case:String} GROUP BY value ORDER BY n DESC, value",
        {"case": case},
    )
    return {row["value"]: row["n"] for row in table.to_pylist()}


def value(name: str) -> str:
    """The SQL of a field as text; no port is no value.

    Raises `Missing` for a field that the store does not have or that has no facets.
    """
    if name not in schema.KINDS or name in _NO_FACETS:
        known = ", ".join(one for one in schema.NAMES if one not in _NO_FACETS)
        raise Missing(f"There are no facets of {name[:80]!r}.", f"There are those of: {known}.")
    if schema.KINDS[name] is Kind.PORT:
        return f"if(`{name}` = 0, '', toString(`{name}`))"
    return f"`{name}`"
