# SPDX-License-Identifier: Apache-2.0
"""The volumes of an instance, and the plan of what reads them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from locard.actions.collect.aws import reading
from locard.actions.collect.aws.blocks import GIB
from locard.actions.collect.aws.snapshots import NO_KEY
from locard.actions.contract import Action
from locard.model.action import Json, Plan, Step, Target
from locard.model.errors import Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

INSTANCE = (
    r"(?:arn:[\w-]+:ec2:(?P<region>[\w-]*):(?P<account>\d{12}):instance/)?"
    r"(?P<id>i-[0-9a-f]{8,17})"
)


def plan(
    action: Action,
    cloud: "Cloud",
    target: Target,
    options: Mapping[str, Json],
    *,
    triage: bool,
    copy: bool,
) -> Plan:
    """One step for the snapshots of all volumes, then those that read each."""
    found = cloud.call("ec2:DescribeInstances", InstanceIds=[target.id])
    attached = [
        disk["Ebs"]["VolumeId"]
        for held in found["Reservations"]
        for one in held["Instances"]
        for disk in one.get("BlockDeviceMappings", ())
    ]
    if not attached:
        raise Missing(f"{target.id} has no EBS volume in {cloud.region}.", "Check id and region.")
    known = list(cloud.pages("ec2:DescribeVolumes", "Volumes", VolumeIds=attached))
    names = sorted(one["VolumeId"] for one in known)
    made = Step(
        "snapshots:all",
        f"Make snapshots of {len(names)} volumes at one instant",
        "ec2:CreateSnapshots",
        {"instance": target.id, "volumes": names},
        breaks=("Snapshots stay in the account, and cost, until somebody deletes them.",),
    )
    sizes = {one["VolumeId"]: one["Size"] * GIB for one in known}
    keys = sorted({one["KmsKeyId"] for one in known if one.get("KmsKeyId")})
    return Plan(
        action.id, action.version, target, dict(options),
        (made, *reading.steps(sizes, options, triage=triage, copy=copy)),
        warnings=reading.warnings(keys),
        names={"volume": tuple(names), "key": tuple(keys) or (NO_KEY,)},
        volatility=action.volatility,
    )  # fmt: skip
