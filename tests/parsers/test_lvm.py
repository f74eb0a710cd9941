# SPDX-License-Identifier: Apache-2.0
"""Logical volumes: linear, over two physical volumes, striped, and with one of them missing.

The physical volumes are written here, byte by byte as LVM2 writes them: its tools want a kernel
with the device mapper.
"""

import random
import struct

import pytest

from locard.parsers.disk.image import layers
from tests.parsers.test_disk import image, read  # noqa: F401  (image is a fixture)

EXTENT = 1 << 20
START = 1 << 20
"""Where the first extent begins."""
UUIDS = ["0" * 31 + "a", "0" * 31 + "b"]


def metadata(volumes, more=""):
    """The text of a group `g-1`: for each volume its segments, (extents, [(pv, extent), ...]).

    `more` is the text of further volumes.
    """
    text = ['g-1 {\nid = "g"\nseqno = 1\nstatus = ["READ"]\nflags = []']
    text.append(f"extent_size = {EXTENT // 512}\nmax_lv = 0\nmax_pv = 0\nphysical_volumes {{")
    for number, uuid in enumerate(UUIDS):
        dashed = "-".join((uuid[:6], *(uuid[6 + 4 * n : 10 + 4 * n] for n in range(5)), uuid[26:]))
        text.append(
            f'pv{number} {{\nid = "{dashed}"\ndevice = "/dev/x{number}"\nstatus = []\nflags = []\n'
            f"dev_size = 1\npe_start = {START // 512}\npe_count = 64\n}}"
        )
    text.append("}\nlogical_volumes {")
    for name, segments in volumes.items():
        text.append(f'{name} {{\nid = "{name}"\nstatus = ["VISIBLE"]\nflags = []')
        text.append(f"segment_count = {len(segments)}")
        start = 0
        for number, (extents, stripes) in enumerate(segments, 1):
            places = ", ".join(f'"pv{pv}", {first}' for pv, first in stripes)
            size = "\nstripe_size = 128" if len(stripes) > 1 else ""
            text.append(
                f"segment{number} {{\nstart_extent = {start}\nextent_count = {extents}\n"
                f'type = "striped"\nstripe_count = {len(stripes)}{size}\nstripes = [ {places} ]\n}}'
            )
            start += extents
        text.append("}")
    return "\n".join([*text, more, '}\n}\ncontents = "Text Format Volume Group"\nversion = 1\n\0'])


def physical(uuid, text, extents):
    """A physical volume with these extents' bytes."""
    size = START + len(extents)
    header = uuid.encode() + struct.pack("<QQQQQQQQQ", size, START, 0, 0, 0, 4096, 1 << 19, 0, 0)
    label = b"LABELONE" + struct.pack("<QII", 1, 0, 32) + b"LVM2 001" + header
    area = struct.pack("<I16sIQQ", 0, b" LVM2 x[5A%r0N*>", 1, 4096, 1 << 19)
    area += struct.pack("<QQIIQQII", 512, len(text), 0, 0, 0, 0, 0, 0)
    first = bytes(512) + label.ljust(512, b"\0")
    first = first.ljust(4096, b"\0") + area.ljust(512, b"\0") + text.encode()
    return first.ljust(START, b"\0") + extents


def disk(*parts):
    """The bytes of a disk with these partitions."""
    entries, at = b"", 2048
    for part in parts:
        entries += struct.pack("<B3sB3sII", 0, b"", 0x8E, b"", at, len(part) // 512)
        at += len(part) // 512
    boot = bytes(446) + entries.ljust(64, b"\0") + b"\x55\xaa"
    return boot.ljust(1 << 20, b"\0") + b"".join(parts)


@pytest.fixture
def group(image):  # noqa: F811
    """Two physical volumes with the file system of a machine three times, laid out otherwise."""
    data = image.read_bytes()
    half = len(data) // 2
    chunk = 128 * 512
    count = len(data) // EXTENT
    striped = [
        b"".join(data[at : at + chunk] for at in range(first, len(data), 2 * chunk))
        for first in (0, chunk)
    ]
    text = metadata(
        {
            "linear": [(count, [(0, 0)])],
            "over-two": [(count // 2, [(0, count)]), (count // 2, [(1, 0)])],
            "striped": [(count, [(0, count + count // 2), (1, count // 2)])],
        }
    )
    first = physical(UUIDS[0], text, data + data[:half] + striped[0])
    second = physical(UUIDS[1], text, data[half:] + striped[1])
    return data, first, second


def test_every_layout_gives_the_bytes_of_its_volume(group, tmp_path):
    data, first, second = group
    path = tmp_path / "disk.raw"
    path.write_bytes(disk(first, second))
    told = []
    with path.open("rb") as stream:
        found = layers.volumes(stream, lambda place, why: told.append((place, why)))
        logical = {v.name: v.stream for v in found if v.kind == "ext"}
        assert set(logical) == {"g--1-linear", "g--1-over--two", "g--1-striped"}
        dice = random.Random(7)
        for stream_of in logical.values():
            stream_of.seek(0)
            assert stream_of.read() == data
            for _ in range(50):
                at, size = dice.randrange(len(data)), dice.randrange(1, 300_000)
                stream_of.seek(at)
                assert stream_of.read(size) == data[at : at + size]
    assert told == []


def test_rows_of_each_volume(group, tmp_path):
    _, first, second = group
    path = tmp_path / "disk.raw"
    path.write_bytes(disk(first, second))
    rows = read(path)
    assert rows.problems == 0
    places = {row["locator"].split("/")[0] for row in rows.of("linux.shell_history")}
    assert places == {"g--1-linear", "g--1-over--two", "g--1-striped"}


def test_a_missing_physical_volume_is_named(group, tmp_path):
    _, first, _ = group
    path = tmp_path / "alone.raw"
    path.write_bytes(first)
    rows = read(path)
    problems = [row["problem"] for row in rows if row["problem"]]
    assert len(problems) == 2
    assert all("needs the physical volume pv1" in text for text in problems)
    assert rows.of("linux.shell_history")


def test_groups_of_one_name_are_kept_apart(image, tmp_path):  # noqa: F811
    data = image.read_bytes()
    other = data.replace(b"#1700000000", b"#1600000000")
    assert other != data
    text = metadata({"linear": [(len(data) // EXTENT, [(0, 0)])]})
    second = text.replace('id = "g"', 'id = "h"', 1).replace("00000a", "00000c")
    path = tmp_path / "disk.raw"
    path.write_bytes(disk(
        physical(UUIDS[0], text, data), physical("0" * 31 + "c", second, other)
    ))  # fmt: skip
    told = []
    with path.open("rb") as stream:
        found = layers.volumes(stream, lambda place, why: told.append((place, why)))
        logical = {v.name: v.stream for v in found if v.kind == "ext"}
        assert set(logical) == {"g--1-linear", "g--1-linear~2"}
        assert [one.seek(0) or one.read() for one in logical.values()] == [data, other]
    assert told == []


def test_a_group_without_logical_volumes_says_so(tmp_path):
    text = metadata({})
    text = text.replace("\nlogical_volumes {\n\n}", "", 1)
    assert "logical_volumes" not in text
    (tmp_path / "empty.raw").write_bytes(
        disk(*(physical(one, text, bytes(1 << 20)) for one in UUIDS))
    )
    (problem,) = [row["problem"] for row in read(tmp_path / "empty.raw")]
    assert problem.startswith("the LVM group g-1 holds no logical volume")


def test_damaged_metadata_is_a_problem(group, tmp_path):
    _, first, second = group
    path = tmp_path / "damaged.raw"
    for at in range(4096 + 512, 4096 + 512 + 1500, 150):
        damaged = bytearray(first)
        damaged[at : at + 20] = b"\x7f" * 20
        path.write_bytes(disk(bytes(damaged), second))
        rows = read(path)
        assert rows.problems or rows.of("linux.shell_history")


BLOCK = 64 << 10
"""Bytes of a block of the thin pool."""
NODE = 4096


def node(at, flags, entries):
    """A node of a B-tree of the device mapper."""
    most = 252
    head = struct.pack("<IIQIIII", 0, flags, at, len(entries), most, 8, 0)
    keys = b"".join(struct.pack("<Q", key) for key, _ in entries).ljust(most * 8, b"\0")
    values = b"".join(struct.pack("<Q", value) for _, value in entries).ljust(most * 8, b"\0")
    return (head + keys + values).ljust(NODE, b"\0")


def pool_metadata(places, device=7):
    """The metadata of a pool with one volume: `places` says where its blocks are."""
    blocks = sorted(places.items())
    leaves = [blocks[at : at + 252] for at in range(0, len(blocks), 252)]
    nodes = [node(1, 2, [(device, 2)])]
    nodes.append(node(2, 1, [(leaf[0][0], 3 + number) for number, leaf in enumerate(leaves)]))
    for number, leaf in enumerate(leaves):
        nodes.append(node(3 + number, 2, [(key, place << 24 | 5) for key, place in leaf]))
    first = struct.pack(
        "<IIQ16sQIIQQ128s128sQQIIQ",
        0, 0, 0, b"", 27022010, 2, 0, 0, 0, b"", b"", 1, 1, BLOCK // 512, NODE // 512, len(nodes),
    )  # fmt: skip
    return first.ljust(NODE, b"\0") + b"".join(nodes)


THIN = """
thin {{
id = "thin"
status = ["VISIBLE"]
flags = []
segment_count = 1
segment1 {{
start_extent = 0
extent_count = {extents}
type = "thin"
thin_pool = "pool"
transaction_id = 0
device_id = 7
}}
}}
pool {{
id = "pool"
status = ["VISIBLE"]
flags = []
segment_count = 1
segment1 {{
start_extent = 0
extent_count = {extents}
type = "thin-pool"
metadata = "pool_tmeta"
pool = "pool_tdata"
transaction_id = 1
chunk_size = 128
}}
}}
"""


@pytest.fixture
def thin(image):  # noqa: F811
    """A physical volume with the machine's file system in a thin volume, and its bytes."""
    data = image.read_bytes()
    blocks = [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]
    written = [number for number, block in enumerate(blocks) if block.strip(b"\0")]
    order = list(range(len(written)))
    random.Random(3).shuffle(order)
    places = dict(zip(written, order, strict=True))
    assert len(written) < len(blocks), "some blocks were never written"
    held = bytearray(len(data))
    for number, place in places.items():
        held[place * BLOCK : (place + 1) * BLOCK] = blocks[number]
    count = len(data) // EXTENT
    text = metadata(
        {"pool_tmeta": [(1, [(0, 0)])], "pool_tdata": [(count, [(0, 1)])]},
        THIN.format(extents=count),
    )
    meta = pool_metadata(places)
    return data, physical(UUIDS[0], text, meta.ljust(EXTENT, b"\0") + bytes(held))


def test_a_thin_volume_is_read_out_of_its_pool(thin, tmp_path):
    data, volume = thin
    path = tmp_path / "thin.raw"
    path.write_bytes(volume)
    told = []
    with path.open("rb") as stream:
        found = layers.volumes(stream, lambda place, why: told.append((place, why)))
        (one,) = [v for v in found if v.kind == "ext"]
        assert one.name == "g--1-thin"
        one.stream.seek(0)
        assert one.stream.read() == data, "blocks that were never written are zeros, no others"
        dice = random.Random(11)
        for _ in range(200):
            at, size = dice.randrange(len(data)), dice.randrange(1, 300_000)
            one.stream.seek(at)
            assert one.stream.read(size) == data[at : at + size]
    assert told == []
    rows = read(path)
    assert rows.problems == 0
    assert {r["locator"].split("/")[0] for r in rows.of("linux.shell_history")} == {"g--1-thin"}


def test_a_damaged_pool_is_a_problem_and_ends(thin, tmp_path):
    _, volume = thin
    path = tmp_path / "damaged.raw"
    circle = node(1, 1, [(0, 1)])
    for at, what in ((START, b"\0" * 64), (START + NODE, circle), (START + NODE, b"\xff" * NODE)):
        damaged = bytearray(volume)
        damaged[at : at + len(what)] = what
        path.write_bytes(damaged)
        rows = read(path)
        (problem,) = [row["problem"] for row in rows if row["problem"]]
        assert "the logical volume g--1-thin (thin) cannot be opened" in problem


def test_a_volume_that_is_not_put_together_says_what_to_do(thin, tmp_path):
    _, volume = thin
    path = tmp_path / "cache.raw"
    path.write_bytes(volume.replace(b'type = "thin"', b'type = "zero"'))
    (problem,) = [row["problem"] for row in read(path) if row["problem"]]
    assert "of the kind 'zero', which is not put together. Activate the group" in problem
