# SPDX-License-Identifier: Apache-2.0
"""The disks of an EC2 instance, all of one instant, into the vault block by block."""

import time
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from locard.actions.collect.aws.answers import of
from locard.actions.collect.aws.blocks import GIB, Snapshot
from locard.actions.contract import Action, Keep, Room
from locard.model.action import Json, Permission, Plan, Step, Target
from locard.model.errors import Error, Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

PAUSE = 5.0
"""Seconds between two looks at a snapshot that is being made. Large ones take hours."""


class Snapshots:
    """Snapshots of all volumes at one instant; of the run, so that none is made twice."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Make them, or find those of this run."""
        made = _ours(cloud, step.arguments["instance"])
        if not made:
            tags = [
                {"Key": "locard:run", "Value": cloud.run},
                {"Key": "locard:instance", "Value": step.arguments["instance"]},
            ]
            cloud.call(
                "ec2:CreateSnapshots",
                InstanceSpecification={"InstanceId": step.arguments["instance"]},
                Description=f"Evidence of {step.arguments['instance']}, {cloud.run}",
                TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags}],
            )
            made = _ours(cloud, step.arguments["instance"])
        missing = sorted(set(step.arguments["volumes"]) - set(made))
        if missing:
            raise Missing(f"No snapshot was made of {', '.join(missing)}.", "Look at the volumes.")
        return made


class Disk:
    """One snapshot becomes an image in the vault, with the checksums of its blocks."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Wait for the snapshot, then read it through."""
        volume = step.arguments["volume"]
        name = room.outcomes["snapshots:all"][volume]
        self._wait(cloud, name, volume, room)

        def progress(done: int, size: int) -> None:
            room.progress(f"Reading {volume}", done, size)

        disk = Snapshot(cloud, name, Path(room.folder), progress)
        blocks = -(-disk.size // disk.block)
        covers = (
            f"{blocks:,} blocks of {disk.block:,} bytes; {len(disk.tokens):,} were listed and "
            "their SHA-256 checked, the others are zeros by AWS's word"
        )
        consistency = "crash-consistent, all volumes of the instance at one instant"
        image = keep(f"{volume}.raw", disk, of(cloud, consistency=consistency, covers=covers))
        sums = BytesIO(b"".join(disk.checksums()))
        checksums = keep(f"{volume}-blocks.csv", sums, of(cloud, covers=f"blocks of {name}"))
        return {
            "snapshot": name, "image": image, "checksums": checksums, "bytes": disk.size,
            "blocks": len(disk.tokens), "fetched": disk.fetched,
        }  # fmt: skip

    def _wait(self, cloud: "Cloud", name: str, volume: str, room: Room) -> None:
        while True:
            found = cloud.call("ec2:DescribeSnapshots", SnapshotIds=[name])["Snapshots"][0]
            if found["State"] == "completed":
                return
            if found["State"] == "error":
                key = found.get("KmsKeyId", "")
                raise Error(
                    f"The snapshot {name} of {volume} ended in error: "
                    f"{found.get('StateMessage', 'AWS does not say why')}",
                    f"Allow kms:CreateGrant, kms:Decrypt and kms:ReEncrypt* on {key} to the role."
                    if key
                    else "Look at the snapshot in the account, then carry the run on.",
                )
            done = int(found.get("Progress", "0%").rstrip("%") or 0)
            room.progress(f"AWS makes the snapshot of {volume}", done, 100)
            time.sleep(PAUSE)


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """One step for the snapshots, and one for each volume, the smallest first."""
    found = cloud.call("ec2:DescribeInstances", InstanceIds=[target.id])
    attached = [
        disk["Ebs"]["VolumeId"]
        for held in found["Reservations"]
        for one in held["Instances"]
        for disk in one.get("BlockDeviceMappings", ())
    ]
    if not attached:
        raise Missing(f"{target.id} has no EBS volume in {cloud.region}.", "Check id and region.")
    known = cloud.pages("ec2:DescribeVolumes", "Volumes", VolumeIds=attached)
    volumes = sorted(known, key=lambda one: (one["Size"], one["VolumeId"]))
    names = [one["VolumeId"] for one in volumes]
    steps = [
        Step(
            "snapshots:all",
            f"Make snapshots of {len(names)} volumes at one instant",
            "ec2:CreateSnapshots",
            {"instance": target.id, "volumes": names},
            breaks=("Snapshots stay in the account, and cost, until somebody deletes them.",),
        )
    ]
    steps += [
        Step(
            f"read:{one['VolumeId']}",
            f"Read {one['VolumeId']} ({one['Size']} GiB) into the vault",
            "ebs:GetSnapshotBlock",
            {"volume": one["VolumeId"], "size": one["Size"] * GIB},
            changes=False,
        )
        for one in volumes
    ]
    keys = sorted({one["KmsKeyId"] for one in volumes if one.get("KmsKeyId")})
    warnings = [f"{key} encrypts some: the role needs kms:Decrypt on it." for key in keys]
    return Plan(
        ACTION.id, ACTION.version, target, dict(options), tuple(steps), warnings=tuple(warnings),
        names={"volume": tuple(names), "key": tuple(keys) or (_NO_KEY,)},
        volatility=ACTION.volatility,
    )  # fmt: skip


def _ours(cloud: "Cloud", name: str) -> dict[str, str]:
    """Snapshots of this run by their volumes."""
    filters = [
        {"Name": "tag:locard:run", "Values": [cloud.run]},
        {"Name": "tag:locard:instance", "Values": [name]},
    ]
    found = cloud.pages("ec2:DescribeSnapshots", "Snapshots", OwnerIds=["self"], Filters=filters)
    return {one["VolumeId"]: one["SnapshotId"] for one in found}


_NO_KEY = "arn:aws:kms:*:000000000000:key/none"
"""What the run may decrypt with when no volume is encrypted."""
_EC2 = "arn:{partition}:ec2:{region}:{account}"

ACTION = Action(
    id="collect.aws.disks",
    title="Collect the disks of an EC2 instance",
    about="Snapshots of all volumes at one instant, read block by block with AWS's checksums.",
    kind="instance",
    names=r"(?:arn:[\w-]+:ec2:(?P<region>[\w-]*):(?P<account>\d{12}):instance/)?"
    r"(?P<id>i-[0-9a-f]{8,17})",
    permissions=(
        Permission("ec2:DescribeInstances"),
        Permission("ec2:DescribeVolumes"),
        Permission("ec2:DescribeSnapshots"),
        Permission("ec2:CreateSnapshots", f"{_EC2}:instance/{{id}}", reads=False),
        Permission("ec2:CreateSnapshots", f"{_EC2}:volume/{{volume}}", reads=False),
        Permission("ec2:CreateSnapshots", "arn:{partition}:ec2:{region}::snapshot/*", reads=False),
        Permission("ec2:CreateTags", "arn:{partition}:ec2:{region}::snapshot/*", reads=False),
        Permission("ebs:ListSnapshotBlocks", "arn:{partition}:ec2:{region}::snapshot/*"),
        Permission("ebs:GetSnapshotBlock", "arn:{partition}:ec2:{region}::snapshot/*"),
        Permission("kms:Decrypt", "{key}", why="volumes that are encrypted"),
    ),
    plan=plan,
    steps={"snapshots": Snapshots(), "read": Disk()},
    volatility=4,
)
