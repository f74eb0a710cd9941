# SPDX-License-Identifier: Apache-2.0
"""A parser whose counts are not those of its rows: what its evidence names goes wrong."""

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.rows import Rows


def recognise(head: Head) -> Match:
    return Match(90, "a liar") if head.first.startswith(b"liar ") else NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    what = (opened.whole(4096) or b"").split()[1]
    rows.row(message="whole", locator="0")
    rows.problem("broken", b"", "1")
    if what == b"seen":
        rows.seen += 3
    elif what == b"problems":
        rows.problems -= 1
    elif what == b"hidden":
        rows.problems += 1
    elif what == b"lost":
        rows.row(message="never sent", locator="2")
        rows.close = lambda: None  # type: ignore[method-assign]
