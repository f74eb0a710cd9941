# SPDX-License-Identifier: Apache-2.0
"""Databases of installed packages as loose files."""

import re

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux.package_states import read_apk_installed, read_dpkg_status
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows

_DPKG = re.compile(rb"\s*Package: \S+\n(?:[A-Z][\w-]*:.*\n| .*\n){0,20}?Status: \w+ \w+ [\w-]+\n")
_APK = re.compile(rb"\s*(?:C:Q[12]\S+\n)?P:\S+\nV:\S+\n(?:[A-Za-z]:.*\n)+")


def recognise(head: Head) -> Match:
    """The first stanza, with the names that one of the two gives its fields."""
    if _DPKG.match(head.first):
        return Match(92, "status of dpkg")
    return Match(92, "packages of apk") if _APK.match(head.first) else NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each package."""
    with opened.stream() as stream:
        read = read_apk_installed if _APK.match(stream.read(65_536)) else read_dpkg_status
    read(opened.stream(), loose(opened, context, "linux.installed"), rows)
