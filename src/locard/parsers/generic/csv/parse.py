# SPDX-License-Identifier: Apache-2.0
"""Any CSV with a header and a time: see `guess` for how columns are found."""

from locard.parsers.contract import Context, Head, Match, Opened
from locard.parsers.generic import guess
from locard.parsers.rows import Rows


def recognise(head: Head) -> Match:
    """The lowest score of all parsers, so that any real one goes first."""
    return guess.recognise(head, "csv")


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append one row for each record; see `contract`."""
    guess.parse(opened, rows, context)
