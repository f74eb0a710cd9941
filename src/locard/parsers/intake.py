# SPDX-License-Identifier: Apache-2.0
"""The parent's judgement of every frame: a worker that met hostile evidence may lie.

Rows must have the schema, be sound inside, and carry the evidence of the task; frames must come in
an order that makes sense; counts must be true.
"""

import struct

import msgspec
import pyarrow as pa

from locard.parsers.contract import Limits
from locard.parsers.frames import (
    BATCH,
    BYTES,
    JSON,
    Batch,
    Done,
    Frame,
    MemberBegin,
    MemberBytes,
    MemberEnd,
    Order,
    Recognised,
    Told,
)
from locard.parsers.rows import SCHEMA

_decoder: msgspec.json.Decoder[Told] = msgspec.json.Decoder(Told)


class Lie(Exception):
    """A frame that an honest worker does not send."""


class Intake:
    """Judges the frames of one run."""

    def __init__(self, order: Order, limits: Limits) -> None:
        self.order = order
        self.limits = limits
        self.waited = 0.0
        """Seconds that the parent waited for this run."""
        self._recognised = False
        self._member: int | None = None
        self._index = -1
        self._bytes = 0
        self._rows = 0

    def judge(self, kind: bytes, payload: bytes | memoryview, waited: float) -> Frame:
        """The frame, or `Lie`."""
        self.waited += waited
        if kind == JSON:
            return self._told(payload)
        if not self._recognised:
            raise Lie("data before recognition")
        if kind == BATCH:
            return Batch(self._batch(payload))
        if kind == BYTES:
            if self._member is None:
                raise Lie("bytes of no member")
            self._bytes += len(payload)
            if self._bytes > self.limits.decoded_bytes:
                raise Lie("more bytes than the limit allows")
            return MemberBytes(bytes(payload))
        raise Lie("a frame of unknown kind")

    def _told(self, payload: bytes | memoryview) -> Frame:
        try:
            told = _decoder.decode(payload)
        except msgspec.DecodeError as error:
            raise Lie(f"a frame that cannot be read ({error})") from None
        if isinstance(told, Recognised):
            if self._recognised:
                raise Lie("a second recognition")
            self._recognised = True
        elif isinstance(told, MemberBegin):
            if self._member is not None or told.index <= self._index:
                raise Lie("a member inside a member")
            self._member = self._index = told.index
        elif isinstance(told, MemberEnd):
            if self._member != told.index:
                raise Lie("the end of a member that did not begin")
            self._member = None
        elif isinstance(told, Done) and (self._member is not None or told.written != self._rows):
            raise Lie("counts that are not true")
        return told

    def _batch(self, payload: bytes | memoryview) -> pa.RecordBatch:
        if not is_plain(payload):
            raise Lie("rows in a form that is not agreed")
        try:
            batch = pa.ipc.read_record_batch(pa.py_buffer(payload), SCHEMA)
            batch.validate(full=True)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise Lie(f"rows that are not sound ({error})") from None
        for name, column in zip(SCHEMA.names, batch.columns, strict=True):
            if column.null_count and name != "time":
                raise Lie(f"rows without {name}")
        owners = batch.column("evidence").unique().to_pylist()
        if owners not in ([], [self.order.evidence]):
            raise Lie("rows of other evidence")
        self._rows += batch.num_rows
        return batch


def is_plain(payload: bytes | memoryview) -> bool:
    """Whether this is an Arrow record batch without compressed buffers.

    Arrow would expand compressed ones at once: a bomb that goes off in the parent. The few fields
    are read from the flat buffer here (Arrow's format/Message.fbs: the header's type is field 1 and
    the header field 2 of `Message`; `compression` is field 3 of `RecordBatch`, kind 3).
    """
    try:
        mark, length = struct.unpack_from("<Ii", payload)
        if mark != 0xFFFFFFFF or not 0 < length <= len(payload) - 8:
            return False
        meta = bytes(payload[8 : 8 + length])
        message = struct.unpack_from("<I", meta)[0]
        kind, header = _field(meta, message, 1), _field(meta, message, 2)
        if not kind or not header or meta[kind] != 3:
            return False
        return _field(meta, header + struct.unpack_from("<I", meta, header)[0], 3) == 0
    except (struct.error, IndexError):
        return False


def _field(meta: bytes, table: int, index: int) -> int:
    """Where a field of a flat buffer's table is; 0 when it is absent."""
    fields = table - struct.unpack_from("<i", meta, table)[0]
    if not 0 <= fields < len(meta):
        raise IndexError(fields)
    length = struct.unpack_from("<H", meta, fields)[0]
    place = 4 + 2 * index
    if place + 2 > length:
        return 0
    offset = struct.unpack_from("<H", meta, fields + place)[0]
    return table + offset if offset else 0
