# SPDX-License-Identifier: Apache-2.0
"""Which files of a Linux machine hold what, and the reader of each.

Paths are as the running machine saw them. `first` marks what a responder wants before all else:
it is read before the rest of an image.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from locard.parsers.linux import history_lines, syslog, utmp_records
from locard.parsers.linux.place import Place
from locard.parsers.rows import Rows


@dataclass(slots=True)
class Machine:
    """What is known of the machine that the artefacts are of."""

    host: str = ""
    zone: str = "UTC"
    accounts: dict[int, str] = field(default_factory=dict)
    """Account names by user id."""


Reopen = Callable[[], BinaryIO]
Read = Callable[[Reopen, Place, Rows, Machine], None]


@dataclass(frozen=True, slots=True)
class Artefact:
    """One kind of file."""

    source: str
    patterns: tuple[str, ...]
    read: Read
    first: bool = False


def _history(reopen: Reopen, place: Place, rows: Rows, machine: Machine) -> None:
    history_lines.read(reopen(), place, rows)


def _log(reopen: Reopen, place: Place, rows: Rows, machine: Machine) -> None:
    syslog.read(reopen, place, rows)


def _utmp(reopen: Reopen, place: Place, rows: Rows, machine: Machine) -> None:
    utmp_records.read(reopen(), place, rows)


def _lastlog(reopen: Reopen, place: Place, rows: Rows, machine: Machine) -> None:
    utmp_records.read_lastlog(reopen(), place, rows, machine.accounts)


_HISTORIES = (
    ".bash_history*", ".zsh_history*", ".zhistory", ".sh_history", ".ash_history", ".ksh_history",
    ".history", ".local/share/fish/fish_history", ".python_history", ".mysql_history",
    ".psql_history", ".sqlite_history", ".node_repl_history", ".rediscli_history", ".php_history",
)  # fmt: skip
HOMES = ("/root", "/home/*")

ARTEFACTS: tuple[Artefact, ...] = (
    Artefact(
        "linux.shell_history",
        tuple(f"{home}/{name}" for home in HOMES for name in _HISTORIES),
        _history,
        first=True,
    ),
    Artefact("linux.auth", ("/var/log/auth.log*", "/var/log/secure*"), _log, first=True),
    Artefact(
        "linux.utmp",
        ("/var/log/wtmp*", "/var/log/btmp*", "/run/utmp", "/var/run/utmp"),
        _utmp,
        first=True,
    ),
    Artefact("linux.utmp", ("/var/log/lastlog",), _lastlog, first=True),
    Artefact(
        "linux.syslog",
        tuple(
            f"/var/log/{name}*"
            for name in ("syslog", "messages", "kern.log", "cron", "daemon.log", "user.log",
                         "debug", "maillog", "mail.log", "boot.log")
        ),
        _log,
    ),
)  # fmt: skip
