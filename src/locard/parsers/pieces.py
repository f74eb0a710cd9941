# SPDX-License-Identifier: Apache-2.0
"""Stored bytes on their way into a decoder."""

from collections.abc import Callable

PIECE = 16 << 10
"""Stored bytes given to a decoder at once."""

Read = Callable[[int], bytes]


class Pieces:
    """Stored bytes by pieces, with a way to give back what a decoder did not use."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._back = b""
        self._taken = 0

    def piece(self) -> bytes:
        """The next bytes; empty at the end."""
        if self._back:
            back, self._back = self._back[:PIECE], self._back[PIECE:]
            return back
        data = self._read(PIECE)
        self._taken += len(data)
        return data

    @property
    def place(self) -> int:
        """Where the next piece begins."""
        return self._taken - len(self._back)

    def left(self) -> int:
        """Bytes that were read and given back."""
        return len(self._back)

    def give_back(self, data: bytes) -> None:
        """The last bytes were not used."""
        self._back = data + self._back

    def exactly(self, count: int) -> bytes:
        """`count` bytes, or fewer at the end."""
        data = b""
        while len(data) < count:
            piece = self.piece()
            if not piece:
                break
            data += piece
        self.give_back(data[count:])
        return data[:count]

    def until_zero(self, most: int = 1 << 20) -> bytes:
        """Bytes up to and with the next NUL; without one where there is none that near."""
        data = b""
        while (at := data.find(b"\0")) < 0:
            piece = self.piece()
            if not piece or len(data) > most:
                return data
            data += piece
        self.give_back(data[at + 1 :])
        return data[: at + 1]
