# SPDX-License-Identifier: Apache-2.0
"""Isolating a bucket over moto's server: a release takes out what is ours and nothing else."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from locard.actions.isolate.aws.steps.bucket import merged
from locard.model.action import RunState, Target
from locard.model.errors import Denied, Error, Missing
from tests.clouds.aws.server import ACCOUNT, REGION
from tests.response.aws import differences, steady
from tests.response.simulated import ANA, OWN, Room, aws, room

__all__ = ["aws", "room"]
pytestmark = pytest.mark.server
READ = {"Sid": "Public", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::NAME/public/*"}  # fmt: skip
THEIRS = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket",
          "Resource": "arn:aws:s3:::NAME"}  # fmt: skip
PUBLIC = {"BlockPublicAcls": True, "IgnorePublicAcls": False, "BlockPublicPolicy": False,
          "RestrictPublicBuckets": False}  # fmt: skip


def bucket(room: Room, name: str, *, bare: bool = False) -> Target:
    """A bucket with a public policy, part of a public access block, and rules; or with none."""
    s3 = room.aws.client("s3")
    where = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=where)
    if not bare:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        s3.put_bucket_policy(Bucket=name, Policy=text(name, READ))
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=PUBLIC)
        rules = [
            {"ID": "purge", "Status": "Enabled", "Filter": {"Prefix": "tmp/"},
             "Expiration": {"Days": 1}},
            {"ID": "old", "Status": "Disabled", "Filter": {"Prefix": ""},
             "Expiration": {"Days": 9}},
        ]  # fmt: skip
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
        s3.create_bucket(Bucket=f"{name}-copy", CreateBucketConfiguration=where)
        s3.put_bucket_versioning(
            Bucket=f"{name}-copy", VersioningConfiguration={"Status": "Enabled"}
        )
        copying = {
            "Role": f"arn:aws:iam::{ACCOUNT}:role/copier",
            "Rules": [{"ID": "copy", "Status": "Enabled", "Priority": 1, "Filter": {"Prefix": ""},
                       "DeleteMarkerReplication": {"Status": "Disabled"},
                       "Destination": {"Bucket": f"arn:aws:s3:::{name}-copy"}}],
        }  # fmt: skip
        s3.put_bucket_replication(Bucket=name, ReplicationConfiguration=copying)
    room.aws.forget()
    return room.target("bucket", name, "")


def text(name: str, *statements: dict[str, Any]) -> str:
    document = {"Version": "2008-10-17", "Id": "house", "Statement": list(statements)}
    return json.dumps(document).replace("NAME", name)


def state(room: Room, target: Target) -> Any:
    s3, found = room.aws.client("s3"), {}
    for call in ("get_bucket_policy", "get_public_access_block", "get_bucket_replication",
                 "get_bucket_lifecycle_configuration", "get_bucket_versioning"):  # fmt: skip
        try:
            found[call] = getattr(s3, call)(Bucket=target.id)
        except ClientError as error:
            found[call] = error.response["Error"]["Code"]
    if isinstance(found["get_bucket_policy"], dict):
        found["get_bucket_policy"] = json.loads(found["get_bucket_policy"]["Policy"])
    return steady(found)


def policy(room: Room, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        room.aws.client("s3").get_bucket_policy(Bucket=name)["Policy"]
    )
    return found


@pytest.mark.parametrize("bare", [False, True], ids=["full", "bare"])
def test_after_a_release_everything_is_as_it_was(room: Room, bare: bool) -> None:
    target = bucket(room, "bare-one" if bare else "full-one", bare=bare)
    before = state(room, target)
    done = room.isolated(target, keep=f"arn:aws:iam::{ACCOUNT}:role/Forensics")
    during = state(room, target)
    kinds = [one.step.key for one in done.steps]
    rules = [] if bare else ["rules:lifecycle", "rules:replication"]
    assert kinds == [*rules, "policy:deny", "public:block"]
    assert all(during["get_public_access_block"]["PublicAccessBlockConfiguration"].values())
    if not bare:
        found = during["get_bucket_lifecycle_configuration"]["Rules"]
        assert {one["Status"] for one in found} == {"Disabled"}
        assert "allows something to everybody" in done.plan.warnings[-1]
    room.released(done.run)
    assert differences(before, state(room, target)) == []


def test_the_denial_stands_beside_the_others_and_the_responders_stay_in(room: Room) -> None:
    target = bucket(room, "beside")
    keep = f"arn:aws:iam::{ACCOUNT}:role/Forensics"
    room.isolated(target, keep=keep)
    found = policy(room, "beside")
    theirs, ours = found["Statement"]
    assert theirs["Sid"] == "Public" and (found["Id"], found["Version"]) == ("house", "2008-10-17")
    assert (ours["Effect"], ours["Principal"], ours["Action"]) == ("Deny", "*", "s3:*")
    assert ours["Resource"] == ["arn:aws:s3:::beside", "arn:aws:s3:::beside/*"]
    assert ours["Condition"] == {
        "ArnNotLike": {"aws:PrincipalArn": [OWN, keep]},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }


def test_released_though_others_changed_the_policy_meanwhile(room: Room) -> None:
    target, s3 = bucket(room, "meddled"), room.aws.client("s3")
    run = room.isolated(target).run
    _, ours = policy(room, "meddled")["Statement"]
    theirs = json.loads(json.dumps(THEIRS).replace("NAME", "meddled"))
    s3.put_bucket_policy(Bucket="meddled", Policy=text("meddled", ours, theirs))
    room.released(run)
    assert policy(room, "meddled")["Statement"] == [theirs]
    entries = room.runner.vault.ledger.newest(case="c")
    merges = [one.details["merged"] for one in entries if "merged" in one.details]
    assert json.loads(merges[0]) == {"statements of others kept": 1, "taken out by others": 1}


def test_released_though_others_took_our_statement_or_all_of_the_policy_out(room: Room) -> None:
    target, s3 = bucket(room, "gone"), room.aws.client("s3")
    run = room.isolated(target).run
    s3.delete_bucket_policy(Bucket="gone")
    s3.delete_bucket_lifecycle(Bucket="gone")
    room.released(run)
    assert state(room, target)["get_bucket_policy"] == "NoSuchBucketPolicy"


def test_a_denial_that_others_edited_is_a_conflict(room: Room) -> None:
    target, s3 = bucket(room, "edited"), room.aws.client("s3")
    run = room.isolated(target).run
    theirs, ours = policy(room, "edited")["Statement"]
    s3.put_bucket_policy(
        Bucket="edited", Policy=text("edited", theirs, {**ours, "Action": "s3:Get*"})
    )
    room.aws.client("s3").put_public_access_block(
        Bucket="edited", PublicAccessBlockConfiguration=PUBLIC | {"BlockPublicAcls": False}
    )
    stopped = room.runner.release(run, ANA, "over")
    assert stopped.state == RunState.RELEASE_FAILED
    assert "as others set it" in " ".join(one.error for one in stopped.steps)
    stopped = room.runner.release(run, ANA, "over", leave={"public:block"})
    assert "is not as we wrote it" in " ".join(one.error for one in stopped.steps)
    room.released(run, leave={"policy:deny"})


def test_a_denied_call_in_the_middle_and_the_way_back(room: Room) -> None:
    target = bucket(room, "halfway")
    before = state(room, target)
    run = room.begin(target)
    room.aws.fault("s3:PUT /halfway", "AccessDenied", after=2)
    stopped = room.runner.carry_on(run, ANA)
    failed = next(one for one in stopped.steps if one.error)
    assert failed.step.key == "policy:deny" and "denied s3:PutBucketPolicy" in failed.error
    room.released(run)
    assert differences(before, state(room, target)) == []


def test_what_cannot_be_done_is_refused_before(room: Room) -> None:
    target, s3 = bucket(room, "refused"), room.aws.client("s3")
    many = [{**THEIRS, "Sid": f"S{n}", "Resource": f"arn:aws:s3:::NAME/{'x' * 900}{n}"}
            for n in range(20)]  # fmt: skip
    s3.put_bucket_policy(Bucket="refused", Policy=text("refused", *many))
    tags = {"TagSet": [{"Key": "locard:protected", "Value": "yes"}]}
    s3.put_bucket_tagging(Bucket="refused", Tagging=tags)
    plan = room.plan(target)
    assert len(plan.refusals) == 2 and "S3 takes 20,480" in plan.refusals[1]
    for odd in ("*", "arn:aws:iam::1:*", "arn:aws:iam::1:"):
        with pytest.raises(Error, match="no ARN of a role or a user"):
            room.plan(target, keep=odd)
    with pytest.raises((Missing, Denied)):
        room.plan(room.target("bucket", "nobodys-bucket", ""))


def test_a_policy_is_merged_whatever_its_form() -> None:
    one = {"Sid": "a", "Effect": "Allow"}
    ours = {"Sid": "LocardIsolation", "Effect": "Deny"}
    assert merged({"Statement": one}, ours)["Statement"] == [one, ours]
    assert merged({"Statement": [ours, one]}, ours)["Statement"] == [one, ours]
    assert merged(None, ours) == {"Version": "2012-10-17", "Statement": [ours]}
