# SPDX-License-Identifier: Apache-2.0
"""Hosts that wget fetched from, as loose files."""

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import program_traces
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows


def recognise(head: Head) -> Match:
    """The line that wget begins its file with."""
    return (
        Match(92, "the line that wget begins its file with")
        if program_traces.WGET_HEAD.match(head.first)
        else NO
    )


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each host."""
    place = loose(opened, context, "linux.wget_hsts")
    program_traces.read_wget_hsts(opened.stream(), place, rows)
