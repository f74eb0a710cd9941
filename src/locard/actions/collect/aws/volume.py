# SPDX-License-Identifier: Apache-2.0
"""One EBS volume, attached or not: a snapshot of it, triaged and read into the vault."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from locard.actions.collect.aws import forensic, reading, snapshots, volumes
from locard.actions.collect.aws.blocks import GIB
from locard.actions.collect.aws.snapshots import EC2, READING, SNAPSHOT
from locard.actions.contract import Action
from locard.model.action import Json, Permission, Plan, Step, Target
from locard.model.errors import Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """A snapshot of the volume, and what reads it."""
    found = cloud.call("ec2:DescribeVolumes", VolumeIds=[target.id])["Volumes"]
    if not found:
        raise Missing(f"There is no volume {target.id} in {cloud.region}.", "Check the region.")
    disks = [volumes.Known(target.id, found[0]["Size"] * GIB, found[0].get("KmsKeyId", ""))]
    made = Step(
        "snapshots:all", f"Make a snapshot of {target.id}", "ec2:CreateSnapshot",
        {"of": target.id, "volumes": [target.id]}, breaks=(volumes.STAYS,),
    )  # fmt: skip
    return volumes.read(
        ACTION, cloud, target, options, made, disks,
        triage=bool(options["triage"]), copy=bool(options["copy"]),
        consistency="crash-consistent, one volume at one instant",
    )  # fmt: skip


ACTION = Action(
    id="collect.aws.volume",
    title="Collect an EBS volume",
    about="A snapshot of one volume, triaged at once, then read block by block.",
    kind="volume",
    names=r"(?:arn:[\w-]+:ec2:(?P<region>[\w-]*):(?P<account>\d{12}):volume/)?"
    r"(?P<id>vol-[0-9a-f]{8,17})",
    permissions=(
        Permission("ec2:DescribeVolumes"),
        Permission("ec2:CreateSnapshot", f"{EC2}:volume/{{id}}", reads=False),
        Permission("ec2:CreateSnapshot", SNAPSHOT, reads=False),
        Permission("ec2:LockSnapshot", SNAPSHOT, reads=False, optional=True),
        *READING,
        *forensic.PERMISSIONS,
    ),
    plan=plan,
    steps={**snapshots.STEPS, **forensic.STEPS, **reading.STEPS},
    volatility=4,
    options=volumes.OPTIONS,
)
