# SPDX-License-Identifier: Apache-2.0
"""Access logs of an S3 bucket, out of the bucket that they are delivered to."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from locard.actions.collect.aws import buckets, spans
from locard.actions.collect.aws.buckets import PLAIN, Days
from locard.actions.collect.aws.spans import Span
from locard.actions.contract import Action
from locard.model.action import Json, Permission, Plan, Target

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

FLAT = "%Y-%m-%d-"
"""How keys go on that are in no folders of days."""


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """One step, or a warning that nobody wrote any."""
    said = cloud.call("s3:GetBucketLogging", Bucket=target.id).get("LoggingEnabled")
    if not said:
        warning = f"No access logs of {target.id} are written: data events of CloudTrail may be."
        return Plan(ACTION.id, ACTION.version, target, dict(options), (), warnings=(warning,),
                    volatility=ACTION.volatility)  # fmt: skip
    root, form = str(said.get("TargetPrefix", "")), FLAT
    if "PartitionedPrefix" in said.get("TargetObjectKeyFormat", {}):
        root, form = f"{root}{target.account}/*/{target.id}/", PLAIN
    bucket = said["TargetBucket"]
    step = spans.days(f"the access logs of {target.id}", bucket, [root], Span.of(options), options,
                      form)  # fmt: skip
    return Plan(
        ACTION.id, ACTION.version, target, dict(options), (step,),
        names={"bucket": (bucket,)}, volatility=ACTION.volatility,
    )  # fmt: skip


ACTION = Action(
    id="collect.aws.accesses",
    title="Collect the access logs of an S3 bucket",
    about="Out of the bucket that they are delivered to, flat or by days.",
    kind="bucket",
    names=r"(?:arn:[\w-]+:s3:::|s3://)(?P<id>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/?",
    permissions=(
        Permission("s3:GetBucketLogging", "arn:{partition}:s3:::{id}"),
        *buckets.PERMISSIONS,
    ),
    plan=plan,
    steps={"days": Days()},
    volatility=7,
    options=(*spans.WHEN, *spans.BUCKET),
)
