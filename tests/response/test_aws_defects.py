# SPDX-License-Identifier: Apache-2.0
"""Defects of other tools that we must not have: docs/explanation/containment.md lists them.

Those that the tests of each action show already are not shown here again.
"""

import re
from itertools import count
from pathlib import Path

import pytest

from locard.actions.catalogue import catalogue
from locard.model.action import RunState
from tests.response.aws import Scene, differences, scene
from tests.response.simulated import ANA, Room, aws, room

__all__ = ["aws", "room"]
NAMES = (f"defect{number}" for number in count())
AT = "eu-central-1:123456789012"


@pytest.fixture
def here(room: Room) -> Scene:
    """The awkward instance."""
    made = scene(room.aws, next(NAMES))
    room.aws.forget()
    return made


@pytest.mark.parametrize(
    "name,kind,target",
    [
        (f"arn:aws:lambda:{AT}:function:resize:live", "function", "resize"),
        (f"arn:aws:ecs:{AT}:task/shop/{'a' * 32}", "task", f"shop/{'a' * 32}"),
        ("arn:aws:s3:::shop-data", "bucket", "shop-data"),
        ("s3://shop-data/", "bucket", "shop-data"),
        (f"arn:aws:rds:{AT}:db:orders", "database", "db:orders"),
        (f"arn:aws:rds:{AT}:cluster:orders", "database", "cluster:orders"),
        ("arn:aws:iam::123456789012:user/people/ana", "user", "ana"),
        ("arn:aws:iam::123456789012:role/deploy", "role", "deploy"),
        ("AKIA0123456789ABCDEF", "key", "AKIA0123456789ABCDEF"),
        ("i-0123456789abcdef0", "instance", "i-0123456789abcdef0"),
        (f"arn:aws:ec2:{AT}:instance/i-0123456789abcdef0", "instance", "i-0123456789abcdef0"),
    ],
)
def test_every_kind_of_target_reaches_its_own_action(name: str, kind: str, target: str) -> None:
    (found,) = catalogue().meant("isolate", name)
    assert (found.action.id, found.id) == (f"isolate.aws.{kind}", target)


def test_what_has_to_be_collected_before_is_something_that_can_be() -> None:
    known = catalogue().actions
    for one in known.values():
        assert set(one.loses) <= set(known), one.id


def test_each_test_that_the_page_names_is_there() -> None:
    folder = Path(__file__).parent
    page = (folder.parent.parent / "docs" / "explanation" / "containment.md").read_text()
    defined = {
        name: set(re.findall(r"^def (test_\w+)", path.read_text(), re.M))
        for path in folder.glob("test_*.py")
        for name in [path.stem]
    }
    named = re.findall(r"`(?:(test_\w+)::)?(test_\w+)", page)
    assert len(named) > 30
    for module, test in named:
        places = [defined[module]] if module else [*defined.values(), set(defined)]
        assert any(test in one for one in places), f"{module}::{test}"


@pytest.mark.server
def test_flows_become_untracked_for_both_families_and_directions_and_it_ends_closed(
    room: Room, here: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("locard.actions.isolate.aws.cutting.WAIT", 0)
    run = room.isolated(room.target("instance", here.instance), cut="untracked").run
    ec2 = here.ec2()
    named = [{"Name": "vpc-id", "Values": [here.vpc]}]
    groups = {one["GroupName"]: one for one in ec2.describe_security_groups(Filters=named)[
        "SecurityGroups"]}  # fmt: skip
    opened = groups[f"locard-untracking-{here.instance}"]
    closed = groups[f"locard-isolation-{here.instance}"]
    for rules in (opened["IpPermissions"], opened["IpPermissionsEgress"]):
        assert {four["CidrIp"] for one in rules for four in one["IpRanges"]} == {"0.0.0.0/0"}
        assert {six["CidrIpv6"] for one in rules for six in one["Ipv6Ranges"]} == {"::/0"}
        assert {one["IpProtocol"] for one in rules} == {"-1"}
    assert closed["IpPermissions"] == closed["IpPermissionsEgress"] == []
    seen = ec2.describe_network_interfaces(NetworkInterfaceIds=here.interfaces)
    held = [[one["GroupId"] for one in eni["Groups"]] for eni in seen["NetworkInterfaces"]]
    assert held == [[closed["GroupId"]]] * 3, "each interface, and each ends closed"
    swaps = [one for one in room.aws.calls(run)
             if one["action"] == "ec2:ModifyNetworkInterfaceAttribute"]  # fmt: skip
    assert len(swaps) == 6, "in and out again, each of three"


@pytest.mark.server
def test_a_second_target_beside_the_first_is_isolated_by_its_own(room: Room, here: Scene) -> None:
    first = room.isolated(room.target("instance", here.instance)).run
    second = room.isolated(room.target("instance", here.other)).run
    room.released(second)
    looked = room.runner.verify(first, ANA)
    assert False not in {one.verdict.holds for one in looked.steps if one.verdict}
    iam = room.aws.client("iam")
    assert iam.list_role_policies(RoleName=here.role)["PolicyNames"] == [
        f"locard-isolation-{here.instance}"
    ]
    room.released(first)


@pytest.mark.server
def test_a_group_that_was_given_rules_is_not_taken_for_closed_because_of_its_name(
    room: Room, here: Scene
) -> None:
    run = room.isolated(room.target("instance", here.instance)).run
    seen = here.ec2().describe_network_interfaces(NetworkInterfaceIds=[here.interfaces[1]])
    closed = seen["NetworkInterfaces"][0]["Groups"][0]["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
            "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}  # fmt: skip
    here.ec2().authorize_security_group_egress(GroupId=closed, IpPermissions=[rule])
    looked = {one.step.key: one.verdict for one in room.runner.verify(run, ANA).steps}
    found = looked[f"interface:{here.interfaces[1]}"]
    assert found is not None and found.holds is False and "has rules" in found.detail


@pytest.mark.server
def test_an_instance_that_ended_while_isolated_is_released_without_its_remains_held(
    room: Room, here: Scene
) -> None:
    run = room.isolated(room.target("instance", here.instance)).run
    ec2 = here.ec2()
    for name in ("DisableApiTermination", "DisableApiStop"):
        ec2.modify_instance_attribute(InstanceId=here.instance, **{name: {"Value": False}})
    ec2.terminate_instances(InstanceIds=[here.instance])
    done = room.released(run)
    assert done.state == RunState.RELEASED
    iam = room.aws.client("iam")
    assert iam.list_role_policies(RoleName=here.role)["PolicyNames"] == []
    entries = room.runner.vault.ledger.newest(case="c", limit=100)
    merged = [one.details["merged"] for one in entries if "merged" in one.details]
    assert any("was terminated meanwhile" in one for one in merged)


@pytest.mark.server
def test_throttled_for_good_it_stops_says_so_and_goes_on_later(room: Room, here: Scene) -> None:
    before = here.state()
    run = room.begin(room.target("instance", here.instance))
    room.aws.fault("ec2:CreateSecurityGroup", "RequestLimitExceeded", times=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_MAX_ATTEMPTS", "2")
        stopped = room.runner.carry_on(run, ANA)
    assert stopped.state == RunState.FAILED
    assert "throttles ec2:CreateSecurityGroup" in " ".join(one.error for one in stopped.steps)
    assert room.runner.carry_on(run, ANA).state == RunState.DONE
    room.released(run)
    assert differences(before, here.state()) == []
