# SPDX-License-Identifier: Apache-2.0
"""The timeline: events in a columnar store, searched in Lucene syntax.

`connect(folder)` gives the `Timeline`; everything else here is what it takes and answers. What
needs Arrow is imported when it is first asked for: the store process is a part of this package and
needs none of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from locard.timeline.asking import Asking, Unwanted, asking
from locard.timeline.results import (
    Count,
    Facet,
    Facets,
    Histogram,
    Page,
    Row,
    Summary,
    Surroundings,
    Written,
)
from locard.timeline.search import Arriving, Marks, Search

if TYPE_CHECKING:
    from locard.timeline.arriving import STILL_COMING
    from locard.timeline.client import TooSlow
    from locard.timeline.excerpts import Excerpts
    from locard.timeline.query.times import bounds
    from locard.timeline.timeline import Timeline, connect

_LATER = {
    "STILL_COMING": "arriving",
    "TooSlow": "client",
    "Excerpts": "excerpts",
    "bounds": "query.times",
    "Timeline": "timeline",
    "connect": "timeline",
}
"""Names to the modules that have them."""


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = found
    return found


__all__ = [
    "STILL_COMING",
    "Arriving",
    "Asking",
    "Count",
    "Excerpts",
    "Facet",
    "Facets",
    "Histogram",
    "Marks",
    "Page",
    "Row",
    "Search",
    "Summary",
    "Surroundings",
    "Timeline",
    "TooSlow",
    "Unwanted",
    "Written",
    "asking",
    "bounds",
    "connect",
]
