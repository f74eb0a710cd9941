# SPDX-License-Identifier: Apache-2.0
"""Queries that the Route 53 Resolver of an account was asked, wherever they are delivered."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from locard.actions.collect.aws import delivered, spans
from locard.actions.collect.aws.delivered import Delivery
from locard.actions.contract import Action
from locard.model.action import Json, Permission, Plan, Target

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


def deliveries(cloud: "Cloud", account: str) -> Iterator[Delivery]:
    """Where the query logs of a region go."""
    found = cloud.pages(
        "route53resolver:ListResolverQueryLogConfigs", "ResolverQueryLogConfigs"
    )  # fmt: skip
    for one in found:
        to = str(one.get("DestinationArn", ""))
        if ":s3:::" in to:
            yield Delivery(to, f"AWSLogs/{account}/vpcdnsquerylogs/*/")
        elif ":log-group:" in to:
            yield Delivery(group=to.partition(":log-group:")[2].removesuffix(":*"))
        else:
            yield Delivery(elsewhere=f"{one.get('Name')} goes to {to}: take it from there.")


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """A step for each bucket and group."""
    return delivered.plan(ACTION, "resolver query logs", deliveries, cloud, target, options)


ACTION = Action(
    id="collect.aws.resolver",
    title="Collect the DNS queries of an account",
    about="Query logs of the Route 53 Resolver, out of the buckets and log groups that they are "
    "delivered to, in every region.",
    kind="account",
    names=spans.ACCOUNT,
    permissions=(
        Permission("route53resolver:ListResolverQueryLogConfigs"),
        Permission("ec2:DescribeVpcs", why="the list asks for it in our name", optional=True),
        *delivered.PERMISSIONS,
    ),
    plan=plan,
    steps=delivered.STEPS,
    volatility=7,
    options=delivered.OPTIONS,
)
