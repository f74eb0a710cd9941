# SPDX-License-Identifier: Apache-2.0
"""One log group of CloudWatch Logs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from locard.actions.collect.aws import groups, spans
from locard.actions.collect.aws.groups import Group
from locard.actions.collect.aws.spans import Span
from locard.actions.contract import Action
from locard.model.action import Json, Plan, Target

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """One step."""
    step = groups.group(target.id, target.region, Span.of(options))
    return Plan(
        ACTION.id, ACTION.version, target, dict(options), (step,),
        names={"group": (target.id,)}, volatility=ACTION.volatility,
    )  # fmt: skip


ACTION = Action(
    id="collect.aws.group",
    title="Collect a log group of CloudWatch Logs",
    about="Every event of every stream of it in a span of time.",
    kind="log group",
    names=r"arn:[\w-]+:logs:(?P<region>[\w-]+):(?P<account>\d{12}):log-group:"
    r"(?P<id>[\w./#-]{1,512})(?::\*)?",
    permissions=groups.PERMISSIONS,
    plan=plan,
    steps={"group": Group()},
    volatility=7,
    options=spans.WHEN,
)
