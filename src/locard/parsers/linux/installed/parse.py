# SPDX-License-Identifier: Apache-2.0
"""Databases of installed packages as loose files."""

import re

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import rpm_database
from locard.parsers.linux.package_states import read_apk_installed, read_dpkg_status
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows

_DPKG = re.compile(rb"\s*Package: \S+\n(?:[A-Z][\w-]*:.*\n| .*\n){0,20}?Status: \w+ \w+ [\w-]+\n")
_APK = re.compile(rb"\s*(?:C:Q[12]\S+\n)?P:\S+\nV:\S+\n(?:[A-Za-z]:.*\n)+")


def recognise(head: Head) -> Match:
    """The first stanza, with the names that one of the two gives its fields, or a form of RPM's."""
    form = rpm_database.form(head.first, head.name)
    if form:
        return Match(92, f"packages of RPM ({form})")
    if _DPKG.match(head.first):
        return Match(92, "status of dpkg")
    return Match(92, "packages of apk") if _APK.match(head.first) else NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each package."""
    place = loose(opened, context, "linux.installed")
    with opened.stream() as stream:
        first = stream.read(65_536)
    if rpm_database.form(first, opened.name):
        rpm_database.read(opened.stream, place, rows)
        return
    read = read_apk_installed if _APK.match(first) else read_dpkg_status
    read(opened.stream(), place, rows)
