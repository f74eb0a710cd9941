# SPDX-License-Identifier: Apache-2.0
"""Few events far away in time, which a histogram of the others can do without.

A clock that was never set, a time that an attacker wrote: with one event in 2262 all others are in
one bar, and nobody sees when what happened.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

FAR = 30 * 86400 * 1_000_000_000
"""Nanoseconds without any event that lie between an outlier and the others at least."""
TIMES = 4
"""How many times as long as all that the others last this is at least: with the outliers drawn, the
others have a fifth of the width at most."""
_FEW = 10


class Span(NamedTuple):
    """Some events: the first and the last time of them, and how many they are."""

    first: int
    last: int
    n: int


class Kept(NamedTuple):
    """What is left: first and last time, and how many events are before and after it."""

    first: int
    last: int
    before: int
    after: int


class _Cut(NamedTuple):
    time: int
    gap: float
    dropped: int


def most(events: int) -> int:
    """How many of so many events may be outliers: one in a hundred, of few ones some more."""
    return max(events // 100, min(_FEW, events // 4))


def without(spans: Iterable[Span], spare: int) -> Kept:
    """The shortest time that is far from all events outside it, which are `spare` at most.

    Where there are no outliers that is all of it. `spans` may overlap and are not empty.
    """
    ordered = sorted(spans)
    begins = _cuts([(one.first, one.last, one.n) for one in ordered], spare)
    # From the other end, and with the sign changed, last things come first.
    turned = sorted((-one.last, -one.first, one.n) for one in ordered)
    ends = [_Cut(-time, gap, n) for time, gap, n in reversed(_cuts(turned, spare))]
    times = [end.time for end in ends]
    best = Kept(begins[0].time, ends[-1].time, 0, 0)
    for begin in begins:
        for end in ends[bisect_left(times, begin.time) :]:
            length = end.time - begin.time
            if length * TIMES > begin.gap or length > best.last - best.first:
                break
            if length * TIMES <= end.gap and begin.dropped + end.dropped <= spare:
                best = Kept(begin.time, end.time, begin.dropped, end.dropped)
    return best


def _cuts(ordered: list[tuple[int, int, int]], spare: int) -> list[_Cut]:
    """Where the kept time may begin: at the first event, or after a long time without any."""
    cuts = [_Cut(ordered[0][0], math.inf, 0)]
    dropped, last = 0, ordered[0][0]
    for first, end, n in ordered:
        if dropped > spare:
            break
        if first - last >= FAR:
            cuts.append(_Cut(first, first - last, dropped))
        dropped, last = dropped + n, max(last, end)
    return cuts
