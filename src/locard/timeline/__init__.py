# SPDX-License-Identifier: Apache-2.0
"""The timeline: events in a columnar store, searched in Lucene syntax.

`connect(folder)` gives the `Timeline`; everything else here is what it takes and answers.
"""

from locard.timeline.arriving import EVIDENCE as STILL_COMING
from locard.timeline.asking import Asking, Unwanted, asking
from locard.timeline.client import TooSlow
from locard.timeline.excerpts import Excerpts
from locard.timeline.query.times import bounds
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
from locard.timeline.timeline import Timeline, connect

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
