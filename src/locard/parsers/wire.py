# SPDX-License-Identifier: Apache-2.0
"""Both ends of the socket between a worker and its parent.

Orders go out with file descriptors beside them; frames come back. What comes back is bounded and
typed before it is looked at, since it may come from a worker that evidence has taken over.
"""

import socket
import struct
from collections.abc import Sequence

import msgspec
import pyarrow as pa

from locard.parsers.frames import BATCH, BYTES, HEAD, JSON, Hello, Order, Told

ORDER_HEAD = struct.Struct("<II")
FDS_AT_ONCE = 200
"""The kernel passes at most 253 descriptors in one message."""
BUFFERED = 256 << 10
SLICE = 96 << 20
"""A batch of more bytes travels in halves."""

_encoder = msgspec.json.Encoder()
_orders = msgspec.json.Decoder(Order)


class Gone(EOFError):
    """The other end is no longer there."""


class Out:
    """The worker's end: small frames gather, large ones leave at once."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._parts: list[bytes] = []
        self._held = 0

    def tell(self, told: Told | Hello) -> None:
        """A frame of JSON."""
        self._put(JSON, _encoder.encode(told))

    def batch(self, batch: pa.RecordBatch) -> None:
        """Rows; they leave at once, for someone waits to see them."""
        if batch.nbytes > SLICE and batch.num_rows > 1:
            half = batch.num_rows // 2
            self.batch(pa.RecordBatch.from_arrays(_own(batch.slice(0, half)), batch.schema))
            self.batch(pa.RecordBatch.from_arrays(_own(batch.slice(half)), batch.schema))
            return
        self._put(BATCH, memoryview(batch.serialize()))

    def data(self, data: bytes) -> None:
        """Bytes of a member."""
        self._put(BYTES, data)

    def flush(self) -> None:
        """Send what was gathered."""
        parts, self._parts, self._held = self._parts, [], 0
        if parts:
            self._socket.sendall(b"".join(parts))

    def _put(self, kind: bytes, payload: bytes | memoryview) -> None:
        head = HEAD.pack(kind, len(payload))
        if len(payload) > BUFFERED:
            self._parts.append(head)
            self.flush()
            self._socket.sendall(payload)
            return
        self._parts.append(head)
        self._parts.append(bytes(payload))
        self._held += len(payload) + len(head)
        if self._held > BUFFERED:
            self.flush()


def _own(batch: pa.RecordBatch) -> list[pa.Array]:
    return [batch.column(index) for index in range(batch.num_columns)]


def send_order(connection: socket.socket, order: Order, fds: Sequence[int]) -> None:
    """Give a worker its task."""
    payload = _encoder.encode(order)
    first, rest = fds[:FDS_AT_ONCE], fds[FDS_AT_ONCE:]
    socket.send_fds(connection, [ORDER_HEAD.pack(len(payload), len(fds))], list(first))
    while rest:
        chunk, rest = rest[:FDS_AT_ONCE], rest[FDS_AT_ONCE:]
        socket.send_fds(connection, [b"+"], list(chunk))
    connection.sendall(payload)


def receive_order(connection: socket.socket) -> tuple[Order, list[int]] | None:
    """The next task of a worker, or None when the parent hung up."""
    head, fds, _, _ = socket.recv_fds(connection, ORDER_HEAD.size, FDS_AT_ONCE)
    if not head:
        return None
    head += _exactly(connection, ORDER_HEAD.size - len(head))
    length, count = ORDER_HEAD.unpack(head)
    while len(fds) < count:
        mark, more, _, _ = socket.recv_fds(connection, 1, FDS_AT_ONCE)
        if not mark:
            return None
        fds += more
    return _orders.decode(_exactly(connection, length)), fds


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise Gone("the other end hung up")
        data += more
    return data
