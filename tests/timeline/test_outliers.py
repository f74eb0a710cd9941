# SPDX-License-Identifier: Apache-2.0
"""What a histogram leaves out because it is far away in time: few events, each of them counted."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locard.timeline import Search, Timeline, together
from locard.timeline.outliers import FAR, TIMES, Kept, Span, most, without
from tests.timeline.rows import HOUR, START, batch

DAY = 24 * HOUR
YEAR = 365 * DAY
FIRST, LAST = -(1 << 63) + 1, (1 << 63) - 1


def test_how_many_may_be_outliers() -> None:
    assert [most(n) for n in (0, 1, 3, 4, 39, 40, 1000, 1001, 1100, 10_000_000)] == [
        0, 0, 0, 1, 9, 10, 10, 10, 11, 100_000,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("far", "kept"),
    [
        ([], (0, 0)),
        ([0], (1, 0)),
        ([LAST], (0, 1)),
        ([0, LAST], (1, 1)),
        ([FIRST, 0, YEAR, 30 * YEAR, LAST - 1, LAST], (4, 2)),
        # Less than a month away, or not far enough for so long a time.
        ([START - FAR + 1], (0, 0)),
        ([START + DAY - TIMES * DAY], (0, 0)),
        ([START - FAR], (1, 0)),
        # More than a few.
        ([year * YEAR for year in range(12)], (0, 0)),
    ],
)
def test_a_day_and_what_is_far_from_it(far: list[int], kept: tuple[int, int]) -> None:
    spans = [Span(START, START + HOUR, 90), Span(START + HOUR, START + DAY, 10)]
    spans += [Span(time, time, 1) for time in far]
    found = without(spans, most(sum(one.n for one in spans)))
    assert (found.before, found.after) == kept
    if any(kept):
        assert found[:2] == (START, START + DAY)
    else:
        assert found[:2] == (min(one.first for one in spans), max(one.last for one in spans))


times = st.one_of(
    st.integers(FIRST, LAST), st.integers(START, START + DAY), st.integers(START, START + FAR)
)


@given(st.lists(st.tuples(times, st.integers(0, DAY), st.integers(1, 30)), min_size=1))
def test_what_is_kept_and_what_is_not(given: list[tuple[int, int, int]]) -> None:
    spans = [Span(first, min(LAST, first + length), n) for first, length, n in given]
    total = sum(one.n for one in spans)
    kept = without(spans, most(total))
    before = [one for one in spans if one.last < kept.first]
    after = [one for one in spans if one.first > kept.last]
    inside = [one for one in spans if kept.first <= one.first and one.last <= kept.last]
    assert len(before) + len(inside) + len(after) == len(spans)
    assert sum(one.n for one in before) == kept.before
    assert sum(one.n for one in after) == kept.after
    assert kept.before + kept.after <= most(total)
    assert (min(one.first for one in inside), max(one.last for one in inside)) == kept[:2]
    least = max(FAR, TIMES * (kept.last - kept.first))
    assert all(kept.first - one.last >= least for one in before)
    assert all(one.first - kept.last >= least for one in after)
    assert without(spans, 0) == Kept(
        min(one.first for one in spans), max(one.last for one in spans), 0, 0
    )


def _rows(far: list[int], days: int = 1) -> list[dict[str, Any]]:
    rows = [{"time": START + n * days * DAY // 400} for n in range(400)]
    rows += [{"time": time} for time in [*far, None]]
    return [{**row, "locator": f"l{n}", "raw": b"xwordx"} for n, row in enumerate(rows)]


@pytest.mark.parametrize("query", ["", "*ordx*"])
def test_bars_of_the_others_and_a_count_of_the_outliers(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(together, "SETTLED", 0.0)
    # The one of 60 days later is in one bar with the others as long as those of 1970 are drawn.
    far = [0, DAY, 33 * YEAR, START + 60 * DAY, LAST]
    timeline.write("case", batch(*_rows(far)))
    search = Search("case", query, together=True)
    found = timeline.histogram(search, outliers=False)
    assert (found.before, found.after, found.undated) == (3, 2, 1)
    assert sum(map(sum, found.series.values())) == 400
    assert found.width == 15 * HOUR // 60 and found.start == START // found.width * found.width
    assert timeline.histogram(search, outliers=False) == found
    for asked in (search, replace(search, together=False)):
        every = timeline.histogram(asked)
        assert (every.before, every.after) == (0, 0)
        assert sum(map(sum, every.series.values())) == 405
        bars = next(iter(every.series.values()))
        assert sum(n > 0 for n in bars) <= 5, "this is why"
    chosen = replace(search, start=0, end=START + DAY)
    assert sum(map(sum, timeline.histogram(chosen).series.values())) == 403


def test_nothing_is_left_out_where_nothing_is_far(timeline: Timeline) -> None:
    timeline.write("case", batch(*_rows([], days=900)))
    found = timeline.histogram(Search("case"), outliers=False)
    assert found == timeline.histogram(Search("case"))
    assert timeline.histogram(Search("case", "nothing"), outliers=False).series == {}
