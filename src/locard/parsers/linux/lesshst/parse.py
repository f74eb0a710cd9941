# SPDX-License-Identifier: Apache-2.0
"""Histories of less as loose files."""

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import program_traces
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows


def recognise(head: Head) -> Match:
    """The line that less begins its file with."""
    return (
        Match(92, "the line that less begins its file with")
        if head.first.startswith(program_traces.LESS_HEAD)
        else NO
    )


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each search, command and mark."""
    place = loose(opened, context, "linux.lesshst")
    program_traces.read_lesshst(opened.stream(), place, rows)
