# SPDX-License-Identifier: Apache-2.0
"""Snapshots of an instance's volumes at one instant, and waiting until AWS has made them."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from locard.actions.contract import Keep, Room
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

READING = (
    Permission("ec2:DescribeSnapshots"),
    Permission("ebs:ListSnapshotBlocks", SNAPSHOT),
    Permission("ebs:GetSnapshotBlock", SNAPSHOT),
    Permission("kms:Decrypt", "{key}", why="volumes that are encrypted"),
)
MAKING = (
    Permission("ec2:DescribeInstances"),
    Permission("ec2:DescribeVolumes"),
    Permission("ec2:CreateSnapshots", f"{EC2}:instance/{{id}}", reads=False),
    Permission("ec2:CreateSnapshots", f"{EC2}:volume/{{volume}}", reads=False),
    Permission("ec2:CreateSnapshots", SNAPSHOT, reads=False),
    Permission("ec2:CreateTags", SNAPSHOT, reads=False),
)


class Snapshots:
    """Snapshots of all volumes at one instant; of the run, so that none is made twice."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Make them, or find those of this run."""
        made = _noted(room) or _ours(cloud, step.arguments["instance"])
        if not made:
            tags = [
                {"Key": "locard:run", "Value": cloud.run},
                {"Key": "locard:instance", "Value": step.arguments["instance"]},
            ]
            found = cloud.call(
                "ec2:CreateSnapshots",
                InstanceSpecification={"InstanceId": step.arguments["instance"]},
                Description=f"Evidence of {step.arguments['instance']}, {cloud.run}",
                TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags}],
            )
            made = {one["VolumeId"]: one["SnapshotId"] for one in found["Snapshots"]}
        _note(room, made)
        missing = sorted(set(step.arguments["volumes"]) - set(made))
        if missing:
            raise Missing(f"No snapshot was made of {', '.join(missing)}.", "Look at the volumes.")
        return made


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


def _noted(room: Room) -> dict[str, str]:
    """The snapshots as CreateSnapshots answered, in a run that was carried on."""
    file = Path(room.folder) / "snapshots.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def _note(room: Room, made: dict[str, str]) -> None:
    file = Path(room.folder) / "snapshots.json"
    new = file.with_suffix(".new")
    new.write_text(json.dumps(made))
    new.replace(file)


def _ours(cloud: "Cloud", name: str) -> dict[str, str]:
    """Snapshots of this run by their volumes, where a crash came before their answer.

    Whoever reads our tags can set them too, on a later snapshot: so the first of a volume counts.
    """
    filters = [
        {"Name": "tag:locard:run", "Values": [cloud.run]},
        {"Name": "tag:locard:instance", "Values": [name]},
    ]
    found = cloud.pages("ec2:DescribeSnapshots", "Snapshots", OwnerIds=["self"], Filters=filters)
    made: dict[str, str] = {}
    for one in sorted(found, key=lambda one: str(one["StartTime"])):
        made.setdefault(one["VolumeId"], one["SnapshotId"])
    return made
