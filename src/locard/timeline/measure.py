# SPDX-License-Identifier: Apache-2.0
"""Figures over what a search finds: counts, histogram, facets, and a case in numbers."""

from collections.abc import Sequence

from locard.model.errors import BadQuery
from locard.timeline import schema
from locard.timeline.client import Client
from locard.timeline.query import condition
from locard.timeline.read import one
from locard.timeline.results import Count, Facet, Facets, Histogram, Summary
from locard.timeline.search import Search

_DB = schema.DATABASE
_UNDATED = f"toUnixTimestamp64Nano(time) = {schema.UNDATED}"


def count(client: Client, search: Search) -> Count:
    """How many events match."""
    with condition(client, search) as where:
        row = one(
            client.table(
                f"SELECT count() AS n, countIf({_UNDATED}) AS undated FROM {_DB}.events "
                f"WHERE {where.sql}",
                where.parameters,
            )
        )
    return Count(row["n"], row["undated"], where.notes)


def histogram(client: Client, search: Search, buckets: int, by: str) -> Histogram:
    """Events over time."""
    raise NotImplementedError


def facets(client: Client, search: Search, fields: Sequence[str], size: int) -> Facets:
    """The most frequent values of each field."""
    result, total, notes = [], 0, []
    for name in fields:
        expression = _value(name)
        with condition(client, search) as where:
            table = client.table(
                f"SELECT toString({expression}) AS value, count() AS n FROM {_DB}.events "
                f"WHERE {where.sql} GROUP BY value ORDER BY n DESC, value",
                where.parameters,
            )
            notes = where.notes
        counted = [(row["value"], row["n"]) for row in table.to_pylist()]
        total = sum(n for _, n in counted)
        shown = counted[:size]
        result.append(Facet(name, shown, total - sum(n for _, n in shown), len(counted)))
    return Facets(result, total, notes)


def values(client: Client, case: str, name: str, prefix: str, size: int) -> list[tuple[str, int]]:
    """Values of a field that begin with a prefix, for completion."""
    table = client.table(
        f"SELECT toString({_value(name)}) AS value, count() AS n FROM {_DB}.events "
        "WHERE `case` = {case:String} AND value != '' "
        "AND startsWith(lowerUTF8(value), lowerUTF8({prefix:String})) "
        "GROUP BY value ORDER BY n DESC, value LIMIT {size:UInt32}",
        {"case": case, "prefix": prefix, "size": size},
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


def summary(client: Client, case: str) -> Summary:
    """A case in numbers."""
    table = client.table(
        f"SELECT toString(source) AS value, count() AS n, countIf({_UNDATED}) AS undated, "
        f"countIf(problem != '') AS problems FROM {_DB}.events WHERE `case` = {{case:String}} "
        "GROUP BY value ORDER BY n DESC, value",
        {"case": case},
    )
    rows = table.to_pylist()
    seen = one(
        client.table(
            f"SELECT uniqExact(id, evidence, locator) AS n FROM {_DB}.sightings "
            "WHERE `case` = {case:String}",
            {"case": case},
        )
    )
    ends = span(client, case)
    return Summary(
        rows=sum(r["n"] for r in rows),
        problems=sum(r["problems"] for r in rows),
        undated=sum(r["undated"] for r in rows),
        first=ends[0] if ends else None,
        last=ends[1] if ends else None,
        sources={r["value"]: r["n"] for r in rows},
        sightings=seen["n"],
    )


def evidence_counts(client: Client, case: str) -> dict[str, int]:
    """Rows by evidence."""
    table = client.table(
        f"SELECT toString(evidence) AS value, count() AS n FROM {_DB}.events "
        "WHERE `case` = {case:String} GROUP BY value ORDER BY n DESC, value",
        {"case": case},
    )
    return {row["value"]: row["n"] for row in table.to_pylist()}


def _value(name: str) -> str:
    """The SQL of a field as text. Raises `BadQuery` for a field that the store does not have."""
    if name not in schema.KINDS or name in ("time", "raw", "attributes", "id"):
        raise BadQuery(f"There are no facets of {name!r}.")
    return f"`{name}`"
