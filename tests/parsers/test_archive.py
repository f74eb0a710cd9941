# SPDX-License-Identifier: Apache-2.0
"""Archives through real confined workers: members out, nothing trusted, nothing silent."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import py7zr
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from isal import igzip_lib

from locard.parsers.archive.layer import content_size
from locard.parsers.contract import Limits
from locard.parsers.decode import zstd
from locard.parsers.frames import (
    Failed,
    Frame,
    MemberBegin,
    MemberBytes,
    MemberEnd,
    Passed,
    Problem,
)
from locard.parsers.pool import Pool
from tests.parsers.confined_pool import TOYS, done, frames, recognised

FILES = {
    "one.log": b"toy\nfirst\n",
    "deep/two.log": b"toy\nsecond\n" * 50_000,
    "empty": b"",
    "../../etc/passwd": b"escaping",
    "/etc/shadow": b"absolute",
    "ümläut \u202e.txt": b"odd",
}


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    with Pool(1, tmp_path_factory.mktemp("scratch"), more=(TOYS,)) as one:
        yield one


def members(told: list[Frame]) -> dict[str, tuple[bytes, str]]:
    """Bytes and problem of every member by its name."""
    found: dict[str, tuple[bytes, str]] = {}
    data = b""
    for frame in told:
        if isinstance(frame, MemberBegin):
            data = b""
        elif isinstance(frame, MemberBytes):
            data += frame.data
        elif isinstance(frame, MemberEnd):
            found[frame.path] = (data, frame.problem)
    last = done(told)
    assert last.seen == sum(1 for _, problem in found.values() if not problem) + last.problems
    assert not [frame for frame in told if isinstance(frame, Failed)]
    return found


def problems(told: list[Frame]) -> dict[str, str]:
    return {frame.path: frame.text for frame in told if isinstance(frame, Problem)}


def passed(told: list[Frame]) -> dict[str, str]:
    return {frame.path: frame.text for frame in told if isinstance(frame, Passed)}


def a_zip(method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in FILES.items():
            info = zipfile.ZipInfo(name, (2023, 7, 10, 11, 22, 34))
            info.compress_type = method
            archive.writestr(info, data)
    return out.getvalue()


def a_tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in FILES.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1688988154
            archive.addfile(info, io.BytesIO(data))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"special-{kind.decode()}")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    return out.getvalue()


def a_7z() -> bytes:
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w") as archive:
        for name, data in FILES.items():
            if not name.startswith(("/", "..")):
                archive.writestr(data, name)
    return out.getvalue()


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_zip(pool: Pool, tmp_path: Path, method: int) -> None:
    told = frames(pool, tmp_path, a_zip(method))
    assert recognised(told).parser == "archive.zip"
    found = members(told)
    assert [data for data, _ in found.values()] == list(FILES.values())
    begun = [frame for frame in told if isinstance(frame, MemberBegin)]
    assert begun[0].modified == 1688988154 * 10**9
    assert "outside" in begun[3].note
    assert "absolute" in begun[4].note
    assert begun[5].path == "ümläut \\u202e.txt"


def test_zip64_behind_other_bytes(pool: Pool, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("a", "w", force_zip64=True) as member:
        member.write(b"toy\n" * 1000)
    whole = out.getvalue()
    assert members(frames(pool, tmp_path, whole))["a"] == (b"toy\n" * 1000, "")
    shifted = b"PK\x03\x04" + b"#!" * 30 + whole
    assert members(frames(pool, tmp_path, shifted))["a"] == (b"toy\n" * 1000, "")


def test_zip_cut_short_gives_the_members_before_the_cut(pool: Pool, tmp_path: Path) -> None:
    whole = a_zip()
    cut = frames(pool, tmp_path, whole[:-200])
    found = members(cut)
    assert found["one.log"] == (FILES["one.log"], "")
    assert any("cut short" in text for text in problems(cut).values())


def test_zip_written_as_a_stream_and_cut_short(pool: Pool, tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        archive.writestr("one", b"toy\n" * 999)
        archive.writestr("two", b"toy\n" * 99)
    cut = frames(pool, tmp_path, pipe.data[: pipe.data.index(b"PK\x01\x02")])
    assert members(cut) == {"one": (b"toy\n" * 999, ""), "two": (b"toy\n" * 99, "")}
    assert done(cut).problems == 1


def test_encrypted_linked_and_damaged_zip_members(pool: Pool, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("fine", b"toy\n")
        archive.writestr("locked", b"secret")
        archive.writestr("broken", b"what was written")
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    data = bytearray(out.getvalue())
    data[data.index(b"what was")] = ord("W")
    entry = data.rindex(b"locked") - 46
    data[entry + 8] |= 1
    told = frames(pool, tmp_path, bytes(data))
    found = members(told)
    assert found["fine"] == (b"toy\n", "")
    assert "checksum" in found["broken"][1]
    assert "encrypted" in problems(told)["locked"]
    assert passed(told) == {"link": "a link to '/etc/passwd', not followed"}
    assert done(told).seen == 3


@pytest.mark.parametrize(
    ("layer", "compress"), [("gzip", gzip.compress), ("bzip2", bz2.compress), ("xz", lzma.compress)]
)
def test_tar_inside_a_layer(pool: Pool, tmp_path: Path, layer: str, compress: object) -> None:
    assert callable(compress)
    told = frames(pool, tmp_path, compress(a_tar()))
    assert (recognised(told).parser, recognised(told).layers) == ("archive.tar", (layer,))
    found = members(told)
    assert [data for data, _ in found.values()] == list(FILES.values())
    assert passed(told) == {
        "special-2": "a link to '/etc/passwd', not followed",
        "special-3": "a character device",
        "special-6": "a named pipe",
    }
    refused = problems(told)
    assert "not in front of it" in refused.pop("special-1")
    assert not refused
    begun = [frame for frame in told if isinstance(frame, MemberBegin)]
    assert begun[0].modified == 1688988154 * 10**9


@pytest.mark.parametrize("keep", [700, 2_000, 100_000, -10_300])
def test_tar_cut_short_is_noticed(pool: Pool, tmp_path: Path, keep: int) -> None:
    told = frames(pool, tmp_path, a_tar()[:keep])
    members(told)
    assert any("cut short" in text for text in problems(told).values())


def test_tar_inside_a_cut_gzip(pool: Pool, tmp_path: Path) -> None:
    told = frames(pool, tmp_path, gzip.compress(a_tar(), 0)[:4_000])
    assert members(told)["one.log"] == (FILES["one.log"], "")
    assert any("gzip" in text for text in problems(told).values())


def test_tar_with_a_broken_header_in_the_middle(pool: Pool, tmp_path: Path) -> None:
    data = bytearray(a_tar())
    data[1024 : 1024 + 100] = b"\xff" * 100
    told = frames(pool, tmp_path, bytes(data))
    assert members(told)["one.log"] == (FILES["one.log"], "")
    assert "belong to no member" in problems(told)[""] and "empty" in members(told)


def test_7z(pool: Pool, tmp_path: Path) -> None:
    told = frames(pool, tmp_path, a_7z())
    assert recognised(told).parser == "archive.7z"
    found = {name: data for name, (data, problem) in members(told).items() if not problem}
    assert found["one.log"] == FILES["one.log"]
    assert found["deep/two.log"] == FILES["deep/two.log"]
    assert found["empty"] == b""


def test_7z_damaged_cut_and_locked(pool: Pool, tmp_path: Path) -> None:
    whole = a_7z()
    cut = frames(pool, tmp_path, whole[:-50])
    assert members(cut) == {}
    assert done(cut).problems == 1
    assert "join them" not in problems(cut)[""]
    volume = frames(pool, tmp_path, whole[: len(whole) // 2], name="a.7z.001")
    assert "first of several volumes: join them" in problems(volume)[""]
    damaged = bytearray(whole)
    damaged[60] ^= 0xFF
    assert done(frames(pool, tmp_path, bytes(damaged))).problems >= 1
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", password="secret") as archive:
        archive.writestr(b"x" * 100, "locked")
    locked = frames(pool, tmp_path, out.getvalue())
    assert any("encrypted" in text for text in problems(locked).values())


@pytest.mark.parametrize("encoded", [True, False])
def test_bytes_of_a_7z_that_nothing_names_are_told(
    pool: Pool, tmp_path: Path, encoded: bool
) -> None:
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w") as archive:
        archive.set_encoded_header_mode(encoded)
        archive.writestr(b"evidence", "one.log")
    whole = out.getvalue()
    assert done(frames(pool, tmp_path, whole + bytes(5000))).problems == 0
    for behind in (b"hidden", bytes(3_000_000) + a_7z(), whole):
        told = frames(pool, tmp_path, whole + behind)
        assert members(told) == {"one.log": (b"evidence", "")}
        assert done(told).problems == 1
        place = len(whole) + len(behind) - len(behind.lstrip(b"\0"))
        assert (
            f"behind its end that nothing in it names, from byte {place:,} on" in problems(told)[""]
        )
    offset, size, crc = struct.unpack_from("<QQI", whole, 12)
    if not encoded:
        told = struct.pack("<QQI", offset + 6, size, crc)
        between = whole[:8] + struct.pack("<I", zlib.crc32(told)) + told
        between += whole[32 : 32 + offset] + b"hidden" + whole[32 + offset :]
        found = frames(pool, tmp_path, between)
        assert members(found) == {"one.log": (b"evidence", "")}
        assert "6 bytes between its members" in problems(found)[""]


def test_bytes_of_a_zip_that_nothing_names_are_told(pool: Pool, tmp_path: Path) -> None:
    whole = a_zip()
    assert done(frames(pool, tmp_path, whole + bytes(500))).problems == 0
    told = frames(pool, tmp_path, whole + bytes(7) + b"hidden")
    assert len(members(told)) == len(FILES)
    assert (
        f"6 bytes behind the end of the zip archive, from byte {len(whole) + 7:,}"
        in (problems(told)[""])
    )


def test_bytes_behind_the_data_of_a_zip_s_member_are_told(pool: Pool, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"evidence")
    whole = out.getvalue()
    entry, end = whole.index(b"PK\x01\x02"), whole.index(b"PK\x05\x06")
    (packed,) = struct.unpack_from("<I", whole, entry + 20)
    longer = bytearray(whole[:entry] + b"hidden" + whole[entry:])
    struct.pack_into("<I", longer, 18, packed + 6)
    struct.pack_into("<I", longer, entry + 6 + 20, packed + 6)
    struct.pack_into("<I", longer, end + 6 + 16, entry + 6)
    data, problem = members(frames(pool, tmp_path, bytes(longer)))["a"]
    assert data == b"evidence"
    assert "6 bytes follow" in problem


def test_an_archive_inside_a_layer_is_taken_out_first(pool: Pool, tmp_path: Path) -> None:
    told = frames(pool, tmp_path, gzip.compress(a_zip()), name="dir/logs.zip.gz")
    assert recognised(told).parser == "archive.layer"
    assert members(told) == {"logs.zip": (a_zip(), "")}


def test_zip_bomb_ends_at_the_ratio(pool: Pool, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in "abc":
            archive.writestr(name, bytes(80 << 20))
    told = frames(pool, tmp_path, out.getvalue(), limits=Limits(ratio=100))
    given = sum(len(frame.data) for frame in told if isinstance(frame, MemberBytes))
    assert 64 << 20 < given <= 100 * len(out.getvalue())
    assert any("ratio" in text for text in problems(told).values())


def test_overlapping_zip_members_count_together(pool: Pool, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(1 << 20))
        archive.filelist *= 500
    told = frames(pool, tmp_path, out.getvalue(), limits=Limits(decoded_bytes=10 << 20))
    given = sum(len(frame.data) for frame in told if isinstance(frame, MemberBytes))
    assert given <= 10 << 20
    assert any("decoded_bytes" in text for text in problems(told).values())


def test_limits_of_members_and_depth(pool: Pool, tmp_path: Path) -> None:
    many = frames(pool, tmp_path, a_zip(), limits=Limits(members=2))
    assert len(members(many)) == 2
    assert any("'members'" in text for text in problems(many).values())
    deep = frames(pool, tmp_path, a_zip(), depth=8)
    assert members(deep) == {}
    assert any("'depth'" in text for text in problems(deep).values())


def test_a_gzip_bomb_inside_a_zip_is_only_bytes(pool: Pool, tmp_path: Path) -> None:
    bomb = igzip_lib.compress(bytes(1 << 20), flag=igzip_lib.COMP_GZIP)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("bomb.gz", bomb)
    assert members(frames(pool, tmp_path, out.getvalue()))["bomb.gz"] == (bomb, "")


def test_a_zip_whose_directory_lies(pool: Pool, tmp_path: Path) -> None:
    data = bytearray(a_zip())
    end = data.rindex(b"PK\x05\x06")
    struct.pack_into("<H", data, end + 10, 60_000)
    told = frames(pool, tmp_path, bytes(data))
    assert len(members(told)) == len(FILES)
    assert done(told).problems == 1


def zip_of(
    members: list[tuple[bytes, bytes, bytes]], count: int | None = None, comment: bytes = b""
) -> bytes:
    """A zip of stored members: name in their own header, name in the directory, content.

    Without a name in the directory it is not there. `count` is what the end record says.
    """
    body = directory = b""
    named = 0
    for own, told, data in members:
        rest = (zlib.crc32(data), len(data), len(data))
        if told:
            named += 1
            entry = (b"PK\1\2", 20, 20, 0, 0, 0, 0x5821, *rest, len(told), 0, 0, 0, 0, 0, len(body))
            directory += struct.pack("<4s6H3I5H2I", *entry) + told
        body += struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 0x5821, *rest, len(own), 0)
        body += own + data
    number = (named if count is None else count) & 0xFFFF
    end = (b"PK\5\6", 0, 0, number, number, len(directory), len(body), len(comment))
    return body + directory + struct.pack("<4s4H2IH", *end) + comment


def test_more_zip_members_than_its_count_can_say(pool: Pool, tmp_path: Path) -> None:
    """As macOS writes them: no zip64, and the count modulo 65,536."""
    empty = [(b"%d" % n, b"%d" % n, b"") for n in range(1 << 16)]
    told = frames(pool, tmp_path, zip_of([*empty, (b"last", b"last", b"evidence")]))
    assert members(told)["last"] == (b"evidence", "")
    assert done(told).problems == 0
    assert done(told).seen == (1 << 16) + 1


HIDDEN = zip_of([(b"a", b"a", b"named"), (b"h", b"", b"hidden"), (b"b", b"b", b"too")])
DECOYS = [
    HIDDEN,
    zip_of([(b"h", b"h", b"hidden")], comment=zip_of([])),
    zip_of([(b"h", b"h", b"hidden")]) + zip_of([(b"a", b"a", b"named")]),
]


@pytest.mark.parametrize("data", DECOYS, ids=["left out", "a second end", "two archives"])
def test_what_a_zip_directory_leaves_out_is_read_and_told(
    pool: Pool, tmp_path: Path, data: bytes
) -> None:
    told = frames(pool, tmp_path, data)
    assert members(told)["h"] == (b"hidden", "")
    assert ["hidden or deleted" in text for text in problems(told).values()] == [True]


def test_a_zip_member_whose_own_header_says_otherwise(pool: Pool, tmp_path: Path) -> None:
    told = frames(pool, tmp_path, zip_of([(b"invoice.pdf", b"run.exe", b"MZ")]))
    assert members(told) == {"run.exe": (b"MZ", "")}
    assert "'invoice.pdf'" in problems(told)["run.exe"]


def test_a_zip_member_beyond_all_numbers(pool: Pool, tmp_path: Path) -> None:
    data = bytearray(zip_of([(b"a", b"a", b"one"), (b"b", b"b" + bytes(12), b"two")]))
    at = data.rindex(b"PK\1\2")
    struct.pack_into("<HH", data, at + 28, 1, 12)  # the name is one byte, the rest an extra field
    struct.pack_into("<I", data, at + 42, 0xFFFFFFFF)
    struct.pack_into("<HHQ", data, at + 47, 1, 8, 2**64 - 1)
    told = frames(pool, tmp_path, bytes(data))
    assert members(told)["a"] == (b"one", "")
    assert members(told)["b"] == (b"two", "")  # where nothing else is named
    ends = [frame.problem for frame in told if isinstance(frame, MemberEnd)]
    assert "not where" in ends[1]


def tar_header(kind: bytes, size: bytes) -> bytes:
    head = bytearray(tarfile.TarInfo("x").tobuf())
    head[124:136], head[156:157] = size, kind
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


@pytest.mark.parametrize("kind", [b"0", b"Z", b"S"])
def test_a_tar_member_longer_than_anything_ends_at_once(
    pool: Pool, tmp_path: Path, kind: bytes
) -> None:
    huge = tar_header(kind, b"\x80\0\0\0" + (1 << 62).to_bytes(8, "big"))
    told = frames(pool, tmp_path, a_tar()[:1024] + huge, limits=Limits(idle_seconds=20))
    assert members(told)["one.log"] == (FILES["one.log"], "")
    assert any("cut short" in text for text in problems(told).values())


@pytest.mark.parametrize("kind", [b"L", b"x"])
def test_a_tar_name_as_long_as_memory(pool: Pool, tmp_path: Path, kind: bytes) -> None:
    bomb = gzip.compress(a_tar()[:1024] + tar_header(kind, b"%011o\0" % (1 << 31)) + bytes(99999))
    told = frames(pool, tmp_path, bomb)
    assert members(told)["one.log"] == (FILES["one.log"], "")
    assert any("2,147,483,648 bytes" in text for text in problems(told).values())


def test_tars_one_behind_the_other_are_all_read(pool: Pool, tmp_path: Path) -> None:
    second = io.BytesIO()
    with tarfile.open(fileobj=second, mode="w") as archive:
        info = tarfile.TarInfo("behind")
        info.size = 8
        archive.addfile(info, io.BytesIO(b"evidence"))
    told = frames(pool, tmp_path, a_tar() + second.getvalue())
    assert members(told)["behind"] == (b"evidence", "")
    junk = frames(pool, tmp_path, a_tar() + b"junk" * 200)
    assert any("behind its end mark" in text for text in problems(junk).values())
    short = frames(pool, tmp_path, a_tar() + b"junk")
    assert any("behind its end mark" in text for text in problems(short).values())


def test_members_behind_damage_in_a_tar_are_read(pool: Pool, tmp_path: Path) -> None:
    """Junk longer than a block, in front of the second member and of the last."""
    whole = a_tar()
    second = whole.index(b"deep/two.log")
    junk = b"what was written over it " * 100
    told = frames(pool, tmp_path, whole[:second] + junk[:1536] + whole[second:])
    assert {name: data for name, (data, _) in members(told).items()} == {
        name: data for name, (data, _) in members(frames(pool, tmp_path, whole)).items()
    }
    said = problems(told)[""]
    assert f"1,536 bytes in front of byte {second + 1536:,} of the tar archive" in said
    header = bytearray(whole)
    header[second] ^= 1  # the checksum of the header differs: its member is lost, and told
    told = frames(pool, tmp_path, bytes(header))
    assert "deep/two.log" not in members(told) and "empty" in members(told)
    assert "belong to no member" in problems(told)[""]


def test_what_a_zip_calls_a_pipe_and_gives_bytes_is_a_member(pool: Pool, tmp_path: Path) -> None:
    """`cat log | zip x.zip -` marks its member as a named pipe."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, mode, data in (
            ("-", 0o010600, b"toy\n" * 99), ("device", 0o020600, b"x"),
            ("long", 0o120777, b"/" * 5000), ("folder", 0o040755, b"in a folder"),
            ("none", 0o010600, b""),
        ):  # fmt: skip
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, mode << 16
            archive.writestr(info, data)
        archive.writestr("hidden/", b"")
    told = frames(pool, tmp_path, out.getvalue())
    assert members(told) == {
        "-": (b"toy\n" * 99, ""), "device": (b"x", ""), "long": (b"/" * 5000, ""),
        "folder": (b"in a folder", ""),
    }  # fmt: skip
    assert passed(told) == {"none": "a device or another special file"}


@pytest.mark.parametrize("locked", [False, True])
def test_each_member_of_a_7z_s_block_that_cannot_be_read_is_named(
    pool: Pool, tmp_path: Path, locked: bool
) -> None:
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", password="secret" if locked else None) as archive:
        for name in ("one", "two", "three"):
            archive.writestr(name.encode() * 5000, name)
    data = bytearray(out.getvalue())
    data[40] ^= 0x55
    told = frames(pool, tmp_path, bytes(data))
    assert {"one", "two", "three"} <= problems(told).keys()
    assert "one block" in problems(told)["three"]
    members(told)


def test_a_long_7z_member_of_few_stored_bytes(pool: Pool, tmp_path: Path) -> None:
    out = io.BytesIO()
    data = b"the same line of a log\n" * 1_000_000
    with py7zr.SevenZipFile(out, "w") as archive:
        archive.writestr(data, "long.log")
    told = frames(pool, tmp_path, out.getvalue(), limits=Limits(ratio=1_000_000))
    assert members(told) == {"long.log": (data, "")}
    bomb = frames(pool, tmp_path, out.getvalue(), limits=Limits(decoded_bytes=9 << 20))
    assert any("decoded_bytes" in text for text in problems(bomb).values())


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    make=st.sampled_from([a_zip, a_tar, a_7z, lambda: gzip.compress(a_tar())]),
    changes=st.lists(st.tuples(st.floats(0, 0.9999), st.integers(0, 255)), max_size=6),
    keep=st.floats(0.02, 1),
)
def test_mutated_archives_give_frames_and_true_counts(
    pool: Pool,
    tmp_path: Path,
    make: Callable[[], bytes],
    changes: list[tuple[float, int]],
    keep: float,
) -> None:
    data = bytearray(make())
    for place, byte in changes:
        data[int(place * len(data))] = byte
    members(frames(pool, tmp_path, bytes(data[: int(keep * len(data)) or 1])))


@given(data=st.binary(max_size=3000), parts=st.integers(1, 3))
def test_the_size_of_what_is_compressed_is_told_where_the_format_says_it(
    data: bytes, parts: int
) -> None:
    def told(layer: str, stored: bytes) -> int | None:
        return content_size((layer,), len(stored), lambda at, count: stored[at : at + count])

    assert told("zstd", zstd.compress(data)) == len(data)
    assert told("gzip", gzip.compress(data)) == (len(data) or None)
    blocks = b"".join(lzma.compress(data) for _ in range(parts))
    assert told("xz", blocks) in (len(data) or None, None)
    assert told("bzip2", bz2.compress(data)) is None


@given(stored=st.binary(max_size=80), tail=st.sampled_from([b"", b"YZ", b"\xff" * 11 + b"YZ"]))
def test_no_bytes_break_telling_a_size(stored: bytes, tail: bytes) -> None:
    for layer in ("zstd", "gzip", "xz", "UTF-16"):
        whole = stored + tail
        size = content_size((layer,), len(whole), lambda at, count: whole[at : at + count])  # noqa: B023
        assert size is None or size > 0 or layer == "zstd"
