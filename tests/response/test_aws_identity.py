# SPDX-License-Identifier: Apache-2.0
"""Isolating users, keys and roles over moto's server: after a release all is as it was."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from locard.model.action import RunState, Target
from locard.model.errors import Error, Missing
from tests.response.aws import TRUST, differences, steady
from tests.response.simulated import ANA, Room, aws, room

__all__ = ["aws", "room"]
pytestmark = pytest.mark.server
ISSUED = "aws:TokenIssueTime"


def user(room: Room, name: str) -> Target:
    """A user with all there is: policy, password, MFA, keys on and off, SSH, certificate, Git."""
    iam = room.aws.client("iam")
    iam.create_user(UserName=name, Path="/people/")
    allowed = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
    iam.create_login_profile(UserName=name, Password="simulated")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
    iam.enable_mfa_device(
        UserName=name, SerialNumber=device["SerialNumber"],
        AuthenticationCode1="123456", AuthenticationCode2="654321",
    )  # fmt: skip
    found = keys(room, name, make=True)
    iam.update_access_key(UserName=name, AccessKeyId=found[1], Status="Inactive")
    iam.upload_ssh_public_key(UserName=name, SSHPublicKeyBody="ssh-rsa AAAAB3NzaC1yc2E simulated")
    iam.upload_signing_certificate(UserName=name, CertificateBody=certificate())
    iam.create_service_specific_credential(UserName=name, ServiceName="codecommit.amazonaws.com")
    room.aws.forget()
    return room.target("user", name, "")


def keys(room: Room, name: str, *, make: bool = False) -> list[str]:
    iam = room.aws.client("iam")
    if make:
        for _ in range(2):
            iam.create_access_key(UserName=name)
    found = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
    return [one["AccessKeyId"] for one in found]


def certificate() -> str:
    """One of its own."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.NameAttribute(NameOID.COMMON_NAME, "a"),
    )
    since = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(x509.Name([name])).issuer_name(x509.Name([name]))
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(since).not_valid_after(since + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    return made.public_bytes(serialization.Encoding.PEM).decode()


def role(room: Room, name: str) -> Target:
    room.aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    room.aws.forget()
    return room.target("role", name, "")


def state(room: Room, target: Target) -> Any:
    iam, name = room.aws.client("iam"), target.id
    policies = iam.list_user_policies(UserName=name)["PolicyNames"]
    return steady(
        {
            "user": iam.get_user(UserName=name)["User"],
            "login": iam.get_login_profile(UserName=name)["LoginProfile"],
            "mfa": iam.list_mfa_devices(UserName=name)["MFADevices"],
            "keys": iam.list_access_keys(UserName=name)["AccessKeyMetadata"],
            "ssh": iam.list_ssh_public_keys(UserName=name)["SSHPublicKeys"],
            "certificates": iam.list_signing_certificates(UserName=name)["Certificates"],
            "services": iam.list_service_specific_credentials(UserName=name)[
                "ServiceSpecificCredentials"
            ],
            "policies": [iam.get_user_policy(UserName=name, PolicyName=one) for one in policies],
        }
    )


@pytest.mark.parametrize("sessions", ["all", "before"])
def test_a_user_is_denied_and_every_credential_off_and_one_that_was_off_stays_so(
    room: Room, sessions: str
) -> None:
    target = user(room, f"ana-{sessions}")
    before = state(room, target)
    done = room.isolated(target, sessions=sessions)
    during = state(room, target)
    assert len(during["policies"]) == 2
    for kind in ("keys", "ssh", "certificates", "services"):
        assert {one["Status"] for one in during[kind]} == {"Inactive"}, kind
    assert (during["login"], during["mfa"]) == (before["login"], before["mfa"])
    room.released(done.run)
    assert differences(before, state(room, target)) == []


def test_what_cannot_be_put_back_is_left_and_the_plan_says_so(room: Room) -> None:
    plan = room.plan(user(room, "told"))
    told = " ".join(plan.warnings)
    assert "a password for the console" in told and "the denial holds for the console" in told
    assert "1 MFA devices, the newest since" in told and "cannot be undone" in told
    calls = {one.call for one in plan.steps}
    assert not any("Delete" in one or "Deactivate" in one for one in calls)
    told = " ".join(room.plan(room.target("user", "told", ""), sessions="before").warnings)
    assert "signs in anew, so change it first" in told
    with pytest.raises(Error, match="none of all, before"):
        room.plan(room.target("user", "told", ""), sessions="some")


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Tokyo"])
def test_sessions_of_before_are_told_by_utc_wherever_we_are_and_nothing_is_begun_in_between(
    room: Room, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        target = user(room, f"zone-{zone[:4].lower()}")
        start = datetime.now(UTC).replace(microsecond=0)
        done = room.isolated(target, sessions="before")
        end = datetime.now(UTC)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert done.steps[-1].step.key == "identity:deny", "credentials are off before"
    found = room.aws.client("iam").get_user_policy(
        UserName=target.id, PolicyName="locard-isolation"
    )["PolicyDocument"]["Statement"]
    (moment,) = [one["Condition"]["DateLessThan"][ISSUED] for one in found]
    assert moment.endswith("Z")
    assert start < datetime.fromisoformat(moment) <= end + timedelta(seconds=2)


def test_a_role_whose_sessions_of_before_end_says_that_later_ones_do_not(room: Room) -> None:
    target = role(room, "rotated")
    done = room.isolated(target, sessions="before")
    assert "takes it again" in done.plan.warnings[-1]
    assert room.runner.verify(done.run, ANA).steps[0].verdict.holds is True  # type: ignore[union-attr]
    room.released(done.run)
    iam = room.aws.client("iam")
    assert iam.list_role_policies(RoleName="rotated")["PolicyNames"] == []


def test_a_date_that_others_moved_is_ours_still_and_another_statement_is_not(room: Room) -> None:
    iam, target = room.aws.client("iam"), role(room, "moved")
    run = room.isolated(target, sessions="before").run
    given = {"RoleName": "moved", "PolicyName": "locard-isolation"}
    document = iam.get_role_policy(**given)["PolicyDocument"]
    document["Statement"][0]["Action"] = "s3:*"
    iam.put_role_policy(**given, PolicyDocument=json.dumps(document))
    stopped = room.runner.release(run, ANA, "over")
    assert "is not as we wrote it" in stopped.steps[0].error
    document["Statement"][0]["Action"] = "*"
    document["Statement"][0]["Condition"]["DateLessThan"][ISSUED] = "2030-01-01T00:00:00Z"
    iam.put_role_policy(**given, PolicyDocument=json.dumps(document))
    room.released(run)


def test_a_key_alone(room: Room) -> None:
    target = user(room, "keys")
    before, (key, _) = state(room, target), keys(room, "keys")
    done = room.isolated(room.target("key", key, ""))
    after = state(room, target)
    assert {one["Status"] for one in after["keys"]} == {"Inactive"}
    assert after["ssh"] == before["ssh"]
    room.released(done.run)
    assert differences(before, state(room, target)) == []
    with pytest.raises(Missing, match="No user of account"):
        room.plan(room.target("key", "AKIA0000000000000000", ""))


def test_a_role_keeps_its_trust_and_its_other_policies(room: Room) -> None:
    iam, target = room.aws.client("iam"), role(room, "deploy")
    before = steady(iam.get_role(RoleName="deploy")["Role"])
    done = room.isolated(target)
    assert "ec2.amazonaws.com" in done.plan.warnings[0]
    (policy,) = iam.list_role_policies(RoleName="deploy")["PolicyNames"]
    found = iam.get_role_policy(RoleName="deploy", PolicyName=policy)["PolicyDocument"]
    assert found["Statement"][0]["Effect"] == "Deny" and "Condition" not in found["Statement"][0]
    room.released(done.run)
    assert iam.list_role_policies(RoleName="deploy")["PolicyNames"] == []
    assert differences(before, steady(iam.get_role(RoleName="deploy")["Role"])) == []


def test_a_key_that_was_deleted_meanwhile_is_a_conflict(room: Room) -> None:
    target = user(room, "deleted")
    run, (key, _) = room.isolated(target).run, keys(room, "deleted")
    room.aws.client("iam").delete_access_key(UserName="deleted", AccessKeyId=key)
    stopped = room.runner.release(run, ANA, "over")
    assert stopped.state == RunState.RELEASE_FAILED
    room.released(run, leave={f"key:{key}"})
