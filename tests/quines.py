# SPDX-License-Identifier: Apache-2.0
"""Archives that hold themselves, and two that hold each other, made here and not stored.

The idea is Russ Cox's ("Zip Files All The Way Down", 2010). A deflate stream is a program of two
commands: *literal* (a stored block, which writes the bytes behind its head) and *again* (a match,
which repeats bytes that were written). A few of them, each five bytes long, write themselves; what
stands before and behind, the heads of the format, is written with them. The checksum of a file
stands in the file: CRC-32 is affine, so the bits that fit are the solution of linear equations.
"""

import itertools
import struct
import zlib
from collections.abc import Callable, Sequence

_LENGTHS = (
    *((257 + n, 3 + n, 0) for n in range(8)),
    *((265 + n, 11 + 2 * n, 1) for n in range(4)),
    *((269 + n, 19 + 4 * n, 2) for n in range(4)),
    *((273 + n, 35 + 8 * n, 3) for n in range(4)),
    *((277 + n, 67 + 16 * n, 4) for n in range(3)),
)
"""Symbol, shortest length and further bits of lengths up to 114, whose codes have seven bits."""


def zip_quine() -> bytes:
    """A ZIP archive whose only member is the archive."""
    (only,) = _solved(
        1, lambda sums: [_whole(_zipped(sums, 0, b"self"), _zipped(sums, 0, b"self"))]
    )
    return only


def zip_pair() -> tuple[bytes, bytes]:
    """Two ZIP archives, each of which holds the other."""

    def made(sums: Sequence[int]) -> list[bytes]:
        heads = [_zipped(sums, number, b"this", b"that") for number in (0, 1)]
        return [_whole(heads[n], heads[1 - n], turned=n == 1) for n in (0, 1)]

    one, other = _solved(2, made)
    return one, other


def gzip_quine() -> bytes:
    """A gzip file that is its own content."""

    def made(sums: Sequence[int]) -> list[bytes]:
        name = b"self".ljust(49, b"_") + b"\0"

        def head(_length: int, size: int) -> tuple[bytes, bytes]:
            return (
                b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + name,
                struct.pack("<II", sums[0], size),
            )

        return [_whole(head, head)]

    (only,) = _solved(1, made)
    return only


_Heads = Callable[[int, int], tuple[bytes, bytes]]
"""What stands before and behind, given the length of the stream and the size of the file."""


def _zipped(sums: Sequence[int], number: int, *names: bytes) -> _Heads:
    """The heads of archive `number`, which holds the next one."""
    held = (number + 1) % len(names)
    # A stream that refers one file back has room in its command for 65 bytes, two back for 50.
    name = names[held].ljust(30 - 4 if len(names) == 1 else 11, b"_") + b".zip"

    def heads(length: int, size: int) -> tuple[bytes, bytes]:
        told = struct.pack(
            "<HHHHHIIIHH", 20, 0, 8, 0, 0x5821, sums[held], length, size, len(name), 0
        )
        before = b"PK\3\4" + told + name
        entry = b"PK\1\2\x14\0" + told + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
        end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(entry), len(before) + length, 0)
        return before, entry + end

    return heads


def _whole(mine: _Heads, other: _Heads, turned: bool | None = None) -> bytes:
    """The file with these heads that holds the file with the others.

    `turned` is None where both are one; of a pair it is true for one of them.
    """
    length = size = 0
    while True:  # the heads say how long all is, and have the same length whatever they say
        stream = _program(mine(length, size), other(length, size), turned)
        before, behind = mine(length, size)
        found = len(stream), len(before) + len(stream) + len(behind)
        if found == (length, size):
            return before + stream + behind
        length, size = found


def _program(mine: tuple[bytes, bytes], other: tuple[bytes, bytes], turned: bool | None) -> bytes:
    first, last = len(mine[0]) + 5, len(mine[1])
    if turned is None:
        head = _literal_head(first)
        opening, again = other[0] + head, _again(first, first)
        (tail,) = _finals(last, 1)
        closing = tail + other[1]
    else:
        head = _literal_head(2 * first)
        opening, again = other[0] + head + mine[0] + head, _again(first, 2 * first)
        near, far = _finals(last, 1, 2)
        one, two = (mine, other) if turned else (other, mine)
        closing = near + one[1] + far + two[1]
        tail = near if turned else far
    unit, four = _literal_head(5), _literal_head(20)
    repeat = _again(20, 20)
    nothing = _literal_head(0)
    ending = _literal_head(len(closing))
    return b"".join(
        (
            head, opening, again,
            unit, again, unit, unit,
            four, again, unit, unit, four,
            repeat,
            four, repeat, four, repeat, four,
            repeat,
            four, repeat, nothing, nothing, ending,
            repeat, nothing, nothing,
            ending, closing, tail,
        )
    )  # fmt: skip


def _literal_head(length: int) -> bytes:
    """The head of a stored block: five bytes."""
    return struct.pack("<BHH", 0, length, length ^ 0xFFFF)


def _again(length: int, distance: int) -> bytes:
    """A command of five bytes that repeats `length` bytes from `distance` before."""
    for parts, empty in itertools.product((1, 2), (0, 1)):
        pieces = [length // parts] * (parts - 1) + [length - length // parts * (parts - 1)]
        bits = "0100000000" * empty + "010" + "".join(_match(p, distance) for p in pieces)
        bits += "0000000"
        if len(bits) == 40:
            return _bytes(bits)
    raise ValueError(f"no command of five bytes repeats {length} from {distance}")


def _finals(behind: int, *times: int) -> list[bytes]:
    """Last commands, equally long: each repeats itself and `behind` bytes, so many times behind."""
    for size in range(1, 40):
        made = [_final(size, behind, n) for n in times]
        if all(made):
            return made
    raise ValueError("no last commands are equally long")


def _final(size: int, behind: int, times: int) -> bytes:
    left, bits = size + behind, ""
    while left:
        piece = left if left <= 114 else min(100, left - 3)
        bits += _match(piece, (size + behind) * times)
        left -= piece
    for empty in range(size):  # blocks of nothing fill it up
        made = _bytes("0100000000" * empty + "110" + bits + "0000000")
        if len(made) == size:
            return made
    return b""


def _match(length: int, distance: int) -> str:
    symbol, least, more = max(one for one in _LENGTHS if one[1] <= length)
    code, start, extra = 0, 1, 0
    while not start <= distance < start + (1 << extra):
        start += 1 << extra
        code += 1
        extra = max(0, code // 2 - 1)
    return (
        f"{symbol - 256:07b}" + _number(length - least, more)
        + f"{code:05b}" + _number(distance - start, extra)
    )  # fmt: skip


def _number(value: int, bits: int) -> str:
    """Further bits of a length or distance, the lowest first."""
    return f"{value:0{bits}b}"[::-1] if bits else ""


def _bytes(bits: str) -> bytes:
    bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
    return bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))


def _solved(number: int, made: Callable[[Sequence[int]], list[bytes]]) -> list[bytes]:
    """The files whose checksums, written into them, are their checksums."""
    width = 32 * number

    def sums(given: int) -> int:
        files = made([given >> 32 * n & 0xFFFFFFFF for n in range(number)])
        return sum(zlib.crc32(file) << 32 * n for n, file in enumerate(files))

    nothing = sums(0)
    # Row by row: bits of what is asked for, and above them the bit that it has to be.
    columns = [sums(1 << bit) ^ nothing ^ (1 << bit) for bit in range(width)]
    rows = [
        sum((columns[bit] >> row & 1) << bit for bit in range(width))
        | (nothing >> row & 1) << width
        for row in range(width)
    ]
    for bit in range(width):
        pivot = next(n for n in range(bit, width) if rows[n] >> bit & 1)
        rows[bit], rows[pivot] = rows[pivot], rows[bit]
        for n in range(width):
            if n != bit and rows[n] >> bit & 1:
                rows[n] ^= rows[bit]
    answer = sum((rows[bit] >> width & 1) << bit for bit in range(width))
    return made([answer >> 32 * n & 0xFFFFFFFF for n in range(number)])
