# SPDX-License-Identifier: Apache-2.0
"""Triage without copying: a snapshot opened through the EBS direct API, beside its full copy.

The snapshot is an image file behind a loopback server that answers ListSnapshotBlocks and
GetSnapshotBlock as EBS does. Measured from the first call to the last row that the confined parser
gives: blocks, bytes, listings and seconds; then the same disk grown to 1 TB (sparse: nothing near
that size is written; resize2fs does it). Aim: the same rows of every kind as the full image gives,
after at most 64 MB and 15 seconds.
The image is a path; a `.zst` is unpacked first, outside of the measurement.
"""

import os
import struct
import subprocess
import sys
import time
import uuid
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from disk_image import unpacked, with_image
from measuring import REPOSITORY, Report, options, say, scratch

from locard.actions.collect.aws import reading
from locard.actions.collect.aws.picked import Picked
from locard.parsers.disk.image import filesystem_timeline
from locard.parsers.frames import Batch
from locard.parsers.pool import Pool, Task
from locard.providers.aws.session import Cloud

sys.path.insert(0, str(REPOSITORY))
from tests.clouds.aws.ebs import Image, serve

SECTOR, START = 512, 2048
TB = 1 << 40
LINUX = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4").bytes_le
ASKED = reading.MOST << 20


@contextmanager
def simulated(image: Path) -> Iterator[tuple[Image, Cloud]]:
    """The image as a snapshot, and a session that reaches it."""
    os.environ.update(AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench")
    shown = Image(image)
    shown.warm()
    server = serve(0, shown)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        yield shown, Cloud("123456789012", "eu-central-1", "bench", endpoint=address)
    finally:
        server.shutdown()
        server.server_close()


def triaged(report: Report, name: str, image: Path, folder: Path) -> Counter[str]:
    """Measure the triage of one disk; rows by source."""
    folder.mkdir()
    with simulated(image) as (shown, cloud):
        began = time.monotonic()
        disk = Picked(cloud, "snap-bench", folder, ASKED)
        told = reading._parsed(disk, name, folder, files=False)
        seconds = time.monotonic() - began
        if disk.error is not None or told["ended"] or told["problems"]:
            raise SystemExit(f"The triage of {name} failed: {disk.error or told}")
        with (folder / "exhibit").open("wb") as file:
            stream = disk.exhibit(files=False)
            while chunk := stream.read(1 << 20):
                file.write(chunk)
        kept = time.monotonic() - began
        report.add(f"{name}, blocks fetched", f"{shown.blocks:,}",
                   f"of {len(shown.written):,} written", blocks=shown.blocks)  # fmt: skip
        report.add(f"{name}, bytes", f"{disk.read / 1e6:.1f} MB", "aim: <= 64", bytes=disk.read)
        report.add(f"{name}, listings", f"{shown.listings:,}", "", listings=shown.listings)
        report.add(f"{name}, every row", f"{seconds:.1f} s", "aim: <= 15", seconds=seconds)
        report.add(f"{name}, exhibit written", f"{kept:.1f} s", "", kept=kept)
    return Counter(told["rows"])


def copied(report: Report, image: Path, folder: Path) -> Counter[str]:
    """What the whole image gives, and how long reading it takes when it is here already."""
    rows: Counter[str] = Counter()
    fd = os.open(image, os.O_RDONLY)
    began = time.monotonic()
    task = Task(reading.NOBODY, image.name, fd, image.stat().st_size, parser=reading.PARSER)
    with Pool(1, folder / "workers") as pool:
        for frame in pool.run(task):
            if isinstance(frame, Batch):
                rows.update(frame.batch.column("source").to_pylist())
    os.close(fd)
    seconds = time.monotonic() - began
    report.add("full image at hand, every row", f"{seconds:.1f} s", "with its file-system timeline")
    return rows


def grown(image: Path, target: Path, size: int) -> Path:
    """The first partition of `image` grown to a disk of `size`, sparse, with a table of its own."""
    part = target.with_suffix(".part")
    with image.open("rb") as file:
        file.seek(SECTOR * 2 + 32)
        first, last = struct.unpack("<QQ", file.read(16))
    room = size - (START + 34) * SECTOR
    copy_sparse(image, first * SECTOR, (last + 1) * SECTOR, part, 0)
    os.truncate(part, room // 4096 * 4096)
    for words in (["e2fsck", "-fy"], ["resize2fs"]):
        found = next(p for p in ("/sbin", "/usr/sbin") if Path(p, words[0]).exists())
        subprocess.run([f"{found}/{words[0]}", *words[1:], str(part)], capture_output=True)
    copy_sparse(part, 0, part.stat().st_size, target, START * SECTOR)
    part.unlink()
    os.truncate(target, size)
    table(target, size)
    return target


def copy_sparse(source: Path, first: int, end: int, target: Path, to: int) -> None:
    """Copy a stretch of bytes, holes as holes."""
    fd = os.open(source, os.O_RDONLY)
    with target.open("wb") as out:
        at = first
        while at < end:
            try:
                at = os.lseek(fd, at, os.SEEK_DATA)
            except OSError:
                break
            until = min(os.lseek(fd, at, os.SEEK_HOLE), end)
            while at < until:
                data = os.pread(fd, min(1 << 20, until - at), at)
                out.seek(to + at - first)
                out.write(data)
                at += len(data)
    os.close(fd)


def table(disk: Path, size: int) -> None:
    """Write a GPT with one partition, and its copy at the end."""
    last = size // SECTOR - 1
    entry = LINUX + uuid.uuid4().bytes_le + struct.pack("<QQQ", START, last - 33, 0)
    entries = (entry + "root".encode("utf-16-le").ljust(72, b"\0")).ljust(128 * 128, b"\0")
    identity = uuid.uuid4().bytes_le

    def head(own: int, other: int, where: int) -> bytes:
        def packed(crc: int) -> bytes:
            return struct.pack(
                "<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, own, other, 34, last - 33,
                identity, where, 128, 128, zlib.crc32(entries),
            )  # fmt: skip

        return packed(zlib.crc32(packed(0))).ljust(SECTOR, b"\0")

    protective = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, 0xFFFFFFFF)
    with disk.open("r+b") as file:
        file.seek(446)
        file.write(protective.ljust(64, b"\0") + b"\x55\xaa")
        file.write(head(1, last, 2) + entries)
        file.seek((last - 32) * SECTOR)
        file.write(entries + head(last, 1, last - 32))


def main() -> None:
    """The command line."""
    parser = options(__doc__)
    parser.add_argument("--no-growing", action="store_true", help="leave the 1 TB disk out")
    given = with_image(parser)
    report = Report(f"Triage without copying, {given.image.name}")
    with scratch(given.folder) as folder:
        say("Unpacking the image.")
        image = unpacked(given.image, folder)
        whole = copied(report, image, folder)
        answers = [triaged(report, "as it is", image, folder / "small")]
        if not given.no_growing:
            say("Growing the file system to 1 TB.")
            large = grown(image, folder / "large.raw", TB)
            answers.append(triaged(report, "1 TB", large, folder / "large"))
        for found in answers:
            lacks = whole - found
            other = lacks.total() - lacks[filesystem_timeline.SOURCE]
            report.add("rows of artefacts that lack", f"{other:,}", "aim: 0", lack=other)
    report.finish(given)


if __name__ == "__main__":
    main()
