# SPDX-License-Identifier: Apache-2.0
"""The disks of an EC2 instance, all of one instant, into the vault block by block."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from locard.actions.collect.aws import forensic, reading, snapshots, volumes
from locard.actions.collect.aws.snapshots import LOCKING, MAKING, READING
from locard.actions.contract import Action, Option
from locard.model.action import Json, Plan, Target

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """Snapshots, the triage of each disk unless it is not wanted, then the copies."""
    return volumes.plan(ACTION, cloud, target, options, triage=bool(options["triage"]), copy=True)


ACTION = Action(
    id="collect.aws.disks",
    title="Collect the disks of an EC2 instance",
    about="Snapshots of all volumes at one instant; a triage of each, then the whole, read block "
    "by block with AWS's checksums.",
    kind="instance",
    names=volumes.INSTANCE,
    permissions=(*MAKING, *READING, *forensic.PERMISSIONS),
    plan=plan,
    steps={**snapshots.STEPS, **forensic.STEPS, **reading.STEPS},
    volatility=4,
    options=(
        Option("triage", "Before the copy, read the artefacts out of a few blocks", True),
        *reading.TRIAGE,
        reading.BEFORE_COPY,
        *LOCKING,
        *forensic.OPTIONS,
    ),
)
