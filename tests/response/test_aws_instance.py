# SPDX-License-Identifier: Apache-2.0
"""Isolating an EC2 instance over moto's server: plan, apply, verify, release, and faults."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from locard.actions import catalogue
from locard.actions.isolate.aws.steps import found as waiting
from locard.cases.desk import Desk
from locard.cases.response.connecting import connect
from locard.cases.response.runner import Asked, Runner
from locard.model.action import RunState, Target
from locard.model.custody import Hand
from locard.model.errors import Missing
from locard.settings import Settings
from locard.state import accounts
from locard.state.accounts import Account
from tests.clouds.aws.server import ACCOUNT, REGION, Aws, simulated
from tests.response.aws import Scene, differences, scene, steady

ANA = Hand("ana", "command line")
pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """One server for the module; each test makes a scene of its own in it."""
    with simulated() as server:
        yield server


@pytest.fixture
def here(aws: Aws, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """An account with a compromised instance."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "responder")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "simulated")
    monkeypatch.setattr(waiting, "PAUSE", 0.05)
    monkeypatch.setattr(waiting, "LONGEST", 5.0)
    made = scene(aws, f"shop{abs(hash(request.node.name)) % 10**6}")
    aws.forget()
    return made


@pytest.fixture
def runner(home: Path, here: Scene) -> Runner:
    """A runner with the account `prod` behind a role with an external id."""
    desk = Desk(Settings(home=home, workers=1))
    desk.create("c", who="ana")
    role = f"arn:aws:iam::{ACCOUNT}:role/locard"
    with desk.state.session() as session:
        account = Account(
            "prod", "aws", ACCOUNT, role, "shared-secret", (REGION,), endpoint=here.aws.endpoint
        )
        accounts.add(session, account, who="ana")
    return Runner(home, desk.state, desk.vault, catalogue.catalogue(), connect)


def target(here: Scene) -> Target:
    return Target("aws", ACCOUNT, REGION, "instance", here.instance)


def begin(runner: Runner, here: Scene, **options: object) -> str:
    plan = runner.plan("isolate.aws.instance", "prod", target(here), "c", options)
    return runner.begin(plan, "prod", Asked("c", ANA, "beacons", exception="a test"))


EVERY = {"metadata": True, "stop": True, "cut": "untracked", "detach": True}


@pytest.mark.parametrize(
    "options",
    [{}, {"replace": False}, EVERY, {"cut": "none", "addresses": False}],
    ids=["usual", "shrink", "everything", "least"],
)
def test_after_a_release_everything_is_as_it_was(
    runner: Runner, here: Scene, options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("locard.actions.isolate.aws.cutting.WAIT", 0)
    before = here.state()
    run = begin(runner, here, **options)
    assert differences(before, here.state()) == [], "a plan changes nothing"
    done = runner.carry_on(run, ANA)
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    changes = [one for one in done.steps if one.step.changes]
    assert {one.verdict.holds for one in changes if one.verdict} == {True}
    assert here.state() != before
    after = runner.release(run, ANA, "false alarm")
    assert after.state == RunState.RELEASED, [one.error for one in after.steps if one.error]
    assert differences(before, here.state()) == []
    compared = {one.step.key: one.verdict for one in after.steps}
    assert compared.pop("check:flows").holds is None, "no flow log is on, before as after"
    assert {key: one.detail for key, one in compared.items() if not one.holds} == {}


def isolated(runner: Runner, here: Scene, **options: object) -> str:
    run = begin(runner, here, **options)
    done = runner.carry_on(run, ANA)
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    return run


def test_the_order_of_calls_and_who_made_them(runner: Runner, here: Scene) -> None:
    run = isolated(runner, here, stop=True)
    calls = here.aws.calls(run)
    changing = [one["action"] for one in calls if not re.search(":(Describe|Get)", one["action"])]
    assert changing[0] == "sts:AssumeRole"
    wanted = [
        "autoscaling:DetachInstances", "ec2:ModifyInstanceAttribute", "iam:PutRolePolicy",
        "ec2:CreateSecurityGroup", "ec2:ModifyNetworkInterfaceAttribute", "ec2:DisassociateAddress",
        "ec2:StopInstances",
    ]  # fmt: skip
    firsts = [changing.index(one) for one in wanted]
    assert firsts == sorted(firsts), changing
    assert changing[-1] == "ec2:StopInstances"
    assert all(f"run/{run}" in one["agent"] for one in calls)
    keys = {one["key"] for one in calls if one["action"] != "sts:AssumeRole"}
    assert "responder" not in keys, "only the assumed role acts"


def test_every_interface_is_closed_for_both_families_and_the_neighbour_is_untouched(
    runner: Runner, here: Scene
) -> None:
    ec2 = here.ec2()
    neighbour = ec2.describe_instances(InstanceIds=[here.other])["Reservations"][0]["Instances"]
    isolated(runner, here)
    seen = ec2.describe_network_interfaces(NetworkInterfaceIds=here.interfaces)
    groups = {one["GroupId"] for eni in seen["NetworkInterfaces"] for one in eni["Groups"]}
    assert len(groups) == 1
    (closed,) = ec2.describe_security_groups(GroupIds=list(groups))["SecurityGroups"]
    assert (closed["IpPermissions"], closed["IpPermissionsEgress"]) == ([], [])
    assert "PublicIp" not in seen["NetworkInterfaces"][0].get("Association", {})
    after = ec2.describe_instances(InstanceIds=[here.other])["Reservations"][0]["Instances"]
    assert differences(steady(neighbour), steady(after)) == []


def test_only_this_instance_of_the_fleet_is_denied_and_no_clock_is_asked(
    runner: Runner, here: Scene
) -> None:
    isolated(runner, here)
    iam = here.aws.client("iam")
    (name,) = iam.list_role_policies(RoleName=here.role)["PolicyNames"]
    found = iam.get_role_policy(RoleName=here.role, PolicyName=name)["PolicyDocument"]
    (statement,) = found["Statement"]
    number = iam.get_role(RoleName=here.role)["Role"]["RoleId"]
    assert statement["Condition"] == {"StringEquals": {"aws:userid": f"{number}:{here.instance}"}}
    assert (statement["Effect"], statement["Action"]) == ("Deny", "*")
    assert "TokenIssueTime" not in str(found)


def test_auto_scaling_cannot_end_it_and_its_group_keeps_serving(
    runner: Runner, here: Scene
) -> None:
    run = isolated(runner, here)
    scaling, ec2 = here.aws.client("autoscaling"), here.ec2()
    scaling.set_desired_capacity(AutoScalingGroupName=here.group, DesiredCapacity=1)
    seen = ec2.describe_instances(InstanceIds=[here.instance])["Reservations"][0]["Instances"][0]
    assert seen["State"]["Name"] == "running"
    after = runner.release(run, ANA, "over")
    assert after.state == RunState.RELEASED, [one.error for one in after.steps if one.error]
    (group,) = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[here.group])[
        "AutoScalingGroups"
    ]
    assert here.instance in {one["InstanceId"] for one in group["Instances"]}
    assert group["MaxSize"] == 2


def test_auto_scaling_ends_it_between_plan_and_apply(runner: Runner, here: Scene) -> None:
    run = begin(runner, here)
    here.aws.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=here.instance, ShouldDecrementDesiredCapacity=True
    )
    here.ec2().terminate_instances(InstanceIds=[here.instance])
    stopped = runner.carry_on(run, ANA)
    assert stopped.state == RunState.FAILED and "was terminated meanwhile" in stopped.steps[0].error
    assert runner.standing(run) == []


def test_a_denied_call_in_the_middle_says_which_and_all_goes_back(
    runner: Runner, here: Scene
) -> None:
    before = here.state()
    run = begin(runner, here)
    here.aws.fault("iam:PutRolePolicy", "AccessDenied")
    stopped = runner.carry_on(run, ANA)
    failed = next(one for one in stopped.steps if one.error)
    assert failed.step.key == "identity:deny" and "denied iam:PutRolePolicy" in failed.error
    assert "locard account policy" in failed.error
    assert runner.release(run, ANA, "cannot").state == RunState.RELEASED
    assert differences(before, here.state()) == []


def test_throttling_is_waited_out_and_an_expired_token_is_renewed(
    runner: Runner, here: Scene
) -> None:
    run = begin(runner, here)
    here.aws.fault("ec2:CreateSecurityGroup", "RequestLimitExceeded", times=2)
    here.aws.fault("ec2:DisassociateAddress", "ExpiredToken")
    assert runner.carry_on(run, ANA).state == RunState.DONE
    calls = [one["action"] for one in here.aws.calls(run)]
    assert calls.count("ec2:CreateSecurityGroup") == 3
    assert calls.count("ec2:DisassociateAddress") == 2
    assert calls.count("sts:AssumeRole") == 2


def test_what_a_dry_run_says_is_missing_is_told_in_the_plan(runner: Runner, here: Scene) -> None:
    here.aws.fault("ec2:ModifyNetworkInterfaceAttribute", "UnauthorizedOperation", times=9)
    plan = runner.plan("isolate.aws.instance", "prod", target(here), "c", {})
    assert plan.missing == ("ec2:ModifyNetworkInterfaceAttribute",)
    assert "iam:PutRolePolicy" in plan.unknown
    dry = [one for one in here.aws.calls("plan-") if one["dry"]]
    assert {one["action"] for one in dry} >= {"ec2:CreateSecurityGroup"}


def test_a_group_that_others_added_stays_and_one_they_took_away_is_a_conflict(
    runner: Runner, here: Scene
) -> None:
    ec2, run = here.ec2(), isolated(runner, here)
    first, second, _ = here.interfaces
    seen = ec2.describe_network_interfaces(NetworkInterfaceIds=[first])["NetworkInterfaces"][0]
    closed = seen["Groups"][0]["GroupId"]
    forensic = ec2.create_security_group(
        GroupName=f"{here.group}-forensic", Description="theirs", VpcId=here.vpc
    )["GroupId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=first, Groups=[closed, forensic])
    ec2.modify_network_interface_attribute(NetworkInterfaceId=second, Groups=[forensic])
    stopped = runner.release(run, ANA, "over")
    assert stopped.state == RunState.RELEASE_FAILED
    (clash,) = [one for one in stopped.steps if one.error]
    assert clash.step.key == f"interface:{second}" and "others took it out" in clash.error
    done = runner.release(run, ANA, "over", leave={f"interface:{second}"})
    assert done.state == RunState.RELEASED, [one.error for one in done.steps if one.error]
    after = ec2.describe_network_interfaces(NetworkInterfaceIds=[first])["NetworkInterfaces"][0]
    assert {one["GroupId"] for one in after["Groups"]} == {*here.groups[:2], forensic}


def test_a_statement_that_others_wrote_into_our_policy_stays(runner: Runner, here: Scene) -> None:
    iam, run = here.aws.client("iam"), isolated(runner, here)
    (name,) = iam.list_role_policies(RoleName=here.role)["PolicyNames"]
    found = iam.get_role_policy(RoleName=here.role, PolicyName=name)["PolicyDocument"]
    theirs = {"Sid": "Theirs", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    found["Statement"].append(theirs)
    iam.put_role_policy(RoleName=here.role, PolicyName=name, PolicyDocument=json.dumps(found))
    assert runner.release(run, ANA, "over").state == RunState.RELEASED
    rest = iam.get_role_policy(RoleName=here.role, PolicyName=name)["PolicyDocument"]
    assert rest["Statement"] == [theirs]


def test_a_protected_instance_and_an_id_that_is_none(runner: Runner, here: Scene) -> None:
    tag = {"Key": "locard:protected", "Value": "yes"}
    here.ec2().create_tags(Resources=[here.instance], Tags=[tag])
    plan = runner.plan("isolate.aws.instance", "prod", target(here), "c", {})
    assert "carries the tag locard:protected" in plan.refusals[0]
    gone = Target("aws", ACCOUNT, REGION, "instance", "i-0123456789abcdef0")
    with pytest.raises(Missing, match="i-0123456789abcdef0"):
        runner.plan("isolate.aws.instance", "prod", gone, "c", {})
