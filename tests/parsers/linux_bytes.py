# SPDX-License-Identifier: Apache-2.0
"""Binary artefacts of Linux, written from their specifications for tests and samples."""

import lzma
import sqlite3
import struct

from backports import zstd

HEADER = 256


def utmp(kind, user, line, host, seconds, micros=0, address=b"", wide=False, order="<"):
    """One `struct utmp` of glibc, 384 bytes, or 400 with `wide`."""
    times = "qqq" if wide else "iii"
    form = f"{order}h2xi32s4s32s256shh{times}16s20x" + ("4x" if wide else "")
    return struct.pack(
        form, kind, 4242, line, b"ts/0", user, host, 0, 0, 0, seconds, micros, address
    )


def lastlog(seconds, line, host, wide=False, order="<"):
    """One record of lastlog, 292 bytes, or 296 with `wide`."""
    return struct.pack(f"{order}{'q' if wide else 'i'}32s256s", seconds, line, host)


def journal(entries, compact=False, compression=0):
    """A journal with `entries`: pairs of UTC microseconds and a list of `NAME=value` bytes."""
    body = bytearray()
    count = 0

    def add(kind, flags, payload):
        nonlocal count
        offset = HEADER + len(body)
        size = 16 + len(payload)
        body.extend(struct.pack("<BB6xQ", kind, flags, size) + payload + bytes(-size % 8))
        count += 1
        return offset

    tail = 0
    for number, (micros, fields) in enumerate(entries, 1):
        items = b""
        for value in fields:
            packed = {0: lambda v: v, 1: lzma.compress, 4: zstd.compress}[compression](value)
            offset = add(1, compression, bytes(56 if compact else 48) + packed)
            items += struct.pack(
                "<I" if compact else "<QQ", *([offset] if compact else [offset, 0])
            )
        head = struct.pack("<QQQ16sQ", number, micros, 1000 * number, bytes(range(16)), 0)
        tail = add(3, 0, head + items)
    flags = compression if compression in (0, 1) else 8
    flags |= 16 if compact else 0
    head = struct.pack(
        "<8sIIB7x16s16s16s16sQQQQQQQQQQQQQQQ",
        b"LPKSHHRH", 0, flags, 0, bytes(16), bytes(range(16)), bytes(16), bytes(16),
        HEADER, len(body), 0, 0, 0, 0, tail, count, len(entries), len(entries), 1, 0, 0, 0, 0,
    )  # fmt: skip
    return head.ljust(HEADER, b"\0") + bytes(body)


def rpm_header(*values):
    """The header of a package: `(tag, value)`, a text as STRING and a number as INT32."""
    entries = data = b""
    for tag, value in values:
        number = isinstance(value, int)
        data += bytes(-len(data) % 4) if number else b""
        entries += struct.pack(">IIII", tag, 4 if number else 6, len(data), 1)
        data += struct.pack(">I", value) if number else value.encode() + b"\0"
    return struct.pack(">II", len(values), len(data)) + entries + data


def rpm_database(path, headers, table="hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL"):
    """Write `rpmdb.sqlite` with `headers`, pairs of number and bytes, marked as rpm marks it."""
    base = sqlite3.connect(path)
    base.execute(f"CREATE TABLE 'Packages' ({table})")
    base.executemany("INSERT INTO Packages VALUES (?, ?)", headers)
    base.commit()
    base.close()
    data = bytearray(path.read_bytes())
    data[18:20] = b"\2\2"  # with a write-ahead log
    path.write_bytes(data)
    return bytes(data)
