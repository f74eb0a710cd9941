# SPDX-License-Identifier: Apache-2.0
"""passwd, shadow and group as loose files."""

import re

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import configuration
from locard.parsers.linux.looks import all_match, lines_of, uncommented
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows

_NAME = rb"[A-Za-z_][A-Za-z0-9_.-]*\$?"
_PASSWD = re.compile(_NAME + rb":[^:]*:\d+:\d+:[^:]*:[^:]*:[^:]*\Z")
_SHADOW = re.compile(_NAME + rb":[^:]*:\d*:\d*:\d*:\d*:\d*:\d*:[^:]*\Z")
_GROUP = re.compile(_NAME + rb":[^:]*:\d+:[A-Za-z0-9_.,$-]*\Z")
_FORMS = (
    ("passwd", _PASSWD, configuration.read_passwd),
    ("shadow", _SHADOW, configuration.read_shadow),
    ("group", _GROUP, configuration.read_group),
)


def recognise(head: Head) -> Match:
    """Nine of ten lines have the fields of passwd, shadow or group."""
    lines = uncommented(lines_of(head))
    for name, pattern, _ in _FORMS:
        if all_match(lines, pattern, 0.9):
            return Match(88, f"accounts ({name})")
    return NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each account or group."""
    first = opened.stream().read(65_536).split(b"\n")[:200]
    lines = uncommented([line.rstrip(b"\r") for line in first if line.strip()])
    for _, pattern, read in _FORMS:
        if all_match(lines, pattern, 0.5):
            read(opened.stream(), loose(opened, context, "linux.users"), rows)
            return
    configuration.read_passwd(opened.stream(), loose(opened, context, "linux.users"), rows)
