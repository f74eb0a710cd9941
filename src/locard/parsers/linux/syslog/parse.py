# SPDX-License-Identifier: Apache-2.0
"""System logs as loose files."""

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import syslog_rows
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows


def recognise(head: Head) -> Match:
    """Lines that begin with the date of a system log."""
    looked = syslog_rows.look(head)
    return Match(looked.score, "system log") if looked.score else NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each record."""
    syslog_rows.read(opened.stream, loose(opened, context, "linux.syslog"), rows)
