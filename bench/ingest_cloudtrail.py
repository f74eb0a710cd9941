# SPDX-License-Identifier: Apache-2.0
"""CloudTrail `.json.gz` to searchable rows, beside its floor and beside Plaso.

Ours: `locard add` on all cores into a new home, raw record kept; searchable is when every row is in
the store and acknowledged, the text index comes behind and is given apart. Floor: the same files
unpacked by isal and parsed by msgspec into typed structs, nothing kept, on one core and on all.
Peer: Plaso's log2timeline and psort on records of the same kind in the only form that it can read.
Aim: at least 1/5 of the floor on all cores, 40 times Plaso, less than 2 GB of memory.
"""

import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from isal import igzip
from make_cloudtrail import write_lookups, write_trail
from measuring import Report, locard, options, plaso, run, say, scratch

INDEXING = "Building the text index"


class Identity(msgspec.Struct):
    """The parts of `userIdentity` that a timeline needs."""

    type: str = ""
    arn: str = ""
    accountId: str = ""
    accessKeyId: str = ""
    userName: str = ""


class Record(msgspec.Struct):
    """A record as far as a timeline needs it; the rest stays raw."""

    eventTime: str
    eventName: str
    eventSource: str
    eventID: str
    userIdentity: Identity
    awsRegion: str = ""
    sourceIPAddress: str = ""
    userAgent: str = ""
    errorCode: str = ""
    recipientAccountId: str = ""
    requestParameters: msgspec.Raw = msgspec.Raw(b"null")
    responseElements: msgspec.Raw = msgspec.Raw(b"null")


class Trail(msgspec.Struct):
    """A file."""

    Records: list[Record]


def floor(paths: list[Path]) -> int:
    """Unpack and parse the files; returns how many records they hold."""
    decoder = msgspec.json.Decoder(Trail)
    return sum(len(decoder.decode(igzip.decompress(p.read_bytes())).Records) for p in paths)


def _megabytes(files: list[Path]) -> str:
    return f"{sum(f.stat().st_size for f in files) / 1e6:,.1f} MB"


def floors(report: Report, files: list[Path], events: int) -> float:
    """Measure the floor on one core and on all; returns events per second on all."""
    started = time.perf_counter()
    assert floor(files) == events
    one = events / (time.perf_counter() - started)
    cores = os.cpu_count() or 1
    shares = [files[n :: cores * 8] for n in range(cores * 8)]
    with ProcessPoolExecutor(cores) as pool:
        list(pool.map(abs, range(cores * 4)))
        started = time.perf_counter()
        assert sum(pool.map(floor, shares)) == events
        every = events / (time.perf_counter() - started)
    report.add("floor on one core", f"{one:,.0f} events/s", floor_one=one)
    report.add(f"floor on {cores} cores", f"{every:,.0f} events/s", floor_all=every)
    return every


def ours(report: Report, folder: Path, trail: Path, events: int) -> float:
    """Measure `locard add`; returns events per second to searchable rows."""
    home = folder / "home"
    done = run(
        locard("add", "bench", str(trail), "--json"),
        environment={"LOCARD_HOME": str(home)},
        watch=lambda words: "searchable" if INDEXING in words else None,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    if told["events"] != events:
        raise SystemExit(f"{told['events']:,} events arrived of {events:,}: {told}")
    searchable = done.marks.get("searchable", done.seconds)
    rate = events / searchable
    report.add("ours to searchable rows", f"{rate:,.0f} events/s", f"{searchable:.1f} s", ours=rate)
    report.add("ours, text index behind", f"{done.seconds - searchable:.1f} s",
               f"{events / done.seconds:,.0f} events/s with it", total_seconds=done.seconds)  # fmt: skip
    report.add("ours, peak memory", f"{done.peak / 2**20:,.0f} MiB", "aim: < 2,000", peak=done.peak)
    return rate


def peer(report: Report, folder: Path, events: int) -> float:
    """Measure Plaso; returns events per second."""
    tools = plaso()
    lines = write_lookups(folder / "lookups" / "lookup-events.jsonl", events, seed=2)
    store, out = folder / "peer.plaso", folder / "peer.jsonl"
    for old in (store, out):
        old.unlink(missing_ok=True)
    workers = str(os.cpu_count() or 1)
    quiet = ["--unattended", "--status_view", "none", "--logfile", str(folder / "plaso.log.gz")]
    read = run([
        str(tools / "log2timeline"), *quiet, "--workers", workers, "--parsers", "jsonl",
        "--storage_file", str(store), str(lines),
    ])  # fmt: skip
    wrote = run([str(tools / "psort"), *quiet, "-o", "json_line", "-w", str(out), str(store)])
    with out.open(encoding="utf-8") as file:
        rows = sum('"data_type": "aws:cloudtrail:entry"' in line for line in file)
    if rows != events:
        raise SystemExit(f"Plaso gave {rows:,} events of {events:,}")
    seconds = read.seconds + wrote.seconds
    rate = events / seconds
    report.add(
        "Plaso, log2timeline and psort", f"{rate:,.0f} events/s",
        f"{events:,} events in {read.seconds:.1f} + {wrote.seconds:.1f} s", plaso=rate,
    )  # fmt: skip
    report.add("Plaso, peak memory", f"{max(read.peak, wrote.peak) / 2**20:,.0f} MiB", "")
    return rate


def main() -> None:
    """The command line."""
    parser = options(__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--mean", type=int, default=800, help="records to a file on average")
    parser.add_argument("--plaso-events", type=int, default=50_000, help="0 leaves Plaso out")
    given = parser.parse_args()
    report = Report(f"CloudTrail to searchable rows, {given.events:,} events")
    with scratch(given.folder) as folder:
        say("Making the events.")
        files = write_trail(folder / "trail", given.events, given.mean)
        report.add("files", f"{len(files):,}", _megabytes(files))
        lowest = floors(report, files, given.events)
        rate = ours(report, folder, folder / "trail", given.events)
        report.add("ours / floor on all cores", f"{rate / lowest:.2f}", "aim: >= 0.20",
                   of_floor=rate / lowest)  # fmt: skip
        if given.plaso_events:
            slow = peer(report, folder, given.plaso_events)
            report.add("ours / Plaso", f"{rate / slow:.0f}", "aim: >= 40", of_plaso=rate / slow)
    report.finish(given)


if __name__ == "__main__":
    main()
