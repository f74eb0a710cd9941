# SPDX-License-Identifier: Apache-2.0
"""What vim remembers, as loose files."""

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import program_traces
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows


def recognise(head: Head) -> Match:
    """The lines that vim begins its file with."""
    return (
        Match(92, "the lines that vim begins its file with")
        if program_traces.VIM_HEAD.match(head.first)
        else NO
    )


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each thing that vim remembers."""
    place = loose(opened, context, "linux.viminfo")
    program_traces.read_viminfo(opened.stream(), place, rows)
