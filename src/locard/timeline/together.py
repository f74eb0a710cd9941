# SPDX-License-Identifier: Apache-2.0
"""What a page asks at once about one search: rows, count, histogram and facets.

Where the condition reads raw records, each of them would read all of them. Here the first rows are
read first. When they are all there are, they answer everything; else one further reading answers
count, histogram and facets. Those who ask meanwhile wait for it. What it told is kept for as long
as the case's rows in the store are the same, so that the answers stay exact.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from locard.timeline import arriving, figures, measure, read, schema
from locard.timeline.asking import comment
from locard.timeline.client import Client, TooSlow
from locard.timeline.figures import Figures
from locard.timeline.query import Condition, condition
from locard.timeline.read import Place
from locard.timeline.results import Count, Facets, Histogram, Page, Row
from locard.timeline.search import Search

KEPT = 16
"""Searches whose figures are kept."""
HEAD = Place(200)
"""The first rows that are read when no page asked for others before."""
SETTLED = 3.0
"""Seconds for which the rows of a case have to be the same: while they are being written, what one
reading told holds for nobody who asks after it."""
_WAIT_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class _Head:
    """The first rows of a search in an order, one more than were asked for where there are more."""

    order: str
    rows: list[Row]
    complete: bool
    """Whether `rows` are all."""

    def of(self, place: Place) -> list[Row] | None:
        """Those that a page and the one who decides on a next begin with, if they are known."""
        turned = self.order != place.order
        if not self.complete and (turned or len(self.rows) <= place.limit):
            return None
        return (self.rows[::-1] if turned else self.rows)[: place.limit + 1]


@dataclass
class _Question:
    """One search in one state of the store."""

    first: threading.Lock = field(default_factory=threading.Lock)
    """Held while the first rows are read."""
    second: threading.Lock = field(default_factory=threading.Lock)
    """Held while everything is read."""
    order: str = HEAD.order
    """Order in which the first rows are being read."""
    head: _Head | None = None
    """None when nobody has read them yet."""
    figures: Figures | None = None
    alone: bool = False
    """Whether one reading for everything was too much, so that each figure is asked for itself."""


class Together:
    """Answers searches, those that are asked `together` from as few readings as possible."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._questions: OrderedDict[tuple[object, ...], _Question] = OrderedDict()
        self._states: dict[str, tuple[str, float]] = {}
        """What the rows of each case were last, and since when."""

    def page(self, search: Search, place: Place) -> Page:
        """A page of what a search finds."""
        with condition(self._client, search) as where:
            question = self._question(search, where) if place.first else None
            if question is None:
                return read.page(self._client, where, place)
            with _turn(question.first, question.order == place.order) as mine:
                if question.head is not None and (known := question.head.of(place)) is not None:
                    if known and not set(read.names_of(place.columns)) <= known[0].keys():
                        some = _only(search, where, known)
                        known = read.found_rows(self._client, some, place)[1]
                    return read.paged(known, place, False, where.notes)
                if mine and question.head is None and not question.alone:
                    rows = self._begin(question, where, place)
                    return read.paged(rows, place, False, where.notes)
            rows = self._begin(question, where, place)
            return read.paged(rows, place, False, where.notes)

    def count(self, search: Search) -> Count:
        """How many events match."""
        with condition(self._client, search) as where:
            found = self._figures(search, where)
            if found is None:
                return measure.count(self._client, search, where)
            return measure.counted(self._client, search, where, found.rows, found.undated)

    def histogram(self, search: Search, buckets: int, by: str, outliers: bool = True) -> Histogram:
        """Events over time."""
        with condition(self._client, search) as where:
            found = self._figures(search, where)
            answer = found.histogram(where, buckets, by, outliers) if found else None
            return answer or measure.histogram(self._client, where, buckets, by, outliers)

    def facets(self, search: Search, fields: Sequence[str], size: int) -> Facets:
        """The most frequent values of each field among the events that match."""
        names = tuple(dict.fromkeys(fields))
        if not names:
            return Facets([], self.count(search).rows)
        with condition(self._client, search) as where:
            found = self._figures(search, where)
            answer = found.facets(where, names, size) if found else None
            return answer or measure.facets(self._client, where, names, size)

    def _question(self, search: Search, where: Condition) -> _Question | None:
        """What is known of this search; None where each answer is to be read for itself."""
        if not (search.together and where.scans and where.lasting) or search.arriving:
            return None
        bound = tuple(sorted((name, repr(value)) for name, value in where.parameters.items()))
        state, now = _generation(self._client, search.case), time.monotonic()
        key = (state, where.sql, bound)
        with self._lock:
            last, since = self._states.get(search.case, (state, -math.inf))
            self._states[search.case] = (state, since if last == state else now)
            if now - self._states[search.case][1] < SETTLED:
                return None
            question = self._questions.setdefault(key, _Question())
            self._questions.move_to_end(key)
            while len(self._questions) > KEPT:
                self._questions.popitem(last=False)
        return question

    def _begin(self, question: _Question, where: Condition, place: Place) -> list[Row]:
        """Read the first rows, and remember what is short of them."""
        question.order = place.order
        try:
            _, rows = read.found_rows(self._client, where, place, read.LISTED)
        except TooSlow:
            question.alone = True
            raise
        complete, known = len(rows) <= place.limit, question.head
        if known is None or (not known.complete and (complete or len(rows) > len(known.rows))):
            short = [{name: row[name] for name in read.LISTED} for row in rows]
            question.head = _Head(place.order, short, complete)
            if complete:
                question.figures = figures.of_rows(short)
        return rows

    def _figures(self, search: Search, where: Condition) -> Figures | None:
        """The figures of a search; None where each is to be read for itself."""
        question = self._question(search, where)
        if question is None:
            return None
        try:
            with _turn(question.first):
                if question.head is None and not question.alone:
                    self._begin(question, where, replace(HEAD, columns=("time", "id")))
            with _turn(question.second):
                if question.figures is None and not question.alone:
                    question.figures = figures.read(self._client, search, where)
        except TooSlow:
            question.alone = True
        return question.figures


@contextmanager
def _turn(lock: threading.Lock, wait: bool = True) -> Iterator[bool]:
    """Hold a lock; whether it is held, which it may be not without `wait`.

    Raises `Unwanted` when nobody waits any more for who waits here.
    """
    held = lock.acquire(blocking=False)
    while wait and not held:
        comment()
        held = lock.acquire(timeout=_WAIT_SECONDS)
    try:
        yield held
    finally:
        if held:
            lock.release()


def _only(search: Search, where: Condition, rows: Sequence[Row]) -> Condition:
    """The condition of just these rows of a case."""
    parameters: dict[str, object] = {}
    scope = arriving.scope(search.case, (), parameters)
    times = [schema.UNDATED if row["time"] is None else row["time"] for row in rows]
    parameters.update(few_times=times, few_ids=[row["id"] for row in rows])
    return Condition(
        f"{scope} AND (time, id) IN (SELECT fromUnixTimestamp64Nano(one.1, 'UTC'), "
        "toFixedString(unhex(one.2), 16) FROM (SELECT arrayJoin(arrayZip("
        "{few_times:Array(Int64)}, {few_ids:Array(String)})) AS one))",
        parameters,
        where.notes,
    )


def _generation(client: Client, case: str) -> str:
    """What changes whenever the rows of a case change: the names of the parts that hold them."""
    table = client.table(
        "SELECT toString(sum(cityHash64(name))) || '-' || toString(count()) AS parts "
        "FROM system.parts WHERE database = {database:String} AND table = 'events' AND active "
        "AND (partition = {case:String} OR {case:String} = '')",
        {"database": schema.DATABASE, "case": case},
    )
    return str(table.column("parts")[0].as_py())
