# SPDX-License-Identifier: Apache-2.0
"""The memory of a running Linux instance, by AVML through Systems Manager, in the LiME format."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from locard.actions.collect.aws import onhost, volumes
from locard.actions.collect.aws.onhost import Make, Place, Pull, Upload, Work
from locard.actions.contract import Action
from locard.model.action import Json, Plan, Target

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

AVML = Work(
    "avml",
    "{id}-memory.lime",
    "chmod 700 tool\n./tool out",
    "smeared: memory went on changing while it was read",
)


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """Four steps: the tool there, the dump, its upload, the vault."""
    return onhost.plan(ACTION, AVML, cloud, target, options)


ACTION = Action(
    id="collect.aws.memory",
    title="Collect the memory of an EC2 instance",
    about="Your own AVML runs on the host through Systems Manager; no credential goes there.",
    kind="instance",
    names=volumes.INSTANCE,
    permissions=onhost.PERMISSIONS,
    plan=plan,
    steps={"place": Place(), "make": Make(AVML), "upload": Upload(), "pull": Pull(AVML)},
    volatility=1,
    harm="Reading memory takes some of the host's time; a dump is written to its disk for a while.",
    options=onhost.OPTIONS,
    optional=True,
)
