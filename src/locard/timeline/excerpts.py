# SPDX-License-Identifier: Apache-2.0
"""Excerpts: rows of a table that tell of a record which stands in the timeline in full.

A console's or a query's table holds some columns of a log record under the record's own number.
Where the record itself is there and says nothing else in any of these columns, the table's row is a
further place of that event and not an event of its own. A row that contradicts the record in one
word stays: that is what an examiner has to see.
"""

from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa

from locard.timeline import folding, schema
from locard.timeline.client import Client

_DB = schema.DATABASE
_SAME = ("account", "region", "host", "actor_kind", "session", "error", "src_ip", "domain")
"""Columns in which an excerpt says what the record says, or nothing."""


@dataclass(frozen=True, slots=True)
class Excerpts:
    """Which rows of a source are excerpts, and what names the record."""

    source: str
    """The parser's id."""
    locator: str
    """How locators of such rows begin."""
    record: str
    """The attribute that holds the record's own number."""


def fold(client: Client, case: str, excerpts: Excerpts, kept: Collection[str]) -> int:
    """Make excerpts of records that are there into sightings; how many.

    Rows in `kept` (ids of 32 hex digits) stay rows. Cut off in between, the next run ends it.
    """
    values = {
        "case": case,
        "source": excerpts.source,
        "locator": excerpts.locator,
        "record": excerpts.record,
    }
    some = client.table(
        f"SELECT 1 AS one FROM {_DB}.events WHERE {_mine()} "
        "AND startsWith(locator, {locator:String}) LIMIT 1",
        values,
    )
    if some.num_rows == 0:
        return 0
    return _fold(client, values, kept)


def _fold(client: Client, values: dict[str, str], kept: Collection[str]) -> int:
    found = client.table(_pairs(), values, seconds=600)
    if kept and found.num_rows:
        stay = {bytes.fromhex(one) for one in kept}
        mask = [one not in stay for one in found.column("excerpt").to_pylist()]
        found = found.filter(pa.array(mask, pa.bool_()))
    if found.num_rows == 0:
        return 0
    pairs = (found.column(name).to_pylist() for name in ("excerpt", "whole"))
    into = {one.hex(): whole.hex() for one, whole in zip(*pairs, strict=True)}
    folding.fold(client, values["case"], into)
    return len(into)


def _pairs() -> str:
    """Excerpts with the record that says the same: the first of them where there are several."""
    number = "attributes[{record:String}]"
    needed = ", ".join(f"`{name}`" for name in ("actor", *_SAME))
    same = "\n    AND ".join(f"(p.`{name}` = '' OR p.`{name}` = f.`{name}`)" for name in _SAME)
    return f"""SELECT p.id AS excerpt, min(f.id) AS whole
FROM (SELECT id, time, action, {needed}, attributes, {number} AS number
    FROM {_DB}.events WHERE {_mine()} AND startsWith(locator, {{locator:String}})
    AND problem = '' AND {number} != '') AS p
INNER JOIN (SELECT id, time, action, {needed}, attributes, {number} AS number
    FROM {_DB}.events WHERE {_mine()} AND NOT startsWith(locator, {{locator:String}})
    AND {number} IN (SELECT {number} FROM {_DB}.events
        WHERE {_mine()} AND startsWith(locator, {{locator:String}}))) AS f
ON p.number = f.number
WHERE p.time = f.time AND p.action = f.action
    AND (p.actor = '' OR p.actor = f.actor OR endsWith(f.actor, concat('/', p.actor)))
    AND {same}
    AND arrayAll((name, text) -> f.attributes[name] = '' OR startsWith(f.attributes[name], text),
        mapKeys(p.attributes), mapValues(p.attributes))
GROUP BY p.id"""


def _mine() -> str:
    return "`case` = {case:String} AND source = {source:String}"
