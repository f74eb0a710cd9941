# SPDX-License-Identifier: Apache-2.0
"""Disk images, made here by the tools that make real ones, and real ones where they are."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from locard.model.errors import Unreadable
from locard.parsers.contract import Context, Head, Limits
from locard.parsers.disk.image import sleuthkit
from locard.parsers.disk.image.parse import parse, recognise
from locard.parsers.opened import Evidence
from locard.parsers.rows import Rows
from tests.parsers.linux_bytes import utmp

EVIDENCE = Path(os.environ.get("LOCARD_EVIDENCE") or Path(__file__).parents[3] / "shared/evidence")
FILES = {
    "etc/hostname": b"web-1\n",
    "etc/timezone": b"Europe/Berlin\n",
    "etc/passwd": b"root:x:0:0:root:/root:/bin/bash\nevil::0:0::/root:/bin/sh\n",
    "root/.bash_history": b"#1700000000\nid\n#1700000001\ncurl http://203.0.113.9/x\n",
    "home/eve/.zsh_history": b": 1700000002:0;ls\n",
    "home/eve/.ssh/id_ed25519": b"-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END",
    "var/log/auth.log": b"2024-01-05T10:00:00+00:00 web-1 sshd[1]: Accepted password for root "
    b"from 203.0.113.9 port 4022 ssh2\n",
    "var/log/syslog": b"2024-01-05 10:00:00 web-1 app[1]: local time\n",
    "var/log/wtmp": utmp(7, b"root", b"pts/0", b"203.0.113.9", 1_700_000_000),
    "etc/cron.d/update": b"* * * * * root /tmp/.x\n",
}


class Reading(list):
    """The rows of an image, with what was counted."""

    seen = problems = 0
    facts: dict[str, str]

    def of(self, source):
        """The rows of one source that could be read."""
        return [row for row in self if row["source"] == source and not row["problem"]]


def tool(name):
    """Path of a program, or a skip that says what is missing."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def run(*command):
    """Run a tool and fail loudly."""
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


def read(path, siblings=(), only=None):
    """Rows of the image at `path`."""
    batches = []
    rows = Rows(batches.append, "e" * 64, "disk.image", "1")
    handles = [os.open(p, os.O_RDONLY) for p in (path, *siblings)]
    try:
        others = {
            Path(p).name: (fd, os.fstat(fd).st_size)
            for p, fd in zip(siblings, handles[1:], strict=True)
        }
        opened = Evidence(handles[0], Path(path).stat().st_size, Path(path).name, Limits(), others)
        parse(opened, rows, Context("e" * 64, modified=1, only=only))
        rows.close()
    finally:
        for fd in handles:
            os.close(fd)
    found = Reading()
    for batch in batches:
        batch.validate(full=True)
        times = batch.column("time").cast("int64").to_pylist()
        for row, when in zip(batch.to_pylist(), times, strict=True):
            found.append({**row, "time": when, "attributes": dict(row["attributes"])})
    found.seen, found.problems, found.facts = rows.seen, rows.problems, rows.facts
    assert found.problems == sum(1 for row in found if row["problem"])
    assert found.seen == rows.written == len(found)
    assert len({row["id"] for row in found}) == len(found)
    return found


def head(path):
    """What recognition sees of the file at `path`."""
    data = Path(path).read_bytes()
    return Head(data[:65_536], data[-4096:], len(data), "sample")


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    """A small ext4 file system of a Linux machine."""
    mkfs = tool("mkfs.ext4")
    folder = tmp_path_factory.mktemp("disk")
    for name, data in FILES.items():
        path = folder / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / "root/var/log/auth.log.again").symlink_to("auth.log")
    path = folder / "ext.raw"
    with path.open("wb") as stream:
        stream.truncate(8 << 20)
    run(mkfs, "-q", "-F", "-d", folder / "root", path)
    return path


@pytest.fixture(scope="session")
def partitioned(image):
    """The file system in the second of two MBR partitions."""
    path = image.with_name("mbr.raw")
    sectors = image.stat().st_size // 512
    entries = struct.pack("<B3sB3sII", 0, b"", 0x83, b"", 2048, 2048)
    entries += struct.pack("<B3sB3sII", 0x80, b"", 0x83, b"", 4096, sectors)
    boot = bytes(446) + entries.ljust(64, b"\0") + b"\x55\xaa"
    path.write_bytes(boot.ljust(4096 * 512, b"\0") + image.read_bytes())
    return path


def test_what_a_machine_holds(image):
    rows = read(image)
    assert rows.problems == 0
    assert rows.facts["host"] == "web-1"
    assert {row["host"] for row in rows} == {"web-1"}
    history = rows.of("linux.shell_history")
    assert [row["message"] for row in history] == ["id", "curl http://203.0.113.9/x", "ls"]
    assert [row["actor"] for row in history] == ["root", "root", "eve"]
    assert [row["locator"] for row in rows.of("linux.auth")] == ["disk/var/log/auth.log#0"]
    assert rows.of("linux.utmp")[0]["src_ip"] == "203.0.113.9"
    assert rows.of("linux.cron")[0]["resource"] == "/tmp/.x"
    (key,) = rows.of("linux.ssh")
    assert b"c2VjcmV0" not in key["raw"]


def test_local_times_take_the_zone_of_the_machine(image):
    (row,) = read(image).of("linux.syslog")
    assert row["time"] == 1_704_445_200_000_000_000  # 09:00 UTC is 10:00 in Berlin


def test_file_system_timeline(image):
    rows = read(image).of("disk.filesystem")
    names = {row["file"] for row in rows}
    assert {f"/{name}" for name in FILES} <= names
    stat = (image.parent / "root/etc/passwd").stat()
    of_file = [row for row in rows if row["file"] == "/etc/passwd"]
    modified = next(row for row in of_file if "modified" in row["time_meaning"])
    assert modified["time"] // 10**9 == stat.st_mtime_ns // 10**9
    assert modified["attributes"]["size"] == str(stat.st_size)
    assert len({row["time"] for row in of_file}) == len(of_file)


@pytest.mark.parametrize("form", ["-I256", "-I128", "-Ometa_bg,^resize_inode"])
def test_times_of_ext_inodes_before_1970_and_after_2038(image, tmp_path, form):
    path = tmp_path / "ext.raw"
    with path.open("wb") as stream:
        stream.truncate(8 << 20)
    run(tool("mkfs.ext4"), "-q", "-F", form, "-d", image.parent / "root", path)
    wanted = {"/etc/hostname": (-315_619_200, 0), "/etc/passwd": (0, 0)}
    if form != "-I128":
        wanted |= {"/etc/timezone": (7_258_118_400, 500_000_000), "/var/log/wtmp": (0, 7)}
    for name, (seconds, nanos) in wanted.items():
        fields = {"mtime_lo": seconds & 0xFFFFFFFF}
        if form != "-I128":
            above = (seconds - ((seconds + (1 << 31)) % (1 << 32) - (1 << 31))) >> 32
            fields["mtime_extra"] = nanos << 2 | above & 3
        for field, value in fields.items():
            run(tool("debugfs"), "-w", "-R", f"set_inode_field {name} {field} {value:#x}", path)
    rows = read(path).of("disk.filesystem")
    found = {r["file"]: r["time"] for r in rows if "modified" in r["time_meaning"]}
    assert {name: found.get(name) for name in wanted} == {
        name: seconds * 10**9 + nanos for name, (seconds, nanos) in wanted.items()
    }


def test_an_ext_volume_whose_group_descriptors_lie_apart_says_so(tmp_path):
    path = tmp_path / "ext.raw"
    with path.open("wb") as stream:
        stream.truncate(300 << 20)
    run(tool("mkfs.ext4"), "-q", "-F", "-b1024", "-Ometa_bg,^resize_inode", path)
    assert any("meta_bg" in row["problem"] for row in read(path))


def test_a_deleted_name_makes_no_orphan_of_its_inode(image, tmp_path, monkeypatch):
    """Not where the Sleuth Kit fails to list orphans either, as it does on some file systems."""
    listed = sleuthkit._directory

    def failing(filesystem, clock, path, inode):
        if path == sleuthkit._ORPHANS:
            yield "it cannot be read"
        else:
            yield from listed(filesystem, clock, path, inode)

    monkeypatch.setattr(sleuthkit, "_directory", failing)
    path = tmp_path / "deleted.raw"
    path.write_bytes(image.read_bytes())
    for name in ("etc/cron.d/update", "var/log/syslog", "home/eve/.zsh_history", "etc/timezone"):
        run(tool("debugfs"), "-w", "-R", f"rm /{name}", path)
    deleted = {
        (row["file"], row["attributes"]["inode"])
        for row in read(path).of("disk.filesystem")
        if row["attributes"].get("deleted")
    }
    assert {"/etc/cron.d/update", "/etc/timezone"} <= {name for name, _ in deleted}
    assert len(deleted) == len({inode for _, inode in deleted}), deleted


def test_deleted_names_are_flagged(image):
    debugfs = tool("debugfs")
    path = image.with_name("deleted.raw")
    shutil.copy(image, path)
    run(debugfs, "-w", "-R", "rm /etc/cron.d/update", path)
    rows = read(path).of("disk.filesystem")
    gone = [row for row in rows if row["file"] == "/etc/cron.d/update"]
    assert gone
    assert all(row["attributes"]["deleted"] == "true" for row in gone)
    assert not read(path).of("linux.cron")


def test_every_row_can_be_read_again_by_its_locator(image):
    rows = list(read(image))
    assert len(rows) > 20
    for row in rows:
        assert list(read(image, only=row["locator"])) == [row]


def test_partitions_have_names(partitioned):
    assert recognise(head(partitioned)).reason == "disk with a partition table (MBR)"
    rows = read(partitioned)
    assert {row["locator"].split("/")[0] for row in rows.of("linux.shell_history")} == {"p2"}


@pytest.mark.parametrize(
    "form", ["qcow2", "vmdk", "vdi", "vhdx", "vpc", "vmdk:subformat=streamOptimized",
             "vpc:subformat=fixed"],
)  # fmt: skip
def test_containers_give_the_same_rows(image, form, tmp_path):
    qemu = tool("qemu-img")
    kind, _, option = form.partition(":")
    path = tmp_path / f"disk.{kind}"
    run(qemu, "convert", "-O", kind, *(["-o", option] if option else []), image, path)
    assert recognise(head(path)).score == 100
    wanted = {(row["locator"], row["raw"]) for row in read(image)}
    assert {(row["locator"], row["raw"]) for row in read(path)} == wanted


def test_containers_that_need_other_files(image, tmp_path):
    qemu = tool("qemu-img")
    overlay, flat = tmp_path / "overlay.qcow2", tmp_path / "flat.vmdk"
    run(qemu, "create", "-f", "qcow2", "-b", image, "-F", "raw", overlay)
    with pytest.raises(Unreadable, match="backing file"):
        read(overlay)
    assert len(read(overlay, [image])) == len(read(image))
    top, larger = tmp_path / "top.qcow2", tmp_path / "larger.qcow2"
    run(qemu, "create", "-f", "qcow2", "-b", overlay, "-F", "qcow2", top)
    assert len(read(top, [overlay, image])) == len(read(image))
    run(qemu, "create", "-f", "qcow2", "-b", image, "-F", "raw", larger, "64M")
    assert len(read(larger, [image])) == len(read(image))
    outside = tmp_path / "outside.qcow2"
    run(qemu, "convert", "-O", "qcow2", "-o", f"data_file={tmp_path / 'outside.data'}", image,
        outside)  # fmt: skip
    with pytest.raises(Unreadable, match=r"data file 'outside\.data'"):
        read(outside)
    assert len(read(outside, [tmp_path / "outside.data"])) == len(read(image))
    run(qemu, "convert", "-O", "vmdk", "-o", "subformat=twoGbMaxExtentFlat", image, flat)
    with pytest.raises(Unreadable, match="extent"):
        read(flat)
    assert len(read(flat, sorted(tmp_path.glob("flat-*.vmdk")))) == len(read(image))
    sparse = tmp_path / "sparse.vmdk"
    run(qemu, "convert", "-O", "vmdk", "-o", "subformat=twoGbMaxExtentSparse", image, sparse)
    assert len(read(sparse, sorted(tmp_path.glob("sparse-*.vmdk")))) == len(read(image))


def test_a_qcow2_image_that_is_its_own_backing_file_is_a_clear_error(image, tmp_path):
    qemu = tool("qemu-img")
    one, two = tmp_path / "one.qcow2", tmp_path / "two.qcow2"
    run(qemu, "create", "-f", "qcow2", "-b", image, "-F", "raw", one)
    run(qemu, "create", "-f", "qcow2", "-b", one, "-F", "qcow2", two)
    run(qemu, "rebase", "-u", "-b", two, "-F", "qcow2", one)
    with pytest.raises(Unreadable, match=r"backing file 'one\.qcow2'"):
        read(one, [two])


def test_segments_of_a_split_image(image, tmp_path):
    data = image.read_bytes()
    parts = []
    for number in range(3):
        parts.append(tmp_path / f"disk.{number:03}")
        parts[-1].write_bytes(data[number * 3_000_000 : (number + 1) * 3_000_000])
    assert len(read(parts[0], parts[1:])) == len(read(image))


def test_e01_with_and_without_its_segments(image, tmp_path):
    acquire = tool("ewfacquire")
    run(acquire, "-u", "-q", "-t", tmp_path / "disk", "-f", "encase6", "-c", "none", "-S", "1MiB",
        image)  # fmt: skip
    first, *others = sorted(tmp_path.glob("disk.E*"))
    assert others
    assert len(read(first, others)) == len(read(image))
    alone = read(first)
    assert any("cut short" in row["problem"] for row in alone)
    with pytest.raises(Unreadable, match="segment 2"):
        read(first, others[1:])


def test_xfs(tmp_path):
    mkfs = tool("mkfs.xfs")
    history = tmp_path / "history"
    history.write_bytes(FILES["root/.bash_history"])
    prototype = tmp_path / "prototype"
    prototype.write_text(
        f"/\n0 0\nd--755 0 0\nroot d--700 0 0\n.bash_history ---600 0 0 {history}\n$\n$\n"
    )
    path = tmp_path / "xfs.raw"
    with path.open("wb") as stream:
        stream.truncate(320 << 20)
    run(mkfs, "-q", "-f", "-p", prototype, path)
    rows = read(path)
    assert rows.problems == 0
    assert [row["message"] for row in rows.of("linux.shell_history")] == [
        "id", "curl http://203.0.113.9/x",
    ]  # fmt: skip
    assert "/root/.bash_history" in {row["file"] for row in rows.of("disk.filesystem")}


def test_an_encrypted_volume_says_so(tmp_path):
    path = tmp_path / "luks.raw"
    path.write_bytes(b"LUKS\xba\xbe\0\1".ljust(1 << 16, b"\0"))
    (row,) = read(path)
    assert "encrypted (LUKS)" in row["problem"]


@pytest.mark.parametrize("share", [0.9, 0.5, 0.2, 0.01])
def test_a_disk_cut_short_gives_what_it_can_and_says_so(partitioned, tmp_path, share):
    data = partitioned.read_bytes()
    path = tmp_path / "cut.raw"
    path.write_bytes(data[: int(len(data) * share)])
    rows = read(path)
    assert any("cut short" in row["problem"] for row in rows)


@pytest.mark.parametrize("form", ["vmdk", "vhdx", "vpc", "vdi"])
def test_a_container_cut_short_says_so_and_gives_what_is_before(tmp_path, form):
    history = tmp_path / "root/root/.bash_history"
    history.parent.mkdir(parents=True)
    history.write_bytes(b"".join(b"command %d\n" % number for number in range(400_000)))
    plain = tmp_path / "ext.raw"
    with plain.open("wb") as stream:
        stream.truncate(16 << 20)
    run(tool("mkfs.ext4"), "-q", "-F", "-d", tmp_path / "root", plain)
    path = tmp_path / f"disk.{form}"
    run(tool("qemu-img"), "convert", "-f", "raw", "-O", form, plain, path)
    at = path.read_bytes().index(b"command 200000\n")
    with path.open("r+b") as stream:
        stream.truncate(at)
    rows = read(path)
    commands = [row["message"] for row in rows.of("linux.shell_history")]
    assert 100_000 < len(commands) <= 200_001
    assert commands[:-1] == [f"command {number}" for number in range(len(commands) - 1)]
    assert any("breaks off" in r["problem"] and "cut short" in r["problem"] for r in rows)


@pytest.mark.parametrize("share", [0.9, 0.6])
def test_a_file_system_cut_short_says_so_though_nothing_that_was_read_is_missing(
    image, tmp_path, share
):
    path = tmp_path / "cut.raw"
    path.write_bytes(image.read_bytes()[: int((8 << 20) * share)])
    rows = read(path)
    (cut,) = [row for row in rows if row["problem"]]
    assert "the ext file system of disk takes 8388608 bytes" in cut["problem"]
    assert len(rows) == len(read(image)) + 1
    assert list(read(path, only=cut["locator"])) in ([], [cut])


def test_an_xfs_volume_cut_short_says_so(tmp_path):
    path = tmp_path / "xfs.raw"
    with path.open("wb") as stream:
        stream.truncate(320 << 20)
    run(tool("mkfs.xfs"), "-q", "-f", path)
    with path.open("r+b") as stream:
        stream.truncate(200 << 20)
    assert any("takes 335544320 bytes" in row["problem"] for row in read(path))


def test_a_vhd_without_its_end_is_read_by_the_copy_of_its_footer(image, tmp_path):
    path = tmp_path / "disk.vhd"
    run(tool("qemu-img"), "convert", "-O", "vpc", image, path)
    path.write_bytes(path.read_bytes()[:-512])
    rows = read(path)
    assert [row["problem"] for row in rows if row["problem"]] == [
        "the VHD image is cut short: its last 512 bytes are not its footer"
    ]
    assert rows.of("linux.shell_history")


def test_partitions_that_lie_outside_or_end_before_they_begin(image, tmp_path):
    sectors = image.stat().st_size // 512
    kind = bytes.fromhex("af3dc60f838472478e793d69d8477de4")
    table = b"".join(
        struct.pack("<16s16sQQQ72s", kind, bytes([number] * 16), first, last, 0, b"x\0")
        for number, (first, last) in enumerate(
            [(1 << 40, (1 << 40) + 9), (2048, 2048 + sectors - 1), (5000, 100)], 1
        )
    )
    header = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 1, 0, 34, 1 << 41,
                         b"g" * 16, 2, 128, 128, 0)  # fmt: skip
    protective = struct.pack("<B3sB3sII", 0, b"", 0xEE, b"", 1, 0xFFFFFFFF)
    boot = bytes(446) + protective.ljust(64, b"\0") + b"\x55\xaa"
    path = tmp_path / "gpt.raw"
    path.write_bytes((boot + header.ljust(512, b"\0") + table).ljust(1 << 20, b"\0")
                     + image.read_bytes() + bytes(1 << 20))  # fmt: skip
    rows = read(path)
    problems = {row["locator"].split("!")[0]: row["problem"] for row in rows if row["problem"]}
    assert set(problems) == {"p1", "p3"}
    assert "beyond its end" in problems["p1"]
    assert "ends before it begins" in problems["p3"]
    assert {row["locator"].split("/")[0] for row in rows.of("linux.shell_history")} == {"p2"}


def test_an_image_of_zeros_says_that_nothing_was_found(tmp_path):
    path = tmp_path / "zeros.raw"
    with path.open("wb") as stream:
        stream.truncate(4 << 20)
    (row,) = read(path)
    assert "no other byte than zeros" in row["problem"]


def test_an_empty_image_is_a_clear_error(tmp_path):
    path = tmp_path / "empty.raw"
    path.touch()
    with pytest.raises(Unreadable, match="empty"):
        read(path)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damage_never_ends_in_anything_but_rows_or_a_clear_error(image, tmp_path, data):
    whole = bytearray(image.read_bytes())
    for _ in range(data.draw(st.integers(1, 20))):
        at = data.draw(st.integers(0, 1 << 18))
        whole[at : at + 4] = data.draw(st.binary(min_size=4, max_size=4))
    path = tmp_path / "damaged.raw"
    path.write_bytes(whole)
    try:
        read(path)
    except Unreadable as error:
        assert error.message


def test_text_and_zeros_are_no_image():
    for data in (b"just text\n" * 1000, bytes(100_000), b"\x55\xaa" * 5000):
        assert recognise(Head(data[:65_536], data[-4096:], len(data), "a.raw")).score == 0


SLEUTHKIT = {"image.dd": 9, "image.E01": 9, "image.vhd": 9, "image.vmdk": 9, "image.iso": 6}


@pytest.mark.evidence
@pytest.mark.parametrize("name", SLEUTHKIT)
def test_names_that_fls_lists(name):
    path = EVIDENCE / "disk/sleuthkit/test/data" / name
    if not path.is_file():
        pytest.skip(f"no evidence at {path}")
    rows = read(path)
    assert rows.problems == 0
    assert len({row["locator"].rsplit(":", 1)[0] for row in rows}) == SLEUTHKIT[name]


@pytest.mark.evidence
def test_a_booted_server(tmp_path):
    packed = EVIDENCE / "host/disk.raw.zst"
    if not packed.is_file():
        pytest.skip(f"no evidence at {packed}")
    path = tmp_path / "disk.raw"
    run(tool("zstd"), "-dq", packed, "-o", path)
    rows = read(path)
    assert rows.problems == 0
    counts = {source: len(rows.of(source)) for source in {row["source"] for row in rows}}
    assert counts["linux.shell_history"] == 27
    assert counts["linux.auth"] == 13
    assert counts["linux.journal"] == 542
    assert counts["linux.cron"] == 9
    assert counts["linux.utmp"] == 7 + 1  # wtmp and one used record of lastlog
    files = [row["file"].rsplit("/", 1)[-1] for row in rows]
    assert files.count("syslog") - sum(
        1 for row in rows.of("disk.filesystem") if row["file"].endswith("/syslog")
    ) == 442  # fmt: skip
    assert sum(1 for row in rows.of("linux.docker") if row["file"].endswith("-json.log")) == 2000
    packages = rows.of("linux.packages")
    assert sum(1 for row in packages if row["file"].endswith("history.log")) == 15
    dpkg = [row for row in packages if row["file"].endswith("dpkg.log")]
    assert len(dpkg) == 1098
    verbs = ("status", "configure", "trigproc")
    assert sum(1 for row in dpkg if row["attributes"]["verb"] in verbs) == 931
    entries = {row["locator"].rsplit(":", 1)[0] for row in rows.of("disk.filesystem")}
    assert 10_600 <= len(entries) <= 10_700
