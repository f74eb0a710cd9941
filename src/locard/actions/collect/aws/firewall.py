# SPDX-License-Identifier: Apache-2.0
"""Logs of the web application firewalls (WAF) of an account, wherever they are delivered."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from locard.actions.collect.aws import delivered, spans
from locard.actions.collect.aws.delivered import Delivery
from locard.actions.contract import Action
from locard.model.action import Json, Permission, Plan, Target
from locard.model.errors import Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

GLOBAL = "us-east-1"
"""Where the firewalls of CloudFront are."""


def deliveries(cloud: "Cloud", account: str) -> Iterator[Delivery]:
    """Where the logs of a region go; those of CloudFront belong to one region."""
    for scope in ("REGIONAL", "CLOUDFRONT") if cloud.region == GLOBAL else ("REGIONAL",):
        for one in cloud.pages("wafv2:ListWebACLs", "WebACLs", Scope=scope):
            try:
                said = cloud.call("wafv2:GetLoggingConfiguration", ResourceArn=one["ARN"])
            except Missing:
                continue
            for to in said["LoggingConfiguration"]["LogDestinationConfigs"]:
                place = "cloudfront" if scope == "CLOUDFRONT" else cloud.region
                yield _delivery(one["Name"], to, f"AWSLogs/{account}/WAFLogs/{place}/")


def _delivery(name: str, to: str, root: str) -> Delivery:
    if ":s3:::" in to:
        return Delivery(to, f"{root}{name}/")
    if ":log-group:" in to:
        return Delivery(group=to.partition(":log-group:")[2].removesuffix(":*"))
    return Delivery(elsewhere=f"{name} logs to {to}: take them from where that delivers.")


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """A step for each bucket and group."""
    return delivered.plan(ACTION, "firewall logs", deliveries, cloud, target, options)


ACTION = Action(
    id="collect.aws.firewall",
    title="Collect the WAF logs of an account",
    about="Out of the buckets and log groups that they are delivered to, in every region.",
    kind="account",
    names=spans.ACCOUNT,
    permissions=(
        Permission("wafv2:ListWebACLs"),
        Permission("wafv2:GetLoggingConfiguration"),
        *delivered.PERMISSIONS,
    ),
    plan=plan,
    steps=delivered.STEPS,
    volatility=7,
    options=delivered.OPTIONS,
)
