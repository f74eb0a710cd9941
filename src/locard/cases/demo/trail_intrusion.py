# SPDX-License-Identifier: Apache-2.0
"""What the intruder does with the stolen credentials, and what the defenders do about it."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from . import story
from .story import at
from .trail import Record, Trail, role, user
from .trail_noise import AGENT_BROWSER, console, instance_role

AGENT_CLI = (
    "aws-cli/2.22.7 md/awscrt#0.23.4 ua/2.0 os/linux#6.11.2-amd64 md/arch#x86_64 lang/python#3.12.6"
)
AGENT_GUARD = (
    "Boto3/1.35.36 md/Botocore#1.35.36 ua/2.0 os/linux#5.10 exec-env/AWS_Lambda_python3.12"
)
WEB_ARN = f"arn:aws:sts::{story.ACCOUNT}:assumed-role/{story.WEB_ROLE}/{story.WEB}"
TRAIL_ARN = f"arn:aws:cloudtrail:{story.HOME_REGION}:{story.ACCOUNT}:trail/{story.TRAIL}"

Call = tuple[str, str, dict[str, Any], bool]
"""Time, call, request, and whether it was refused."""

AS_ROLE: tuple[Call, ...] = (
    ("11 01:13:40", "sts:GetCallerIdentity", {}, False),
    ("11 01:14:02", "s3:ListBuckets", {}, False),
    ("11 01:14:31", "iam:ListUsers", {}, True),
    ("11 01:14:44", "iam:GetAccountAuthorizationDetails", {}, True),
    ("11 01:15:09", "iam:ListAttachedRolePolicies", {"roleName": story.WEB_ROLE}, False),
    ("11 01:15:21", "iam:ListRolePolicies", {"roleName": story.WEB_ROLE}, False),
    (
        "11 01:15:40", "iam:GetRolePolicy",
        {"roleName": story.WEB_ROLE, "policyName": "legacy-user-provisioning"}, False,
    ),
    ("11 01:16:12", "ec2:DescribeInstances", {"maxResults": 1000}, False),
    ("11 01:16:20", "ec2:DescribeSecurityGroups", {}, False),
    ("11 01:16:33", "ec2:DescribeRegions", {}, False),
    ("11 01:16:58", "secretsmanager:ListSecrets", {}, True),
    ("11 01:17:15", "rds:DescribeDBInstances", {}, True),
    ("11 01:17:41", "cloudtrail:DescribeTrails", {}, False),
    ("11 01:17:49", "cloudtrail:GetTrailStatus", {"name": story.TRAIL}, False),
    ("11 01:18:03", "guardduty:ListDetectors", {}, True),
    ("11 01:18:37", "lambda:ListFunctions20150331", {}, True),
    ("11 01:19:11", "kms:ListAliases", {}, True),
    ("11 01:20:26", "s3:GetBucketLocation", {"bucketName": story.EXPORTS}, False),
    ("11 01:20:40", "s3:ListObjects", {"bucketName": story.EXPORTS, "prefix": "2026/"}, False),
    ("11 01:21:18", "s3:ListObjects", {"bucketName": story.BILLING}, True),
    ("11 01:29:50", "iam:PutUserPolicy", {"userName": story.MIRA, "policyName": "tmp"}, True),
    ("11 01:30:12", "iam:CreateLoginProfile", {"userName": story.MIRA}, True),
    ("11 01:31:05", "iam:CreateUser", {"userName": story.BACK_DOOR}, False),
    (
        "11 01:31:48", "iam:AttachUserPolicy",
        {
            "userName": story.BACK_DOOR,
            "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
        },
        False,
    ),
    ("11 01:32:20", "iam:CreateAccessKey", {"userName": story.BACK_DOOR}, False),
)  # fmt: skip

AS_BACK_DOOR: tuple[Call, ...] = (
    ("11 01:38:02", "sts:GetCallerIdentity", {}, False),
    ("11 01:38:15", "iam:ListUsers", {}, False),
    ("11 01:38:29", "iam:ListMFADevices", {"userName": story.MIRA}, False),
    ("11 01:39:10", "secretsmanager:ListSecrets", {}, False),
    (
        "11 01:39:44", "secretsmanager:GetSecretValue",
        {"secretId": "simulated/shop/payments"}, False,
    ),
    ("11 01:40:08", "ssm:DescribeInstanceInformation", {}, False),
    (
        "11 01:42:31", "ec2:AuthorizeSecurityGroupIngress",
        {
            "groupId": story.WEB_GROUP, "ipPermissions": {"items": [{
                "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
                "ipRanges": {"items": [{"cidrIp": f"{story.INTRUDER_EXIT}/32"}]},
            }]},
        },
        False,
    ),
    (
        "11 01:43:20", "ssm:SendCommand",
        {
            "documentName": "AWS-RunShellScript", "instanceIds": [story.WEB],
            "parameters": "HIDDEN_DUE_TO_SECURITY_REASONS", "comment": "agent update",
        },
        False,
    ),
    ("11 01:44:12", "cloudtrail:StopLogging", {"name": TRAIL_ARN}, False),
    ("11 01:53:09", "cloudtrail:GetTrailStatus", {"name": TRAIL_ARN}, False),
    ("11 01:53:31", "cloudtrail:DeleteTrail", {"name": TRAIL_ARN}, True),
    ("11 02:14:22", "iam:CreateLoginProfile", {"userName": story.BACK_DOOR}, False),
)  # fmt: skip

BY_TESS: tuple[Call, ...] = (
    ("11 07:46:10", "cloudtrail:LookupEvents", {"lookupAttributes": [
        {"attributeKey": "EventName", "attributeValue": "StopLogging"}]}, False),
    ("11 07:48:02", "cloudtrail:LookupEvents", {"lookupAttributes": [
        {"attributeKey": "Username", "attributeValue": story.BACK_DOOR}]}, False),
    ("11 07:50:37", "iam:ListAccessKeys", {"userName": story.BACK_DOOR}, False),
    ("11 07:52:15", "iam:GetAccessKeyLastUsed", {"accessKeyId": story.BACK_DOOR_KEY}, False),
    ("11 07:58:03", "iam:UpdateAccessKey", {
        "userName": story.BACK_DOOR, "accessKeyId": story.BACK_DOOR_KEY, "status": "Inactive",
    }, False),
    ("11 07:58:40", "iam:DeleteLoginProfile", {"userName": story.BACK_DOOR}, False),
    ("11 07:59:12", "iam:DetachUserPolicy", {
        "userName": story.BACK_DOOR, "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
    }, False),
    ("11 08:01:20", "iam:PutRolePolicy", {
        "roleName": story.WEB_ROLE, "policyName": "AWSRevokeOlderSessions",
    }, False),
    ("11 08:04:51", "ec2:DescribeInstances", {"instancesSet": {
        "items": [{"instanceId": story.WEB}]}}, False),
    ("11 08:06:12", "ec2:ModifyInstanceAttribute", {"instanceId": story.WEB, "groupSet": {
        "items": [{"groupId": story.ISOLATION_GROUP}]}}, False),
    ("11 08:06:55", "ec2:RevokeSecurityGroupIngress", {"groupId": story.WEB_GROUP}, False),
    ("11 08:09:02", "ec2:CreateSnapshot", {
        "volumeId": story.WEB_VOLUME, "description": "SIMULATED forensic snapshot of shop-web-1",
    }, False),
    ("11 08:20:44", "ec2:ModifyInstanceMetadataOptions", {
        "instanceId": story.WEB, "httpTokens": "required"}, False),
    ("11 08:44:30", "iam:DeleteRolePolicy", {
        "roleName": story.WEB_ROLE, "policyName": "legacy-user-provisioning"}, False),
    ("11 09:02:18", "secretsmanager:RotateSecret", {
        "secretId": "simulated/shop/payments"}, False),
    ("11 10:31:00", "ec2:EnableEbsEncryptionByDefault", {}, False),
)  # fmt: skip


def fill(trail: Trail, random: Random) -> None:
    """Append the intrusion and the reaction."""
    thief = _thief()
    for call in AS_ROLE:
        _call(trail, call, thief, story.INTRUDER, AGENT_CLI, WEB_ARN)
    _takes_objects(trail, random, thief)
    door = user(story.BACK_DOOR, story.BACK_DOOR_KEY)
    for call in AS_BACK_DOOR:
        _call(trail, call, door, story.INTRUDER_EXIT, AGENT_CLI, door["arn"])
    _from_the_host(trail, random)
    _guard(trail)
    _wants_machines(trail, door)
    session = console(trail, at("11 02:21:37"), story.BACK_DOOR, story.INTRUDER_EXIT, mfa=False)
    for minute, api in enumerate(
        ("iam:ListUsers", "billing:GetSellerOfRecord", "ec2:DescribeInstances")
    ):
        trail.add(
            at("11 02:22:05") + timedelta(minutes=minute), api, session, story.INTRUDER_EXIT,
            AGENT_BROWSER, request={}, sessionCredentialFromConsole="true",
        )  # fmt: skip
    tess = console(trail, at("11 07:44:20"), story.TESS, story.OFFICE)
    for call in BY_TESS:
        _call(trail, call, tess, story.OFFICE, AGENT_BROWSER, tess["arn"])
    for moment in (at("11 08:34:10"), at("11 08:34:52"), at("11 13:07:29")):
        trail.object(
            moment, "GetObject", thief, story.INTRUDER, AGENT_CLI, story.EXPORTS,
            "2026/03/10/customers-000.csv.gz",
            error=("AccessDenied", f"User: {WEB_ARN} is not authorized to perform: s3:GetObject "
                   "with an explicit deny in an identity-based policy"),
        )  # fmt: skip


def _thief() -> Record:
    return instance_role(story.WEB_ROLE, story.WEB, story.FORGED)


def _call(trail: Trail, call: Call, who: Record, address: str, agent: str, arn: str) -> None:
    clock, api, request, refused = call
    source, _, name = api.partition(":")
    error = None
    if refused:
        text = f"User: {arn} is not authorized to perform: {source}:{name}"
        if api == "cloudtrail:DeleteTrail":
            text += " with an explicit deny in a service control policy"
        error = ("AccessDenied", text)
    trail.add(
        at(clock), api, who, address, agent, request=request, error=error,
        response=None if refused else _answer(name, request, at(clock)),
    )  # fmt: skip


def _answer(name: str, request: dict[str, Any], moment: datetime) -> Record | None:
    when = f"{moment:%b} {moment.day}, {moment:%Y, %I:%M:%S %p}"
    who = request.get("userName", "")
    if name == "CreateUser":
        arn = f"arn:aws:iam::{story.ACCOUNT}:user/{who}"
        unique = story.principal("AIDA", who)
        return {"user": {
            "path": "/", "userName": who, "userId": unique, "arn": arn, "createDate": when,
        }}  # fmt: skip
    if name == "CreateAccessKey":
        return {"accessKey": {
            "userName": who, "accessKeyId": story.user_key(who), "status": "Active",
            "createDate": when,
        }}  # fmt: skip
    if name == "SendCommand":
        return {"command": {"commandId": "5d0b0a51-ca7e-4f00-8a51-000000000001", **request}}
    if name == "CreateSnapshot":
        return {"snapshotId": "snap-0a51ca7e5d0b09001", "volumeId": request["volumeId"],
                "status": "pending"}  # fmt: skip
    return None


def _takes_objects(trail: Trail, random: Random, thief: Record) -> None:
    """The customer exports of the last days, one by one, from outside."""
    moment = at("11 01:22:10")
    for day in ("2026/03/09", "2026/03/10"):
        for part in range(14):
            moment += timedelta(seconds=random.randrange(4, 12))
            trail.object(
                moment, "GetObject", thief, story.INTRUDER, AGENT_CLI, story.EXPORTS,
                f"{day}/customers-{part:03}.csv.gz",
            )  # fmt: skip


def _from_the_host(trail: Trail, random: Random) -> None:
    """Later the intruder copies everything from the instance itself: the trail is blind then."""
    moment = at("11 01:46:40")
    for part in range(40):
        moment += timedelta(seconds=random.randrange(1, 3))
        trail.object(
            moment, "GetObject", instance_role(story.WEB_ROLE, story.WEB, moment),
            story.WEB_PUBLIC, AGENT_CLI, story.EXPORTS, f"2026/02/customers-{part:03}.csv.gz",
        )  # fmt: skip


def _guard(trail: Trail) -> None:
    """A function of the company turns logging on again whenever somebody turns it off."""
    guard = role(story.GUARD_ROLE, "trail-guard", at("11 01:50:20"))
    trail.add(
        story.RESTARTED, "cloudtrail:StartLogging", guard, "198.51.100.141", AGENT_GUARD,
        request={"name": TRAIL_ARN},
    )  # fmt: skip


def _wants_machines(trail: Trail, door: Record) -> None:
    """Machines for mining are asked for in both regions and refused by the quota."""
    for number, clock in enumerate(("11 01:55:02", "11 01:55:40", "11 01:56:15", "11 01:56:58")):
        trail.add(
            at(clock), "ec2:RunInstances", door, story.INTRUDER_EXIT, AGENT_CLI,
            region=story.REGIONS[number // 2],
            request={
                "instanceType": ("g5.12xlarge", "c6i.32xlarge")[number % 2],
                "minCount": 1, "maxCount": 8,
            },
            error=("Client.VcpuLimitExceeded", "You have requested more vCPU capacity than your "
                   "current vCPU limit allows"),
        )  # fmt: skip
