# SPDX-License-Identifier: Apache-2.0
"""Cron tables as loose files."""

import re

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import configuration
from locard.parsers.linux.looks import lines_of, uncommented
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows

_JOB = re.compile(
    rb"\s*(?:@(?:reboot|yearly|annually|monthly|weekly|daily|midnight|hourly)"
    rb"|(?:[\d*/,~-]+[ \t]+){3}(?:[\d*/,~-]+|[a-zA-Z]{3}(?:[-,][a-zA-Z]{3})*)[ \t]+"
    rb"(?:[\d*/,~-]+|[a-zA-Z]{3}(?:[-,][a-zA-Z]{3})*))[ \t]+\S"
)
_VARIABLE = re.compile(rb"\s*[A-Za-z_][A-Za-z0-9_]*\s*=")
_SYSTEM = re.compile(r"(?:^|/)(?:crontab|cron\.d/[^/]+|anacrontab)\Z")
_ACCOUNT = re.compile(
    rb"\s*(?:@\w+|(?:\S+[ \t]+){4}\S+)[ \t]+(?:root|www-data|nobody|daemon)[ \t]+\S"
)


def recognise(head: Head) -> Match:
    """Every line that is no comment is a job or a variable, and there is a job."""
    lines = uncommented(lines_of(head))
    jobs = [line for line in lines if _JOB.match(line)]
    if not jobs or any(not _JOB.match(line) and not _VARIABLE.match(line) for line in lines):
        return NO
    named = "cron" in head.name.lower()
    return Match(85 if named else 60, "cron table")


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each job and variable."""
    place = loose(opened, context, "linux.cron")
    jobs = [line for line in opened.stream().read(65_536).split(b"\n") if _JOB.match(line)]
    system = bool(_SYSTEM.search(opened.name)) or (
        bool(jobs) and all(_ACCOUNT.match(line) for line in jobs)
    )
    configuration.read_cron(opened.stream(), place, rows, system)
