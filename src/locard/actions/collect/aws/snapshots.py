# SPDX-License-Identifier: Apache-2.0
"""Snapshots of an instance's volumes at one instant, and waiting until AWS has made them."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from locard.actions.collect.aws.requested import note, note_request
from locard.actions.contract import Change, Collection, Keep, Option, Room
from locard.model.action import Json, Permission, Step
from locard.model.errors import Error, Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

PAUSE = 5.0
"""Seconds between two looks at a snapshot that is being made. Large ones take hours."""
EC2 = "arn:{partition}:ec2:{region}:{account}"
SNAPSHOT = "arn:{partition}:ec2:{region}::snapshot/*"
NO_KEY = "arn:aws:kms:*:000000000000:key/none"
"""What the run may decrypt with when no volume is encrypted."""

MODES = ("governance", "compliance")
LONGEST_LOCK, COOL_OFF = 36_500, 72
LOCKING = (
    Option("lock", "Lock the snapshots: governance, compliance or no", "governance"),
    Option("lock_days", "How many days they are locked", "7"),
    Option("lock_hours", "Hours in which a compliance lock can be taken back, 1 to 72", "24"),
)

READING = (
    Permission("ec2:DescribeSnapshots"),
    Permission("ebs:ListSnapshotBlocks", SNAPSHOT),
    Permission("ebs:GetSnapshotBlock", SNAPSHOT),
    Permission("kms:Decrypt", "{key}", why="volumes that are encrypted"),
)
TAGGED = Permission("ec2:CreateTags", SNAPSHOT, reads=False, why="a snapshot names its run")
MAKING = (
    Permission("ec2:DescribeInstances"),
    Permission("ec2:DescribeVolumes"),
    Permission("ec2:CreateSnapshots", f"{EC2}:instance/{{id}}", reads=False),
    Permission("ec2:CreateSnapshots", f"{EC2}:volume/{{volume}}", reads=False),
    Permission("ec2:CreateSnapshots", SNAPSHOT, reads=False),
    Permission("ec2:LockSnapshot", SNAPSHOT, reads=False, optional=True),
)


class Snapshots:
    """Snapshots of all volumes at one instant; of the run, so that none is made twice."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Make them, or find those of this run."""
        if given := step.arguments.get("given"):
            return given
        of = step.arguments["of"]
        file = Path(room.folder) / "snapshots.json"
        made = noted(file) or _ours(cloud, of) or _make(cloud, of, file.parent)
        note(file, made)
        missing = sorted(set(step.arguments["volumes"]) - set(made))
        if missing:
            raise Missing(f"No snapshot was made of {', '.join(missing)}.", "Look at the volumes.")
        return made


def _make(cloud: "Cloud", of: str, folder: Path) -> dict[str, str]:
    """Snapshots by their volumes, of an instance or of one volume."""
    said: dict[str, Json] = {
        "Description": f"Evidence of {of}, {cloud.run}",
        "TagSpecifications": [{"ResourceType": "snapshot", "Tags": [
            {"Key": "locard:run", "Value": cloud.run}, {"Key": "locard:of", "Value": of},
        ]}],
    }  # fmt: skip
    if of.startswith("vol-"):
        made = {of: cloud.call("ec2:CreateSnapshot", VolumeId=of, **said)["SnapshotId"]}
    else:
        found = cloud.call("ec2:CreateSnapshots", InstanceSpecification={"InstanceId": of}, **said)
        made = {one["VolumeId"]: one["SnapshotId"] for one in found["Snapshots"]}
    note_request(folder, made.values(), cloud.requests[-1])
    return made


class Lock:
    """Locks on the snapshots of the run."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Lock each."""
        made = room.outcomes["snapshots:all"]
        told: dict[str, Json] = {
            name: lock(cloud, name, step.arguments) for name in sorted(made.values())
        }
        gaps = [one["not locked"] for one in told.values() if "not locked" in one]
        return told | ({"not collected": f"not locked: {gaps[0]}"} if gaps else {})


STEPS: dict[str, Change | Collection] = {"snapshots": Snapshots(), "lock": Lock()}


def lock_step(options: Mapping[str, Json]) -> tuple[Step, ...]:
    """The step that locks the snapshots. Raises `Error` for a lock that there is not."""
    mode, days, hours = (str(options[name]) for name in ("lock", "lock_days", "lock_hours"))
    if mode == "no":
        return ()
    if mode not in MODES or not _within(days, LONGEST_LOCK) or not _within(hours, COOL_OFF):
        raise Error(
            f"There is no lock {mode[:20]!r} for {days[:20]!r} days and {hours[:20]!r} hours.",
            f"lock is {', '.join(MODES)} or no; lock_days is 1 to {LONGEST_LOCK:,}, and lock_hours "
            f"1 to {COOL_OFF}.",
        )
    title = f"Lock the snapshots for {int(days)} days ({mode})"
    breaks = [f"Nobody deletes them for {int(days)} days but who may ec2:UnlockSnapshot."]
    if mode == "compliance":
        breaks = [
            f"Nobody deletes them for {int(days)} days, and they cost so long: within {int(hours)} "
            "hours it can be taken back, then by nobody, AWS included."
        ]
    arguments = {"lock": mode, "days": int(days), "hours": int(hours)}
    return (Step("lock:all", title, "ec2:LockSnapshot", arguments, breaks=tuple(breaks)),)


def _within(text: str, most: int) -> bool:
    return text.isdecimal() and 1 <= int(text) <= most


def wait(cloud: "Cloud", name: str, room: Room) -> dict[str, Json]:
    """Wait until a snapshot is complete; what AWS says of it. Raises `Error` when it fails."""
    while True:
        found = cloud.call("ec2:DescribeSnapshots", SnapshotIds=[name])["Snapshots"][0]
        if found["State"] == "completed":
            return dict(found)
        if found["State"] == "error":
            key = found.get("KmsKeyId", "")
            raise Error(
                f"The snapshot {name} of {found.get('VolumeId', 'a volume')} ended in error: "
                f"{found.get('StateMessage', 'AWS does not say why')}",
                f"Allow kms:CreateGrant, kms:Decrypt and kms:ReEncrypt* on {key} to the role."
                if key
                else "Look at the snapshot in the account, then carry the run on.",
            )
        done = int(found.get("Progress", "0%").rstrip("%") or 0)
        room.progress(f"AWS makes the snapshot of {found.get('VolumeId', name)}", done, 100)
        time.sleep(PAUSE)


def lock(cloud: "Cloud", name: str, how: Mapping[str, Json]) -> dict[str, Json]:
    """Lock a snapshot, so that whoever takes the account over cannot delete it; what AWS said.

    What we may not do is told and stops nothing: a snapshot without a lock is better than none.
    """
    mode, more = how["lock"], {}
    if mode == "compliance":
        more["CoolOffPeriod"] = int(how["hours"])
    try:
        said = cloud.call(
            "ec2:LockSnapshot",
            SnapshotId=name,
            LockMode=mode,
            LockDuration=int(how["days"]),
            **more,
        )
    except Error as error:
        return {"not locked": f"{error.message} {error.advice}".strip()}
    return {"lock": said.get("LockState", mode), "until": said.get("LockExpiresOn", "")}


def noted(file: Path) -> dict[str, str]:
    """What an earlier attempt at this run has made."""
    return dict(json.loads(file.read_text())) if file.exists() else {}


def _ours(cloud: "Cloud", name: str) -> dict[str, str]:
    """Snapshots of this run by their volumes, where a crash came before their answer.

    Whoever reads our tags can set them too, on a later snapshot: so the first of a volume counts.
    """
    filters = [
        {"Name": "tag:locard:run", "Values": [cloud.run]},
        {"Name": "tag:locard:of", "Values": [name]},
    ]
    found = cloud.pages("ec2:DescribeSnapshots", "Snapshots", OwnerIds=["self"], Filters=filters)
    made: dict[str, str] = {}
    for one in sorted(found, key=lambda one: str(one["StartTime"])):
        made.setdefault(one["VolumeId"], one["SnapshotId"])
    return made
