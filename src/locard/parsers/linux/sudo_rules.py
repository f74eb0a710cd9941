# SPDX-License-Identifier: Apache-2.0
"""Who may do what as whom: the rules of sudoers and of the files in sudoers.d.

A rule says `WHO HOST = (AS WHOM) TAGS: COMMANDS`. A backslash at a line's end joins the next; `#`
begins a comment, but for `#include`, `#includedir` and a user id (`#1000`). A row's time is when
the file was last modified.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from locard.parsers.linux.configuration import dated
from locard.parsers.linux.place import Line, Place, lines, text, too_long
from locard.parsers.rows import Rows

_WORD = r"(?:[^\s,=:\\\"#(]|\\.|\"[^\"]*\"|(?<![^\s,!%:])#-?\d+)++"
_LIST = rf"{_WORD}(?:\s*,\s*{_WORD})*"
RULE = re.compile(rf"\s*(?P<who>{_LIST})\s+(?P<hosts>{_LIST})\s*=\s*(?P<what>\S.*)\Z", re.DOTALL)
_AS = re.compile(r"\(([^)]*)\)")
_TAGS = re.compile(
    r"\b((?:NO)?(?:PASSWD|EXEC|SETENV|LOG_INPUT|LOG_OUTPUT|MAIL|FOLLOW|INTERCEPT))\s*:"
)
_DEFAULTS = re.compile(r"\s*Defaults(?:([@:!>])\s*(\S+))?\s+(\S.*)\Z", re.DOTALL)
_ALIAS = re.compile(r"\s*(User|Runas|Host|Cmnd|Cmd)_Alias\s+(\S.*)\Z", re.DOTALL)
_INCLUDE = re.compile(r"\s*[#@](include(?:dir)?)\s+(\S.*)\Z", re.DOTALL)
_COMMENT = re.compile(r"(?:(?<=\s)|\A)#(?!-?\d)")
_MOST_LINES = 1000
"""Lines that one rule may go over."""


def joined(stream: BinaryIO, place: Place, rows: Rows) -> Iterator[Line]:
    """The lines, each with those that a backslash at its end joins to it."""
    held: list[Line] = []
    for line in lines(stream, place, rows):
        if too_long(line, place, rows):
            continue
        held.append(line)
        if line.data.rstrip(b"\r").endswith(b"\\") and len(held) < _MOST_LINES:
            continue
        yield _one(held)
        held = []
    if held:
        yield _one(held)


def _one(held: list[Line]) -> Line:
    data = b"\n".join(line.data for line in held)
    return Line(held[0].offset, data, len(data))


def plain(line: bytes) -> str:
    """A line as sudo takes it: joined, without its comment; empty where nothing is left."""
    whole = text(re.sub(rb"[ \t]*\\\r?\n[ \t]*", b" ", line)).rstrip("\r\\ \t")
    if _INCLUDE.match(whole):
        return whole.strip()
    found = _COMMENT.search(whole)
    return (whole[: found.start()] if found else whole).strip()


def read(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append a row for each rule, setting, alias and include; any other line is a problem."""
    for line in joined(stream, place, rows):
        said = plain(line.data)
        if said and not _line(said, line, place, rows):
            place.problem(rows, line.offset, "a line that is no rule of sudo", line.data)


def _line(said: str, line: Line, place: Place, rows: Rows) -> bool:
    """Append the row of one line; whether there is one."""

    def row(action: str, resource: str, message: str, more: dict[str, str], who: str = "") -> bool:
        place.row(
            rows, line.offset, {name: value for name, value in more.items() if value}, actor=who,
            actor_kind=("group" if who.startswith("%") else "user") if who else "",
            action=action, resource=resource, message=f"{action} {message}", raw=line.data,
            **dated(place),
        )  # fmt: skip
        return True

    if match := _INCLUDE.match(said):
        return row("sudo include", match[2], match[2], {"kind": match[1]})
    if match := _DEFAULTS.match(said):
        scope = f"{match[1]}{match[2]}" if match[1] else ""
        return row("sudo setting", match[3], f"{scope} {match[3]}".strip(), {"scope": scope})
    if match := _ALIAS.match(said):
        return row("sudo alias", match[2], f"{match[1]} {match[2]}", {"kind": match[1].lower()})
    match = RULE.match(said)
    if match is None:
        return False
    who, hosts, what = match["who"], match["hosts"], match["what"]
    runs_as, tags = _AS.findall(what), dict.fromkeys(_TAGS.findall(what))
    commands = " ".join(_TAGS.sub(" ", _AS.sub(" ", what)).split())
    more = {
        "hosts": hosts, "runs_as": "; ".join(each.strip() for each in runs_as) or "root",
        "tags": ", ".join(tags), "password": "not asked" if "NOPASSWD" in tags else "",
    }  # fmt: skip
    return row("sudo rule", commands, f"{who} on {hosts} = {what}", more, who)
