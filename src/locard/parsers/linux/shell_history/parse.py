# SPDX-License-Identifier: Apache-2.0
"""Histories of shells and shell-like programs as loose files."""

import re

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.linux import history_lines
from locard.parsers.linux.looks import base_name, lines_of
from locard.parsers.linux.place import loose
from locard.parsers.rows import Rows

_BASH = re.compile(rb"#\d{9,11}\s*\Z")
_ZSH = re.compile(rb": \d{9,11}:\d+;")
_FISH = re.compile(rb" +when: \d+\s*\Z")
_NAME = re.compile(
    r"\.?(?:(?:ba|z|fi|k|a|)sh|python|mysql|mariadb|psql|sqlite|node_repl|rediscli|php|zsh_extended)?_?"
    r"z?history"
)


def recognise(head: Head) -> Match:
    """Time stamps of bash, zsh or fish, or libedit's first line; else the name of a history."""
    lines = lines_of(head)
    if not lines:
        return NO
    if lines[0].rstrip() == history_lines.LIBEDIT:
        return Match(92, "history of libedit")
    bash = sum(1 for line in lines if _BASH.match(line))
    zsh = sum(1 for line in lines if _ZSH.match(line))
    fish = sum(1 for line in lines if line.startswith(b"- cmd:"))
    if zsh and zsh >= len(lines) * 0.3:
        return Match(92, "zsh history with time stamps")
    if fish and any(_FISH.match(line) for line in lines):
        return Match(92, "fish history")
    if bash and bash >= len(lines) * 0.1:
        return Match(90, "bash history with time stamps")
    name = base_name(head)
    if _NAME.match(name) and not name.endswith((".log", ".json", ".csv", ".xml")):
        return Match(70, "text under the name of a history")
    return NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append a row for each command."""
    history_lines.read(opened.stream(), loose(opened, context, "linux.shell_history"), rows)
