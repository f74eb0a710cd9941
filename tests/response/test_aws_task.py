# SPDX-License-Identifier: Apache-2.0
"""Isolating a task of ECS over moto's server: after a release all is as it was."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from locard.model.action import RunState, Target
from locard.model.errors import Error, Missing
from tests.clouds.aws.lacking.interfaces import MANAGED
from tests.response.aws import differences, steady
from tests.response.simulated import ANA, Room, aws, room

__all__ = ["aws", "room"]
pytestmark = pytest.mark.server
TASKS = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"},
     "Action": "sts:AssumeRole"}]}  # fmt: skip


@dataclass
class Shop:
    """A service of two tasks with interfaces of their own, and one that belongs to no service."""

    room: Room
    name: str
    tasks: list[str]
    interfaces: list[str]

    def target(self, number: int = 0) -> Target:
        return self.room.target("task", f"{self.name}/{self.tasks[number]}")

    def state(self) -> Any:
        ecs, ec2, iam = (self.room.aws.client(one) for one in ("ecs", "ec2", "iam"))
        given = {"cluster": self.name}
        found = {
            "tasks": ecs.describe_tasks(**given, tasks=self.tasks)["tasks"],
            "service": ecs.describe_services(**given, services=["web"])["services"],
            "protection": ecs.get_task_protection(**given, tasks=self.tasks[:2])["protectedTasks"],
            "interfaces": ec2.describe_network_interfaces(NetworkInterfaceIds=self.interfaces),
            "groups": ec2.describe_security_groups(),
            "policies": iam.list_role_policies(RoleName=f"{self.name}-role")["PolicyNames"],
        }
        for one in (*found["service"], *(d for s in found["service"] for d in s["deployments"])):
            for counted in ("updatedAt", "runningCount", "pendingCount"):
                one.pop(counted, None)
        return steady(found)


def shop(room: Room, name: str) -> Shop:
    """Make it."""
    ecs, ec2, iam = (room.aws.client(one) for one in ("ecs", "ec2", "iam"))
    role = iam.create_role(
        RoleName=f"{name}-role", AssumeRolePolicyDocument=json.dumps(TASKS)
    )["Role"]["Arn"]  # fmt: skip
    made = ec2.create_vpc(CidrBlock="10.1.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    ec2.modify_vpc_attribute(VpcId=made["VpcId"], EnableDnsHostnames={"Value": True})
    six = made["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].replace("/56", "/64")
    subnet = ec2.create_subnet(VpcId=made["VpcId"], CidrBlock="10.1.1.0/24", Ipv6CidrBlock=six)
    group = ec2.create_security_group(GroupName=name, Description="web", VpcId=made["VpcId"])
    room.aws.still("ecs::task")
    ecs.create_cluster(clusterName=name)
    ecs.register_task_definition(
        family=name, networkMode="awsvpc", taskRoleArn=role, requiresCompatibilities=["FARGATE"],
        cpu="256", memory="512",
        containerDefinitions=[{"name": "web", "image": "web:1", "memory": 128}],
    )  # fmt: skip
    network = {"awsvpcConfiguration": {"subnets": [subnet["Subnet"]["SubnetId"]],
                                       "securityGroups": [group["GroupId"]]}}  # fmt: skip
    ecs.create_service(
        cluster=name, serviceName="web", taskDefinition=name, desiredCount=2,
        launchType="FARGATE", networkConfiguration=network,
    )  # fmt: skip
    tasks, interfaces = [], []
    for belongs in ("service:web", "service:web", "family:web"):
        (one,) = ecs.run_task(
            cluster=name, taskDefinition=name, launchType="FARGATE", group=belongs,
            networkConfiguration=network,
        )["tasks"]  # fmt: skip
        tasks.append(one["taskArn"].rpartition("/")[2])
        details = {each["name"]: each["value"] for each in one["attachments"][0]["details"]}
        interfaces.append(details["networkInterfaceId"])
    ec2.assign_ipv6_addresses(NetworkInterfaceId=interfaces[0], Ipv6AddressCount=1)
    room.aws.forget()
    return Shop(room, name, tasks, interfaces)


def test_after_a_release_everything_is_as_it_was(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("locard.actions.isolate.aws.cutting.WAIT", 0)
    here = shop(room, "usual")
    before = here.state()
    done = room.isolated(here.target(), cut="untracked")
    during = here.state()
    kinds = list(dict.fromkeys(one.step.kind for one in done.steps))
    assert kinds == ["keep", "service", "identity", "group", "interface", "ipv6"]
    assert during["service"][0]["desiredCount"] == 3
    on = {one["taskArn"][-36:]: one["protectionEnabled"] for one in during["protection"]}
    assert [on[one[-36:]] for one in here.tasks[:2]] == [True, False]
    ours = {one["NetworkInterfaceId"]: one for one in during["interfaces"]["NetworkInterfaces"]}
    assert ours[here.interfaces[0]]["Ipv6Addresses"] == []
    (closed,) = ours[here.interfaces[0]]["Groups"]
    assert closed["GroupName"].startswith("locard-isolation-")
    other = {one["NetworkInterfaceId"]: one for one in before["interfaces"]["NetworkInterfaces"]}
    assert ours[here.interfaces[1]] == other[here.interfaces[1]], "the neighbour is not touched"
    room.released(done.run)
    assert differences(before, here.state()) == []


def test_only_this_task_of_the_service_is_denied(room: Room) -> None:
    here, iam = shop(room, "roles"), room.aws.client("iam")
    room.isolated(here.target())
    (name,) = iam.list_role_policies(RoleName="roles-role")["PolicyNames"]
    found = iam.get_role_policy(RoleName="roles-role", PolicyName=name)["PolicyDocument"]
    number = iam.get_role(RoleName="roles-role")["Role"]["RoleId"]
    (statement,) = found["Statement"]
    assert statement["Condition"]["StringEquals"] == {"aws:userid": f"{number}:{here.tasks[0]}"}


def test_a_stop_is_last_cannot_be_put_back_and_the_plan_says_so(room: Room) -> None:
    here = shop(room, "stopped")
    done = room.isolated(here.target(), stop=True)
    last = done.steps[-1].step
    assert last.key == "stop:task" and "does not start again" in last.undo_title
    room.released(done.run)
    entries = room.runner.vault.ledger.newest(case="c")
    merged = [one.details["merged"] for one in entries if "merged" in one.details]
    assert any("cannot be put back" in one for one in merged)
    with pytest.raises(Missing, match="has stopped"):
        room.plan(here.target())


def test_an_interface_that_aws_manages_is_left_and_the_plan_says_that_it_stays_open(
    room: Room,
) -> None:
    here = shop(room, "managed")
    tag = {"Key": MANAGED, "Value": "yes"}
    room.aws.client("ec2").create_tags(Resources=[here.interfaces[0]], Tags=[tag])
    plan = room.plan(here.target())
    assert not {"group", "interface"} & {one.kind for one in plan.steps}
    assert "the network stays open until it is stopped" in " ".join(plan.warnings)
    tried = room.plan(here.target(), network="always")
    assert "interface" in {one.kind for one in tried.steps}
    with pytest.raises(Error, match="network one of"):
        room.plan(here.target(), network="maybe")


def test_a_task_of_no_service_has_nothing_to_take_its_place(room: Room) -> None:
    here = shop(room, "alone")
    before = here.state()
    done = room.isolated(here.target(2))
    assert [one.step.kind for one in done.steps] == ["identity", "group", "interface"]
    assert "belongs to no service" in done.plan.warnings[0]
    room.released(done.run)
    assert differences(before, here.state()) == []


def test_others_scale_the_service_and_stop_the_task_meanwhile(room: Room) -> None:
    here, ecs = shop(room, "scaled"), room.aws.client("ecs")
    run = room.isolated(here.target()).run
    ecs.update_service(cluster="scaled", service="web", desiredCount=9)
    ecs.stop_task(cluster="scaled", task=here.tasks[0])
    done = room.released(run)
    assert done.state == RunState.RELEASED
    assert here.state()["service"][0]["desiredCount"] == 9


def test_what_ecs_refuses_to_protect_stops_the_run_with_its_reason(room: Room) -> None:
    here = shop(room, "refused")
    run = room.begin(here.target())
    room.aws.fault("ecs:UpdateTaskProtection", "AccessDeniedException")
    stopped = room.runner.carry_on(run, ANA)
    assert "denied ecs:UpdateTaskProtection" in stopped.steps[0].error
    assert room.runner.carry_on(run, ANA).state == RunState.DONE
