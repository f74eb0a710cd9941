# SPDX-License-Identifier: Apache-2.0
"""Functions and tasks over moto: code of every version, secrets masked, logs."""

import io
import json
import time
import zipfile
from typing import Any

import pytest

from locard.actions.catalogue import catalogue
from locard.actions.collect.aws.masked import masked
from locard.cases.response.runner import Asked
from locard.model.action import Receipt, RunState
from tests.clouds.aws.server import ACCOUNT, REGION
from tests.response.simulated import ANA, Room, aws, room
from tests.response.test_aws_collect import kept
from tests.response.test_aws_logs import bucket

__all__ = ["aws", "room"]
pytestmark = pytest.mark.server
SECRET = "hunter2-hunter2"


def package(text: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("main.py", text)
    return packed.getvalue()


def run(room: Room, kind: str, name: str, **options: object) -> Receipt:
    target = room.target(kind, name)
    plan = room.runner.plan(f"collect.aws.{kind}", "prod", target, "c", options)
    begun = room.runner.begin(plan, "prod", Asked("c", ANA, "beacons"))
    done = room.runner.carry_on(begun, ANA)
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    return done


def outcome(done: Receipt, key: str) -> dict[str, Any]:
    (found,) = [one.outcome for one in done.steps if one.step.key == key]
    return dict(found)


@pytest.fixture
def function(room: Room) -> tuple[str, bytes]:
    """A function with a published version, an alias, a secret and a log."""
    name, code = f"shop{time.time_ns()}", package("def handler(event, context): pass")
    bucket(room, "code-bucket").put_object(
        Bucket="code-bucket", Key=f"{name}.zip", Body=code, ACL="public-read"
    )
    iam, client = room.aws.client("iam"), room.aws.client("lambda")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    client.create_function(
        FunctionName=name, Runtime="python3.11", Role=role, Handler="main.handler",
        Code={"S3Bucket": "code-bucket", "S3Key": f"{name}.zip"},
        Environment={"Variables": {"DB_PASSWORD": SECRET, "SAME": SECRET}},
    )  # fmt: skip
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    logs = room.aws.client("logs")
    logs.create_log_group(logGroupName=f"/aws/lambda/{name}")
    logs.create_log_stream(logGroupName=f"/aws/lambda/{name}", logStreamName="s")
    now = int(time.time() * 1000)
    logs.put_log_events(logGroupName=f"/aws/lambda/{name}", logStreamName="s",
                        logEvents=[{"timestamp": now, "message": "START 1"}])  # fmt: skip
    return name, code


def test_a_function_with_every_version_and_no_secret(
    room: Room, function: tuple[str, bytes]
) -> None:
    name, code = function
    room.clouds.clear()
    done = run(room, "function", name)
    for version in ("$LATEST", "1"):
        assert kept(room.runner, outcome(done, f"code:{version}")["evidence"]) == code
        text = kept(room.runner, outcome(done, f"masked:{version}")["evidence"]).decode()
        variables = json.loads(text)["answer"]["Configuration"]["Environment"]["Variables"]
        assert SECRET not in text and "Location" not in text
        assert variables["DB_PASSWORD"] == variables["SAME"]
        assert variables["SAME"].endswith("15 characters")
    aliases = json.loads(kept(room.runner, outcome(done, "answer:ListAliases")["evidence"]))
    assert aliases["answer"]["Aliases"][0]["Name"] == "live"
    (told,) = [one.outcome for one in done.steps if one.step.kind == "group"]
    assert told["events"] == 1
    everything = b"".join(kept(room.runner, one) for t in done.steps for one in t.evidence)
    assert SECRET.encode() not in everything
    assert room.unused("collect.aws.function") == {"lambda:GetLayerVersion"}


def test_secrets_are_there_when_a_person_wants_them(
    room: Room, function: tuple[str, bytes]
) -> None:
    done = run(room, "function", function[0], secrets=True)
    assert SECRET in kept(room.runner, outcome(done, "masked:1")["evidence"]).decode()


def test_code_that_is_not_what_lambda_says_is_found_out(
    room: Room, function: tuple[str, bytes]
) -> None:
    bucket_, key = "code-bucket", f"{function[0]}.zip"
    room.aws.client("s3").put_object(Bucket=bucket_, Key=key, Body=package("other"),
                                     ACL="public-read")  # fmt: skip
    target = room.target("function", function[0])
    plan = room.runner.plan("collect.aws.function", "prod", target, "c", {})
    begun = room.runner.begin(plan, "prod", Asked("c", ANA, "beacons"))
    stopped = room.runner.carry_on(begun, ANA)
    assert stopped.state == RunState.FAILED
    assert any("another SHA-256 than Lambda says" in one.error for one in stopped.steps)


def test_a_task_with_its_definition_and_logs(room: Room) -> None:
    ecs, ec2, logs = (room.aws.client(one) for one in ("ecs", "ec2", "logs"))
    name = f"shop{time.time_ns()}"
    logs.create_log_group(logGroupName=name)
    ecs.create_cluster(clusterName=name)
    ecs.register_task_definition(
        family=name, requiresCompatibilities=["FARGATE"], networkMode="awsvpc",
        cpu="256", memory="512",
        containerDefinitions=[{
            "name": "web", "image": "web@sha256:1", "memory": 64,
            "environment": [{"name": "TOKEN", "value": SECRET}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": name}},
        }],
    )  # fmt: skip
    subnet = ec2.describe_subnets()["Subnets"][0]
    group = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}])[
        "SecurityGroups"
    ][0]["GroupId"]
    ran = ecs.run_task(
        cluster=name, taskDefinition=name, launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {
            "subnets": [subnet["SubnetId"]], "securityGroups": [group]}},
    )["tasks"][0]["taskArn"]  # fmt: skip
    named = {one.action.id: one for one in catalogue().meant("collect", ran)}["collect.aws.task"]
    assert (named.account, named.region) == (ACCOUNT, REGION)
    done = run(room, "task", named.id)
    text = kept(room.runner, outcome(done, "masked:DescribeTaskDefinition")["evidence"]).decode()
    assert SECRET not in text and '"TOKEN"' in text
    assert outcome(done, f"group:{REGION}:{name}") == {"events": 0}
    of_others = {"ecs:DescribeServices", "ecs:DescribeContainerInstances"}
    assert room.unused("collect.aws.task") == of_others, "it has no service, and no host of ours"


def test_masking_tells_equal_values_and_never_a_value() -> None:
    given = {"Environment": {"Variables": {"A": "x", "B": "x", "C": "y"}}, "Name": "kept",
             "list": [{"environment": [{"name": "N", "value": "secret"}]}]}  # fmt: skip
    found, again = masked(given), masked(given)
    variables = found["Environment"]["Variables"]
    assert variables["A"] == variables["B"] != variables["C"]
    assert again["Environment"]["Variables"]["A"] != variables["A"], "no dictionary helps"
    assert found["Name"] == "kept" and found["list"][0]["environment"][0]["name"] == "N"
    assert "secret" not in json.dumps(found)
