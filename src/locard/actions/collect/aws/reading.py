# SPDX-License-Identifier: Apache-2.0
"""What is done with a snapshot: triaged at once, read as a whole, and the two compared."""

import os
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from locard.actions.collect.aws.answers import of
from locard.actions.collect.aws.blocks import GIB, Snapshot, digest, journal
from locard.actions.collect.aws.picked import Picked
from locard.actions.collect.aws.requested import made_by
from locard.actions.collect.aws.snapshots import wait
from locard.actions.contract import Change, Collection, Keep, Option, Room
from locard.model.action import Json, Step
from locard.model.amount import size
from locard.model.custody import Acquisition
from locard.model.errors import Error, Tampered
from locard.parsers.frames import Batch, Failed, Problem
from locard.parsers.pool import Pool, Task, WorkerLost

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

MOST = 512
"""MiB that the triage of one disk may read."""
TRIAGE = (
    Option("most", "MiB that the triage of one disk may read", str(MOST)),
    Option("files", "The file-system timeline in the triage too: reads all folders and inodes"),
)
ABOVE = 16
"""GiB up to which a disk is copied without a triage: the copy is there before somebody has read
what a triage says, and all that both say would stand in the timeline twice."""
BEFORE_COPY = Option("above", "GiB above which a disk is triaged before it is copied", str(ABOVE))
ONE_INSTANT = "crash-consistent, all volumes of the instance at one instant"
PARSER = "disk.image"
NOBODY = "0" * 64
ZEROS = digest(bytes(512 << 10))
"""SHA-256 of a block of zeros, as AWS writes it."""


class Triage:
    """The artefacts of a disk, for which a few blocks of its snapshot are read."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Let the confined parser ask for blocks; what it read becomes the exhibit."""
        label, files = step.arguments["volume"], bool(step.arguments["files"])
        name = room.outcomes["snapshots:all"][label]
        wait(cloud, name, room)

        def progress(done: int, most: int) -> None:
            room.progress(f"Triage of {label}", done, most)

        most = int(step.arguments["most"]) << 20
        disk = Picked(cloud.noting(), name, Path(room.folder), most, progress)
        told = _parsed(disk, label, Path(room.folder), files=files)
        if disk.error is not None:
            raise disk.error
        image = keep(f"{label}-triage.blocks", disk.exhibit(files), _partly(disk, step, room))
        return {
            "snapshot": name, "image": image, "bytes": disk.read, "blocks": len(disk.asked),
            "zeros": len(disk.zeros), "fetched": disk.fetched, "listings": disk.listings,
            "not read": disk.refused, **told, "summary": _found(disk, told),
        }  # fmt: skip


class Disk:
    """One snapshot becomes an image in the vault, with the checksums of its blocks."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Wait for the snapshot, then read it through."""
        label = step.arguments["volume"]
        name, cloud = _copied(step, room, cloud)
        wait(cloud, name, room)

        def progress(done: int, size: int) -> None:
            room.progress(f"Reading {label}", done, size)

        disk = Snapshot(cloud, name, Path(room.folder), progress)
        covers = (
            f"{-(-disk.size // disk.block):,} blocks of {disk.block:,} bytes. {label}-blocks.csv "
            "names those that AWS lists, each held against AWS's SHA-256, and those that never "
            "came as it says; in place of these are zeros. The others are zeros by AWS's word"
        )
        got = of(cloud, consistency=step.arguments["consistency"], covers=covers)
        image = keep(f"{label}.raw", disk, _from(got, name, step, room))
        sums = BytesIO(b"".join(disk.checksums()))
        covers = f"blocks of {name}"
        checksums = keep(
            f"{label}-blocks.csv", sums, _from(of(cloud, covers=covers), name, step, room)
        )
        return {
            "snapshot": name, "image": image, "checksums": checksums, "bytes": disk.size,
            "blocks": disk.count, "fetched": disk.fetched, "problems": len(disk.wrong),
            "wrong": dict(sorted(disk.wrong.items())[:100]),
            "summary": f"{disk.count:,} blocks that were written, {disk.fetched:,} fetched now"
            + (f"; {len(disk.wrong):,} never came as their checksum says" if disk.wrong else ""),
        }  # fmt: skip


class Agree:
    """What the triage read is held against the full copy, which was fetched anew."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Compare every block that the triage read. Raises `Tampered` when one differs."""
        opened = room.outcomes["snapshots:all"][step.arguments["volume"]]
        name, _ = _copied(step, room, cloud)
        few = Picked.record(Path(room.folder), opened)
        whole = journal(Path(room.folder) / f"{name}.journal")
        wrong = [index for index, known in few.known.items() if whole.get(index) != known]
        wrong += [index for index in few.zeros if whole.get(index, ZEROS) != ZEROS]
        if wrong:
            raise Tampered(
                f"The full copy of {name} differs from what the triage read in {len(wrong):,} "
                f"blocks, first block {min(wrong)}.",
                "A snapshot does not change: suspect what stands between, such as a proxy. Both "
                "are in the vault; collect the disk again from another network and compare.",
            )
        volume = step.arguments["volume"]
        return {"compared": len(few.known), "zeros compared": len(few.zeros), "differ": 0,
                "part": room.outcomes[f"triage:{volume}"]["image"],
                "whole": room.outcomes[f"read:{volume}"]["image"],
                "summary": f"{len(few.known):,} blocks are the same"}  # fmt: skip


STEPS: dict[str, Change | Collection] = {"triage": Triage(), "read": Disk(), "agree": Agree()}


def triages(
    disks: Mapping[str, int], options: Mapping[str, Json], consistency: str = ONE_INSTANT
) -> Iterator[Step]:
    """A triage of each disk, the smallest first."""
    for one in ordered(disks):
        most = _most(options)
        title = f"Open the snapshot of {one} and read its artefacts, {most:,} MiB at most"
        arguments = {"volume": one, "consistency": consistency, "most": most,
                     "files": bool(options["files"])}  # fmt: skip
        yield Step(f"triage:{one}", title, "ebs:GetSnapshotBlock", arguments, changes=False,
                   from_copy=True)  # fmt: skip


def copies(
    disks: Mapping[str, int],
    options: Mapping[str, Json],
    triaged: Container[str],
    consistency: str = ONE_INSTANT,
) -> Iterator[Step]:
    """A copy of each disk, the smallest first, held against its triage if it was `triaged`."""
    for one in ordered(disks):
        said = {"volume": one, "forensic": options.get("forensic", "")}
        title = f"Read {one} ({disks[one] >> 30} GiB) into the vault"
        arguments = {**said, "size": disks[one], "consistency": consistency}
        yield Step(f"read:{one}", title, "ebs:GetSnapshotBlock", arguments, changes=False,
                   from_copy=True)  # fmt: skip
        if one in triaged:
            title = f"Compare the copy of {one} with what the triage read"
            yield Step(f"agree:{one}", title, "ebs:GetSnapshotBlock", said, changes=False,
                       from_copy=True)  # fmt: skip


def large(disks: Mapping[str, int], options: Mapping[str, Json]) -> dict[str, int]:
    """The disks that are worth a triage before they are copied. Raises `Error` for no number."""
    text = str(options["above"])
    if not text.isdecimal():
        raise Error(f"{text[:40]!r} is no number of GiB.", "Say it like this: --set above=100")
    return {name: size for name, size in disks.items() if size > int(text) * GIB}


def ordered(disks: Mapping[str, int]) -> list[str]:
    """Disks by name and bytes: the names, the smallest first."""
    return sorted(disks, key=lambda one: (disks[one], one))


def _copied(step: Step, room: Room, cloud: "Cloud") -> tuple[str, "Cloud"]:
    """The snapshot that is read as a whole, and the account that it is in."""
    volume = step.arguments["volume"]
    if forensic := step.arguments["forensic"]:
        return room.outcomes[f"copy:{volume}"]["snapshot"], room.elsewhere(forensic)
    return room.outcomes["snapshots:all"][volume], cloud


def _most(options: Mapping[str, Json]) -> int:
    text = str(options["most"])
    if not text.isdecimal() or not int(text):
        raise Error(f"{text[:40]!r} is no number of MiB.", "Say it like this: --set most=512")
    return int(text)


def _parsed(disk: Picked, label: str, folder: Path, *, files: bool) -> dict[str, Json]:
    """Rows by source, problems, and what ended the parser, if anything did.

    The rows are not kept: the exhibit is parsed like all evidence, and gives the same ones.
    """
    rows: Counter[str] = Counter()
    problems = 0
    ended = ""
    fd = disk.open()
    try:
        task = Task(NOBODY, label, fd, disk.size, parser=PARSER, blocks=disk, triage=not files)
        with Pool(1, folder / "workers") as pool:
            for frame in pool.run(task):
                if isinstance(frame, Batch):
                    rows.update(frame.batch.column("source").to_pylist())
                    problems += sum(map(bool, frame.batch.column("problem").to_pylist()))
                elif isinstance(frame, Problem):
                    problems += 1
                elif isinstance(frame, Failed):
                    ended = frame.reason
    except WorkerLost as lost:
        ended = str(lost)
    finally:
        os.close(fd)
    return {"rows": dict(sorted(rows.items())), "problems": problems, "ended": ended}


def _found(disk: Picked, told: Mapping[str, Json]) -> str:
    """What a triage found, in a line."""
    rows = ", ".join(f"{source} {count:,}" for source, count in told["rows"].items())
    text = f"{len(disk.asked):,} blocks, {size(disk.read)}: {rows or 'no artefacts'}"
    for count, what in ((told["problems"], "problems"), (disk.refused, "reads over the limit")):
        text += f"; {count:,} {what}" if count else ""
    return text + (f"; the parser ended: {told['ended']}" if told["ended"] else "")


def _partly(disk: Picked, step: Step, room: Room) -> Acquisition:
    count = -(-disk.size // disk.block)
    covers = (
        f"{len(disk.asked):,} of {count:,} blocks of {disk.block:,} bytes, those that the parser "
        f"asked for, their SHA-256 checked; {len(disk.zeros):,} more are zeros by AWS's word; the "
        "rest was not read"
    )
    consistency = f"partial; {step.arguments['consistency']}"
    return _from(of(disk.cloud, consistency=consistency, covers=covers), disk.name, step, room)


def _from(got: Acquisition, snapshot: str, step: Step, room: Room) -> Acquisition:
    """With the snapshot, and the requests by which it came to be."""
    volume, before = step.arguments["volume"], [snapshot]
    if again := room.outcomes.get(f"reencrypt:{volume}"):
        before.append(again["snapshot"])
    before.append(room.outcomes["snapshots:all"][volume])
    made = made_by(Path(room.folder), *dict.fromkeys(reversed(before)))
    source = {**got.source, "snapshot": snapshot}
    return replace(got, source=source, requests=(*made, *got.requests))


def warnings(keys: Sequence[str]) -> tuple[str, ...]:
    """What a plan says about the keys that encrypt the disks."""
    return tuple(f"{key} encrypts some: the role needs kms:Decrypt on it." for key in keys)
