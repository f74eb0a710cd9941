# SPDX-License-Identifier: Apache-2.0
"""VPC flow logs of an account, wherever they are delivered: a bucket or a log group."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from locard.actions.collect.aws import delivered, spans
from locard.actions.collect.aws.buckets import HIVE, PLAIN
from locard.actions.collect.aws.delivered import Delivery
from locard.actions.contract import Action
from locard.model.action import Json, Permission, Plan, Target

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


def deliveries(cloud: "Cloud", account: str) -> Iterator[Delivery]:
    """Where the flow logs of a region go."""
    for one in cloud.pages("ec2:DescribeFlowLogs", "FlowLogs"):
        if one.get("LogDestinationType") == "s3":
            hive = one.get("DestinationOptions", {}).get("HiveCompatiblePartitions", False)
            root = f"AWSLogs/{account}/vpcflowlogs/{cloud.region}/"
            if hive:
                root = (f"AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/"
                        f"aws-region={cloud.region}/")  # fmt: skip
            yield Delivery(one["LogDestination"], root, HIVE if hive else PLAIN)
        elif one.get("LogGroupName"):
            yield Delivery(group=one["LogGroupName"])


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """A step for each bucket and group."""
    return delivered.plan(ACTION, "flow logs", deliveries, cloud, target, options)


ACTION = Action(
    id="collect.aws.flows",
    title="Collect the VPC flow logs of an account",
    about="Out of the buckets and log groups that they are delivered to, in every region.",
    kind="account",
    names=spans.ACCOUNT,
    permissions=(Permission("ec2:DescribeFlowLogs"), *delivered.PERMISSIONS),
    plan=plan,
    steps=delivered.STEPS,
    volatility=7,
    options=delivered.OPTIONS,
)
