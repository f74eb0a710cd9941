# SPDX-License-Identifier: Apache-2.0
"""The search that an address asks for: `q`, `from`, `to` and `zone`."""

import time
from dataclasses import replace
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import Depends, Query

from locard.api.allowed import MayView
from locard.api.door import TheDoor
from locard.api.places import TheCase
from locard.model.errors import BadQuery, Error
from locard.timeline import Search, bounds

LONGEST_QUERY = 10_000
SECOND = 1_000_000_000
"""What `now` is rounded down to, so that what a page asks at once is one question."""

Text = Annotated[
    str,
    Query(description=f"Lucene syntax, docs/query.md; {LONGEST_QUERY:,} characters at most"),
]
Time = Annotated[
    str,
    Query(
        max_length=64,
        description="As in a query: 2023-07-10, now-24h, UTC nanoseconds; both ends are included",
    ),
]


def _search(
    case: TheCase,
    who: MayView,
    door: TheDoor,
    q: Text = "",
    start: Annotated[Time, Query(alias="from")] = "",
    end: Annotated[Time, Query(alias="to")] = "",
    zone: Annotated[str, Query(max_length=64)] = "UTC",
) -> Search:
    known_zone(zone)
    bounded(q)
    now = time.time_ns() // SECOND * SECOND
    first, after = bounds(start, end, zone, now)
    search = door.desk.search(
        case,
        q,
        start=first,
        end=after,
        zone=zone,
        who=who.hand,
    )
    return replace(search, together=True, now=now)


def bounded(query: str) -> str:
    """The query, when it is not too long. Raises `BadQuery`."""
    if len(query) > LONGEST_QUERY:
        raise BadQuery(f"A query has at most {LONGEST_QUERY:,} characters.", LONGEST_QUERY)
    return query


def known_zone(zone: str) -> str:
    """The name, when it is one of an IANA zone. Raises `Error`."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Error(f"There is no time zone {zone!r}.", "Write it like Europe/Berlin.") from error
    return zone


Asked = Annotated[Search, Depends(_search)]
"""The search in the case that the address names, from `from` to `to`, both included."""
