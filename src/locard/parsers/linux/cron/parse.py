# SPDX-License-Identifier: Apache-2.0
"""Cron tables as loose files."""

import re

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import configuration
from locard.parsers.linux.looks import base_name, lines_of, uncommented
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows

_JOB = re.compile(
    rb"\s*(?:@(?:reboot|yearly|annually|monthly|weekly|daily|midnight|hourly)"
    rb"|((?:[\d*/,~-]+[ \t]+){3}(?:[\d*/,~-]+|[a-zA-Z]{3}(?:[-,][a-zA-Z]{3})*)[ \t]+"
    rb"(?:[\d*/,~-]+|[a-zA-Z]{3}(?:[-,][a-zA-Z]{3})*)))[ \t]+(\S.*)",
    re.DOTALL,
)
"""The fields of time, unless a word stands for them, and what follows."""
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_NUMBER = re.compile(rb"(?<![/\d])\d+")
"""A number that is no step behind a stroke."""
_VARIABLE = re.compile(rb"\s*[A-Za-z_][A-Za-z0-9_]*\s*=")
_SYSTEM = re.compile(r"(?:^|/)(?:crontab|cron\.d/[^/]+)\Z")
_PLACE = re.compile(r"(?:^|/)(?:etc/crontab|cron\.d/[^/]+|spool/cron/(?:crontabs/)?[^/]+)\Z")
_ANACRON = re.compile(rb"\s*(?:@\w+|\d+)[ \t]+\d+[ \t]+\S+[ \t]+\S")
_ACCOUNT = re.compile(
    rb"\s*(?:@\w+|(?:\S+[ \t]+){4}\S+)[ \t]+(?:root|www-data|nobody|daemon)[ \t]+\S"
)


def recognise(head: Head) -> Match:
    """Every line that is no comment is a job or a variable, and there is a job.

    Tables of numbers, of which /proc has many, look like jobs at first sight: so numbers must be
    those of a clock and a calendar, and in a file of another name one field must be a star. Where
    cron looks for its tables one job is enough: a line that is none must not hide the others.
    """
    lines = uncommented(lines_of(head))
    if base_name(head).startswith("anacrontab"):
        return Match(85, "anacron table") if any(map(_ANACRON.match, lines)) else NO
    jobs = [line for line in lines if _is_job(line)]
    if not jobs:
        return NO
    if any(not _is_job(line) and not _VARIABLE.match(line) for line in lines):
        return Match(80, "cron table with other lines") if _PLACE.search(head.name) else NO
    named = "cron" in head.name.lower()
    if not named and not any(b"*" in line or line.lstrip()[:1] == b"@" for line in jobs):
        return NO
    return Match(85 if named else 60, "cron table")


def _is_job(line: bytes) -> bool:
    match = _JOB.match(line)
    if match is None or not re.search(rb"[A-Za-z/]", match[2]):
        return False
    fields = zip(_RANGES, (match[1] or b"").split(), strict=False)
    return all(
        len(number) <= 2 and first <= int(number) <= last
        for (first, last), values in fields
        for number in _NUMBER.findall(values)
    )


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each job and variable."""
    place = loose(opened, context, "linux.cron")
    if opened.name.rsplit("/", 1)[-1].startswith("anacrontab"):
        configuration.read_anacron(opened.stream(), place, rows)
        return
    jobs = [line for line in opened.stream().read(65_536).split(b"\n") if _is_job(line)]
    system = bool(_SYSTEM.search(opened.name)) or (
        bool(jobs) and all(_ACCOUNT.match(line) for line in jobs)
    )
    configuration.read_cron(opened.stream(), place, rows, system)
