# SPDX-License-Identifier: Apache-2.0
"""A search as one condition: case, span of time and query, all text bound as parameters."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from locard.model.errors import BadQuery
from locard.timeline import schema
from locard.timeline.client import Client
from locard.timeline.search import Search

_LARGEST = (1 << 63) - 1


@dataclass
class Condition:
    """SQL for WHERE with its parameters, and what a person should know about it."""

    sql: str
    parameters: dict[str, Any]
    notes: list[str] = field(default_factory=list)


@contextmanager
def condition(client: Client, search: Search) -> Iterator[Condition]:
    """The condition of a search, valid inside the `with`. Raises `BadQuery`."""
    clauses: list[str] = []
    parameters: dict[str, Any] = {}
    if search.case:
        clauses.append("`case` = {case:String}")
        parameters["case"] = search.case
    if search.start is not None or search.end is not None:
        start = schema.UNDATED + 1 if search.start is None else search.start
        parameters["start"] = max(schema.UNDATED + 1, min(start, _LARGEST))
        clauses.append("time >= fromUnixTimestamp64Nano({start:Int64}, 'UTC')")
    if search.end is not None:
        parameters["end"] = max(schema.UNDATED + 1, min(search.end, _LARGEST))
        clauses.append("time < fromUnixTimestamp64Nano({end:Int64}, 'UTC')")
    if search.query.strip():
        raise BadQuery("Queries are not understood yet.")
    yield Condition(" AND ".join(clauses) or "1", parameters)
