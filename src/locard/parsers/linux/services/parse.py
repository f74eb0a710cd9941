# SPDX-License-Identifier: Apache-2.0
"""systemd unit files as loose files."""

import re

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import configuration
from locard.parsers.linux.looks import lines_of
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows

_SECTIONS = re.compile(rb"\[(?:Unit|Service|Timer|Socket|Path|Install)\]\s*\Z")


_UNIT = re.compile(r"\.(?:service|timer|socket|path)(?:\.d/[^/]+\.conf)?\Z")


def recognise(head: Head) -> Match:
    """Two sections of unit files; one is enough under the name of a unit or what adds to one."""
    found = {line.strip() for line in lines_of(head) if _SECTIONS.match(line)}
    named = bool(_UNIT.search(head.name.replace("\\", "/")))
    if found & {b"[Service]", b"[Timer]", b"[Socket]", b"[Path]"} and len(found) > 1 - named:
        return Match(88, "systemd unit file")
    return NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append one row for the unit."""
    configuration.read_unit(opened.stream(), loose(opened, context, "linux.services"), rows)
