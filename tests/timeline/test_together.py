# SPDX-License-Identifier: Apache-2.0
"""What a page asks at once comes from as few readings as possible, and is the same answer."""

import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from typing import Any

import pytest

from locard.model.event import FACETS
from locard.timeline import Search, Timeline, Unwanted, asking, figures, together
from locard.timeline.client import Client
from tests.timeline.rows import HOUR, START, batch
from tests.waiting import PATIENCE

MANY, FEW = 450, 200
SHORT = ("time", "action", "src_port", "id", "case")
RAW = "match(raw,", "raw ILIKE", "position(raw,"


def _rows() -> list[dict[str, Any]]:
    """Rows over weeks, some undated, some long ago, with words that few or many of them hold."""
    found: list[dict[str, Any]] = []
    for n in range(MANY):
        text = f"xmanyx{'' if n >= FEW else ' xfewx'}{'' if n else ' xonex'}"
        found.append(
            {
                "locator": f"line:{n}",
                "time": None if n % 50 == 7 else START + n * HOUR if n % 90 else -n * HOUR,
                "action": f"Do{n % 130}", "actor": "" if n % 3 else f"user{n}",
                "provider": "aws" if n % 2 else "gcp", "src_ip": f"10.0.{n % 7}.{n % 11}",
                "message": "", "raw": text.encode(), "src_port": n % 3,
            }
        )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def store(shared: Timeline) -> Iterator[Timeline]:
    shared.write("case", batch(*_rows()))
    shared.index("case")
    yield shared


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that read raw records, as they reach the store."""
    asked: list[str] = []
    plain = Client.table

    def table(self: Client, statement: str, *arguments: Any, **named: Any) -> Any:
        if any(text in statement for text in RAW):
            asked.append(statement)
        return plain(self, statement, *arguments, **named)

    monkeypatch.setattr(Client, "table", table)
    return asked


def _all(store: Timeline, search: Search, order: str = "asc") -> list[Any]:
    """Everything that a page asks, at once."""
    with ThreadPoolExecutor(7) as pool:
        asked = [
            pool.submit(store.count, search),
            pool.submit(store.page, search, 200, None, 0, order),
            pool.submit(store.histogram, search, 120),
            pool.submit(store.facets, search, FACETS, 8),
            pool.submit(store.facets, search, ("action",), 100),
            pool.submit(store.page, search, 200, None, 0, order, SHORT),
            pool.submit(store.page, search, 60, None, 0, "desc", SHORT),
        ]
        return [one.result() for one in asked]


@pytest.mark.parametrize(
    ("query", "found", "most"),
    [
        ("*nowherex*", 0, 1),
        ("*onex*", 1, 1),
        ("*fewx*", FEW, 1),
        ("*manyx*", MANY, 2),
        ("/x(many|few)x/", MANY, 2),
        ("/xf.wx/ provider:gcp", FEW // 2, 1),
        ("raw:/ONEX/ OR action:Do5", 5, 1),
    ],
)
def test_all_answers_come_from_few_readings_and_are_the_same(
    store: Timeline, readings: list[str], query: str, found: int, most: int
) -> None:
    alone = _all(store, Search("case", query))
    assert alone[0].rows == found
    assert len(readings) > most
    readings.clear()
    search = Search("case", f"{query} ", together=True)
    assert _all(store, search) == alone
    # Pages in another order than that of the first rows do not wait: they read their own.
    assert len(readings) <= most + 3
    readings.clear()
    assert _all(store, search) == alone
    assert len(readings) <= (0 if found <= FEW else 2)


@pytest.mark.parametrize("query", ["*onex*", "*fewx*", "*manyx*", "*nowherex*"])
def test_the_newest_first_and_a_span(store: Timeline, query: str) -> None:
    alone = Search("case", query, start=START + 20 * HOUR, end=START + 300 * HOUR)
    search = replace(alone, together=True)
    for order in ("desc", "asc", "desc"):
        assert _all(store, search, order) == _all(store, alone, order)
    for buckets, by, fields, size in (
        (7, "source", ("region",), 1), (2000, "action", ("src_port", "case"), 3),
        (1, "source", FACETS, 1000),
    ):  # fmt: skip
        assert store.histogram(search, buckets, by) == store.histogram(alone, buckets, by)
        assert store.facets(search, fields, size) == store.facets(alone, fields, size)
    first = store.page(search, 100)
    assert first == store.page(alone, 100)
    if first.next:
        following = store.page(search, 100, first.next)
        assert following == store.page(alone, 100, first.next)
        assert store.page(search, 100, following.previous).rows == first.rows
    assert store.page(search, 50, offset=150) == store.page(alone, 50, offset=150)


def test_one_after_the_other_reads_once(store: Timeline, readings: list[str]) -> None:
    search = Search("case", "*nowhere*at*all*", together=True)
    page = store.page(search)
    assert (page.rows, page.next) == ([], None)
    assert len(readings) == 1
    assert store.count(search).rows == 0
    assert store.histogram(search).series == {}
    assert store.facets(search).rows == 0
    assert len(readings) == 1
    many = Search("case", "*man?x*", together=True)
    readings.clear()
    assert store.page(many).next
    assert store.count(many).rows == MANY
    assert store.facets(many).rows == MANY
    assert sum(map(sum, store.histogram(many).series.values())) == MANY - 9
    assert store.page(many, 100).rows == store.page(Search("case", "*many*"), 100).rows
    assert len(readings) == 3, "the first rows, all figures, and the page that was asked alone"


@pytest.mark.parametrize("settled", [0.0, math.inf])
def test_what_is_written_or_removed_is_seen(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch, settled: float
) -> None:
    monkeypatch.setattr(together, "SETTLED", settled)
    search = Search("case", "*xonex*", together=True)
    assert timeline.count(search).rows == 0
    timeline.write("case", batch(*_rows()[:3]))
    assert timeline.count(search).rows == 1
    timeline.write("other", batch(*_rows()[:3]))
    timeline.write("case", batch({**_rows()[0], "locator": "further"}))
    assert timeline.count(search).rows == 2
    assert len(timeline.page(search).rows) == 2
    timeline.index("case")
    assert timeline.count(search).rows == 2
    timeline.forget("case", str(timeline.page(search).rows[0]["evidence"]))
    assert timeline.count(search).rows == 0
    assert timeline.page(search).rows == []


def test_while_rows_are_written_each_answer_is_read_for_itself(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together, "SETTLED", 3600.0)
    search = Search("case", "*xmanyx*", together=True)
    for number in range(3):
        timeline.write("case", batch({**_rows()[0], "locator": f"further:{number}"}))
        assert timeline.count(search).rows == number + 1
    assert len(timeline._together._questions) == 1, "only the first knew nothing of others"


def test_one_who_goes_leaves_the_others_their_answer(store: Timeline) -> None:
    """Whoever waits for the reading of another takes it over; who waits for nothing ends."""
    search = Search("case", "*man*yx* ", together=True)
    known = store._together._questions
    before = set(known)
    store.page(search)
    (key,) = set(known) - before
    question = known[key]
    question.second.acquire()
    with asking() as gone:
        context = copy_context()
    with ThreadPoolExecutor(2) as pool:
        try:
            leaving = pool.submit(context.run, store.count, search)
            staying = pool.submit(store.count, search)
            store.end(gone)
            with pytest.raises(Unwanted):
                leaving.result(PATIENCE)
            assert not staying.done()
        finally:
            question.second.release()  # the pool waits for both, also when one was wrong
        assert staying.result(PATIENCE).rows == MANY


def test_a_reading_that_is_too_much_leaves_each_its_own(
    store: Timeline, monkeypatch: pytest.MonkeyPatch, readings: list[str]
) -> None:
    monkeypatch.setattr(figures, "SECONDS", 1e-6)
    alone = _all(store, Search("case", "/xma.yx/"))
    readings.clear()
    assert _all(store, Search("case", "/xma.yx/ ", together=True)) == alone
    assert any("GROUPING SETS" in one and "nanoseconds" in one for one in readings)
    assert any("countIf" in one for one in readings), "the count was not asked alone"


def test_sets_too_large_for_a_parameter_are_not_kept(store: Timeline) -> None:
    marked = [f"{n:032x}" for n in range(3000)]
    search = Search("case", "*manyx* NOT tag:x", marks=lambda _kind, _text: marked, together=True)
    before = len(store._together._questions)
    assert store.count(search).rows == MANY
    assert len(store._together._questions) == before


def test_threads_that_ask_the_same_are_many(store: Timeline) -> None:
    """No answer depends on who came first."""
    alone = Search("case", "*fe*x*")
    wanted = store.count(alone), store.page(alone, 200), store.facets(alone)
    barrier = threading.Barrier(6)

    def ask(number: int) -> bool:
        barrier.wait()
        search = replace(alone, together=True)
        what = [
            lambda: store.count(search) == wanted[0],
            lambda: store.page(search, 200) == wanted[1],
            lambda: store.facets(search) == wanted[2],
        ]
        return what[number % 3]()

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(ask, range(6)))
