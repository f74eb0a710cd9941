# SPDX-License-Identifier: Apache-2.0
"""The volumes of an instance, and the plan of what reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from locard.actions.collect.aws import forensic, reading, snapshots
from locard.actions.collect.aws.blocks import GIB
from locard.actions.collect.aws.snapshots import LOCKING, NO_KEY
from locard.actions.contract import Action, Option
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
    disks = [
        Known(one["VolumeId"], one["Size"] * GIB, str(one.get("KmsKeyId", "")))
        for one in cloud.pages("ec2:DescribeVolumes", "Volumes", VolumeIds=attached)
    ]
    made = Step(
        "snapshots:all",
        f"Make snapshots of {len(disks)} volume{'s' * (len(disks) > 1)} at one instant",
        "ec2:CreateSnapshots",
        {"of": target.id, "volumes": sorted(one.name for one in disks)},
        breaks=(STAYS,),
    )
    return read(action, cloud, target, options, made, disks, triage=triage, copy=copy)


OPTIONS = (
    Option("triage", "First read the artefacts out of a few blocks", True),
    Option("copy", "Read the whole into the vault", True),
    *reading.TRIAGE,
    reading.BEFORE_COPY,
    *LOCKING,
    *forensic.OPTIONS,
)
"""Of an image, a snapshot, a volume: what is there already, and is read as the disk that it is."""
STAYS = "Snapshots stay in the account, and cost, until somebody deletes them."


@dataclass(frozen=True, slots=True)
class Known:
    """A disk as the plan knows it."""

    name: str
    size: int
    key: str
    """What it is encrypted with; empty: it is not."""


def read(
    action: Action,
    cloud: "Cloud",
    target: Target,
    options: Mapping[str, Json],
    made: Step,
    disks: Sequence[Known],
    *,
    triage: bool,
    copy: bool,
    consistency: str = reading.ONE_INSTANT,
) -> Plan:
    """The plan that begins with the snapshots `made`: lock, triage, forensic account, copies."""
    sizes = {one.name: one.size for one in disks}
    early = {} if not triage else reading.large(sizes, options) if copy else sizes
    shared = forensic.keys(cloud, {one.name: one.key for one in disks}, options)
    chosen = {str(options.get(name, "")) for name in ("forensic_key", "share_key")}
    keys = sorted(({one.key for one in disks} | chosen) - {""})
    return Plan(
        action.id, action.version, target, dict(options),
        (
            made,
            *snapshots.lock_step(options),
            *reading.triages(early, options, consistency),
            *forensic.steps(sorted(sizes), shared, options),
            *reading.copies(sizes if copy else {}, options, early, consistency),
        ),
        refusals=tuple(forensic.refusals(shared, options)),
        warnings=reading.warnings(keys),
        names={"volume": tuple(sorted(sizes)), "key": tuple(keys) or (NO_KEY,)},
        volatility=action.volatility,
    )  # fmt: skip
