# SPDX-License-Identifier: Apache-2.0
"""One row for each line: the smallest parser there is."""

from locard.model.errors import Unreadable
from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.rows import Rows


def recognise(head: Head) -> Match:
    return Match(80, "begins with the word toy") if head.first.startswith(b"toy") else NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    at = 0
    stream = opened.stream()
    try:
        for line in stream:
            text = line.decode("utf-8", "replace").rstrip("\n")
            rows.row(message=text, raw=line, locator=f"byte={at}")
            at += len(line)
    except Unreadable as error:
        rows.problem(error.message, b"", f"byte={at}")
