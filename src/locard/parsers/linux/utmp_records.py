# SPDX-License-Identifier: Apache-2.0
"""Login records: wtmp, btmp, utmp (glibc's `struct utmp`) and lastlog.

The structure depends on the machine: 384 bytes with 32-bit times (x86 and most), 400 bytes with
64-bit times (aarch64, riscv64, s390x), little or big endian. It is found out by trying which one
makes sense of the records. Source: glibc, `bits/utmp.h` and `bits/wordsize.h`.
"""

import ipaddress
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from locard.model.errors import Unreadable
from locard.parsers.addresses import address as canonical
from locard.parsers.linux.place import Place, text
from locard.parsers.rows import Rows

_SECOND = 1_000_000_000
TYPES = (
    "EMPTY", "RUN_LVL", "BOOT_TIME", "NEW_TIME", "OLD_TIME", "INIT_PROCESS", "LOGIN_PROCESS",
    "USER_PROCESS", "DEAD_PROCESS", "ACCOUNTING",
)  # fmt: skip
_ACTIONS = {
    "RUN_LVL": "run level", "BOOT_TIME": "boot", "NEW_TIME": "clock set", "OLD_TIME": "clock set",
    "INIT_PROCESS": "init process", "LOGIN_PROCESS": "login prompt", "USER_PROCESS": "login",
    "DEAD_PROCESS": "logout", "EMPTY": "empty record", "ACCOUNTING": "accounting",
}  # fmt: skip
_MEANINGS = {"USER_PROCESS": "login", "DEAD_PROCESS": "logout", "BOOT_TIME": "boot"}


@dataclass(frozen=True, slots=True)
class Layout:
    """How one kind of machine writes the record."""

    name: str
    form: struct.Struct


_FIELDS = "h2xi32s4s32s256shh"
LAYOUTS = (
    Layout("384 bytes, little endian", struct.Struct(f"<{_FIELDS}iii16s20x")),
    Layout("400 bytes, little endian", struct.Struct(f"<{_FIELDS}qqq16s20x4x")),
    Layout("384 bytes, big endian", struct.Struct(f">{_FIELDS}iii16s20x")),
    Layout("400 bytes, big endian", struct.Struct(f">{_FIELDS}qqq16s20x4x")),
)
LASTLOG = struct.Struct("<i32s256s")
_LASTLOG_LIMIT = 64 << 20
"""lastlog is sparse and as long as the largest user id says; only so many bytes are looked at."""


def layout_of(first: bytes, share: float = 0.5) -> Layout | None:
    """The layout that makes sense of at least `share` of the used records in `first`, if any does.

    Records of nothing but zeros say nothing; one record at least must have a type.
    """
    best: tuple[float, Layout] | None = None
    for layout in LAYOUTS:
        size = layout.form.size
        records = [first[i : i + size] for i in range(0, min(len(first), 64 * size), size)]
        used = [layout.form.unpack(raw) for raw in records if len(raw) == size and any(raw)]
        sound = [values for values in used if _sound(values)]
        if not any(values[0] for values in sound):
            continue
        part = len(sound) / len(used)
        if part >= share and (best is None or part > best[0]):
            best = (part, layout)
    return best[1] if best else None


def _sound(values: tuple[Any, ...]) -> bool:
    kind, pid, line, _, user, host, _, _, _, seconds, micros, _ = values
    if not (0 <= kind < len(TYPES) and 0 <= pid < 1 << 23 and 0 <= micros < 1_000_000):
        return False
    if kind == 0:
        return not seconds or 0 < seconds < 1 << 32
    strings = (line, user, host)
    return 0 < seconds < 1 << 32 and all(_string(part) for part in strings)


def _string(part: bytes) -> bool:
    shown = part.split(b"\0", 1)[0]
    return all(byte >= 32 and byte != 127 for byte in shown)


def looks_like_lastlog(first: bytes) -> bool:
    """Whether `first` is made of lastlog records, at least one of them used."""
    count = min(len(first) // LASTLOG.size, 200)
    used = 0
    if b"\0" not in first[: LASTLOG.size]:
        return False
    for index in range(count):
        seconds, line, host = LASTLOG.unpack_from(first, index * LASTLOG.size)
        if not any((seconds, *line, *host)):
            continue
        if seconds <= 0 or not (_string(line) and _string(host) and line[:1].isalpha()):
            return False
        if line.rstrip(b"\0").count(b"\0") or host.rstrip(b"\0").count(b"\0"):
            return False
        used += 1
    return used > 0


def read(stream: BinaryIO, place: Place, rows: Rows) -> None:
    """Append a row for each record of a wtmp, btmp or utmp file."""
    stream_head = _take(stream, 64 * 400 + 1)
    layout = layout_of(stream_head)
    if layout is None:
        if stream_head:
            place.problem(rows, 0, "no known layout of login records fits this file", stream_head)
        return
    size, offset, buffer = layout.form.size, 0, stream_head
    failed_logins = "btmp" in place.path.rsplit("/", 1)[-1]
    while True:
        whole = len(buffer) - len(buffer) % size
        for start in range(0, whole, size):
            raw = buffer[start : start + size]
            _write(raw, offset + start, layout, failed_logins, place, rows)
        offset += whole
        rest = buffer[whole:]
        more = _more(stream, offset + len(rest), place, rows)
        if not more:
            break
        buffer = rest + more
    if rest:
        place.problem(rows, offset, f"the last record has {len(rest)} of {size} bytes", rest)


def _take(stream: BinaryIO, count: int) -> bytes:
    gathered = b""
    try:
        while len(gathered) < count and (part := stream.read(count - len(gathered))):
            gathered += part
    except (Unreadable, EOFError, OSError, ValueError):
        return gathered
    return gathered


def _more(stream: BinaryIO, position: int, place: Place, rows: Rows) -> bytes:
    try:
        return stream.read(1 << 20)
    except (Unreadable, EOFError, OSError, ValueError) as fault:
        place.problem(
            rows, f"broken@{position}", f"the file breaks off at byte {position}: {fault}"
        )
        return b""


def _write(raw: bytes, offset: int, layout: Layout, failed: bool, place: Place, rows: Rows) -> None:
    values = layout.form.unpack(raw)
    if not _sound(values):
        place.problem(rows, offset, "a login record whose type, time or names make no sense", raw)
        return
    kind, pid, line, ident, user, host, _, status, session, seconds, micros, address = values
    name = TYPES[kind]
    account, terminal, remote = _shown(user), _shown(line), _shown(host)
    action = (
        "failed login" if failed and name in ("USER_PROCESS", "LOGIN_PROCESS") else _ACTIONS[name]
    )
    login = action in ("login", "failed login")
    source = _source(address, remote)
    message = " ".join(
        part
        for part in (action, account, terminal and f"on {terminal}", remote and f"from {remote}")
        if part
    )
    attributes = {
        "type": name, "terminal": terminal, "id": _shown(ident), "pid": str(pid),
        "remote": remote, "exit": str(status) if name == "DEAD_PROCESS" else "",
        "session": str(session) if session else "", "layout": layout.name,
    }  # fmt: skip
    place.row(
        rows,
        offset,
        {key: value for key, value in attributes.items() if value},
        time=seconds * _SECOND + micros * 1000 if seconds else None,
        time_meaning=_MEANINGS.get(name, "event") if seconds else "",
        actor=account,
        actor_kind="user" if account and login else "",
        action=action,
        outcome=("failure" if failed else "success") if login else "",
        src_ip=source,
        domain="" if source or not login else remote,
        message=message,
        raw=raw,
    )


def _shown(part: bytes) -> str:
    return text(part.split(b"\0", 1)[0])


def _source(address: bytes, remote: str) -> str:
    """The address of a record: `ut_addr_v6` when it is set, else the host when it is an address."""
    if any(address):
        if not any(address[4:]):
            return str(ipaddress.IPv4Address(address[:4]))
        six = ipaddress.IPv6Address(address)
        return str(six.ipv4_mapped or six)
    return canonical(remote)


def read_lastlog(stream: BinaryIO, place: Place, rows: Rows, names: dict[int, str]) -> None:
    """Append a row for each used record of lastlog; `names` turns user ids into accounts."""
    size, offset, buffer = LASTLOG.size, 0, b""
    empty = bytes(size)
    while offset < _LASTLOG_LIMIT and (more := _more(stream, offset, place, rows)):
        buffer += more
        whole = len(buffer) - len(buffer) % size
        for start in range(0, whole, size):
            raw = buffer[start : start + size]
            if raw != empty:
                _write_lastlog(raw, offset + start, names, place, rows)
        offset += whole
        buffer = buffer[whole:]
    if offset >= _LASTLOG_LIMIT and buffer:
        place.problem(
            rows, offset, f"lastlog was read up to byte {offset} (user id {offset // size}) only"
        )
    elif any(buffer):
        place.problem(rows, offset, f"the last record has {len(buffer)} of {size} bytes", buffer)


def _write_lastlog(
    raw: bytes, offset: int, names: dict[int, str], place: Place, rows: Rows
) -> None:
    seconds, line, host = LASTLOG.unpack(raw)
    uid = offset // LASTLOG.size
    account, remote = names.get(uid, ""), _shown(host)
    source = _source(bytes(16), remote)
    place.row(
        rows,
        offset,
        {"uid": str(uid), "terminal": _shown(line), "remote": remote},
        time=seconds * _SECOND if seconds > 0 else None,
        time_meaning="last login",
        actor=account or f"uid {uid}",
        actor_kind="user",
        action="last login",
        outcome="success",
        src_ip=source,
        domain="" if source else remote,
        message=f"last login of {account or f'uid {uid}'} on {_shown(line)}"
        + (f" from {remote}" if remote else ""),
        raw=raw,
    )
