# SPDX-License-Identifier: Apache-2.0
"""Login records: wtmp, btmp, utmp (glibc's `struct utmp`) and lastlog.

The structure depends on the machine: 384 bytes with 32-bit times (x86 and most), 400 bytes with
64-bit times (aarch64, riscv64, s390x), little or big endian. It is found out by trying which one
makes sense of the records. Source: glibc, `bits/utmp.h` and `bits/wordsize.h`.
"""

import ipaddress
import re
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from locard.parsers.addresses import address as canonical
from locard.parsers.linux.place import BREAKS, Place, chunks, text
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
_BEGINNINGS = {
    "<": re.compile(rb"(?=[\1-\x09]\0\0\0)"),
    ">": re.compile(rb"(?=\0[\1-\x09]\0\0)"),
}
"""A type and the two bytes behind it."""
LASTLOGS = tuple(struct.Struct(f"{order}{time}32s256s") for order in "<>" for time in "iq")
"""How machines write lastlog: 292 bytes, or 296 where the time has 64 bits (as for `LAYOUTS`)."""
_LOOKED_AT = 200
_LASTLOG_LIMIT = 64 << 20
"""lastlog is sparse and as long as the largest user id says; only so many bytes are looked at."""


def layout_of(first: bytes, share: float = 0.5) -> Layout | None:
    """The layout that makes sense of at least `share` of the used records in `first`, if any does.

    Records of nothing but zeros say nothing, and one record at least must have a type: what has
    none looks sound in any layout.
    """
    best: tuple[float, Layout] | None = None
    for layout in LAYOUTS:
        size = layout.form.size
        records = [first[i : i + size] for i in range(0, min(len(first), 64 * size), size)]
        used = [raw for raw in records if len(raw) == size and any(raw)]
        sound = [raw for raw in used if layout.form.unpack(raw)[0] and _whole(raw, layout)]
        empty = [raw for raw in used if not layout.form.unpack(raw)[0] and _whole(raw, layout)]
        if not sound:
            continue
        part = len(sound) / (len(used) - len(empty))
        if part >= share and (best is None or part > best[0]):
            best = (part, layout)
    return best[1] if best else None


def _typed(raw: bytes, layout: Layout) -> bool:
    values = layout.form.unpack(raw)
    return bool(values[0]) and _sound(values)


def _whole(raw: bytes, layout: Layout) -> bool:
    values = layout.form.unpack(raw)
    return _sound(values) or _oddly_named(values)


def _oddly_named(values: tuple[Any, ...]) -> bool:
    """Whether only the account's name is odd: sshd notes in btmp whatever a client calls itself."""
    user = values[4]
    rest = (*values[:4], b"", *values[5:])
    filled = b"\0" not in user.rstrip(b"\0")
    return bool(values[0]) and bool(values[2].strip(b"\0")) and filled and _sound(rest)


def _sound(values: tuple[Any, ...]) -> bool:
    kind, pid, line, _, user, host, _, _, _, seconds, micros, _ = values
    if not (0 <= kind < len(TYPES) and 0 <= pid < 1 << 23 and 0 <= micros < 1_000_000):
        return False
    strings = (line, user, host)
    if kind == 0:
        filled = all(_string(part) and not any(part[part.find(b"\0") :]) for part in strings)
        return 0 <= seconds < 1 << 32 and filled
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
    """Append a row for each record of a wtmp, btmp or utmp file.

    What lies between records and is none becomes a problem, and reading goes on behind it.
    """
    reading = _Reading(stream, place, rows)
    buffer = reading.first(64 * 400 + 1)
    layout = layout_of(buffer) or layout_of(buffer, 0)
    if layout is None:
        if buffer:
            place.problem(rows, 0, "no known layout of login records fits this file", buffer)
        return
    size, offset, ended = layout.form.size, 0, False
    failed_logins = "btmp" in place.path.rsplit("/", 1)[-1]
    while not ended:
        more = reading.more()
        buffer, ended, at = buffer + more, not more, 0
        ahead = size if ended else 4 * size
        while len(buffer) - at >= ahead:
            raw = buffer[at : at + size]
            between = 0 if _whole(raw, layout) else _between(buffer, at, layout)
            if between:
                why = f"{between} bytes between login records that are none"
                place.problem(rows, offset + at, why, buffer[at : at + between])
            else:
                _write(raw, offset + at, layout, failed_logins, place, rows)
            at += between or size
        offset, buffer = offset + at, buffer[at:]
    if buffer:
        why = f"the last record has {len(buffer)} of {size} bytes"
        place.problem(rows, offset, why, buffer)


def _between(buffer: bytes, at: int, layout: Layout) -> int:
    """Bytes from `at` on up to where records begin again; 0 when it is one damaged record."""
    size = layout.form.size

    def record(start: int) -> bool:
        return start + size <= len(buffer) and _typed(buffer[start : start + size], layout)

    if record(at + size):
        return 0
    for match in _BEGINNINGS[layout.form.format[0]].finditer(buffer, at + 1, at + 2 * size + 4):
        start = match.start()
        if record(start) and (record(start + size) or start + 2 * size > len(buffer)):
            return start - at
    return 0


class _Reading:
    """A file that is read from its beginning; where it breaks off becomes a problem, once."""

    def __init__(self, stream: BinaryIO, place: Place, rows: Rows) -> None:
        self._chunks, self._place, self._rows = chunks(stream), place, rows
        self._position = 0

    def more(self) -> bytes:
        """The next bytes, none at the end and where the file breaks off."""
        try:
            data = next(self._chunks, b"")
        except BREAKS as fault:
            position = self._position
            why = f"the file breaks off at byte {position}: {fault}"
            self._place.problem(self._rows, f"broken@{position}", why)
            return b""
        self._position += len(data)
        return data

    def first(self, count: int) -> bytes:
        """The first bytes, at least so many if there are."""
        gathered = b""
        while len(gathered) < count and (part := self.more()):
            gathered += part
        return gathered


def _write(raw: bytes, offset: int, layout: Layout, failed: bool, place: Place, rows: Rows) -> None:
    values = layout.form.unpack(raw)
    if not (_sound(values) or _oddly_named(values)):
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
    reading = _Reading(stream, place, rows)
    base, buffer = _first_used(reading)
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
        more = reading.more()
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


def _first_used(reading: _Reading) -> tuple[int, bytes]:
    """Bytes from shortly before the first that is not zero on, and where they begin."""
    base, held = 0, b""
    while base < _LASTLOG_LIMIT and (more := reading.more()):
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
