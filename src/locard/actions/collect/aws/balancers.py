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
CLASSIC = "elb:DescribeLoadBalancers"
"""The first generation has an API of its own under the same permissions."""


def deliveries(cloud: "Cloud", account: str) -> Iterator[Delivery]:
    """Where the access logs of a region go, of balancers of both generations."""
    root = f"AWSLogs/{account}/elasticloadbalancing/{cloud.region}/"
    for one in cloud.pages(CALL, "LoadBalancers"):
        said = cloud.call(
            "elasticloadbalancing:DescribeLoadBalancerAttributes",
            LoadBalancerArn=one["LoadBalancerArn"],
        )["Attributes"]
        known = {each["Key"]: each["Value"] for each in said}
        for kind in ("access_logs", "connection_logs"):
            if known.get(f"{kind}.s3.enabled") == "true":
                prefix = known.get(f"{kind}.s3.prefix", "").strip("/")
                yield Delivery(f"arn:aws:s3:::{known[f'{kind}.s3.bucket']}/{prefix}", root)
    for one in cloud.pages(CLASSIC, "LoadBalancerDescriptions"):
        said = cloud.call(
            "elb:DescribeLoadBalancerAttributes", LoadBalancerName=one["LoadBalancerName"]
        )["LoadBalancerAttributes"].get("AccessLog", {})
        if said.get("Enabled"):
            prefix = str(said.get("S3BucketPrefix") or "").strip("/")
            yield Delivery(f"arn:aws:s3:::{said['S3BucketName']}/{prefix}", root)


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
        *delivered.OUT_OF_BUCKETS,
    ),
    plan=plan,
    steps=delivered.STEPS,
    volatility=7,
    options=delivered.OPTIONS,
)
