# SPDX-License-Identifier: Apache-2.0
"""Programs that a file itself sets up to be run: scripts of cron's folders, jobs of `at`.

run-parts starts what lies in `/etc/cron.daily` and its like, as root. `at` keeps a job as a script
that first sets the environment of whoever queued it, then goes to his folder, then does what was
asked: so a job names the address that its session came from. A row's time is when the file was
last modified, which for a job of `at` is when it was queued; when it is due stands beside it.
"""

import hashlib
import re
from typing import BinaryIO

from locard.parsers.addresses import address
from locard.parsers.linux.configuration import dated
from locard.parsers.linux.place import BREAKS, Place, chunks, text
from locard.parsers.rows import Rows
from locard.parsers.times import LATEST
from locard.parsers.times import text as time_text

_KEPT = 65_536
_SHOWN = 4096
_MINUTE = 60 * 1_000_000_000
_FOLDER = re.compile(r"(?:\A|/)(?:etc/periodic/(\w+)|cron\.(hourly|daily|weekly|monthly|yearly))/")
AT_HEAD = re.compile(rb"#! ?/bin/sh\r?\n# atrun uid=(\d{1,10}) gid=(\d{1,10})\r?\n")
_AT_MAIL = re.compile(rb"# mail[ \t]+(\S+)[ \t]+[-\d]+\s*\Z")
_AT_VARIABLE = re.compile(rb"([A-Za-z_][A-Za-z0-9_]*)=(.*); export \1\s*\Z", re.DOTALL)
_AT_NAME = re.compile(r"([a-zA-Z=])([0-9a-f]{5})([0-9a-f]{8})\Z")
_AT_FOLDER = re.compile(rb"cd (.*) \|\| \{\s*\Z", re.DOTALL)
_AT_BEGIN = re.compile(rb"\$\{SHELL:-/bin/sh\} << '(\w+)'\s*\Z")
_ESCAPED = re.compile(r"\\(.)|\"\n\"", re.DOTALL)


def period_of(path: str) -> str:
    """How often run-parts runs what lies there, such as `daily`; empty where it does not."""
    found = _FOLDER.search(path.replace("\\", "/"))
    return (found[1] or found[2]) if found else ""


def read_script(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append one row for a file that run-parts runs: what it is, its length and its SHA-256."""
    first, digest, size, broke = b"", hashlib.sha256(), 0, ""
    try:
        for chunk in chunks(stream):
            first += chunk[: _KEPT - len(first)]
            digest.update(chunk)
            size += len(chunk)
    except BREAKS as fault:
        broke = f"the file breaks off at byte {size}: {fault}"
    schedule, name = period_of(place.path), place.path.rpartition("/")[2]
    attributes = {"schedule": schedule, "size": f"{size}", "interpreter": _interpreter(first)}
    action, what = "cron job", f"cron script {name} of root"
    if name.startswith("."):  # as the placeholders of packages
        action, what = "file beside cron jobs", f"hidden file {name}, which run-parts passes over"
    whole = "" if broke else digest.hexdigest()
    place.row(
        rows, 0, {key: value for key, value in attributes.items() if value}, actor="root",
        actor_kind="user", action=action, resource=place.path, process=place.path, hash=whole,
        message=f"{what}: {schedule or 'by run-parts'}, {size:,} bytes",
        raw=first, problem=broke, **dated(place),
    )  # fmt: skip


def _interpreter(first: bytes) -> str:
    if first.startswith(b"\x7fELF"):
        return "ELF"
    return text(first[2:256].split(b"\n")[0].strip()) if first.startswith(b"#!") else ""


def read_at(stream: BinaryIO, place: Place, rows: Rows, names: dict[int, str]) -> None:
    """Append one row for a job of `at`; `names` turns the user id into an account."""
    try:
        data = stream.read(place.limits.record_bytes + 1)
    except BREAKS as fault:
        place.problem(rows, 0, f"the job cannot be read: {fault}")
        return
    head = AT_HEAD.match(data)
    if head is None or len(data) > place.limits.record_bytes:
        why = "a file that is no job of at" if head is None else "a job of at that is too long"
        place.problem(rows, 0, why, data)
        return
    uid, gid = int(head[1]), int(head[2])
    mail, environment, folder, command = _at_parts(data[head.end() :])
    queue, number, due = _at_name(place.path)
    account = names.get(uid) or environment.get("LOGNAME") or mail
    attributes = {
        "uid": f"{uid}", "gid": f"{gid}", "mail": mail, "queue": queue, "job": number,
        "due": due, "directory": folder,
    } | {f"env.{name}": value[:_SHOWN] for name, value in environment.items()}  # fmt: skip
    whence = (environment.get("SSH_CONNECTION") or environment.get("SSH_CLIENT") or "").split(" ")
    place.row(
        rows, 0, {key: value for key, value in attributes.items() if value}, actor=account,
        actor_kind="user", action="at job", resource=command, src_ip=address(whence[0]),
        src_port=_port(whence),
        message=f"at job of {account or f'uid {uid}'}" + (f" due {due}" if due else "")
        + f": {command}",
        raw=data[:_KEPT], **dated(place),
    )  # fmt: skip


def _at_parts(data: bytes) -> tuple[str, dict[str, str], str, str]:
    """To whom its output is mailed, the environment, the folder and the command."""
    mail, environment, folder = "", dict[str, str](), ""
    lines = data.split(b"\n")
    at = 0
    while at < len(lines):
        begin, at = at, at + 1
        while at < len(lines) and _goes_on(lines[at - 1], lines[at]):
            at += 1
        line = b"\n".join(lines[begin:at])
        if match := _AT_MAIL.match(line):
            mail = text(match[1])
        elif match := _AT_VARIABLE.match(line):
            environment[text(match[1])] = _plain(match[2])
        elif match := _AT_FOLDER.match(line):
            folder = _plain(match[1])
            while at < len(lines) and lines[at].strip() != b"}":
                at += 1
            at += 1
            break
    if at < len(lines) and (match := _AT_BEGIN.match(lines[at])):
        end = next((n for n in range(at + 1, len(lines)) if lines[n] == match[1]), len(lines))
        return mail, environment, folder, _command(lines[at + 1 : end])
    return mail, environment, folder, _command(lines[at:])


def _goes_on(line: bytes, following: bytes) -> bool:
    """Whether a value goes on behind its line: `at` puts a line end between quotes."""
    return line.endswith(b'"') and not line.endswith(b'\\"') and following.startswith(b'"')


def _command(lines: list[bytes]) -> str:
    return text(b"\n".join(lines)).strip()


def _plain(value: bytes) -> str:
    """A value without the strokes that shield what a shell would take for its own."""
    return _ESCAPED.sub(lambda found: found[1] or "\n", text(value))


def _at_name(path: str) -> tuple[str, str, str]:
    """Queue, number and time of a job, which its name says."""
    found = _AT_NAME.match(path.rpartition("/")[2])
    if found is None:
        return "", "", ""
    due = int(found[3], 16) * _MINUTE
    return found[1], f"{int(found[2], 16)}", time_text(due) if due <= LATEST else ""


def _port(whence: list[str]) -> int:
    port = whence[1] if len(whence) > 1 else ""
    return int(port) if port.isdecimal() and len(port) < 6 and int(port) < 65_536 else 0
