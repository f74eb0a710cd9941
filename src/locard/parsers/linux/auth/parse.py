# SPDX-License-Identifier: Apache-2.0
"""Authentication logs as loose files."""

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import syslog_rows
from locard.parsers.linux.looks import base_name
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows


def recognise(head: Head) -> Match:
    """Records of a system log, most of them about authentication."""
    looked = syslog_rows.look(head)
    if looked.score == 0 or not looked.about:
        return NO
    named = base_name(head).startswith(("auth", "secure"))
    if looked.about * 2 > looked.records or named:
        return Match(looked.score + 5, "system log about authentication")
    return NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each record."""
    syslog_rows.read(opened.stream, loose(opened, context, "linux.auth"), rows)
