# SPDX-License-Identifier: Apache-2.0
"""Which files of a Linux machine hold what, and the reader of each.

Paths are as the running machine saw them. What a responder wants before all else is read before
the rest of an image, and what may be many gigabytes is read last, so that a triage that may read so
much and no more has the rest by then.
"""

import glob
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import BinaryIO

from locard.parsers.linux import (
    configuration,
    container_logs,
    history_lines,
    job_files,
    journal_rows,
    login_databases,
    package_lines,
    package_states,
    program_traces,
    rpm_database,
    sudo_rules,
    syslog_rows,
    utmp_records,
)
from locard.parsers.linux.accounts import Accounts
from locard.parsers.linux.place import Place
from locard.parsers.rows import Rows


@dataclass(slots=True)
class Machine:
    """What is known of the machine that the artefacts are of."""

    host: str = ""
    zone: str = "UTC"
    accounts: Accounts = field(default_factory=Accounts)


Reopen = Callable[[], BinaryIO]
Read = Callable[[Reopen, Place, Rows, Machine], None]


class Turn(Enum):
    """When it is read."""

    FIRST = 1
    THEN = 2
    LAST = 3


@dataclass(frozen=True, slots=True)
class Artefact:
    """One kind of file."""

    source: str
    patterns: tuple[str, ...]
    read: Read
    turn: Turn = Turn.THEN

    def patterns_of(self, machine: Machine) -> Iterator[str]:
        """The patterns, those below `~` for each home of the machine."""
        homes = machine.accounts.homes
        elsewhere = [h for h in homes if h != "/root" and h.rpartition("/")[0] != "/home"]
        for pattern in self.patterns:
            if not pattern.startswith("~/"):
                yield pattern
                continue
            for home in (*_HOMES, *(glob.escape(home).rstrip("/") for home in elsewhere)):
                yield f"{home}{pattern[1:]}"


def _history(reopen: Reopen, place: Place, rows: Rows, machine: Machine) -> None:
    history_lines.read(reopen(), place, rows)


def _log(reopen: Reopen, place: Place, rows: Rows, machine: Machine) -> None:
    syslog_rows.read(reopen, place, rows)


def _utmp(reopen: Reopen, place: Place, rows: Rows, machine: Machine) -> None:
    utmp_records.read(reopen(), place, rows)


def _lastlog(reopen: Reopen, place: Place, rows: Rows, machine: Machine) -> None:
    utmp_records.read_lastlog(reopen(), place, rows, machine.accounts.names)


def _rpm(reopen: Reopen, place: Place, rows: Rows, machine: Machine) -> None:
    rpm_database.read(reopen, place, rows)


def _at(reopen: Reopen, place: Place, rows: Rows, machine: Machine) -> None:
    job_files.read_at(reopen(), place, rows, machine.accounts.names)


def _streamed(read: Callable[[BinaryIO, Place, Rows], None]) -> Read:
    return lambda reopen, place, rows, machine: read(reopen(), place, rows)


def _journal(reopen: Reopen, place: Place, rows: Rows, machine: Machine) -> None:
    stream = reopen()
    size = stream.seek(0, io.SEEK_END)
    journal_rows.read(stream, size, place, rows)


def _cron(system: bool) -> Read:
    return lambda reopen, place, rows, machine: configuration.read_cron(
        reopen(), place, rows, system
    )


def _keys(action: str) -> Read:
    return lambda reopen, place, rows, machine: configuration.read_public_keys(
        reopen(), place, rows, action
    )


_HISTORIES = (
    ".bash_history*", ".zsh_history*", ".zhistory", ".sh_history", ".ash_history", ".ksh_history",
    ".history", ".local/share/fish/fish_history", ".python_history", ".mysql_history",
    ".mariadb_history", ".psql_history", ".sqlite_history", ".node_repl_history",
    ".rediscli_history", ".php_history",
)  # fmt: skip
_HOMES = ("/root", "/home/*")
_DOCKER = ("/var/lib/docker",)
_DOCKER_CONFIGS = ("config.v2.json", "config.json")

ARTEFACTS: tuple[Artefact, ...] = (
    Artefact(
        "linux.shell_history",
        tuple(f"~/{name}" for name in _HISTORIES),
        _history,
        turn=Turn.FIRST,
    ),
    Artefact("linux.auth", ("/var/log/auth.log*", "/var/log/secure*"), _log, turn=Turn.FIRST),
    Artefact(
        "linux.utmp",
        ("/var/log/wtmp*", "/var/log/btmp*", "/run/utmp", "/var/run/utmp"),
        _utmp,
        turn=Turn.FIRST,
    ),
    Artefact("linux.utmp", ("/var/log/lastlog",), _lastlog, turn=Turn.FIRST),
    Artefact(
        "linux.utmp",
        ("/var/lib/wtmpdb/wtmp.db", "/var/log/wtmp.db", "/var/lib/lastlog/lastlog2.db"),
        _streamed(login_databases.read),
        turn=Turn.FIRST,
    ),
    Artefact(
        "linux.syslog",
        tuple(
            f"/var/log/{name}*"
            for name in ("syslog", "messages", "kern.log", "cron", "daemon.log", "user.log",
                         "debug", "maillog", "mail.log", "boot.log")
        ),
        _log,
        turn=Turn.LAST,
    ),
    Artefact(
        "linux.journal",
        tuple(f"{folder}/*/*.journal*" for folder in ("/var/log/journal", "/run/log/journal")),
        _journal,
        turn=Turn.LAST,
    ),
    Artefact("linux.cron", ("/etc/crontab", "/etc/cron.d/*"), _cron(system=True)),
    Artefact(
        "linux.cron",
        ("/var/spool/cron/crontabs/*", "/var/spool/cron/tabs/*", "/var/spool/cron/*",
         "/etc/crontabs/*"),
        _cron(system=False),
    ),
    Artefact("linux.cron", ("/etc/anacrontab",), _streamed(configuration.read_anacron)),
    Artefact(
        "linux.cron_scripts",
        (*(f"/etc/cron.{often}/*" for often in ("hourly", "daily", "weekly", "monthly", "yearly")),
         "/etc/periodic/*/*"),
        _streamed(job_files.read_script),
    ),
    Artefact(
        "linux.at",
        ("/var/spool/cron/atjobs/*", "/var/spool/at/*", "/var/spool/atjobs/*"),
        _at,
    ),
    Artefact(
        "linux.sudoers",
        ("/etc/sudoers", "/etc/sudoers.d/*", "/usr/local/etc/sudoers",
         "/usr/local/etc/sudoers.d/*"),
        _streamed(sudo_rules.read),
    ),
    Artefact(
        "linux.ssh",
        ("~/.ssh/authorized_keys*",),
        _keys("authorized key"),
    ),
    Artefact(
        "linux.ssh",
        ("~/.ssh/known_hosts*", "/etc/ssh/ssh_known_hosts"),
        _keys("known host"),
    ),
    Artefact(
        "linux.ssh",
        ("~/.ssh/*.pub", "/etc/ssh/*.pub"),
        _keys("public key"),
    ),
    Artefact(
        "linux.ssh",
        ("~/.ssh/*", "/etc/ssh/ssh_host_*_key"),
        _streamed(configuration.read_private_key),
    ),
    Artefact("linux.viminfo", ("~/.viminfo",), _streamed(program_traces.read_viminfo)),
    Artefact(
        "linux.lesshst",
        ("~/.lesshst", "~/.local/state/lesshst"),
        _streamed(program_traces.read_lesshst),
    ),
    Artefact("linux.wget_hsts", ("~/.wget-hsts",), _streamed(program_traces.read_wget_hsts)),
    Artefact("linux.users", ("/etc/passwd", "/etc/passwd-"), _streamed(configuration.read_passwd)),
    Artefact("linux.users", ("/etc/shadow", "/etc/shadow-"), _streamed(configuration.read_shadow)),
    Artefact("linux.users", ("/etc/group", "/etc/group-"), _streamed(configuration.read_group)),
    Artefact("linux.packages", ("/var/log/dpkg.log*",), _streamed(package_lines.read_dpkg)),
    Artefact("linux.packages", ("/var/log/apt/history.log*",), _streamed(package_lines.read_apt)),
    Artefact(
        "linux.packages",
        ("/var/log/yum.log*", "/var/log/dnf.rpm.log*"),
        _streamed(package_lines.read_yum),
    ),
    Artefact(
        "linux.installed",
        ("/var/lib/dpkg/status", "/var/lib/dpkg/status-old"),
        _streamed(package_states.read_dpkg_status),
    ),
    Artefact(
        "linux.installed",
        ("/lib/apk/db/installed", "/usr/lib/apk/db/installed"),
        _streamed(package_states.read_apk_installed),
    ),
    Artefact(
        "linux.installed",
        tuple(
            f"{folder}/{name}"
            for folder in ("/var/lib/rpm", "/usr/lib/sysimage/rpm")
            for name in ("rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages", "Packages.db")
        ),
        _rpm,
    ),
    Artefact(
        "linux.services",
        tuple(
            f"{folder}/*.{kind}{of}"
            for folder in ("/etc/systemd/system", "/etc/systemd/user", "/lib/systemd/system",
                           "/usr/lib/systemd/system", "~/.config/systemd/user",
                           "/run/systemd/system")
            for kind in ("service", "timer", "socket", "path")
            for of in ("", ".d/*.conf")
        ),
        _streamed(configuration.read_unit),
    ),
    Artefact(
        "linux.docker",
        tuple(f"{folder}/containers/*/{name}" for folder in _DOCKER for name in _DOCKER_CONFIGS),
        _streamed(container_logs.read_docker_config),
    ),
    Artefact(
        "linux.docker",
        tuple(f"{folder}/containers/*/*-json.log*" for folder in _DOCKER),
        _streamed(container_logs.read_docker_log),
        turn=Turn.LAST,
    ),
    Artefact(
        "linux.docker",
        ("/var/log/pods/*/*/*.log*",),
        _streamed(container_logs.read_cri_log),
        turn=Turn.LAST,
    ),
)  # fmt: skip
