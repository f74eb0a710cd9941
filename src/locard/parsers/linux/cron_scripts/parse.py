# SPDX-License-Identifier: Apache-2.0
"""What cron runs each hour, day, week and month, as loose files."""

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import job_files
from locard.parsers.linux.looks import lines_of
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows


def recognise(head: Head) -> Match:
    """A script or a program in one of cron's folders: any text there is taken for a script."""
    if not job_files.period_of(head.name):
        return NO
    if head.first.startswith((b"#!", b"\x7fELF")):
        return Match(86, "script of cron")
    return Match(66, "text in a folder of cron") if lines_of(head) else NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append one row for the script."""
    place = loose(opened, context, "linux.cron_scripts")
    job_files.read_script(opened.stream(), place, rows)
