# SPDX-License-Identifier: Apache-2.0
"""Bundles by hostile hands: names that lead out, links, bombs, headers without end."""

import io
import os
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locard_verify import container
from locard_verify.container import Refused, opened, whole

OUT = [
    "../x",
    "/etc/passwd",
    "a/../../x",
    "a//b",
    ".hidden",
    "a/./b",
    "a\\b",
    "a\nb",
    "ä",
    "x" * 300,
]


def zipped(path: Path, members: list[tuple[str, bytes]], packed: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", packed) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def tarred(path: Path, members: list[tuple[str, bytes]]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("write", [zipped, tarred])
def test_members_are_read_where_they_lie(write: object, tmp_path: Path) -> None:
    path = write(
        tmp_path / "bag", [("night/bagit.txt", b"one\ntwo\n"), ("night/data/a", b"x" * 99)]
    )  # type: ignore[operator]
    with opened(path) as found:
        assert found.members == {"bagit.txt": 8, "data/a": 99}
        assert whole(found, "bagit.txt", 8) == b"one\ntwo\n"
        with found.open("bagit.txt") as file:
            assert list(container.lines(file, 100, "x")) == [b"one", b"two"]
        with pytest.raises(Refused, match="larger than 98 bytes"):
            whole(found, "data/a", 98)
        with pytest.raises(Refused, match="missing"):
            whole(found, "data/b", 98)


@pytest.mark.parametrize("write", [zipped, tarred])
@pytest.mark.parametrize("name", OUT)
def test_names_that_lead_out_are_faults(write: object, name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "bag", [("bagit.txt", b""), (name, b"x")])  # type: ignore[operator]
    with opened(path) as found:
        assert list(found.members) == ["bagit.txt"]
        assert len(found.faults) == 1


def test_a_link_in_a_folder_is_a_fault_and_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "bagit.txt").write_text("x")
    (tmp_path / "data/link").symlink_to("/etc/passwd")
    (tmp_path / "data/folder").symlink_to("/etc")
    os.mkfifo(tmp_path / "data/pipe")
    with opened(tmp_path) as found:
        assert list(found.members) == ["bagit.txt"]
        assert sorted(one.split("'")[1] for one in found.faults) == [
            "data/folder",
            "data/link",
            "data/pipe",
        ]


def test_a_file_that_becomes_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "bagit.txt").write_text("x")
    with opened(tmp_path) as found:
        (tmp_path / "bagit.txt").unlink()
        (tmp_path / "bagit.txt").symlink_to("/etc/passwd")
        with pytest.raises(OSError):
            found.open("bagit.txt")


def test_a_link_in_a_tar_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "bag.tar"
    with tarfile.open(path, "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"night/{kind.decode()}")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    with opened(path) as found:
        assert not found.members and len(found.faults) == 4


def test_a_link_in_a_zip_is_a_fault(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("night/link")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "bag.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with opened(tmp_path / "bag.zip") as found:
        assert not found.members and "link" in found.faults[0]


def test_a_zip_bomb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = zipped(tmp_path / "bag.zip", [("a", bytes(400 << 20))], zipfile.ZIP_DEFLATED)
    with pytest.raises(Refused, match="says it holds"), opened(path):
        pass


def test_members_that_overlap_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "bag.zip"
    zipped(path, [("a", bytes(1 << 20))], zipfile.ZIP_DEFLATED)
    data = path.read_bytes()
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry = data[start:end]
    many = b"".join(
        entry[:46] + b"%c%c%c" % (65 + n // 676, 65 + n // 26 % 26, 65 + n % 26)
        for n in range(2000)
    )
    many = many.replace(struct.pack("<H", 1) + entry[30:46], struct.pack("<H", 3) + entry[30:46])
    path.write_bytes(
        data[:start]
        + many
        + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 2000, 2000, len(many), start, 0)
    )
    with pytest.raises(Refused), opened(path):
        pass


def test_the_same_name_twice_is_a_fault(tmp_path: Path) -> None:
    path = tarred(tmp_path / "bag.tar", [("n/a", b"1"), ("n/a", b"2")])
    with opened(path) as found:
        assert found.faults == ["a is there more than once"]


def test_a_tar_header_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bag.tar"
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 1 << 30
    path.write_bytes(info.tobuf(tarfile.USTAR_FORMAT))
    with path.open("r+b") as file:
        file.truncate(1 << 30)
    with pytest.raises(Refused, match="unreasonable length"), opened(path):
        pass


@pytest.mark.parametrize("cut", [600, 1100])
def test_an_archive_that_is_cut_off_is_refused(cut: int, tmp_path: Path) -> None:
    whole_tar = tarred(tmp_path / "bag.tar", [("n/a", b"x" * 2000), ("n/b", b"y")])
    whole_tar.write_bytes(whole_tar.read_bytes()[:cut])
    with pytest.raises(Refused), opened(whole_tar):
        pass
    whole_zip = zipped(tmp_path / "bag.zip", [("n/a", b"x" * 2000), ("n/b", b"y")])
    whole_zip.write_bytes(whole_zip.read_bytes()[:cut])
    with pytest.raises(Refused, match="cut off"), opened(whole_zip):
        pass


def test_a_large_directory_of_a_zip_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "bag.zip", [(f"n/{n}", b"") for n in range(100)])
    monkeypatch.setattr(container, "LARGEST_DIRECTORY", 1000)
    with pytest.raises(Refused, match="too large"), opened(path):
        pass


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MOST_MEMBERS", 10)
    many = [(f"n/{n}", b"") for n in range(20)]
    for path in (zipped(tmp_path / "a", many), tarred(tmp_path / "b", many)):
        with pytest.raises(Refused, match="more than 10 members"), opened(path):
            pass


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000), st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06"]))
def test_any_bytes_are_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, begin: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "bag"
    path.write_bytes(begin + data)
    with pytest.raises(Refused) as error, opened(path):
        pass
    assert error.value.message.endswith(".")


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_tar_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tarred(tmp_path_factory.mktemp("tar") / "bag", [("n/a", b"x" * 700), ("n/b", b"y" * 10)])
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, 1600))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        with opened(path) as found:
            for name in found.members:
                whole(found, name, 1 << 20)
    except Refused as error:
        assert error.message
