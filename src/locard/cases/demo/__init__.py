# SPDX-License-Identifier: Apache-2.0
"""The simulated incident: evidence of one story, written by this project for its demonstration.

Stolen instance credentials, told by a CloudTrail trail, VPC flow logs and a disk image that agree
with each other. Everything is invented, says so, and is the same bytes every time. The standard
library suffices.
"""

from pathlib import Path
from random import Random

from . import disk, flows, readme, story, trail, trail_intrusion, trail_noise
from .packed import put
from .signing import key

SEED = 20260311


def write(folder: Path) -> list[Path]:
    """Write the incident below `folder`, made when it is missing, and return the paths.

    About 3 MB on the disk. Files that are there are written over with the same bytes. Raises
    `OSError` when the folder cannot be written.
    """
    signing_key = key(SEED)
    records = trail.Trail(_random("trail"))
    trail_noise.fill(records, _random("noise"))
    trail_intrusion.fill(records, _random("intrusion"))
    traffic = flows.Flows(_random("flows"))
    flows.fill(traffic, _random("traffic"))
    kept = sum(1 for moment, *_ in records.records if not story.blind(moment))
    text = readme.text(signing_key, kept, len(traffic.lines))
    return [
        put(folder / "README.txt", text.encode()),
        *records.write(folder / story.TRAIL_BUCKET, signing_key),
        *traffic.write(folder / "simulated-flow-logs"),
        disk.write(folder / "simulated-disk" / f"{story.HOST}.raw", SEED),
    ]


def _random(purpose: str) -> Random:
    """A source of chance of its own for each part, so that one part can change alone."""
    return Random(f"{SEED} {purpose}")  # noqa: S311 - the same incident every time is what is wanted
