# SPDX-License-Identifier: Apache-2.0
"""passwd, shadow and group as loose files."""

import re

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import configuration
from locard.parsers.linux.looks import all_match, base_name, lines_of, uncommented
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


_FIELDS = {
    "passwd": re.compile(rb"[^:]*:[^:]*:\d*:\d*:[^:]*:[^:]*:[^:]*\Z"),
    "shadow": re.compile(rb"[^:]*:[^:]*:\d*:\d*:\d*:\d*:\d*:\d*:[^:]*\Z"),
    "group": re.compile(rb"[^:]*:[^:]*:\d*:[^:]*\Z"),
}
"""Enough for a file of that name: a hidden or foreign account must not hide the others."""


def recognise(head: Head) -> Match:
    """Nine of ten lines have the fields of passwd, shadow or group; half under such a name."""
    lines = uncommented(lines_of(head))
    if name := _named(base_name(head)):
        return Match(88, f"accounts ({name})") if all_match(lines, _FIELDS[name], 0.5) else NO
    for name, pattern, _ in _FORMS:
        if all_match(lines, pattern, 0.9):
            return Match(88, f"accounts ({name})")
    return NO


def _named(name: str) -> str:
    """Which of the three a file is by its name, `passwd-` and `shadow.bak` included."""
    found = re.match(r"(passwd|shadow|group)(?:-|\.|\Z)", name)
    return found[1] if found else ""


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each account or group."""
    named = _named(opened.name.replace("\\", "/").rsplit("/", 1)[-1].lower())
    for name, _, read in _FORMS:
        if name == named:
            read(opened.stream(), loose(opened, context, "linux.users"), rows)
            return
    first = opened.stream().read(65_536).split(b"\n")[:200]
    lines = uncommented([line.rstrip(b"\r") for line in first if line.strip()])
    for _, pattern, read in _FORMS:
        if all_match(lines, pattern, 0.5):
            read(opened.stream(), loose(opened, context, "linux.users"), rows)
            return
    configuration.read_passwd(opened.stream(), loose(opened, context, "linux.users"), rows)
