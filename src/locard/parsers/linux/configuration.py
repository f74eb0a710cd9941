# SPDX-License-Identifier: Apache-2.0
"""What a machine was set up to do: cron jobs, SSH keys, accounts, systemd units.

These files hold no times of their own, so a row's time is when the file was last modified, and its
`time_meaning` says so; a password's last change is the exception. Secrets stay out of rows: of a
password hash the algorithm is kept, of a private key its kind.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from typing import Any, BinaryIO

from locard.parsers.linux.place import Line, Place, lines, text, too_long
from locard.parsers.rows import Rows

_DAY = 86_400 * 1_000_000_000
_CRON_JOB = re.compile(
    rb"\s*(@\w+|(?:[\d*/,a-zA-Z~-]+[ \t]+){4}[\d*/,a-zA-Z~-]+)[ \t]+(\S.*)\Z", re.DOTALL
)
_CRON_VARIABLE = re.compile(rb"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)\Z", re.DOTALL)
_ANACRON_JOB = re.compile(rb"\s*(@\w+|\d+)[ \t]+(\d+)[ \t]+(\S+)[ \t]+(\S.*)\Z", re.DOTALL)
SSH_KEY = re.compile(
    rb"[ \t]*((?:(?:[^\s\"]|\"(?:\\.|[^\"\\])*\")+[ \t]+){0,2}?)"
    rb"((?:ssh|ecdsa|sk-ssh|sk-ecdsa|webauthn-sk-ecdsa)-[a-zA-Z0-9@.-]+)[ \t]+"
    rb"([A-Za-z0-9+/=]{16,})(?:[ \t]+(.*))?\Z"
)
"""What stands before a key (options with their quotes, a mark, names of hosts), its kind, the key
itself and the comment. What looks like a key inside of options or a comment is none."""
_HASHES = {
    "1": "MD5", "2a": "bcrypt", "2b": "bcrypt", "2y": "bcrypt", "5": "SHA-256", "6": "SHA-512",
    "y": "yescrypt", "gy": "gost-yescrypt", "7": "scrypt", "argon2id": "Argon2id",
}  # fmt: skip
_UNIT_KEYS = frozenset((
    "Description", "ExecStart", "ExecStartPre", "ExecStartPost", "ExecStop", "User", "Group",
    "WantedBy", "RequiredBy", "Alias", "Type", "Restart", "OnCalendar", "OnBootSec",
    "OnActiveSec", "OnStartupSec", "OnUnitActiveSec", "OnUnitInactiveSec", "ExecCondition",
    "ExecReload", "ExecStopPost", "Environment", "EnvironmentFile", "Unit", "ListenStream",
    "ListenDatagram", "WorkingDirectory", "PathExists", "PathChanged",
))  # fmt: skip
_AGES = ("changed", "minimum", "maximum", "warning", "inactive", "expires")
"""Days of shadow, as they stand there."""
_WHOLE = 1 << 20


def dated(place: Place) -> dict[str, Any]:
    """The time of a row whose file holds none: when the file was last modified."""
    if place.modified is None:
        return {"time": None}
    return {"time": place.modified, "time_meaning": "file modified"}


def _each(stream: BinaryIO, place: Place, rows: Rows, take: Callable[[Line], None]) -> None:
    for line in lines(stream, place, rows):
        stripped = line.data.strip()
        if not too_long(line, place, rows) and stripped and not stripped.startswith(b"#"):
            take(line)


def _cron_variable(line: Line, place: Place, rows: Rows) -> bool:
    """Append a row for a variable; whether the line holds one."""
    match = _CRON_VARIABLE.match(line.data)
    if match is None:
        return False
    name, value = text(match[1]), text(match[2])
    place.row(
        rows, line.offset, {"variable": name, "value": value}, action="cron variable",
        message=f"cron variable {name}={value}", raw=line.data, **dated(place),
    )  # fmt: skip
    return True


def read_anacron(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append a row for each job and variable of anacrontab; the jobs run as root."""

    def take(line: Line) -> None:
        if _cron_variable(line, place, rows):
            return
        match = _ANACRON_JOB.match(line.data)
        if match is None:
            place.problem(rows, line.offset, "a line that is no job of anacron", line.data)
            return
        period, delay, name, command = (text(part) for part in match.groups())
        schedule = period if period.startswith("@") else f"every {period} days"
        place.row(
            rows, line.offset, {"schedule": schedule, "delay_minutes": delay, "job": name},
            actor="root", actor_kind="user", action="cron job", resource=command,
            message=f"anacron job {name} of root: {schedule}, {command}", raw=line.data,
            **dated(place),
        )  # fmt: skip

    _each(stream, place, rows, take)


def read_cron(stream: BinaryIO, place: Place, rows: Rows, system: bool) -> None:
    """Append a row for each job and variable; `system` tables name the account in each job."""

    def take(line: Line) -> None:
        if _cron_variable(line, place, rows):
            return
        match = _CRON_JOB.match(line.data)
        if match is None:
            place.problem(rows, line.offset, "a line that is no cron job", line.data)
            return
        schedule, command = text(match[1]), text(match[2])
        account = place.path.rsplit("/", 1)[-1] if not system else ""
        if system:
            account, command = [*command.split(None, 1), ""][:2]
        place.row(
            rows, line.offset, {"schedule": " ".join(schedule.split())}, actor=account.strip(),
            actor_kind="user", action="cron job", resource=command,
            message=f"cron job of {account.strip()}: {schedule} {command}", raw=line.data,
            **dated(place),
        )  # fmt: skip

    _each(stream, place, rows, take)


def read_public_keys(stream: BinaryIO, place: Place, rows: Rows, action: str) -> None:
    """Append a row for each key of authorized_keys, known_hosts or a `.pub` file."""

    def take(line: Line) -> None:
        match = SSH_KEY.match(line.data.rstrip())
        if match is None:
            place.problem(rows, line.offset, "a line that holds no SSH key", line.data)
            return
        options, kind, comment = text(match[1].strip()), text(match[2]), text(match[4] or b"")
        finger = fingerprint(match[3])
        known = action == "known host"
        hosts = "" if options.startswith("|") else options.split(" ")[-1]
        attributes = {
            "key_kind": kind, "fingerprint": finger, "comment": comment,
            "hosts" if known else "options": options,
        }  # fmt: skip
        who = hosts if known else comment
        place.row(
            rows, line.offset, {name: value for name, value in attributes.items() if value},
            actor=place.owner, actor_kind="user" if place.owner else "", action=action,
            resource=finger, domain=hosts.split(",")[0] if known else "", hash=finger,
            message=f"{action} {kind} {finger} {who}".rstrip(), raw=line.data,
            **dated(place),
        )  # fmt: skip

    _each(stream, place, rows, take)


def fingerprint(key: bytes) -> str:
    """The SHA-256 fingerprint of a public key as `ssh-keygen -l` shows it, or nothing."""
    try:
        blob = base64.b64decode(key, validate=True)
    except binascii.Error:
        return ""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def read_private_key(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append a row that says a private key is there; nothing of the key goes into it."""
    head = stream.read(_WHOLE)
    match = re.search(rb"-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----", head)
    if match is None:
        return
    kind = text(match[1]).title().replace("Openssh", "OpenSSH")
    body = re.sub(rb"[^A-Za-z0-9+/=]", b"", head[match.end() :].split(b"-----END")[0])
    encrypted = b"ENCRYPTED" in head or not _open_openssh(body)
    place.row(
        rows, match.start(), {"key_kind": kind, "encrypted": str(encrypted).lower()},
        actor=place.owner, actor_kind="user" if place.owner else "", action="private key",
        message=f"private key ({kind}) in {place.path}", raw=match[0], **dated(place),
    )  # fmt: skip


def _open_openssh(body: bytes) -> bool:
    """Whether an OpenSSH key has no passphrase; true for other forms, which say `ENCRYPTED`."""
    try:
        blob = base64.b64decode(body[:128] + b"=" * (-len(body[:128]) % 4))
    except binascii.Error:
        return True
    return not blob.startswith(b"openssh-key-v1\0") or blob[15:23] == b"\0\0\0\x04none"


def read_passwd(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append a row for each account of passwd."""

    def take(line: Line) -> None:
        parts = text(line.data).split(":")
        if len(parts) < 7:
            place.problem(rows, line.offset, "a line that is no account of passwd", line.data)
            return
        name, password, uid, gid, comment, home, shell = parts[:7]
        attributes = {"uid": uid, "gid": gid, "comment": comment, "home": home, "shell": shell}
        raw = line.data
        if len(password) > 1:
            attributes["password"] = _password(password)
            raw = _without(line.data, password)
        elif not password:
            attributes["password"] = "empty"  # noqa: S105  the word that says there is none
        place.row(
            rows, line.offset, {key: value for key, value in attributes.items() if value},
            action="account", resource=name, message=f"account {name} (uid {uid}, {home}, {shell})",
            raw=raw, **dated(place),
        )  # fmt: skip

    _each(stream, place, rows, take)


def read_shadow(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append a row for each account of shadow; its time is the password's last change."""

    def take(line: Line) -> None:
        parts = text(line.data).split(":")
        if len(parts) < 8:
            place.problem(rows, line.offset, "a line that is no account of shadow", b"")
            return
        name, password, changed = parts[:3]
        attributes = {"password": _password(password)}
        attributes |= {key: value for key, value in zip(_AGES, parts[2:8], strict=False) if value}
        state = attributes["password"]
        when = dated(place)
        if changed.isdigit() and 0 < int(changed) < 100_000:
            when = {"time": int(changed) * _DAY, "time_meaning": "password changed"}
        place.row(
            rows, line.offset, attributes, action="password", resource=name,
            message=f"password of {name}: {state}", raw=_without(line.data, password), **when,
        )  # fmt: skip

    _each(stream, place, rows, take)


def _password(value: str) -> str:
    """What a password field says, without the hash."""
    locked = value.startswith(("!", "*"))
    bare = value.lstrip("!*")
    if not bare:
        return "locked" if locked else "empty"
    match = re.match(r"\$([a-z0-9]+)\$", bare)
    algorithm = _HASHES.get(match[1], match[1]) if match else "DES or unknown"
    return f"{algorithm}, locked" if locked else algorithm


def _without(line: bytes, password: str) -> bytes:
    """The line, or what stands before the hash when there is one: the hash is a secret."""
    if len(password.lstrip("!*")) < 2:
        return line
    return line[: line.index(b":") + 1]


def read_group(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append a row for each group."""

    def take(line: Line) -> None:
        parts = text(line.data).split(":")
        if len(parts) < 4:
            place.problem(rows, line.offset, "a line that is no group", line.data)
            return
        name, _, gid, members = parts[:4]
        place.row(
            rows, line.offset, {"gid": gid, **({"members": members} if members else {})},
            action="group", resource=name, raw=line.data,
            message=f"group {name} (gid {gid})" + (f": {members}" if members else ""),
            **dated(place),
        )  # fmt: skip

    _each(stream, place, rows, take)


def read_unit(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append one row for a systemd unit file."""
    data = stream.read(_WHOLE)
    values: dict[str, str] = {}
    for line in text(data).replace("\\\n", " ").split("\n"):
        name, equals, value = line.strip().partition("=")
        name = name.strip()
        if equals and name in _UNIT_KEYS and value.strip():
            known = values.get(name)
            values[name] = f"{known}; {value.strip()}" if known else value.strip()
    *folders, unit = place.path.split("/")
    if folders and folders[-1].endswith(".d"):
        unit = f"{folders[-1]}/{unit}"
    ran = [values[name] for name in values if name.startswith("Exec")]
    command = values.get("ExecStart") or "; ".join(ran)
    place.row(
        rows, 0, {name: value[:4096] for name, value in values.items()},
        actor=values.get("User", ""), actor_kind="user" if "User" in values else "", action="unit",
        resource=unit, process=command,
        message=f"unit {unit}: {values.get('Description', command)}",
        raw=data[:65_536], **dated(place),
    )  # fmt: skip
