# SPDX-License-Identifier: Apache-2.0
"""systemd unit files as loose files."""

import re

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import configuration
from locard.parsers.linux.looks import lines_of
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows

_SECTIONS = re.compile(rb"\[(?:Unit|Service|Timer|Socket|Path|Install)\]\s*\Z")


def recognise(head: Head) -> Match:
    """Sections that only unit files have."""
    found = {line.strip() for line in lines_of(head) if _SECTIONS.match(line)}
    if found & {b"[Service]", b"[Timer]", b"[Socket]", b"[Path]"} and len(found) > 1:
        return Match(88, "systemd unit file")
    return NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append one row for the unit."""
    configuration.read_unit(opened.stream(), loose(opened, context, "linux.services"), rows)
