# SPDX-License-Identifier: Apache-2.0
"""Isolating a database of RDS over moto's server: after a release all is as it was."""

from typing import Any

import pytest

from locard.model.action import RunState, Target
from tests.clouds.aws.server import ACCOUNT, REGION
from tests.response.aws import differences, steady
from tests.response.simulated import ANA, Room, aws, room

__all__ = ["aws", "room"]
pytestmark = pytest.mark.server


def instance(room: Room, name: str) -> Target:
    """A public MySQL that takes tokens of IAM and may be deleted."""
    room.aws.client("rds").create_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", Engine="mysql",
        MasterUsername="admin", MasterUserPassword="simulated", AllocatedStorage=20,
        VpcSecurityGroupIds=[group(room, name)], PubliclyAccessible=True,
        EnableIAMDatabaseAuthentication=True, DeletionProtection=False, StorageEncrypted=False,
    )  # fmt: skip
    room.aws.forget()
    return room.target("database", f"db:{name}")


def cluster(room: Room, name: str) -> Target:
    """An Aurora with two members, of which one is public, and its Data API on."""
    rds, held = room.aws.client("rds"), group(room, name)
    rds.create_db_cluster(
        DBClusterIdentifier=name, Engine="aurora-mysql", MasterUsername="admin",
        MasterUserPassword="simulated", VpcSecurityGroupIds=[held], DeletionProtection=False,
        EnableIAMDatabaseAuthentication=True,
    )  # fmt: skip
    for number in (1, 2):
        rds.create_db_instance(
            DBInstanceIdentifier=f"{name}-{number}", DBInstanceClass="db.t3.medium",
            Engine="aurora-mysql", DBClusterIdentifier=name, PubliclyAccessible=number == 1,
        )  # fmt: skip
    arn = f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:{name}"
    rds.enable_http_endpoint(ResourceArn=arn)
    room.aws.forget()
    return room.target("database", f"cluster:{name}")


def group(room: Room, name: str) -> str:
    ec2 = room.aws.client("ec2")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]
    made = ec2.create_security_group(GroupName=name, Description="db", VpcId=vpc["VpcId"])
    return str(made["GroupId"])


def state(room: Room, target: Target) -> Any:
    rds, (scope, _, name) = room.aws.client("rds"), target.id.partition(":")
    found: dict[str, Any] = {}
    if scope == "cluster":
        found["it"] = rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
        names = [one["DBInstanceIdentifier"] for one in found["it"][0]["DBClusterMembers"]]
    else:
        names = [name]
    found["instances"] = [
        rds.describe_db_instances(DBInstanceIdentifier=one)["DBInstances"] for one in names
    ]
    found["groups"] = room.aws.client("ec2").describe_security_groups()
    return steady(found)


def held(room: Room, target: Target) -> list[str]:
    found = state(room, target)
    (one,) = found["it"] if "it" in found else found["instances"][0]
    ids = [each["VpcSecurityGroupId"] for each in one["VpcSecurityGroups"]]
    ec2 = room.aws.client("ec2")
    groups = ec2.describe_security_groups(GroupIds=ids)["SecurityGroups"]
    return [each["GroupName"] for each in groups]


@pytest.mark.parametrize("stop", [False, True], ids=["running", "stopped"])
def test_an_instance_is_as_it_was_after_a_release(room: Room, stop: bool) -> None:
    target = instance(room, f"orders-{'b' if stop else 'a'}")
    before = state(room, target)
    done = room.isolated(target, stop=stop)
    kinds = [one.step.kind for one in done.steps]
    wanted = ["snapshot", "setting", "setting", "group", "network", "setting"]
    assert kinds == [*wanted, *["stop"] * stop]
    ((during,),) = state(room, target)["instances"]
    assert during["DeletionProtection"] and not during["PubliclyAccessible"]
    assert not during["IAMDatabaseAuthenticationEnabled"]
    assert held(room, target) == [f"locard-isolation-db-{target.id[3:]}"]
    room.released(done.run)
    assert differences(before, state(room, target)) == []
    kept = room.aws.client("rds").describe_db_snapshots(DBSnapshotIdentifier=f"locard-{done.run}")
    assert kept["DBSnapshots"][0]["Status"] == "available", "evidence is not deleted"


def test_a_cluster_is_isolated_with_its_members_and_its_data_api(room: Room) -> None:
    target = cluster(room, "shop")
    before = state(room, target)
    done = room.isolated(target)
    during = state(room, target)
    assert not during["it"][0]["HttpEndpointEnabled"] and during["it"][0]["DeletionProtection"]
    assert not any(one[0]["PubliclyAccessible"] for one in during["instances"])
    assert held(room, target) == ["locard-isolation-cluster-shop"]
    room.released(done.run)
    assert differences(before, state(room, target)) == []


def test_a_member_is_isolated_by_its_cluster_and_a_stopped_one_not_at_all(room: Room) -> None:
    cluster(room, "whole")
    plan = room.plan(room.target("database", "db:whole-1"))
    assert "isolate arn:aws:rds:eu-central-1:123456789012:cluster:whole" in plan.refusals[0]
    target = instance(room, "sleeping")
    room.aws.client("rds").stop_db_instance(DBInstanceIdentifier="sleeping")
    assert "It is stopped" in room.plan(target).refusals[0]


def test_a_group_that_others_added_stays_and_one_they_took_away_is_a_conflict(room: Room) -> None:
    target, rds = instance(room, "meddled"), room.aws.client("rds")
    run, theirs = room.isolated(target).run, group(room, "theirs")
    ((now,),) = state(room, target)["instances"]
    ours = now["VpcSecurityGroups"][0]["VpcSecurityGroupId"]
    rds.modify_db_instance(DBInstanceIdentifier="meddled", VpcSecurityGroupIds=[theirs])
    stopped = room.runner.release(run, ANA, "over")
    assert stopped.state == RunState.RELEASE_FAILED
    assert "others took it out of isolation" in " ".join(one.error for one in stopped.steps)
    rds.modify_db_instance(DBInstanceIdentifier="meddled", VpcSecurityGroupIds=[ours, theirs])
    room.released(run)
    assert sorted(held(room, target)) == ["meddled", "theirs"]


def test_the_snapshot_comes_before_anything_is_changed(room: Room) -> None:
    target = instance(room, "first")
    before = state(room, target)
    run = room.begin(target)
    room.aws.fault("rds:CreateDBSnapshot", "AccessDenied")
    stopped = room.runner.carry_on(run, ANA)
    assert "denied rds:CreateDBSnapshot" in stopped.steps[0].error
    assert differences(before, state(room, target)) == []
    assert room.runner.carry_on(run, ANA).state == RunState.DONE
    names = [one.call for one in room.clouds[-1].requests]
    assert names.index("rds:CreateDBSnapshot") < names.index("rds:ModifyDBInstance")
