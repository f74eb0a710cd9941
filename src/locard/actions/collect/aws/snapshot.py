# SPDX-License-Identifier: Apache-2.0
"""A snapshot that is there already: opened at once, then read into the vault."""

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
    """The steps for one snapshot, which is not made but given."""
    found = cloud.call("ec2:DescribeSnapshots", SnapshotIds=[target.id])["Snapshots"]
    if not found:
        raise Missing(f"There is no snapshot {target.id} in {cloud.region}.", "Check the region.")
    disks = [volumes.Known(target.id, found[0]["VolumeSize"] * GIB, found[0].get("KmsKeyId", ""))]
    made = Step(
        "snapshots:all", f"Look at {target.id} of {found[0].get('StartTime', 'unknown time')}",
        "ec2:DescribeSnapshots", {"given": {target.id: target.id}}, changes=False,
    )  # fmt: skip
    return volumes.read(
        ACTION, cloud, target, options, made, disks,
        triage=bool(options["triage"]), copy=bool(options["copy"]),
        consistency="crash-consistent, at the instant at which the snapshot was begun",
    )  # fmt: skip


ACTION = Action(
    id="collect.aws.snapshot",
    title="Collect an EBS snapshot",
    about="A snapshot that is there already, such as a backup: triaged at once, then read "
    "block by block.",
    kind="snapshot",
    names=r"(?:arn:[\w-]+:ec2:(?P<region>[\w-]*):(?P<account>\d*):snapshot/)?"
    r"(?P<id>snap-[0-9a-f]{8,17})",
    permissions=(
        Permission("ec2:LockSnapshot", SNAPSHOT, reads=False, optional=True),
        *READING,
        *forensic.PERMISSIONS,
    ),
    plan=plan,
    steps={**snapshots.STEPS, **forensic.STEPS, **reading.STEPS},
    volatility=6,
    options=volumes.OPTIONS,
)
