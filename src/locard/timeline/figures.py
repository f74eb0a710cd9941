# SPDX-License-Identifier: Apache-2.0
"""All figures of one search out of one reading of its rows: count, histogram and facets.

A condition that no index helps reads every raw record. A page asks it for its count, its histogram
and its facets; asked one by one, that is four readings.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from locard.model.event import FACETS, Kind
from locard.timeline import arriving, measure, schema
from locard.timeline.client import Client
from locard.timeline.outliers import FAR, Span, most, without
from locard.timeline.query import Condition
from locard.timeline.results import Facets, Histogram, Row
from locard.timeline.search import Search

SIZE = 100
"""Values of a field that are kept, beside the empty one."""
BINS = 2000
"""Parts that the time of the case is cut into; the bars of a histogram are made of them."""
SECONDS = 30.0
"""Longest time of the one reading; each figure alone takes less."""
BY = "source"
"""The field that the histogram is by."""

_NO_BIN = (1 << 64) - 1
_FAR_BIN = 1 << 32
"""The first bin of those that lie outside of the fine ones."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one reading told."""

    rows: int
    undated: int
    bins: Sequence[tuple[int, int, str, int]]
    """First and last time of some dated rows with one `BY`, its value, and how many they are."""
    values: Mapping[str, Sequence[Mapping[str, Any]]]
    """Rows for `measure.facet` by field."""

    def histogram(
        self, where: Condition, buckets: int, by: str, outliers: bool
    ) -> Histogram | None:
        """The histogram; None when these bins do not fit into its buckets."""
        if by != BY:
            return None
        if not self.bins:
            return measure.nothing_dated(self.undated, where)
        spans = [Span(first, last, n) for first, last, _, n in self.bins]
        spare = 0 if outliers else most(self.rows - self.undated)
        first, last, before, after = without(spans, spare)
        width, start = measure.grid(first, last, buckets)
        rows = []
        for begin, end, value, n in self.bins:
            if end < first or begin > last:
                continue
            bucket = (begin - start) // width
            if (end - start) // width != bucket:
                return None
            rows.append({"bucket": bucket, "value": value, "n": n})
        counts = measure.series(rows, (last - start) // width + 1)
        return Histogram(start, width, counts, self.undated, list(where.notes), before, after)

    def facets(self, where: Condition, fields: Sequence[str], size: int) -> Facets | None:
        """The facets; None when more is wanted than is known here."""
        if size > SIZE or not set(fields) <= self.values.keys():
            return None
        found = [measure.facet(name, self.values[name], max(1, size)) for name in fields]
        return Facets(found, self.rows, list(where.notes))


def read(client: Client, search: Search, where: Condition) -> Figures:
    """The figures of all rows that match, from one reading of them."""
    table = client.table(
        _statement(where.sql),
        {**where.parameters, "size": SIZE + 1, **_cut(client, search)},
        seconds=SECONDS,
    )
    values: dict[str, list[dict[str, Any]]] = {name: [] for name in FACETS}
    bins: list[tuple[int, int, str, int]] = []
    undated = 0
    for row in table.to_pylist():
        if row["field"] >= 0:
            values[FACETS[row["field"]]].append(row)
        elif row["bin"] == _NO_BIN:
            undated += row["n"]
        else:
            bins.append((row["first"], row["last"], row["value"], row["n"]))
    return Figures(undated + sum(n for *_, n in bins), undated, bins, values)


def of_rows(rows: Sequence[Row]) -> Figures:
    """The figures of these few rows, which have the columns `FACETS` and time."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
    for row in rows:
        for name in FACETS:
            none = schema.KINDS[name] is Kind.PORT and not row[name]
            counts[name]["" if none else str(row[name])] += 1
    values = {
        name: [
            {"value": value, "n": n, "total": len(rows), "distincts": len(found)}
            for value, n in sorted(found.items(), key=lambda one: (one[0] != "", -one[1], one[0]))
        ]
        for name, found in counts.items()
    }
    dated = [row for row in rows if row["time"] is not None]
    bins = [(row["time"], row["time"], str(row[BY]), 1) for row in dated]
    return Figures(len(rows), len(rows) - len(dated), bins, values)


def _cut(client: Client, search: Search) -> dict[str, int]:
    """Where bins begin and how long they are: fine ones between the times that a histogram without
    outliers draws, and `far` ones for what lies outside.
    """
    first, last = measure.span(client, search.case) or (0, 0)
    if search.start is not None:
        first = max(first, search.start)
    if search.end is not None:
        last = min(last, search.end)
    width, start = measure.grid(first, max(first, last), BINS)
    cut = {"origin": start, "width": width, "last": last, "far": start, "far_width": width}
    if width < FAR // BINS or search.start is not None or search.end is not None:
        return cut
    parameters: dict[str, object] = {}
    scope = arriving.scope(search.case, (), parameters)
    drawn = measure.histogram(client, Condition(scope, parameters, []), BINS, BY, False)
    number = max((len(counts) for counts in drawn.series.values()), default=0)
    end = min(drawn.start + drawn.width * number, 1 << 63) - 1
    return cut | {"origin": drawn.start, "width": drawn.width, "last": end}


def _statement(where: str) -> str:
    """All groupings over one reading of the rows."""
    names = [f"v{index}" for index in range(len(FACETS))]
    every = ", ".join(names)
    by = f"v{FACETS.index(BY)}"
    inner = ", ".join(f"toString({measure.value(f)}) AS v{i}" for i, f in enumerate(FACETS))
    # `grouping` has a bit for each column, the first one highest; that of the grouped one is 0.
    masks = ", ".join(
        str((1 << len(names) + 1) - 1 - (1 << len(names) - index)) for index in range(len(names))
    )
    # The difference of two times may need all 64 bits, so it is taken without a sign.
    bins = (
        f"multiIf({measure.UNDATED}, toUInt64({_NO_BIN}), "
        "nanoseconds < {origin:Int64} OR nanoseconds > {last:Int64}, "
        f"{_FAR_BIN} + intDiv(toUInt64(nanoseconds - {{far:Int64}}), {{far_width:UInt64}}), "
        "intDiv(toUInt64(nanoseconds - {origin:Int64}), {width:UInt64}))"
    )
    return (
        "SELECT field, value, bin, n, first, last, total, distincts FROM ("
        "SELECT *, sum(n) OVER (PARTITION BY g) AS total, count() OVER (PARTITION BY g) AS "
        "distincts, row_number() OVER (PARTITION BY g ORDER BY value = '' DESC, n DESC, value) "
        f"AS place FROM (SELECT toInt64(indexOf([{masks}], g)) - 1 AS field, "
        f"if(field < 0, {by}, [{every}][field + 1]) AS value, bin, n, first, last, g FROM ("
        f"SELECT {every}, bin, grouping({every}, bin) AS g, count() AS n, "
        "min(nanoseconds) AS first, max(nanoseconds) AS last "
        f"FROM (SELECT {inner}, toUnixTimestamp64Nano(time) AS nanoseconds, "
        f"{bins} AS bin FROM {schema.DATABASE}.events WHERE {where}) "
        f"GROUP BY GROUPING SETS ({', '.join(f'({name})' for name in names)}, (bin, {by}))))) "
        "WHERE field < 0 OR place <= {size:UInt32} ORDER BY field, place "
        "SETTINGS force_grouping_standard_compatibility = 1"
    )
