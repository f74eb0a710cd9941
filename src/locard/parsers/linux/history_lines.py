# SPDX-License-Identifier: Apache-2.0
"""Histories of shells and shell-like programs: one row for each command.

bash writes `#EPOCH` above a command when HISTTIMEFORMAT is set; all lines up to the next `#EPOCH`
are then one command. zsh with EXTENDED_HISTORY writes `: EPOCH:SECONDS;COMMAND`; with or without it
a backslash joins the lines of one command. fish writes YAML-like `- cmd:` and `when:`. libedit
(the clients of MySQL and MariaDB) writes `_HiStOrY_V2_` first and blanks as `\\040`. Anything else
is a command for each line. Times are UTC seconds; a command without one has no time.
"""

import re
from typing import BinaryIO

from locard.parsers.linux.place import Line, Place, lines, text, too_long
from locard.parsers.rows import Rows

_BASH = re.compile(rb"#(\d{9,11})\s*\Z")
_ZSH = re.compile(rb": +(\d{9,11}):(\d+);(.*)\Z", re.DOTALL)
_FISH = re.compile(rb"- cmd: ?(.*)\Z", re.DOTALL)
_FISH_WHEN = re.compile(rb" +when: (\d{1,11})\s*\Z")
_SECOND = 1_000_000_000
_META = re.compile(rb"\x83([\x20\xa3-\xbf\x80-\x82])")
"""How zsh writes bytes that mean something to it: `Meta`, then the byte with bit 5 turned."""
LIBEDIT = b"_HiStOrY_V2_"
_LIBEDIT_ESCAPE = re.compile(rb"\\(\\|[0-3][0-7]{2})")
_FISH_ESCAPE = re.compile(rb"\\([\\n])")

SHELLS = {
    "mariadb": "mariadb", "bash": "bash", "zsh": "zsh", "fish": "fish", "python": "python",
    "mysql": "mysql", "psql": "psql", "sqlite": "sqlite", "less": "less", "ash": "ash",
    "ksh": "ksh", "rediscli": "redis", "node": "node", "php": "php", "irb": "irb", "mongo": "mongo",
    "zhistory": "zsh", "dbshell": "mongo", "viminfo": "vim", "sh": "sh", "lesshst": "less",
}  # fmt: skip


def shell_of(path: str, found: str) -> str:
    """Name of the program whose history this is: from the form, else from the file's name."""
    if found:
        return found
    name = path.rsplit("/", 1)[-1].lower().lstrip(".")
    for key, shell in SHELLS.items():
        if name.startswith(key):
            return shell
    return "bash" if name == "history" else ""


def read(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append a row for each command of the history in `stream`."""
    pending: _Command | None = None
    timed = libedit = False
    for line in lines(stream, place, rows):
        if too_long(line, place, rows):
            continue
        if line.offset == 0 and line.data.rstrip() == LIBEDIT:
            libedit = True
            continue
        if libedit:
            if line.data.strip():
                _Command(line, "", None, [_unescaped(line.data)]).write(place, rows)
            continue
        pending, timed = _take(line, pending, timed, place, rows)
    if pending is not None:
        pending.write(place, rows)


class _Command:
    """A command whose lines are being gathered."""

    def __init__(self, line: Line, shell: str, when: int | None, command: list[bytes]) -> None:
        self.offset = line.offset
        self.raw = [line.data]
        self.shell = shell
        self.when = when
        self.command = command
        self.more: dict[str, str] = {}
        self.multiline = False

    def write(self, place: Place, rows: Rows) -> None:
        raw = b"\n".join(self.raw)
        if not self.command:
            place.problem(rows, self.offset, "a time stamp without a command", raw)
            return
        shell = shell_of(place.path, self.shell)
        command = text(_plain(b"\n".join(self.command), shell, self.when is not None))
        place.row(
            rows,
            self.offset,
            {"shell": shell, **self.more},
            time=None if self.when is None else self.when * _SECOND,
            time_meaning="" if self.when is None else "command run",
            actor=place.owner,
            actor_kind="user" if place.owner else "",
            action="command",
            process=shell,
            message=command,
            raw=raw,
        )


def _unescaped(line: bytes) -> bytes:
    return _LIBEDIT_ESCAPE.sub(
        lambda match: b"\\" if match[1] == b"\\" else bytes([int(match[1], 8)]), line
    )


def _plain(command: bytes, shell: str, timed: bool) -> bytes:
    """The command as it was typed, without what its shell does to it to store it."""
    if shell == "psql":
        return command.replace(b"\x01", b"\n")
    if shell == "zsh":
        if not timed and command.startswith(b"\\:"):
            command = command[1:]  # so that it does not look like a time
        return _META.sub(lambda match: bytes([match[1][0] ^ 32]), command)
    if shell == "fish":
        return _FISH_ESCAPE.sub(lambda match: b"\n" if match[1] == b"n" else b"\\", command)
    return command


def _take(
    line: Line, pending: _Command | None, timed: bool, place: Place, rows: Rows
) -> tuple[_Command | None, bool]:
    """Give `line` to the command that it continues, or begin a new one."""
    data = line.data
    if match := _BASH.match(data):
        _write(pending, place, rows)
        return _Command(line, "bash", int(match[1]), []), True
    if match := _ZSH.match(data):
        _write(pending, place, rows)
        command = _Command(line, "zsh", int(match[1]), [match[3].removesuffix(b"\\")])
        command.more["seconds"] = match[2].decode()
        command.multiline = data.endswith(b"\\")
        return command, False
    if match := _FISH.match(data):
        _write(pending, place, rows)
        return _Command(line, "fish", None, [match[1]]), False
    if pending is not None and pending.shell == "fish":
        _continue_fish(line, pending)
        return pending, False
    if pending is not None and (timed or pending.multiline):
        pending.raw.append(data)
        if data or pending.command:
            pending.command.append(data.removesuffix(b"\\") if pending.shell == "zsh" else data)
        pending.multiline = data.endswith(b"\\")
        return pending, timed
    _write(pending, place, rows)
    if not data.strip():
        return None, False
    if data.endswith(b"\\") and shell_of(place.path, "") == "zsh":
        command = _Command(line, "zsh", None, [data.removesuffix(b"\\")])
        command.multiline = True
        return command, False
    return _Command(line, "", None, [data]), False


def _write(pending: _Command | None, place: Place, rows: Rows) -> None:
    if pending is not None:
        pending.write(place, rows)


def _continue_fish(line: Line, pending: _Command) -> None:
    pending.raw.append(line.data)
    if match := _FISH_WHEN.match(line.data):
        pending.when = int(match[1])
    elif line.data.startswith(b"    - "):
        known = pending.more.get("paths", "")
        path = text(line.data[6:])
        pending.more["paths"] = f"{known}, {path}" if known else path
