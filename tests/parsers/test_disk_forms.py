# SPDX-License-Identifier: Apache-2.0
"""Forms of images and file systems that the libraries read wrongly, and what is said of damage."""

import mmap
import struct
import uuid
import zlib

import pytest

from locard.model.errors import Unreadable
from locard.parsers.contract import Head
from locard.parsers.disk.image.layers import Volume
from locard.parsers.disk.image.parse import recognise
from locard.parsers.disk.image.partition_table import FROM_ITS_END, SECTORS, SIGNATURE
from locard.parsers.disk.image.tree import Tree
from locard.parsers.looks import looks_like
from tests.parsers.linux_bytes import lastlog
from tests.parsers.test_disk import FILES, image, read, run, tool

__all__ = ["image"]
COUNT = 1500


def wanted():
    """The paths in the file systems that `xfs` makes."""
    return {"/many"} | {f"/many/name-{number}-{'x' * (number % 60)}" for number in range(COUNT)}


@pytest.fixture
def xfs(tmp_path):
    """Makes an XFS file system with one large folder."""

    def make(*options):
        (tmp_path / "content").write_bytes(b"x")
        names = "\n".join(
            f"{path.rsplit('/', 1)[1]} ---644 0 0 {tmp_path / 'content'}"
            for path in sorted(wanted() - {"/many"})
        )
        (tmp_path / "prototype").write_text(f"/\n0 0\nd--755 0 0\nmany d--755 0 0\n{names}\n$\n$\n")
        path = tmp_path / "xfs.raw"
        with path.open("wb") as stream:
            stream.truncate(320 << 20)
        run(tool("mkfs.xfs"), "-q", "-f", *options, "-p", tmp_path / "prototype", path)
        return path

    return make


@pytest.mark.parametrize(
    "options", [("-n", "size=65536"), ("-n", "size=8192"), ("-m", "crc=0", "-n", "ftype=0")]
)
def test_xfs_directories_of_any_block_size_give_every_name(xfs, options):
    rows = read(xfs(*options))
    assert rows.problems == 0
    assert {row["file"] for row in rows.of("disk.filesystem")} == wanted()


def test_a_damaged_xfs_directory_block_is_told_and_the_others_are_read(xfs):
    path = xfs("-n", "size=65536")
    with path.open("r+b") as stream, mmap.mmap(stream.fileno(), 0) as data:
        at = data.find(b"XDD3")
        data[at : at + 4] = b"\0\0\0\0"
    rows = read(path)
    (problem,) = [row for row in rows if row["problem"]]
    assert "1 of 2 directory blocks" in problem["problem"]
    assert 0 < len(rows.of("disk.filesystem")) < COUNT
    assert problem in read(path, only=problem["locator"])


@pytest.mark.parametrize("make", [("mkfs.xfs", "-q", "-f"), ("mkfs.vfat", "-F", "32")])
def test_an_empty_volume_is_told_of_and_is_no_problem(tmp_path, make):
    path = tmp_path / "empty.raw"
    with path.open("wb") as stream:
        stream.truncate(320 << 20)
    run(tool(make[0]), *make[1:], path)
    rows = read(path)
    assert rows.problems == 0
    (row,) = rows.of("disk.image")
    assert "is empty" in row["message"]
    assert list(read(path, only=row["locator"])) == [row]


def test_an_empty_volume_whose_root_cannot_be_read_is_a_problem(tmp_path):
    path = tmp_path / "xfs.raw"
    with path.open("wb") as stream:
        stream.truncate(320 << 20)
    run(tool("mkfs.xfs"), "-q", "-f", path)
    with path.open("r+b") as stream, mmap.mmap(stream.fileno(), 0) as data:
        at = data.find(b"IN\x41\xed")
        assert at > 0
        data[at : at + 2] = b"\0\0"
    assert read(path).problems


def behind(at, magic, size=1 << 20):
    """Bytes with nothing but a signature at a place."""
    return (bytes(at) + magic).ljust(size, b"\0")


def head_of(data):
    """What recognition sees of the bytes."""
    return Head(data[:65536], data[-4096:], len(data), "x", more=lambda: data[65536:])


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (behind(0x10040, b"_BHRfS_M"), "btrfs file system"),
        (behind(65536 + 1372, b"\x19\x01\x54\x19"), "ufs file system"),
    ],
)
def test_a_file_system_that_leaves_its_first_64_kib_empty_is_recognised(data, kind):
    assert recognise(head_of(data)).reason == kind


WORDS = [
    (3, b"NTFS    "), (54, b"FAT16   "), (82, b"FAT32   "), (512, b"LABELONE"),
    (512, b"EFI PART"), (1024, b"BD"), (1024, b"H+"), (1024, b"HX"), (0x8001, b"CD001"),
    (0x10040, b"_BHRfS_M"), (99_488, b"conectix"),
]  # fmt: skip


@pytest.mark.parametrize(("at", "word"), WORDS)
def test_no_word_in_a_log_makes_an_image_of_it(at, word):
    line = b"Mar  1 10:00:00 web sshd[1]: Invalid user %b from 10.0.0.5\n"
    log = bytearray((line % b"x" * 2000)[:100_000])
    log[at : at + len(word)] = word
    assert recognise(head_of(bytes(log))).score == 0


@pytest.mark.parametrize(
    ("at", "word"), [(1024, b"BD"), (1024, b"H+"), (1024, b"HX"), (1080, b"\x53\xef")]
)
def test_two_letters_in_packed_bytes_make_no_image_of_them(at, word):
    packed = bytearray(b"PK\3\4" + b"\xc3\0\x9d" * 40_000)
    packed[at : at + len(word)] = word
    assert recognise(head_of(bytes(packed))).score == 0


def test_what_is_no_image_is_called_what_it_is():
    assert looks_like(head_of(bytes(1 << 20))) == "zeros"
    assert looks_like(head_of(behind(1 << 19, b"x"))) == "zeros at its beginning"
    assert looks_like(head_of(behind(4086, b"SWAPSPACE2"))) == "swap space"
    assert "first line is too long" in looks_like(head_of(b'{"a": "' + b"x" * (1 << 20)))
    for packed in (b"Rar!\x1a\x07\x01\0", b"070701", b"\x5d\0\0\x80\0", b"LZIP\x01"):
        assert looks_like(head_of(packed + b"x" * 600)).endswith("unpack it and add what comes out")
    assert "unlock it" in looks_like(head_of(b"LUKS\xba\xbe\0\x02" + b"x" * 600))
    lines = b"x" * (1 << 20) + b"\nmore\n"
    assert looks_like(head_of(lines)) == "text that no parser knows"


def test_a_disk_with_swap_alone_says_so(tmp_path):
    entry = struct.pack("<B3sB3sII", 0, b"", 0x82, b"", 2048, 2048)
    boot = (bytes(446) + entry).ljust(510, b"\0") + b"\x55\xaa"
    path = tmp_path / "swap.raw"
    path.write_bytes(boot.ljust(1 << 20, b"\0") + behind(4086, b"SWAPSPACE2"))
    (row,) = read(path)
    assert "nothing but swap space was found" in row["problem"]


def test_one_of_several_devices_of_btrfs_says_so_and_is_not_called_cut_short(tmp_path):
    block = bytearray(4096)
    block[0x40:0x48] = b"_BHRfS_M"
    for at, value in ((0x70, 2 << 20), (0x88, 2), (0xD1, 1 << 20)):
        block[at : at + 8] = value.to_bytes(8, "little")
    path = tmp_path / "one.raw"
    path.write_bytes(behind(0x10000, bytes(block)))
    told = [row["problem"] for row in read(path)]
    assert any("lies on 2 devices, and this is one of them" in why for why in told)
    assert not any("cut short" in why for why in told)


def test_an_ext_volume_whose_root_folder_was_wiped_says_so(image, tmp_path):
    data = bytearray(image.read_bytes())
    at = data.index(b"lost+found") - 32
    data[at : at + 1024] = bytes(1024)
    path = tmp_path / "wiped.raw"
    path.write_bytes(data)
    rows = read(path)
    assert rows.problems
    for row in rows:
        if row["problem"]:
            assert row in read(path, only=row["locator"]), row


@pytest.mark.parametrize("options", ["extended_l2=on", "extended_l2=on,cluster_size=128k"])
@pytest.mark.parametrize("more", [(), ("-c",)])
def test_qcow2_with_extended_l2_entries(image, tmp_path, options, more):
    path = tmp_path / "disk.qcow2"
    run(tool("qemu-img"), "convert", *more, "-O", "qcow2", "-o", options, image, path)
    assert list(read(path)) == list(read(image))


def test_qcow2_with_parts_of_clusters_written_over_a_backing_file(image, tmp_path):
    path, flat = tmp_path / "over.qcow2", tmp_path / "flat.raw"
    run(tool("qemu-img"), "create", "-f", "qcow2", "-F", "raw", "-b", image,
        "-o", "extended_l2=on", path)  # fmt: skip
    at = image.read_bytes().index(b"#1700000000") // 512 * 512
    run(tool("qemu-io"), "-c", f"write -P 65 {at} 512", "-c", "write -z 4194304 6144", path)
    run(tool("qemu-img"), "convert", "-O", "raw", path, flat)
    rows = read(path, (image,))
    assert list(rows) == list(read(flat))
    assert "id" not in {row["message"] for row in rows.of("linux.shell_history")}


@pytest.mark.parametrize("options", [(), ("-S", "1MiB", "-c", "fast")])
def test_the_smart_form_of_ewf(image, tmp_path, options):
    run(tool("ewfacquire"), "-u", "-q", "-t", tmp_path / "s", "-f", "smart", *options, image)
    first, *others = sorted(tmp_path.glob("s.s*"))
    assert list(read(first, others)) == list(read(image))


@pytest.mark.parametrize(("form", "title"), [("qed", "QED"), ("parallels", "Parallels")])
def test_a_container_that_is_not_read_says_what_to_do(tmp_path, form, title):
    path = tmp_path / f"disk.{form}"
    run(tool("qemu-img"), "create", "-q", "-f", form, path, "8M")
    assert recognise(Head(path.read_bytes()[:65536], b"", path.stat().st_size, "disk")).score == 100
    with pytest.raises(Unreadable, match=f"{title} image.*not supported") as raised:
        read(path)
    assert "qemu-img convert -O raw" in raised.value.advice


def long_log(lines):
    """A log that no inode holds."""
    return b"".join(
        b"2024-01-05 10:00:%02d web-1 app[1]: line %d\n" % (n % 60, n) for n in range(lines)
    )


@pytest.fixture
def ext(tmp_path):
    """Makes an ext file system of a machine with short and long files and a sparse one."""

    def make(*options):
        files = {
            **FILES, "var/log/messages": long_log(400),
            "etc/short": b"s" * 59, "etc/more": b"m" * 90,
            **{f"many/{number}-{'x' * (number % 40)}": b"" for number in range(300)},
        }  # fmt: skip
        for name, data in files.items():
            path = tmp_path / "root" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        for name, uids in (("lastlog", (0, 400, 90_000)), ("sparse", (0, 400, 300_000))):
            with (tmp_path / "root/var/log" / name).open("wb") as stream:
                for uid in uids:
                    stream.seek(uid * 292)
                    stream.write(lastlog(1_700_000_000 + uid, b"tty1", b""))
                stream.truncate((uids[-1] + 100) * 292)
        path = tmp_path / "ext.raw"
        with path.open("wb") as stream:
            stream.truncate(64 << 20)
        run(tool("mkfs.ext4"), "-q", "-F", *options, "-d", tmp_path / "root", path)
        return path

    return make


@pytest.mark.parametrize("options", [
    ("-b", "4096"), ("-b", "1024"), ("-O", "bigalloc", "-C", "16384"),
    ("-O", "bigalloc", "-b", "4096", "-C", "65536"), ("-O", "inline_data", "-I", "256"),
    ("-O", "inline_data", "-I", "1024", "-b", "4096"), ("-O", "^extents,^64bit", "-b", "1024"),
    ("-O", "^extents,^64bit,^metadata_csum,^filetype", "-b", "4096"), ("-b", "65536"),
    ("-O", "casefold,verity,project,ea_inode,orphan_file", "-E", "encoding=utf8"),
], ids=" ".join)  # fmt: skip
def test_every_form_of_ext_gives_the_same_rows(ext, options):
    rows = read(ext(*options))
    assert rows.problems == 0
    assert rows.facts["host"] == "web-1"
    logins = [row for row in rows.of("linux.utmp") if row["file"].endswith("lastlog")]
    assert [row["time"] // 10**9 - 1_700_000_000 for row in logins] == [0, 400, 90_000]
    assert [row["message"] for row in rows.of("linux.shell_history")] == [
        "id", "curl http://203.0.113.9/x", "ls",
    ]  # fmt: skip
    log = [row for row in rows.of("linux.syslog") if row["file"] == "/var/log/messages"]
    assert len(log) == 400
    assert len({f for row in rows.of("disk.filesystem") if "/many/" in (f := row["file"])}) == 300


@pytest.mark.parametrize(
    "options, names",
    [(("-O", "inline_data"), ("/etc/short", "/etc/more", "/var/log/messages")),
     (("-O", "^extents,^64bit", "-b", "1024"), ("/etc/more", "/var/log/sparse"))],
)  # fmt: skip
def test_content_of_ext_is_that_of_its_file(ext, tmp_path, options, names):
    with ext(*options).open("rb") as stream:
        tree = Tree(Volume("disk", stream, 64 << 20, "ext"))
        for name in names:
            assert tree.open(name).read() == (tmp_path / "root" / name[1:]).read_bytes()


def test_damage_of_an_ext_folder_is_told_and_the_other_blocks_are_read(ext):
    path = ext("-b", "1024", "-O", "^metadata_csum,^dir_index")
    before = len(read(path).of("linux.cron_scripts"))
    with path.open("r+b") as stream, mmap.mmap(stream.fileno(), 0) as data:
        at = data.find(b"cron.daily")
        assert data[at - 2] == len(b"cron.daily")
        data[at - 4 : at - 2] = b"\0\0"
    rows = read(path)
    assert (before, len(rows.of("linux.cron_scripts"))) == (1, 0)
    (problem,) = [row for row in rows if "names in it are missing" in row["problem"]]
    assert problem in read(path, only=problem["locator"])


def test_an_encrypted_folder_says_so(ext):
    path = ext("-O", "encrypt")
    run(tool("debugfs"), "-w", "-R", "set_inode_field /home/eve flags 0x80800", path)
    (problem,) = [row for row in read(path) if row["problem"]]
    assert "encrypted (fscrypt)" in problem["problem"]


def test_content_inside_an_inode_that_breaks_off_is_a_problem(ext):
    path = ext("-O", "inline_data", "-I", "256")
    run(tool("debugfs"), "-w", "-R", "set_inode_field /root/.bash_history size 5000", path)
    rows = read(path)
    (problem,) = [row for row in rows if row["problem"]]
    assert problem["locator"] == "disk/root/.bash_history#broken"


def with_gpt(image, sector):
    """A disk of one partition, which holds the file system, with a GPT at both ends."""
    data = image.read_bytes()
    count, first = len(data) // sector, 256
    table = -(-128 * 128 // sector)
    last = first + count + table  # its last sector

    entry = uuid.UUID("0FC63DAF-8483-4772-8E79-3D69D8477DE4").bytes_le + bytes(range(16))
    entry += struct.pack("<QQQ", first, first + count - 1, 0) + "root".encode("utf-16-le")
    entries = entry.ljust(128 * 128, b"\0")

    def header(me, other, at):
        fields = (SIGNATURE, 0x10000, 92, 0, 0, me, other, 2 + table, last - table - 1)
        told = struct.pack("<8sIIIIQQQQ16sQIII", *fields, bytes(16), at, 128, 128, 0)
        return (told[:16] + struct.pack("<I", zlib.crc32(told)) + told[20:]).ljust(sector, b"\0")

    boot = (
        bytes(446) + struct.pack("<B3sB3sII", 0, b"", 0xEE, b"", 1, last) + bytes(48) + b"\x55\xaa"
    )
    begin = boot.ljust(sector, b"\0") + header(1, last, 2) + entries.ljust(table * sector, b"\0")
    return (
        begin.ljust(first * sector, b"\0")
        + data
        + entries.ljust(table * sector, b"\0")
        + header(last, 1, last - table)
    )


@pytest.mark.parametrize("sector", SECTORS)
def test_a_gpt_is_read_from_the_end_of_the_disk_where_its_beginning_is_damaged(
    image, tmp_path, sector
):
    path, whole = tmp_path / "gpt.raw", with_gpt(image, sector)
    path.write_bytes(whole)
    rows = read(path)
    assert len(rows) > 20 and not [row for row in rows if row["problem"]]
    assert all(row["locator"].startswith("p1") for row in rows)
    for wiped in (slice(sector, sector + 8), slice(0, 34 * 512)):
        damaged = bytearray(whole)
        damaged[wiped] = bytes(wiped.stop - wiped.start)
        path.write_bytes(damaged)
        told, *others = sorted(read(path), key=lambda row: not row["problem"])
        assert told["problem"] == FROM_ITS_END
        assert sorted(row["locator"] for row in others) == sorted(row["locator"] for row in rows)
    damaged[-sector + 20] ^= 1  # the checksum of the copy differs too
    path.write_bytes(damaged)
    assert not [row for row in read(path) if row["locator"].startswith("p1")]


def test_a_copy_of_a_gpt_that_another_table_replaced_is_not_read(image, tmp_path):
    disk = bytearray(with_gpt(image, 512))
    sectors = image.stat().st_size // 512
    disk[446:462] = struct.pack("<B3sB3sII", 0, b"", 0x83, b"", 256, sectors // 2)
    disk[512:520] = bytes(8)
    (tmp_path / "mbr.raw").write_bytes(disk)
    assert not [row for row in read(tmp_path / "mbr.raw") if row["problem"] == FROM_ITS_END]
