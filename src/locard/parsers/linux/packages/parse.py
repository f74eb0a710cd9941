# SPDX-License-Identifier: Apache-2.0
"""Logs of package managers as loose files."""

import re

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import package_lines
from locard.parsers.linux.looks import all_match, lines_of
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows

_DPKG = re.compile(
    rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?:status|install|upgrade|configure|trigproc|remove|purge"
    rb"|startup|conffile|disappear) "
)
_APT = re.compile(rb"(?:Start-Date|End-Date): \d{4}-")
_YUM = re.compile(rb"[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d (?:Installed|Updated|Erased|Obsoleted):? \S")
_DNF = re.compile(
    rb"\d{4}-\d\d-\d\dT\S+ (?:SUBDEBUG|INFO|DEBUG) (?:---|Installed:|Upgrade|Erase|Cleanup|Removed)"
)


def recognise(head: Head) -> Match:
    """The lines or stanzas that one of the package managers writes."""
    form = _form(lines_of(head))
    return Match(95, f"log of {form}") if form else NO


def _form(lines: list[bytes]) -> str:
    if all_match(lines, _DPKG, 0.8):
        return "dpkg"
    if any(_APT.match(line) for line in lines[:8]) and any(
        line.startswith((b"Commandline:", b"Install:", b"Upgrade:", b"Remove:", b"Purge:", b"End-"))
        for line in lines
    ):
        return "apt"
    if all_match(lines, _YUM, 0.8) or all_match(lines, _DNF, 0.5):
        return "yum"
    return ""


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each operation on a package."""
    place = loose(opened, context, "linux.packages")
    first = opened.stream().read(65_536)
    form = _form([line for line in first.split(b"\n") if line.strip()][:200])
    readers = {"apt": package_lines.read_apt, "yum": package_lines.read_yum}
    readers.get(form, package_lines.read_dpkg)(opened.stream(), place, rows)
