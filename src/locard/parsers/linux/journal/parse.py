# SPDX-License-Identifier: Apache-2.0
"""systemd journals as loose files."""

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import journal_rows
from locard.parsers.linux.journal_objects import MAGIC
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows


def recognise(head: Head) -> Match:
    """The signature at the start."""
    return Match(100, "systemd journal") if head.first[:8] == MAGIC else NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each entry. Raises `Unreadable` when the header is damaged."""
    place = loose(opened, context, "linux.journal")
    journal_rows.read(opened.seekable(), opened.size, place, rows)
