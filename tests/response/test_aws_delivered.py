# SPDX-License-Identifier: Apache-2.0
"""Logs that AWS delivers to buckets and groups, taken over moto: resolver, balancers, firewalls."""

import gzip
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.clouds.aws.server import ACCOUNT, REGION
from tests.response.simulated import DECRYPTED, Room, aws, room
from tests.response.test_aws_collect import kept
from tests.response.test_aws_logs import bucket, names, outcomes, run

__all__ = ["aws", "room"]
pytestmark = pytest.mark.server
TODAY = datetime.now(UTC)
OLD = TODAY - timedelta(days=40)


def put(room: Room, name: str, root: str) -> str:
    """An object of today below `root`, and one that is too old; the key of the first."""
    s3 = bucket(room, name)
    for day in (OLD, TODAY):
        key = f"{root}{day:%Y/%m/%d}/a.log.gz"
        s3.put_object(Bucket=name, Key=key, Body=gzip.compress(f"{day} {name}\n".encode()))
    return key


def test_queries_of_the_resolver_come_out_of_their_bucket_and_their_group(room: Room) -> None:
    key = put(room, "dns-logs", f"dns/AWSLogs/{ACCOUNT}/vpcdnsquerylogs/vpc-0a1b/")
    resolver, logs = room.aws.client("route53resolver"), room.aws.client("logs")
    logs.create_log_group(logGroupName="dns-queries")
    logs.create_log_stream(logGroupName="dns-queries", logStreamName="vpc-0a1b")
    now = int(time.time() * 1000)
    said = [{"timestamp": now, "message": '{"query_name":"c2.test."}'}]
    logs.put_log_events(logGroupName="dns-queries", logStreamName="vpc-0a1b", logEvents=said)
    for name, to in (
        ("bucket", "arn:aws:s3:::dns-logs/dns"),
        ("group", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:dns-queries:*"),
        ("stream", f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/dns"),
    ):
        resolver.create_resolver_query_log_config(
            Name=name, DestinationArn=to, CreatorRequestId=name
        )
    room.clouds.clear()
    done = run(room, "resolver")
    assert names(room, done) == [key]
    (grouped,) = outcomes(done, "group")
    assert kept(room.runner, grouped["evidence"]) == b'{"query_name":"c2.test."}\n'
    target = room.target("account", ACCOUNT)
    plan = room.runner.plan("collect.aws.resolver", "prod", target, "c", {"regions": REGION})
    assert any("stream goes to" in one for one in plan.warnings)
    room.look_everywhere("resolver")
    implied = {"ec2:DescribeVpcs"}  # the list of configurations asks for it
    assert room.unused("collect.aws.resolver") == DECRYPTED | implied


def test_logs_of_balancers_of_both_generations(room: Room) -> None:
    root = f"AWSLogs/{ACCOUNT}/elasticloadbalancing/{REGION}/"
    wanted = [put(room, "lb-logs", f"front/{root}"), put(room, "classic-logs", root)]
    ec2, second = room.aws.client("ec2"), room.aws.client("elbv2")
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]][:2]
    made = second.create_load_balancer(Name="front", Subnets=subnets)["LoadBalancers"][0]
    second.modify_load_balancer_attributes(
        LoadBalancerArn=made["LoadBalancerArn"],
        Attributes=[
            {"Key": "access_logs.s3.enabled", "Value": "true"},
            {"Key": "access_logs.s3.bucket", "Value": "lb-logs"},
            {"Key": "access_logs.s3.prefix", "Value": "front"},
        ],
    )
    first = room.aws.client("elb")
    first.create_load_balancer(
        LoadBalancerName="old",
        Listeners=[{"Protocol": "http", "LoadBalancerPort": 80, "InstancePort": 80}],
        AvailabilityZones=[f"{REGION}a"],
    )
    first.modify_load_balancer_attributes(
        LoadBalancerName="old",
        LoadBalancerAttributes={
            "AccessLog": {"Enabled": True, "S3BucketName": "classic-logs", "EmitInterval": 5}
        },
    )
    room.clouds.clear()
    assert names(room, run(room, "balancers")) == sorted(wanted)
    room.look_everywhere("balancers")
    assert room.unused("collect.aws.balancers") == DECRYPTED


def test_logs_of_firewalls(room: Room) -> None:
    key = put(room, "aws-waf-logs-a", f"AWSLogs/{ACCOUNT}/WAFLogs/{REGION}/shop/")
    firewalls = room.aws.client("wafv2")
    shown = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
    logs, group = room.aws.client("logs"), "aws-waf-logs-b"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    said = [{"timestamp": int(time.time() * 1000), "message": '{"action":"BLOCK"}'}]
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=said)
    to = {"shop": "arn:aws:s3:::aws-waf-logs-a",
          "office": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}"}  # fmt: skip
    for name in ("shop", "office", "silent"):
        made = firewalls.create_web_acl(
            Name=name, Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=shown
        )["Summary"]
        if name in to:
            firewalls.put_logging_configuration(
                LoggingConfiguration={
                    "ResourceArn": made["ARN"],
                    "LogDestinationConfigs": [to[name]],
                }
            )
    room.clouds.clear()
    done = run(room, "firewall")
    assert names(room, done) == [key]
    (grouped,) = outcomes(done, "group")
    assert kept(room.runner, grouped["evidence"]) == b'{"action":"BLOCK"}\n'
    room.look_everywhere("firewall")
    assert room.unused("collect.aws.firewall") == DECRYPTED
