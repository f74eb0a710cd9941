# SPDX-License-Identifier: Apache-2.0
"""Isolating a Lambda function over moto's server: after a release all is as it was."""

import io
import json
import zipfile
from typing import Any

import pytest

from locard.actions.isolate.aws.steps.function import permission
from locard.model.action import RunState, Target
from tests.clouds.aws.server import ACCOUNT, REGION
from tests.response.aws import differences, steady
from tests.response.simulated import ANA, Room, aws, room

__all__ = ["aws", "room"]
pytestmark = pytest.mark.server
LAMBDA = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
     "Action": "sts:AssumeRole"}]}  # fmt: skip


def function(room: Room, name: str, *, reserved: int | None = 7) -> Target:
    """A function that a queue feeds, with a public URL, an alias kept ready, and two callers."""
    iam, client = room.aws.client("iam"), room.aws.client("lambda")
    role = iam.create_role(
        RoleName=f"{name}-role", Path="/apps/", AssumeRolePolicyDocument=json.dumps(LAMBDA)
    )["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("main.py", "def handler(event, context): return 1")
    for one in (name, f"{name}-twin"):
        client.create_function(
            FunctionName=one, Runtime="python3.12", Role=role, Handler="main.handler",
            Code={"ZipFile": code.getvalue()}, Publish=True, Timeout=30,
            Environment={"Variables": {"API_TOKEN": "x"}},
        )  # fmt: skip
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    client.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=3
    )
    if reserved is not None:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
    client.create_function_url_config(FunctionName=name, AuthType="NONE")
    queue = room.aws.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    source = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue.rpartition('/')[2]}"
    client.create_event_source_mapping(FunctionName=name, EventSourceArn=source)
    client.create_event_source_mapping(FunctionName=name, EventSourceArn=source, Enabled=False)
    client.add_permission(
        FunctionName=name, StatementId="public", Action="lambda:InvokeFunctionUrl", Principal="*",
        FunctionUrlAuthType="NONE",
    )  # fmt: skip
    client.add_permission(
        FunctionName=name, StatementId="bucket", Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::uploads", SourceAccount=ACCOUNT,
    )  # fmt: skip
    room.aws.forget()
    return room.target("function", name)


def state(room: Room, target: Target) -> Any:
    client, iam, name = room.aws.client("lambda"), room.aws.client("iam"), target.id
    found: dict[str, Any] = {
        "function": client.get_function_configuration(FunctionName=name),
        "concurrency": client.get_function_concurrency(FunctionName=name),
        "ready": client.list_provisioned_concurrency_configs(FunctionName=name),
        "url": client.get_function_url_config(FunctionName=name),
        "sources": client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"],
        "policies": iam.list_role_policies(RoleName=f"{name}-role")["PolicyNames"],
        "twin": client.get_function_concurrency(FunctionName=f"{name}-twin"),
    }
    try:
        found["callers"] = json.loads(client.get_policy(FunctionName=name)["Policy"])["Statement"]
    except client.exceptions.ResourceNotFoundException:
        found["callers"] = []
    found["url"].pop("LastModifiedTime")
    for one in found["sources"]:
        one.pop("LastModified")
    return steady(found)


@pytest.mark.parametrize("reserved", [7, None])
def test_after_a_release_everything_is_as_it_was(room: Room, reserved: int | None) -> None:
    target = function(room, f"resize-{reserved}", reserved=reserved)
    before = state(room, target)
    done = room.isolated(target)
    during = state(room, target)
    assert during["concurrency"]["ReservedConcurrentExecutions"] == 0
    assert {one["State"] for one in during["sources"]} == {"Disabled"}
    assert during["url"]["AuthType"] == "AWS_IAM" and during["callers"] == []
    assert during["url"]["FunctionUrl"] == before["url"]["FunctionUrl"]
    assert during["ready"]["ProvisionedConcurrencyConfigs"] == []
    assert during["twin"] == before["twin"]
    room.released(done.run)
    assert differences(before, state(room, target)) == []


def test_only_this_function_of_those_that_share_the_role_is_denied(room: Room) -> None:
    target = function(room, "shared")
    done, iam = room.isolated(target), room.aws.client("iam")
    (name,) = iam.list_role_policies(RoleName="shared-role")["PolicyNames"]
    found = iam.get_role_policy(RoleName="shared-role", PolicyName=name)["PolicyDocument"]
    number = iam.get_role(RoleName="shared-role")["Role"]["RoleId"]
    (statement,) = found["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:userid": f"{number}:shared"}}
    warnings = " ".join(done.plan.warnings)
    assert "1 other functions use the same role" in warnings and "go on for up to 30 s" in warnings
    assert "names secrets" in warnings


def test_the_order_is_identity_then_runs_then_what_brings_work(room: Room) -> None:
    done = room.isolated(function(room, "order"))
    kinds = list(dict.fromkeys(one.step.kind for one in done.steps))
    assert kinds == ["identity", "provisioned", "concurrency", "source", "url", "invoker"]


def test_what_others_did_meanwhile_is_named_and_not_overwritten(room: Room) -> None:
    target, client = function(room, "meddled"), room.aws.client("lambda")
    run = room.isolated(target).run
    client.put_function_concurrency(FunctionName="meddled", ReservedConcurrentExecutions=2)
    client.add_permission(
        FunctionName="meddled", StatementId="bucket", Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
    )  # fmt: skip
    stopped = room.runner.release(run, ANA, "over")
    assert stopped.state == RunState.RELEASE_FAILED
    assert "another statement bucket" in " ".join(one.error for one in stopped.steps)
    stopped = room.runner.release(run, ANA, "over", leave={"invoker:function/bucket"})
    assert "has a concurrency of 2 now" in " ".join(one.error for one in stopped.steps)
    room.released(run, leave={"concurrency:nought"})
    assert client.get_function_concurrency(FunctionName="meddled")[
        "ReservedConcurrentExecutions"] == 2  # fmt: skip


def test_a_statement_that_could_not_come_back_is_not_taken_away() -> None:
    plain = {"Sid": "a", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:root"},
             "Action": "lambda:InvokeFunction", "Resource": "r"}  # fmt: skip
    assert permission(plain) == {"Action": plain["Action"], "Principal": "arn:aws:iam::1:root"}
    odd = [
        {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        {"Condition": {"StringEquals": {"AWS:SourceAccount": ["1", "2"]}}},
        {"Effect": "Deny"},
        {"NotAction": "lambda:Get*"},
        {"Principal": {"AWS": "1", "Service": "s3.amazonaws.com"}},
        {"Action": ["lambda:InvokeFunction", "lambda:GetFunction"]},
    ]
    assert [permission(plain | one) for one in odd] == [None] * len(odd)
