# SPDX-License-Identifier: Apache-2.0
"""The systemd journal: from the bytes of a `.journal` file to its entries.

The objects of the file are read from first to last instead of along its lists, so a journal that
was never closed, that is cut short or that was overwritten gives every entry that is whole. An
entry refers to data objects by their offset; those are looked up. Source: systemd,
`docs/JOURNAL_FILE_FORMAT.md`.
"""

import lzma
import re
import struct
import sys
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from locard.model.errors import Unreadable
from locard.parsers.linux.place import BREAKS

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAGIC = b"LPKSHHRH"
_XZ, _LZ4, _KEYED, _ZSTD, _COMPACT = 1, 2, 4, 8, 16
_KNOWN = _XZ | _LZ4 | _KEYED | _ZSTD | _COMPACT
_DATA, _ENTRY, _LAST_TYPE = 1, 3, 7
_HEADER = struct.Struct("<8sIIB7x16s16s16s16sQQQQQQQQQQQQQQQ")
_OBJECT = struct.Struct("<BB6xQ")
_ENTRY_HEADER = struct.Struct("<QQQ16sQ")
_ALIGNED = 8
_IN_A_ROW = 4
_SMALLEST = (0, 64, 40, 64, 16, 16, 24, 64)
"""Bytes of an object of each type, at least."""
_BEGINNING = re.compile(rb"(?=[\1-\7][\0-\7]\0{6}.{5}\0{3})", re.DOTALL)
"""A type, flags, six zeros, and a size of 40 bits: how an object begins."""
_BLOCK = 1 << 20
_PATCH = 4096
_FAILED = 16
"""Reads that may fail in one block; then the rest of it is taken for unreadable."""
_BLOCKS = 64
_CACHED = 4096
_FIELDS = 4096
"""Fields of one entry; systemd itself allows 1,024."""
PAYLOAD_LIMIT = 16 << 20
"""Bytes of one field after decompression."""


class Damage(Exception):
    """An object that is not what it must be, at `offset`; `broken`: bytes that were not given."""

    def __init__(self, offset: int, why: str, *, broken: bool = False) -> None:
        super().__init__(why)
        self.offset, self.broken = offset, broken


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: when, and its fields as `NAME=value` bytes."""

    offset: int
    realtime: int
    """UTC microseconds since 1970, by the machine's clock."""
    monotonic: int
    """Microseconds since boot."""
    boot: str
    sequence: int
    fields: list[bytes]
    damage: str = ""
    """Why some fields are missing."""


class Journal:
    """A journal file, read-only. Raises `Unreadable` when its header makes no sense."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self.size = size
        self._unread: Damage | None = None
        """Where the first bytes are that the file's carrier did not give."""
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._data: OrderedDict[int, bytes] = OrderedDict()
        head = self._bytes(0, _HEADER.size)
        if len(head) < _HEADER.size or head[:8] != MAGIC:
            raise Unreadable("this is no systemd journal, or its header is cut short")
        values = _HEADER.unpack(head)
        self.flags, self.state = values[2], values[3]
        self.machine = values[5].hex()
        self.header_size, self.arena_size = values[8], values[9]
        self.tail_object, self.objects, self.entries = values[14], values[15], values[16]
        if self.flags & ~_KNOWN:
            raise Unreadable(
                f"the journal uses features that are not known (flags {self.flags:#x})",
                "Export it with: journalctl --file FILE -o export",
            )
        if not 208 <= self.header_size <= 1 << 16:
            raise Unreadable(f"the journal's header claims a size of {self.header_size} bytes")

    @property
    def compact(self) -> bool:
        """Whether the file uses 32-bit offsets."""
        return bool(self.flags & _COMPACT)

    def read(self) -> Iterator[Entry | Damage]:
        """The entries in the order of the file; a `Damage` where the objects break off.

        Behind damage it goes on where objects follow each other again.
        """
        offset: int | None = self.header_size
        end = min(self.size, self.header_size + self.arena_size)
        while offset is not None and offset + _OBJECT.size <= end:
            kind, _, size = _OBJECT.unpack(self._bytes(offset, _OBJECT.size))
            damage = self._damage(offset, kind, size)
            if damage is not None:
                yield damage
                offset = self._sound(offset + _ALIGNED, end)
                continue
            if kind == 0:
                break
            if kind == _ENTRY:
                yield self._entry(offset, size)
            offset += (size + 7) & ~7
        if self._unread is not None:
            yield self._unread
        if offset is not None and self.tail_object > 0 and offset <= self.tail_object:
            yield Damage(offset, f"the last object should be at byte {self.tail_object}")

    def _damage(self, offset: int, kind: int, size: int) -> Damage | None:
        """Why there is no object at `offset`; None when there is one, or the end of all of them."""
        if kind == 0 and size == 0:
            if offset > self.tail_object:
                return None
            return Damage(
                offset, f"nothing is there, and the last object should be at {self.tail_object}"
            )
        if not (1 <= kind <= _LAST_TYPE and size >= _OBJECT.size):
            return Damage(offset, f"an object of type {kind} and {size} bytes makes no sense")
        if offset + size > self.size:
            return Damage(
                offset, f"an object of {size} bytes ends beyond the file: it is cut short"
            )
        return None

    def _sound(self, offset: int, end: int) -> int | None:
        """Where, from `offset` on, so many objects follow each other that it is no chance."""
        while offset < end:
            window = self._bytes(offset, _BLOCK)[: end - offset]
            for match in _BEGINNING.finditer(window):
                if match.start() % _ALIGNED == 0 and self._chain(offset + match.start(), end):
                    return offset + match.start()
            if len(window) < _BLOCK:
                return None
            offset += _BLOCK - 2 * _ALIGNED
        return None

    def _chain(self, offset: int, end: int) -> bool:
        for _ in range(_IN_A_ROW):
            if offset + _OBJECT.size > end:
                return False
            kind, flags, size = _OBJECT.unpack(self._bytes(offset, _OBJECT.size))
            if not (1 <= kind <= _LAST_TYPE and flags < 8 and size >= _SMALLEST[kind]):
                return False
            offset += (size + 7) & ~7
            if offset > self.tail_object:
                return offset <= end
        return True

    def _entry(self, offset: int, size: int) -> Entry | Damage:
        if size < _OBJECT.size + _ENTRY_HEADER.size:
            return Damage(offset, f"an entry of {size} bytes is too short")
        start = offset + _OBJECT.size
        head = self._bytes(start, _ENTRY_HEADER.size)
        sequence, realtime, monotonic, boot, _ = _ENTRY_HEADER.unpack(head)
        step = 4 if self.compact else 16
        count = (size - _OBJECT.size - _ENTRY_HEADER.size) // step
        items = self._bytes(start + _ENTRY_HEADER.size, min(count, _FIELDS) * step)
        damage = f"the entry claims {count} fields" if count > _FIELDS else ""
        fields = []
        for index in range(min(count, _FIELDS)):
            at = int.from_bytes(items[index * step : index * step + min(step, 8)], "little")
            if at == 0:
                continue
            try:
                fields.append(self._field(at))
            except Damage as fault:
                damage = f"the field at byte {fault.offset} cannot be read: {fault}"
        return Entry(offset, realtime, monotonic, boot.hex(), sequence, fields, damage)

    def _field(self, offset: int) -> bytes:
        cached = self._data.get(offset)
        if cached is not None:
            return cached
        head = self._bytes(offset, _OBJECT.size)
        if len(head) < _OBJECT.size:
            raise Damage(offset, "it lies beyond the end of the file")
        kind, flags, size = _OBJECT.unpack(head)
        skip = 72 if self.compact else 64
        if kind != _DATA or not skip <= size <= skip + PAYLOAD_LIMIT:
            raise Damage(offset, f"there is no data object (type {kind}, {size} bytes)")
        payload = self._bytes(offset + skip, size - skip)
        if len(payload) < size - skip:
            raise Damage(offset, "it lies beyond the end of the file")
        payload = _expanded(payload, flags, offset)
        if len(payload) <= _CACHED:
            self._data[offset] = payload
            if len(self._data) > 65_536:
                self._data.popitem(last=False)
        return payload

    def _bytes(self, offset: int, count: int) -> bytes:
        first, last = offset // _BLOCK, (offset + count - 1) // _BLOCK
        if first == last:
            block = self._block(first)
            return block[offset - first * _BLOCK : offset - first * _BLOCK + count]
        whole = b"".join(self._block(number) for number in range(first, last + 1))
        return whole[offset - first * _BLOCK : offset - first * _BLOCK + count]

    def _block(self, number: int) -> bytes:
        block = self._blocks.get(number)
        if block is None:
            try:
                block = self._read(number * _BLOCK, _BLOCK)
            except BREAKS:
                block = self._patched(number * _BLOCK)
            self._blocks[number] = block
            if len(self._blocks) > _BLOCKS:
                self._blocks.popitem(last=False)
        else:
            self._blocks.move_to_end(number)
        return block

    def _read(self, offset: int, count: int) -> bytes:
        self._stream.seek(offset)
        found = b""
        while len(found) < count and (part := self._stream.read(count - len(found))):
            found += part
        return found

    def _patched(self, start: int) -> bytes:
        """A block of which not all can be read: zeros stand for that, and it is told."""
        found, failed = b"", 0
        for offset in range(start, min(start + _BLOCK, self.size), _PATCH):
            try:
                found += self._read(offset, _PATCH) if failed < _FAILED else b""
            except BREAKS as fault:
                failed += 1
                why = f"it cannot be read there: {fault}"
                self._unread = self._unread or Damage(offset, why, broken=True)
            found = found.ljust(min(offset + _PATCH, self.size) - start, b"\0")
        return found


def _expanded(payload: bytes, flags: int, offset: int) -> bytes:
    """The payload without compression. Raises `Damage` when it is broken or grows beyond bounds."""
    try:
        if flags & 1:
            expander = lzma.LZMADecompressor(memlimit=256 << 20)
            plain = expander.decompress(payload, PAYLOAD_LIMIT)
            whole = expander.eof
        elif flags & 2:
            return lz4_block(payload[8:], int.from_bytes(payload[:8], "little"), offset)
        elif flags & 4:
            unpacker = zstd.ZstdDecompressor()
            plain = unpacker.decompress(payload, PAYLOAD_LIMIT)
            whole = unpacker.eof
        else:
            return payload
    except (lzma.LZMAError, zstd.ZstdError, EOFError, OSError, ValueError) as fault:
        raise Damage(offset, f"its compression is broken: {fault}") from fault
    if not whole:
        raise Damage(offset, f"it is cut short or has more than {PAYLOAD_LIMIT} bytes")
    return plain


def lz4_block(data: bytes, size: int, offset: int) -> bytes:
    """An LZ4 block that gives `size` bytes. Raises `Damage` when it gives anything else.

    Source: `lz4_Block_format.md` of LZ4.
    """
    if size > PAYLOAD_LIMIT:
        raise Damage(offset, f"it claims {size} bytes after decompression")
    out = bytearray()
    at, end = 0, len(data)
    try:
        while at < end and len(out) <= size:
            token = data[at]
            at += 1
            literals, at = _lz4_length(data, at, token >> 4)
            out += data[at : at + literals]
            at += literals
            if at >= end:
                break
            back = data[at] | data[at + 1] << 8
            at += 2
            match, at = _lz4_length(data, at, token & 15)
            match += 4
            if not 0 < back <= len(out) or len(out) + match > size:
                raise Damage(offset, "its LZ4 block refers to what is not there")
            if back >= match:
                out += out[-back : len(out) - back + match]
            else:
                pattern = bytes(out[-back:])
                out += (pattern * (match // back + 1))[:match]
    except IndexError as fault:
        raise Damage(offset, "its LZ4 block is cut short") from fault
    if len(out) != size:
        raise Damage(offset, f"its LZ4 block gives {len(out)} of {size} bytes")
    return bytes(out)


def _lz4_length(data: bytes, at: int, start: int) -> tuple[int, int]:
    length = start
    if start == 15:
        while True:
            more = data[at]
            at += 1
            length += more
            if more != 255:
                break
    return length, at
