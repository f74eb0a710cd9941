# SPDX-License-Identifier: Apache-2.0
"""Jobs of at as loose files."""

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import job_files
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows


def recognise(head: Head) -> Match:
    """The head that at gives each of its jobs."""
    return Match(95, "job of at") if job_files.AT_HEAD.match(head.first) else NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append one row for the job."""
    place = loose(opened, context, "linux.at")
    job_files.read_at(opened.stream(), place, rows, {})
