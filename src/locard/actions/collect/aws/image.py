# SPDX-License-Identifier: Apache-2.0
"""An AMI: the snapshots that it is made of, opened at once, then read into the vault."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from locard.actions.collect.aws import forensic, reading, snapshots, volumes
from locard.actions.collect.aws.blocks import GIB
from locard.actions.collect.aws.snapshots import READING, SNAPSHOT
from locard.actions.contract import Action
from locard.model.action import Json, Permission, Plan, Step, Target
from locard.model.errors import Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """The steps for the snapshots of the image."""
    found = cloud.call("ec2:DescribeImages", ImageIds=[target.id])["Images"]
    held = (
        [one["Ebs"] for one in found[0].get("BlockDeviceMappings", ()) if one.get("Ebs")]
        if found
        else []
    )
    names = [one["SnapshotId"] for one in held if one.get("SnapshotId")]
    if not names:
        raise Missing(
            f"There is no image {target.id} with snapshots of its own in {cloud.region}.",
            "Check the region; an image of another account has to be copied into this one first.",
        )
    known = cloud.pages("ec2:DescribeSnapshots", "Snapshots", SnapshotIds=names)
    disks = [
        volumes.Known(one["SnapshotId"], one["VolumeSize"] * GIB, one.get("KmsKeyId", ""))
        for one in known
    ]
    made = Step(
        "snapshots:all", f"Look at the {len(names)} snapshots of {target.id}",
        "ec2:DescribeSnapshots", {"given": {one: one for one in names}}, changes=False,
    )  # fmt: skip
    return volumes.read(
        ACTION, cloud, target, options, made, disks,
        triage=bool(options["triage"]), copy=bool(options["copy"]),
        consistency="crash-consistent, as the image was made",
    )  # fmt: skip


ACTION = Action(
    id="collect.aws.image",
    title="Collect an AMI",
    about="The snapshots of an image, triaged at once, then read block by block.",
    kind="image",
    names=r"(?:arn:[\w-]+:ec2:(?P<region>[\w-]*):(?P<account>\d*):image/)?"
    r"(?P<id>ami-[0-9a-f]{8,17})",
    permissions=(
        Permission("ec2:DescribeImages"),
        Permission("ec2:LockSnapshot", SNAPSHOT, reads=False, optional=True),
        *READING,
        *forensic.PERMISSIONS,
    ),
    plan=plan,
    steps={**snapshots.STEPS, **forensic.STEPS, **reading.STEPS},
    volatility=6,
    options=volumes.OPTIONS,
)
