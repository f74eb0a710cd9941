# SPDX-License-Identifier: Apache-2.0
"""Buckets and databases over moto: versions, deletions, access logs, log files, snapshots."""

import json
import time
from datetime import UTC, datetime

import pytest

from locard.actions.catalogue import catalogue
from locard.cases.response.runner import Asked
from locard.model.action import Receipt, RunState
from tests.clouds.aws.lacking.logfiles import LINES
from tests.response.simulated import ANA, Room, aws, room
from tests.response.test_aws_code import outcome
from tests.response.test_aws_collect import kept
from tests.response.test_aws_logs import bucket, names

__all__ = ["aws", "room"]
pytestmark = pytest.mark.server


def test_versions_and_deletions_of_a_bucket(room: Room) -> None:
    name = f"data-{time.time_ns()}"
    s3 = bucket(room, name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"first", b"second"):
        s3.put_object(Bucket=name, Key="a/report.txt", Body=body)
    s3.delete_object(Bucket=name, Key="a/report.txt")
    room.clouds.clear()
    done = _run(room, "objects", name)
    told = outcome(done, "listed:all")
    assert (told["versions"], told["deletions"]) == (2, 1)
    lines = kept(room.runner, told["evidence"]).decode().splitlines()
    assert len(lines) == 3 and sum("Size" in json.loads(one) for one in lines) == 2
    taken = outcome(done, "versions:all")
    assert (taken["taken"], taken["problems"]) == (2, 0)
    assert names(room, done) == ["a/report.txt", "a/report.txt"]
    found = {
        room.runner.vault.ledger.exhibits("c", one)[0].source["version"]
        for step in done.steps if step.step.kind == "versions" for one in step.evidence
    }  # fmt: skip
    assert len(found) == 2, "each with its version"
    assert "evidence" in outcome(done, "answer:GetBucketVersioning")
    assert "not collected" in outcome(done, "answer:GetBucketPolicy")
    assert room.unused("collect.aws.objects") == {"s3:GetObjectVersion", "kms:Decrypt"}


def _run(room: Room, action: str, name: str, **options: object) -> Receipt:
    target = room.target(catalogue().get(f"collect.aws.{action}").kind, name)
    plan = room.runner.plan(f"collect.aws.{action}", "prod", target, "c", options)
    done = room.runner.carry_on(room.runner.begin(plan, "prod", Asked("c", ANA, "beacons")), ANA)
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    return done


def test_access_logs_lie_flat_in_another_bucket(room: Room) -> None:
    name, logs = f"site-{time.time_ns()}", f"site-logs-{time.time_ns()}"
    s3, now = bucket(room, name), datetime.now(UTC)
    bucket(room, logs)
    write = {"Grantee": {"URI": "http://acs.amazonaws.com/groups/s3/LogDelivery", "Type": "Group"}}
    s3.put_bucket_acl(Bucket=logs, AccessControlPolicy={
        "Grants": [{**write, "Permission": "WRITE"}, {**write, "Permission": "READ_ACP"}],
        "Owner": {"ID": "f" * 64},
    })  # fmt: skip
    assert "No access logs" in room.runner.plan(
        "collect.aws.accesses", "prod", room.target("bucket", name), "c", {}
    ).warnings[0]  # fmt: skip
    s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={
        "LoggingEnabled": {"TargetBucket": logs, "TargetPrefix": "site/"},
    })  # fmt: skip
    for key in (f"site/{now:%Y-%m-%d}-10-00-00-ABC", "site/2020-01-01-10-00-00-OLD"):
        s3.put_object(Bucket=logs, Key=key, Body=key.encode())
    room.clouds.clear()
    done = _run(room, "accesses", name)
    found = names(room, done)  # moto writes some of its own
    assert f"site/{now:%Y-%m-%d}-10-00-00-ABC" in found
    assert "site/2020-01-01-10-00-00-OLD" not in found
    assert room.unused("collect.aws.accesses") == {"kms:Decrypt"}


def test_log_files_of_a_database_to_the_last_portion_and_a_snapshot(room: Room) -> None:
    rds, name = room.aws.client("rds"), f"shop{time.time_ns()}"
    rds.create_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro",
                           Engine="postgres", MasterUsername="root", MasterUserPassword="x" * 12,
                           AllocatedStorage=20)  # fmt: skip
    (named,) = catalogue().meant(
        "collect", f"arn:aws:rds:eu-central-1:123456789012:db:{name}"
    )  # fmt: skip
    room.clouds.clear()
    done = _run(room, "database", named.id)
    files = [one.outcome for one in done.steps if one.step.kind == "file"]
    assert files and kept(room.runner, files[0]["evidence"]).decode() == "".join(LINES)
    made = outcome(done, "snapshot:all")["snapshot"]
    (found,) = rds.describe_db_snapshots(DBSnapshotIdentifier=made)["DBSnapshots"]
    assert found["DBInstanceIdentifier"] == name and made == f"locard-{done.run}"
    unused = {"rds:DescribeDBClusters", "rds:CreateDBClusterSnapshot", "rds:AddTagsToResource"}
    assert room.unused("collect.aws.database") == unused
