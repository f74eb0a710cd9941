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
LASTLOGS = tuple(struct.Struct(f"{order}{time}32s256s") for order in "<>" for time in "iq")
"""How machines write lastlog: 292 bytes, or 296 where the time has 64 bits (as for `LAYOUTS`)."""
_LOOKED_AT = 200
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
    return b"\0" in first[: LASTLOGS[0].size] and any(
        sound and not unsound for sound, unsound in (_lastlog(first, 0, one) for one in LASTLOGS)
    )


def lastlog_of(first: bytes, base: int = 0) -> struct.Struct:
    """The layout of lastlog that makes sense of most of `first`, which begins at byte `base`."""

    def sense(layout: struct.Struct) -> int:
        sound, unsound = _lastlog(first, base, layout)
        return sound - unsound

    return max(LASTLOGS, key=sense)


def _lastlog(first: bytes, base: int, layout: struct.Struct) -> tuple[int, int]:
    """How many used records make sense in a layout, and how many do not."""
    sound = unsound = 0
    for start in range(-base % layout.size, len(first) - layout.size + 1, layout.size):
        seconds, line, host = layout.unpack_from(first, start)
        if not any((seconds, *line, *host)):
            continue
        clean = not (line.rstrip(b"\0").count(b"\0") or host.rstrip(b"\0").count(b"\0"))
        named = line[:1].isalpha() and _string(line) and _string(host)
        if 0 < seconds < 1 << 33 and named and clean:
            sound += 1
        else:
            unsound += 1
        if sound + unsound >= _LOOKED_AT:
            break
    return sound, unsound


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
    base, buffer = _first_used(stream, place, rows)
    layout = lastlog_of(buffer, base)
    size = layout.size
    empty, skipped = bytes(size), -base % size
    offset, buffer = base + skipped, buffer[skipped:]
    while True:
        whole = len(buffer) - len(buffer) % size
        for start in range(0, whole, size):
            raw = buffer[start : start + size]
            if raw != empty:
                _write_lastlog(raw, offset + start, layout, names, place, rows)
        offset, buffer = offset + whole, buffer[whole:]
        more = _more(stream, offset + len(buffer), place, rows)
        if not more:
            break
        if offset >= _LASTLOG_LIMIT:
            place.problem(
                rows, offset, f"lastlog was read up to byte {offset} (user id {offset // size}) "
                "only",
            )  # fmt: skip
            return
        buffer += more
    if any(buffer):
        place.problem(rows, offset, f"the last record has {len(buffer)} of {size} bytes", buffer)


def _first_used(stream: BinaryIO, place: Place, rows: Rows) -> tuple[int, bytes]:
    """Bytes from shortly before the first that is not zero on, and where they begin."""
    base, held = 0, b""
    while base < _LASTLOG_LIMIT and (more := _more(stream, base + len(held), place, rows)):
        held += more
        used = len(held) - len(held.lstrip(b"\0"))
        kept = max(used - 2 * LASTLOGS[-1].size, 0)
        base, held = base + kept, held[kept:]
        if len(held) > 4 * LASTLOGS[-1].size:
            break
    return base, held


def _write_lastlog(
    raw: bytes, offset: int, layout: struct.Struct, names: dict[int, str], place: Place, rows: Rows
) -> None:
    seconds, line, host = layout.unpack(raw)
    uid = offset // layout.size
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
