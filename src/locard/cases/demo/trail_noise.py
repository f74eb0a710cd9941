# SPDX-License-Identifier: Apache-2.0
"""Four ordinary days in the account: what its machines, pipelines and people do anyway."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from . import story
from .trail import Record, Trail, role, service, stamp, user

AGENT_SSM = "aws-sdk-go/1.55.5 (go1.22.11; linux; amd64) amazon-ssm-agent/3.3.1611.0"
AGENT_SHOP = "Boto3/1.35.36 md/Botocore#1.35.36 ua/2.0 os/linux#6.8.0-1021-aws lang/python#3.12.3"
AGENT_TERRAFORM = (
    "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) "
    "terraform-provider-aws/5.76.0 (+https://registry.terraform.io/providers/hashicorp/aws)"
)
AGENT_BROWSER = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/133.0.0.0 Safari/537.36"
)
CONFIG_CALLS = (
    "ec2:DescribeInstances", "ec2:DescribeVolumes", "ec2:DescribeSecurityGroups",
    "ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcs", "s3:GetBucketPolicyStatus",
    "s3:GetBucketEncryption", "rds:DescribeDBInstances", "kms:ListKeys", "lambda:ListFunctions",
)  # fmt: skip
CONSOLE_CALLS = (
    "ec2:DescribeInstances", "ec2:DescribeInstanceStatus", "ec2:DescribeAddresses",
    "elasticloadbalancing:DescribeLoadBalancers", "monitoring:DescribeAlarms",
    "logs:DescribeLogGroups", "logs:StartQuery", "s3:ListBuckets", "iam:GetAccountSummary",
    "rds:DescribeDBInstances", "health:DescribeEventAggregates", "monitoring:GetMetricData",
    "ce:GetCostAndUsage", "ec2:DescribeVolumes", "secretsmanager:ListSecrets",
)  # fmt: skip
DEPLOY_CALLS = (
    "sts:GetCallerIdentity", "s3:GetBucketLocation", "ec2:DescribeVpcs", "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups", "ec2:DescribeInstances", "iam:GetRole", "iam:ListRolePolicies",
    "iam:ListAttachedRolePolicies", "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth", "ssm:GetParameter", "ssm:PutParameter",
    "logs:DescribeLogGroups", "monitoring:PutMetricAlarm", "ec2:CreateTags",
)  # fmt: skip


def fill(trail: Trail, random: Random) -> None:
    """Append the background of all four days."""
    _machines(trail, random)
    _shop(trail, random)
    _watchers(trail, random)
    _exports(trail, random)
    for day in range(9, 13):
        _deploys(trail, random, day)
    _people(trail, random)


def _every(random: Random, minutes: float, jitter: float = 20.0) -> Iterator[datetime]:
    moment = story.START + timedelta(seconds=random.uniform(0, minutes * 60))
    while moment < story.END:
        shifted = moment + timedelta(seconds=random.uniform(0, jitter))
        if shifted < story.END:
            yield shifted.replace(microsecond=0)
        moment += timedelta(minutes=minutes)


def _until_isolated(random: Random, minutes: float, jitter: float) -> Iterator[datetime]:
    """The web server can reach nothing once it is isolated."""
    return (moment for moment in _every(random, minutes, jitter) if moment < story.ISOLATED)


def instance_role(name: str, instance: str, moment: datetime) -> Record:
    """The role of an instance with the credentials that it held at that moment."""
    return role(name, instance, story.issued(instance, moment), instance)


def _machines(trail: Trail, random: Random) -> None:
    """Credentials for the instances every hour, and the agent's sign of life."""
    for name, instance in ((story.WEB_ROLE, story.WEB), (story.JOBS_ROLE, story.JOBS)):
        moment = story.issued(instance, story.START) + timedelta(hours=1)
        while moment < story.END:
            arn = f"arn:aws:iam::{story.ACCOUNT}:role/{name}"
            expires = moment + timedelta(hours=6)
            key = story.role_key(name, moment)
            trail.add(
                moment, "sts:AssumeRole", service("ec2"), "ec2.amazonaws.com", "ec2.amazonaws.com",
                request={"roleArn": arn, "roleSessionName": instance},
                response={"credentials": {"accessKeyId": key, "expiration": stamp(expires)}},
                resources=[{"accountId": story.ACCOUNT, "type": "AWS::IAM::Role", "ARN": arn}],
            )  # fmt: skip
            moment += timedelta(hours=1)
    for moment in _until_isolated(random, 5, 4):
        trail.add(
            moment, "ssm:UpdateInstanceInformation",
            instance_role(story.WEB_ROLE, story.WEB, moment), story.WEB_PUBLIC, AGENT_SSM,
            request={
                "instanceId": story.WEB, "agentVersion": "3.3.1611.0", "agentStatus": "Active",
                "platformType": "Linux", "platformName": "Ubuntu", "platformVersion": "24.04",
                "iPAddress": story.WEB_PRIVATE, "computerName": story.HOST,
            },
        )  # fmt: skip


def _shop(trail: Trail, random: Random) -> None:
    """The shop reads and writes its pictures; keys are used on the way."""
    for number, moment in enumerate(_until_isolated(random, 5, 200)):
        who = instance_role(story.WEB_ROLE, story.WEB, moment)
        picture = f"products/{random.randrange(100, 999)}/{random.choice(['front', 'side'])}.webp"
        trail.object(moment, "GetObject", who, story.WEB_PUBLIC, AGENT_SHOP, story.ASSETS, picture)
        if number % 4 == 0:
            later = moment + timedelta(seconds=random.randrange(2, 60))
            upload = f"uploads/{moment:%Y/%m/%d}/{random.getrandbits(40):010x}.jpg"
            who = instance_role(story.WEB_ROLE, story.WEB, later)
            trail.object(
                later, "PutObject", who, story.WEB_PUBLIC, AGENT_SHOP, story.ASSETS, upload
            )
            _data_key(trail, later, who, story.ASSETS)
            if later + timedelta(seconds=9) < story.END:
                trail.object(
                    later + timedelta(seconds=9), "PutObject",
                    role("shop-replication-role", "s3-replication", later.replace(minute=0)),
                    "s3.amazonaws.com", "s3.amazonaws.com", story.REPLICA, upload,
                    region="eu-west-1",
                )  # fmt: skip


def _data_key(trail: Trail, moment: datetime, who: Record, bucket: str) -> None:
    key = f"arn:aws:kms:{story.HOME_REGION}:{story.ACCOUNT}:key/simulated-0a51-ca7e-5d0b"
    trail.add(
        moment, "kms:GenerateDataKey", {**who, "invokedBy": "s3.amazonaws.com"},
        "s3.amazonaws.com", "s3.amazonaws.com",
        request={
            "keySpec": "AES_256", "keyId": key,
            "encryptionContext": {"aws:s3:arn": f"arn:aws:s3:::{bucket}"},
        },
        resources=[{"accountId": story.ACCOUNT, "type": "AWS::KMS::Key", "ARN": key}],
    )  # fmt: skip


def _watchers(trail: Trail, random: Random) -> None:
    """Config, alarms, backups and CloudTrail itself, in both regions."""
    for region in story.REGIONS:
        for moment in _every(random, 180, 600):
            recorder = role(
                "AWSServiceRoleForConfig", "configLambdaExecution", moment.replace(minute=0)
            )
            for offset, call in enumerate(CONFIG_CALLS):
                later = moment + timedelta(seconds=offset * 2)
                if later < story.END:
                    trail.add(
                        later, call, recorder, "config.amazonaws.com", "config.amazonaws.com",
                        region=region, request={},
                    )  # fmt: skip
        for moment in _every(random, 20 if region == story.HOME_REGION else 12, 60):
            monitor = role("shop-monitor-role", "synthetic-check", moment.replace(minute=0))
            call = random.choice(
                ["monitoring:DescribeAlarms", "elasticloadbalancing:DescribeTargetHealth",
                 "rds:DescribeDBInstances"]
            )  # fmt: skip
            trail.add(
                moment, call, monitor, story.JOBS_PUBLIC, AGENT_SHOP, region=region, request={}
            )
        for moment in _every(random, 60, 300):
            trail.add(
                moment, "s3:GetBucketAcl", service("cloudtrail"), "cloudtrail.amazonaws.com",
                "cloudtrail.amazonaws.com", region=region,
                request={"bucketName": story.TRAIL_BUCKET, "acl": ""},
            )  # fmt: skip
        for moment in _every(random, 720, 900):
            who = role("AWSBackupDefaultServiceRole", "AWSBackup-simulated", moment)
            trail.add(
                moment, "ec2:CreateSnapshot", who, "backup.amazonaws.com", "backup.amazonaws.com",
                region=region, request={"volumeId": f"vol-{random.getrandbits(68):017x}"},
                response={"snapshotId": f"snap-{random.getrandbits(68):017x}", "status": "pending"},
            )  # fmt: skip


def _exports(trail: Trail, random: Random) -> None:
    """Every night at three the jobs server writes the customer exports."""
    for day in range(9, 13):
        for part in range(14):
            moment = story.at(f"{day} 3") + timedelta(seconds=part * 21 + random.randrange(9))
            who = instance_role(story.JOBS_ROLE, story.JOBS, moment)
            name = f"2026/03/{day:02}/customers-{part:03}.csv.gz"
            trail.object(
                moment, "PutObject", who, story.JOBS_PUBLIC, AGENT_SHOP, story.EXPORTS, name
            )
            _data_key(trail, moment, who, story.EXPORTS)


def _deploys(trail: Trail, random: Random, day: int) -> None:
    """The pipeline deploys some times a day from its runners."""
    for run in range(random.randrange(3, 6)):
        moment = story.at(f"{day} 9") + timedelta(seconds=random.randrange(8 * 3600))
        session = f"deploy-{day}{run:02}"
        arn = f"arn:aws:iam::{story.ACCOUNT}:role/{story.DEPLOY_ROLE}"
        federated: Record = {
            "type": "WebIdentityUser",
            "principalId": "token.actions.githubusercontent.com:sts.amazonaws.com:"
            "repo:larkspur-simulated/shop:ref:refs/heads/main",
            "userName": "repo:larkspur-simulated/shop:ref:refs/heads/main",
            "identityProvider": "token.actions.githubusercontent.com",
        }
        runner = f"192.0.2.{random.randrange(100, 140)}"
        trail.add(
            moment, "sts:AssumeRoleWithWebIdentity", federated, runner, AGENT_TERRAFORM,
            request={"roleArn": arn, "roleSessionName": session},
            response={"credentials": {"accessKeyId": story.role_key(story.DEPLOY_ROLE, moment)}},
        )  # fmt: skip
        who, later = role(story.DEPLOY_ROLE, session, moment), moment
        for call in random.sample(DEPLOY_CALLS, k=len(DEPLOY_CALLS)):
            later += timedelta(seconds=random.randrange(1, 8))
            trail.add(later, call, who, runner, AGENT_TERRAFORM, request={})


def console(trail: Trail, moment: datetime, name: str, address: str, mfa: bool = True) -> Record:
    """A person signs in to the console; returns the identity of the session."""
    details = {
        "LoginTo": "https://console.aws.amazon.com/console/home?isauthcode=true",
        "MobileVersion": "No",
        "MFAUsed": "Yes" if mfa else "No",
    }
    trail.add(
        moment, "signin:ConsoleLogin", user(name), address, AGENT_BROWSER,
        response={"ConsoleLogin": "Success"}, additionalEventData=details,
        eventType="AwsConsoleSignIn",
    )  # fmt: skip
    key = "ASIA" + story.token("console", name, moment.isoformat())
    return user(name, key, session=moment, mfa=mfa)


def _people(trail: Trail, random: Random) -> None:
    """Engineers look at things in office hours; one of them often mistypes a permission."""
    denied: dict[str, Any] = {
        "error": (
            "AccessDenied",
            f"User: arn:aws:iam::{story.ACCOUNT}:user/{story.JONAS} is not authorized to perform: "
            "ce:GetCostAndUsage because no identity-based policy allows the action",
        )
    }
    for day in range(9, 13):
        for name in (story.MIRA, story.JONAS):
            for hour in (8, 13):
                moment = story.at(f"{day} {hour}") + timedelta(seconds=random.randrange(5400))
                who = console(trail, moment, name, story.OFFICE)
                for _ in range(random.randrange(14, 24)):
                    moment += timedelta(seconds=random.randrange(3, 200))
                    call = random.choice(CONSOLE_CALLS)
                    refused = name == story.JONAS and call == "ce:GetCostAndUsage"
                    trail.add(
                        moment, call, who, story.OFFICE, AGENT_BROWSER, request={},
                        sessionCredentialFromConsole="true", **(denied if refused else {}),
                    )  # fmt: skip
