# SPDX-License-Identifier: Apache-2.0
"""What the disks of an EC2 instance say at once: shell histories, logins, logs, without a copy."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from locard.actions.collect.aws import reading, snapshots, volumes
from locard.actions.collect.aws.snapshots import LOCKING, MAKING, READING, TAGGED
from locard.actions.contract import Action
from locard.model.action import Json, Plan, Target

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """Snapshots, and the triage of each disk."""
    return volumes.plan(ACTION, cloud, target, options, triage=True, copy=False)


ACTION = Action(
    id="collect.aws.triage",
    title="Triage the disks of an EC2 instance without copying them",
    about="Snapshots of all volumes at one instant, opened as disks: only the blocks that the "
    "parser asks for are fetched, checked, recorded and kept.",
    kind="instance",
    names=volumes.INSTANCE,
    permissions=(*MAKING, TAGGED, *READING),
    plan=plan,
    steps={**snapshots.STEPS, **reading.STEPS},
    volatility=3,
    options=(*reading.TRIAGE, *LOCKING),
    within="collect.aws.disks",
)
