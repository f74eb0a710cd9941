# SPDX-License-Identifier: Apache-2.0
"""Isolating users, keys and roles over moto's server: after a release all is as it was."""

import json
from typing import Any

import pytest

from locard.cases.response.runner import Asked, Runner
from locard.model.action import RunState, Target
from locard.model.errors import Missing
from tests.clouds.aws.server import ACCOUNT
from tests.response.aws import TRUST, Scene, differences, steady
from tests.response.test_aws_instance import ANA, aws, here, runner

__all__ = ["aws", "here", "runner"]
pytestmark = pytest.mark.server


def user(here: Scene) -> tuple[str, list[str]]:
    """A user with an inline policy, an active key and one that is inactive already."""
    iam, name = here.aws.client("iam"), f"{here.group}-ana"
    iam.create_user(UserName=name, Path="/people/")
    allowed = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
    keys = [iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"] for _ in range(2)]
    iam.update_access_key(UserName=name, AccessKeyId=keys[1], Status="Inactive")
    return name, keys


def state(here: Scene, name: str) -> Any:
    iam = here.aws.client("iam")
    policies = iam.list_user_policies(UserName=name)["PolicyNames"]
    return steady(
        {
            "user": iam.get_user(UserName=name)["User"],
            "keys": iam.list_access_keys(UserName=name)["AccessKeyMetadata"],
            "policies": [iam.get_user_policy(UserName=name, PolicyName=one) for one in policies],
        }
    )


def isolate(runner: Runner, kind: str, name: str) -> str:
    target = Target("aws", ACCOUNT, "", kind, name)
    plan = runner.plan(f"isolate.aws.{kind}", "prod", target, "c", {})
    run = runner.begin(plan, "prod", Asked("c", ANA, "stolen"))
    done = runner.carry_on(run, ANA)
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    return run


def released(runner: Runner, here: Scene, run: str, kind: str) -> None:
    assert runner.release(run, ANA, "over").state == RunState.RELEASED
    made = {one["action"] for one in here.aws.calls("") if "locard/" in one["agent"]}
    declared = {one.action for one in runner.catalogue.get(f"isolate.aws.{kind}").permissions}
    assert made - {"sts:AssumeRole"} == declared


def test_a_user_is_denied_everything_and_a_key_that_was_inactive_stays_so(
    runner: Runner, here: Scene
) -> None:
    name, keys = user(here)
    before = state(here, name)
    run = isolate(runner, "user", name)
    during = state(here, name)
    assert {one["Status"] for one in during["keys"]} == {"Inactive"}
    assert len(during["policies"]) == 2
    released(runner, here, run, "user")
    assert differences(before, state(here, name)) == []
    assert keys


def test_a_key_alone(runner: Runner, here: Scene) -> None:
    name, keys = user(here)
    before = state(here, name)
    run = isolate(runner, "key", keys[0])
    assert {one["Status"] for one in state(here, name)["keys"]} == {"Inactive"}
    released(runner, here, run, "key")
    assert differences(before, state(here, name)) == []
    with pytest.raises(Missing, match="No user of account"):
        isolate(runner, "key", "AKIA0000000000000000")


def test_a_role_keeps_its_trust_and_its_other_policies(runner: Runner, here: Scene) -> None:
    iam, name = here.aws.client("iam"), f"{here.group}-deploy"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    before = steady(iam.get_role(RoleName=name)["Role"])
    target = Target("aws", ACCOUNT, "", "role", name)
    plan = runner.plan("isolate.aws.role", "prod", target, "c", {})
    assert "ec2.amazonaws.com" in plan.warnings[0]
    run = isolate(runner, "role", name)
    (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    found = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    assert found["Statement"][0]["Effect"] == "Deny" and "Condition" not in found["Statement"][0]
    released(runner, here, run, "role")
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == []
    assert differences(before, steady(iam.get_role(RoleName=name)["Role"])) == []


def test_a_key_that_was_deleted_meanwhile_is_a_conflict(runner: Runner, here: Scene) -> None:
    name, keys = user(here)
    run = isolate(runner, "user", name)
    here.aws.client("iam").delete_access_key(UserName=name, AccessKeyId=keys[0])
    stopped = runner.release(run, ANA, "over")
    assert stopped.state == RunState.RELEASE_FAILED
    done = runner.release(run, ANA, "over", leave={f"key:{keys[0]}"})
    assert done.state == RunState.RELEASED
