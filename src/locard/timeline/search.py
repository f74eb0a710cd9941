# SPDX-License-Identifier: Apache-2.0
"""What is searched for, and the condition in SQL that it becomes."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

Marks = Callable[[str, str], Collection[str]]
"""Given a kind (`tag`, `starred`, `comment`) and a pattern, the ids of the events that have it.

The pattern is the text of the query as typed, with `*` and `?` as wildcards; `*` means any.
"""


def _now() -> int:
    return time.time_ns()


@dataclass(frozen=True, slots=True)
class Arriving:
    """The rows of one arrival that are to be seen: those of its groups from `first` on."""

    name: str
    """Letters, digits and dashes."""
    first: int = 0
    successor: tuple[int | None, str] | None = None
    """Time and id of a row in the case that stands for the first group as soon as it is there."""


@dataclass(frozen=True, slots=True)
class Search:
    """One search: the events of a case that a query names, in a span of time."""

    case: str
    """Id of the case; empty searches all cases."""
    query: str = ""
    """Lucene syntax, see docs/query.md; empty matches everything."""
    start: int | None = None
    """First time, UTC nanoseconds; None leaves it open. Either bound leaves undated rows out."""
    end: int | None = None
    """The time after the last one, UTC nanoseconds; None leaves it open."""
    zone: str = "UTC"
    """IANA zone of the times in the query that name none."""
    marks: Marks | None = field(default=None, compare=False, repr=False)
    """Answers `tag:`, `starred:` and `comment:`; without it they are a `BadQuery`."""
    arriving: Sequence[Arriving] = ()
    """Evidence that is still coming in, whose rows are searched too."""
    together: bool = field(default=False, compare=False)
    """Whether rows, count, histogram and facets of it are asked for at once, as a page does."""
    now: int = field(default_factory=_now, compare=False)
    """What `now` in the query means, UTC nanoseconds."""
