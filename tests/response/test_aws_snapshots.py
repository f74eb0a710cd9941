# SPDX-License-Identifier: Apache-2.0
"""Snapshots of every kind of target over moto: locked, shared, copied elsewhere, read, declared."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from locard.actions import policy
from locard.actions.catalogue import catalogue
from locard.actions.collect.aws import snapshots
from locard.cases.response.runner import Asked
from locard.model.action import Receipt, RunState, Target
from locard.model.errors import Error
from locard.state import accounts
from locard.state.accounts import Account
from tests.clouds.aws.server import REGION
from tests.parsers.test_disk import FILES, tool
from tests.response.aws import scene
from tests.response.simulated import ANA, Room, aws, room
from tests.response.test_aws_collect import kept, outcome

__all__ = ["aws", "room"]
pytestmark = pytest.mark.server
LAB = "210987654321"
IMPLIED = {"ec2:CreateTags", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom",
           "kms:ReEncryptTo", "kms:Decrypt"}  # fmt: skip
"""Needed by what AWS does inside of a call, so no call of ours has their names."""
FORENSIC = {"ec2:ModifySnapshotAttribute", "ec2:CopySnapshot", "kms:DescribeKey", "kms:CreateGrant",
            "kms:RevokeGrant"}  # fmt: skip
"""Needed by a forensic account alone."""
OF_THEMSELVES = ("volume", "snapshot", "image")
OF_INSTANCES = ("disks", "triage", "instance")


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A GiB of ext4."""
    folder, image = tmp_path / "files", tmp_path / "disk.raw"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    make = [tool("mkfs.ext4"), "-q", "-d", str(folder), str(image), "1G"]
    subprocess.run(make, check=True, capture_output=True)
    return image


@pytest.fixture
def lab(room: Room) -> str:
    """A forensic account, `lab`."""
    with room.runner.state.session() as session:
        role = f"arn:aws:iam::{LAB}:role/locard"
        account = Account("lab", "aws", LAB, role, "shared", (REGION,), endpoint=room.aws.endpoint)
        accounts.add(session, account, who="ana")
    return LAB


def volume(room: Room, disk: Path, **more: Any) -> str:
    made = room.aws.client("ec2").create_volume(
        Size=1, AvailabilityZone=f"{REGION}a", **more
    )["VolumeId"]  # fmt: skip
    room.aws.show(made, disk)
    return str(made)


def begin(room: Room, kind: str, target: Target, **options: object) -> str:
    plan = room.runner.plan(f"collect.aws.{kind}", "prod", target, "c", options)
    return room.runner.begin(plan, "prod", Asked("c", ANA, "beacons"))


def run(room: Room, kind: str, name: str, **options: object) -> Receipt:
    done = room.runner.carry_on(begin(room, kind, room.target(kind, name), **options), ANA)
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    return done


def key(room: Room) -> str:
    return str(room.aws.client("kms").create_key()["KeyMetadata"]["Arn"])


def there(room: Room) -> Any:
    """A client of the forensic account's administrator."""
    taken = room.aws.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{LAB}:role/x", RoleSessionName="administrator"
    )["Credentials"]
    return boto3.client(
        "ec2", region_name=REGION, endpoint_url=room.aws.endpoint,
        aws_access_key_id=taken["AccessKeyId"], aws_session_token=taken["SessionToken"],
        aws_secret_access_key=taken["SecretAccessKey"],
    )  # fmt: skip


def test_a_volume_a_snapshot_and_an_image_are_read_and_every_call_is_declared(
    room: Room, disk: Path
) -> None:
    ec2, one = room.aws.client("ec2"), volume(room, disk)
    given = ec2.create_snapshot(VolumeId=one)["SnapshotId"]
    image = ec2.register_image(
        Name=f"image-of-{one}", RootDeviceName="/dev/sda1",
        BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": given}}],
    )["ImageId"]  # fmt: skip
    (made,) = ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"]
    (found,) = ec2.describe_snapshots(SnapshotIds=[made["Ebs"]["SnapshotId"]])["Snapshots"]
    room.aws.show(found["VolumeId"], disk)
    for kind, name in zip(OF_THEMSELVES, (one, given, image), strict=True):
        room.clouds.clear()
        done = run(room, kind, name, above="0")
        assert kept(room.runner, outcome(done, "read")["image"]) == disk.read_bytes()
        assert outcome(done, "triage")["rows"]["linux.shell_history"] == 3
        assert outcome(done, "agree")["differ"] == 0
        (locked,) = outcome(done, "lock").values()
        assert locked["lock"] == "governance" and locked["until"]
        action = catalogue().get(f"collect.aws.{kind}")
        declared = {one.action for one in action.permissions}
        assert room.unused(action.id) == (IMPLIED | FORENSIC) & declared
    with pytest.raises(ClientError, match="SnapshotLocked"):
        ec2.delete_snapshot(SnapshotId=given)


@pytest.mark.parametrize("kind", OF_INSTANCES)
def test_an_instance_is_collected_with_what_is_declared_and_no_more(
    room: Room, disk: Path, kind: str
) -> None:
    one = scene(room.aws, f"{kind}{time.time_ns()}").instance
    ec2 = room.aws.client("ec2")
    seen = ec2.describe_instances(InstanceIds=[one])["Reservations"][0]["Instances"][0]
    room.aws.show(seen["BlockDeviceMappings"][0]["Ebs"]["VolumeId"], disk)
    room.clouds.clear()
    done = run_of(room, kind, one, **({"above": "0"} if kind == "disks" else {}))
    assert ("agree" in {one.step.kind for one in done.steps}) is (kind == "disks")
    action = f"collect.aws.{kind}"
    unused = {"disks": IMPLIED | FORENSIC, "triage": {"ec2:CreateTags", "kms:Decrypt"}}
    assert room.unused(action) == unused.get(kind, set())


def run_of(room: Room, kind: str, instance: str, **options: object) -> Receipt:
    begun = begin(room, kind, room.target("instance", instance), **options)
    done = room.runner.carry_on(begun, ANA)
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    return done


def test_a_lock_that_is_denied_is_told_and_one_that_there_is_not_is_refused(
    room: Room, disk: Path
) -> None:
    target = room.target("volume", volume(room, disk))
    begun = begin(room, "volume", target, copy=False, lock="compliance")
    room.aws.fault("ec2:LockSnapshot", "UnauthorizedOperation")
    done = room.runner.carry_on(begun, ANA)
    told, gap = outcome(done, "lock").values()
    assert gap.startswith("not locked")
    assert "denied ec2:LockSnapshot" in told["not locked"]
    for wrong in ({"lock": "strong"}, {"lock_days": "0"}, {"lock_hours": "99"}):
        with pytest.raises(Error, match="There is no lock"):
            begin(room, "volume", target, **wrong)


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "customer key"])
def test_shared_with_and_copied_into_the_forensic_account_then_read_there(
    room: Room, disk: Path, lab: str, encrypted: bool
) -> None:
    theirs, ours = key(room), "arn:aws:kms:eu-central-1:210987654321:key/ours"
    more = {"Encrypted": True, "KmsKeyId": theirs} if encrypted else {}
    done = run(
        room, "volume", volume(room, disk, **more), forensic="lab", forensic_key=ours, above="0"
    )
    copied, shared = outcome(done, "copy"), outcome(done, "share")
    (found,) = there(room).describe_snapshots(SnapshotIds=[copied["snapshot"]])["Snapshots"]
    assert (found["KmsKeyId"], found["OwnerId"]) == (ours, lab)
    assert copied["account"] == lab and copied["lock"] == "governance"
    assert bool(shared["grant"]) == encrypted
    assert not room.aws.client("kms").list_grants(KeyId=theirs)["Grants"], "the grant is taken back"
    read = outcome(done, "read")
    assert read["snapshot"] == copied["snapshot"]
    assert kept(room.runner, read["image"]) == disk.read_bytes()
    assert outcome(done, "agree")["compared"] == outcome(done, "triage")["blocks"]
    unused = room.unused("collect.aws.volume")
    if encrypted:
        assert unused == IMPLIED


def test_a_disk_under_the_default_key_is_refused_and_with_a_key_copied_under_that_first(
    room: Room, disk: Path, lab: str
) -> None:
    one = volume(room, disk, Encrypted=True)
    target = room.target("volume", one)
    plan = room.runner.plan("collect.aws.volume", "prod", target, "c", {"forensic": "lab"})
    assert "aws/ebs" in plan.refusals[0] and "share_key=" in plan.refusals[0]
    with pytest.raises(Error, match="lets nobody share"):
        room.runner.begin(plan, "prod", Asked("c", ANA, "beacons"))
    share = key(room)
    done = run(room, "volume", one, forensic="lab", share_key=share, copy=False)
    again = outcome(done, "reencrypt")
    ec2 = room.aws.client("ec2")
    (found,) = ec2.describe_snapshots(SnapshotIds=[again["snapshot"]])["Snapshots"]
    assert found["KmsKeyId"] == share
    assert outcome(done, "share")["snapshot"] == again["snapshot"]


def test_a_run_that_stopped_between_copies_makes_none_twice(
    room: Room, disk: Path, lab: str
) -> None:
    target = room.target("volume", volume(room, disk))
    begun = begin(room, "volume", target, forensic="lab", triage=False)
    room.aws.fault("ebs:ListSnapshotBlocks", "AccessDeniedException")
    assert room.runner.carry_on(begun, ANA).state == RunState.FAILED
    assert room.runner.carry_on(begun, ANA).state == RunState.DONE
    calls = [one["action"] for one in room.aws.calls(begun)]
    assert calls.count("ec2:CreateSnapshot") == calls.count("ec2:CopySnapshot") == 1


def test_credentials_that_end_in_the_middle_of_a_copy_are_renewed(room: Room, disk: Path) -> None:
    begun = begin(room, "volume", room.target("volume", volume(room, disk)), triage=False)
    room.aws.fault("ebs:GetSnapshotBlock", "ExpiredTokenException", after=3)
    done = room.runner.carry_on(begun, ANA)
    assert kept(room.runner, outcome(done, "read")["image"]) == disk.read_bytes()
    calls = [one["action"] for one in room.aws.calls(begun)]
    assert calls.count("sts:AssumeRole") >= 2


def test_a_copy_under_a_key_that_may_not_be_used_ends_in_error_and_says_so(
    room: Room, disk: Path, lab: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "PAUSE", 0.01)
    target = room.target("volume", volume(room, disk))
    begun = begin(room, "volume", target, forensic="lab", triage=False)
    room.aws.fault("ec2:DescribeSnapshots", "error-state", after=3)
    stopped = room.runner.carry_on(begun, ANA)
    assert stopped.state == RunState.FAILED
    assert any("Given key ID is not accessible" in one.error for one in stopped.steps)


@pytest.mark.parametrize("kind", ["disks", "triage", "snapshot", "volume", "image"])
def test_session_policies_are_short_enough_and_a_plan_can_change_nothing(kind: str) -> None:
    action = catalogue().get(f"collect.aws.{kind}")
    target = Target("aws", "123456789012", REGION, action.kind, "i-0123456789abcdef0")
    names = {name: tuple(f"{name}-{n:017}" for n in range(40)) for name in ("volume", "key")}
    text = json.dumps(policy.narrowed(action, target, names), separators=(",", ":"))
    assert len(text) <= policy.LONGEST
    text = json.dumps(policy.planning(action, target, "locard"), separators=(",", ":"))
    asked = {one.action for one in action.permissions if not one.reads and not one.tried}
    assert not any(f'"{one}"' in text for one in asked)
