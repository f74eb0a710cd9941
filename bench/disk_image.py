# SPDX-License-Identifier: Apache-2.0
"""A Linux disk image to rows, beside the parsing libraries alone and beside Plaso.

Ours: `locard add` into a new home: hashing and storing the image, artefacts, file-system timeline,
text index. Libraries alone: `target-query` with the same kinds of artefact, as JSON to nowhere, and
its walk over the file system. Peer: Plaso's log2timeline and psort on the same image.
The image is a path; a `.zst` is unpacked first, outside of the measurement, since the others
cannot read it. Aim: first row within 5 seconds, no slower than the libraries, 10 times Plaso, less
than 2 GB of memory.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import zstandard
from ingest_cloudtrail import INDEXING
from measuring import REPOSITORY, Report, locard, options, plaso, run, say, scratch

from locard.cases.arriving import arriving
from locard.timeline import Search, Timeline, connect

FUNCTIONS = (
    "bashhistory", "authlog", "messages", "journal", "wtmp", "btmp", "lastlog", "cronjobs",
    "services", "users", "dpkg.log", "apt.logs", "ssh.authorized_keys", "ssh.known_hosts", "docker.containers",
    "docker.logs",
)  # fmt: skip
EVIDENCE = Path(os.environ.get("LOCARD_EVIDENCE") or REPOSITORY.parent / "shared" / "evidence")


def with_image(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """What was given on the command line, and `image`, which is there."""
    parser.add_argument(
        "image", type=Path, nargs="?", default=EVIDENCE / "host" / "disk.raw.zst",
        help="default: host/disk.raw.zst of the evidence folder",
    )  # fmt: skip
    given = parser.parse_args()
    if not given.image.is_file():
        raise SystemExit(f"{given.image} is not there. Name an image, or set LOCARD_EVIDENCE.")
    return given


def unpacked(image: Path, folder: Path) -> Path:
    """The image itself; a `.zst` is unpacked into `folder`, with holes where it has zeros."""
    if image.suffix != ".zst":
        return image
    target = folder / image.stem
    if target.exists():
        return target
    with image.open("rb") as packed, target.open("wb") as file:
        size = 0
        for block in zstandard.ZstdDecompressor().read_to_iter(packed, write_size=1 << 20):
            size += len(block)
            if block.count(0) == len(block):
                file.seek(len(block), 1)
            else:
                file.write(block)
        file.truncate(size)
        os.fsync(file.fileno())  # else the first who is measured pays for writing it
    return target


def ours(report: Report, folder: Path, image: Path) -> float:
    """Measure `locard add`; returns the seconds that it took in all."""
    home = folder / "home"
    timeline: list[Timeline] = []
    first_seen = False

    def seen(words: str) -> str | None:
        nonlocal first_seen
        if INDEXING in words:
            return "parsed"
        if first_seen:  # to go on asking would be work for the store that a user does not give it
            return None
        if not timeline and (home / "timeline" / "store.json").exists():
            timeline.append(connect(home / "timeline"))
        # As a search by a door, which sees what is still being taken in too.
        asked = Search("bench", arriving=arriving(home, "bench"))
        first_seen = bool(timeline and timeline[0].count(asked).rows)
        return "first" if first_seen else None

    done = run(
        locard("add", "bench", str(image), "--json"),
        environment={"LOCARD_HOME": str(home)},
        watch=seen,
    )
    for one in timeline:
        one.close()
    told: dict[str, Any] = json.loads(done.stdout)
    if not told["events"]:
        raise SystemExit(f"No event arrived: {told}")
    first = done.marks.get("first", done.seconds)
    parsed = done.marks.get("parsed", done.seconds)
    report.add("ours, first searchable row", f"{first:.1f} s", "aim: < 5 s", first=first)
    report.add("ours, every row searchable", f"{parsed:.1f} s", f"{told['events']:,} rows",
               parsed=parsed, events=told["events"])  # fmt: skip
    report.add("ours, with the text index", f"{done.seconds:.1f} s", "", total=done.seconds)
    report.add("ours, peak memory", f"{done.peak / 2**20:,.0f} MiB", "aim: < 2,000", peak=done.peak)
    return parsed


def libraries(report: Report, image: Path) -> float:
    """Measure `target-query`; returns the seconds that artefacts and walk took."""
    query = [str(Path(sys.executable).parent / "target-query"), "-q", "-j", "-f"]
    artefacts = run([*query, ",".join(FUNCTIONS), str(image)], check=False)
    walk = run([*query, "walkfs", str(image)], check=False)
    counts = [
        sum('"_type": "record"' in line and '"_type": "recorddescriptor"' not in line
            for line in done.stdout.splitlines())
        for done in (artefacts, walk)
    ]  # fmt: skip
    if not counts[0] or not counts[1]:
        raise SystemExit(f"target-query gave {counts} records.")
    report.add("target-query, artefacts", f"{artefacts.seconds:.1f} s", f"{counts[0]:,} records")
    report.add("target-query, walkfs", f"{walk.seconds:.1f} s", f"{counts[1]:,} records")
    report.add("target-query, peak memory", f"{max(artefacts.peak, walk.peak) / 2**20:,.0f} MiB")
    return artefacts.seconds + walk.seconds


def peer(report: Report, folder: Path, image: Path) -> float:
    """Measure Plaso; returns the seconds that it took."""
    tools = plaso()
    store, out = folder / "peer.plaso", folder / "peer.jsonl"
    for old in (store, out):
        old.unlink(missing_ok=True)
    quiet = ["--unattended", "--status_view", "none", "--logfile", str(folder / "plaso.log.gz")]
    read = run([
        str(tools / "log2timeline"), *quiet, "--partitions", "all", "--volumes", "all",
        "--workers", str(os.cpu_count() or 1), "--storage_file", str(store), str(image),
    ])  # fmt: skip
    wrote = run([str(tools / "psort"), *quiet, "-o", "json_line", "-w", str(out), str(store)])
    with out.open(encoding="utf-8") as file:
        rows = sum(1 for _ in file)
    seconds = read.seconds + wrote.seconds
    report.add(
        "Plaso, log2timeline and psort", f"{seconds:.1f} s", f"{rows:,} events", plaso=seconds
    )
    report.add("Plaso, peak memory", f"{max(read.peak, wrote.peak) / 2**20:,.0f} MiB")
    return seconds


def main() -> None:
    """The command line."""
    parser = options(__doc__)
    parser.add_argument("--no-plaso", action="store_true", help="leave Plaso out")
    parser.add_argument("--no-libraries", action="store_true", help="leave target-query out")
    given = with_image(parser)
    report = Report(f"Disk image to rows, {given.image.name}")
    with scratch(given.folder) as folder:
        say("Unpacking the image.")
        image = unpacked(given.image, folder)
        report.add("image", f"{image.stat().st_size / 1e9:.2f} GB")
        seconds = ours(report, folder, image)
        if not given.no_libraries:
            alone = libraries(report, image)
            report.add("libraries alone / ours", f"{alone / seconds:.1f}", "aim: >= 1")
        if not given.no_plaso:
            slow = peer(report, folder, image)
            report.add("Plaso / ours", f"{slow / seconds:.1f}", "aim: >= 10")
    report.finish(given)


if __name__ == "__main__":
    main()
