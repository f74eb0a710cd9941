# SPDX-License-Identifier: Apache-2.0
"""Access logs of the load balancers of an account, out of the buckets that have them."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from locard.actions.collect.aws import delivered, spans
from locard.actions.collect.aws.delivered import Delivery
from locard.actions.contract import Action
from locard.model.action import Json, Permission, Plan, Target

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

CALL = "elasticloadbalancing:DescribeLoadBalancers"


def deliveries(cloud: "Cloud", account: str) -> Iterator[Delivery]:
    """Where the access logs of a region go."""
    for one in cloud.pages(CALL, "LoadBalancers"):
        said = cloud.call(
            "elasticloadbalancing:DescribeLoadBalancerAttributes",
            LoadBalancerArn=one["LoadBalancerArn"],
        )["Attributes"]
        known = {each["Key"]: each["Value"] for each in said}
        if known.get("access_logs.s3.enabled") == "true":
            prefix = known.get("access_logs.s3.prefix", "").strip("/")
            to = f"arn:aws:s3:::{known['access_logs.s3.bucket']}/{prefix}"
            yield Delivery(to, f"AWSLogs/{account}/elasticloadbalancing/{cloud.region}/")


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """A step for each bucket."""
    return delivered.plan(ACTION, "balancer logs", deliveries, cloud, target, options)


ACTION = Action(
    id="collect.aws.balancers",
    title="Collect the access logs of the load balancers of an account",
    about="Out of the buckets that they are delivered to, in every region.",
    kind="account",
    names=spans.ACCOUNT,
    permissions=(
        Permission(CALL),
        Permission("elasticloadbalancing:DescribeLoadBalancerAttributes"),
        *delivered.PERMISSIONS,
    ),
    plan=plan,
    steps=delivered.STEPS,
    volatility=7,
    options=delivered.OPTIONS,
)
