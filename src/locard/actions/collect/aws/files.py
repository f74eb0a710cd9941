# SPDX-License-Identifier: Apache-2.0
"""A triage package of a running Linux instance, by UAC through Systems Manager."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from locard.actions.collect.aws import onhost, volumes
from locard.actions.collect.aws.onhost import Make, Place, Pull, Upload, Work
from locard.actions.contract import Action
from locard.model.action import Json, Plan, Target

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

UAC = Work(
    "uac",
    "{id}-uac.tar.gz",
    "mkdir -p uac made\n"
    "tar -xzf tool -C uac --strip-components=1\n"
    "cd uac\n./uac -p ir_triage ../made\ncd ..\n"
    "mv made/uac-*.tar.gz out",
    "as found: each file at the moment at which it was read",
)


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """Four steps: the tool there, the package, its upload, the vault."""
    return onhost.plan(ACTION, UAC, cloud, target, options)


ACTION = Action(
    id="collect.aws.files",
    title="Collect a triage package of an EC2 instance",
    about="Your own UAC (its tar.gz) runs on the host through Systems Manager with the profile "
    "ir_triage; no credential goes there.",
    kind="instance",
    names=volumes.INSTANCE,
    permissions=onhost.PERMISSIONS,
    plan=plan,
    steps={"place": Place(), "make": Make(UAC), "upload": Upload(), "pull": Pull(UAC)},
    volatility=2,
    harm="The host's programs run on a host that may be watched by whoever holds it.",
    options=onhost.OPTIONS,
    optional=True,
)
