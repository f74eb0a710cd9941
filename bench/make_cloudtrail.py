# SPDX-License-Identifier: Apache-2.0
"""Writes CloudTrail of any size: `.json.gz` as S3 delivers it, and the same as LookupEvents lines.

Records are varied (some hundred actors, sixty calls, thousands of addresses and resources, six per
cent refused) and about 1.1 kB long; files hold from a few to some thousand of them. The same seed
gives the same records. LookupEvents lines have a blank between date and time in `EventTime`, the
only form that Plaso reads.
"""

import argparse
import json
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

ACCOUNT = "111122223333"
FIRST = datetime(2026, 1, 5, tzinfo=UTC)
REGIONS = ("us-east-1", "eu-west-1", "us-west-2", "ap-southeast-2", "eu-central-1", "sa-east-1")
AGENTS = (
    "aws-cli/2.22.7 md/awscrt#0.23.4 ua/2.0 os/linux#6.11.2 md/arch#x86_64 lang/python#3.12.6",
    "Boto3/1.35.36 md/Botocore#1.35.36 ua/2.0 os/linux#6.8.0-1021-aws lang/python#3.12.3",
    "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) aws-sdk-go/1.55.5",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/133.0.0.0",
    "aws-sdk-go-v2/1.32.3 os/linux lang/go#1.23.3 md/GOOS#linux md/GOARCH#arm64 api/s3#1.66.2",
    "aws-sdk-java/2.29.9 Linux/5.10.227 OpenJDK_64-Bit_Server_VM/21.0.5+11-LTS Java/21.0.5",
)
CALLS = {
    "ec2": "DescribeInstances DescribeVolumes DescribeSecurityGroups RunInstances CreateTags "
    "DescribeNetworkInterfaces TerminateInstances AuthorizeSecurityGroupIngress CreateSnapshot "
    "DescribeSnapshots DescribeSubnets DescribeVpcs ModifyInstanceAttribute",
    "s3": "GetObject PutObject ListObjects HeadObject DeleteObject GetBucketAcl ListBuckets "
    "GetBucketLocation GetBucketPolicy PutBucketPolicy",
    "sts": "AssumeRole GetCallerIdentity AssumeRoleWithWebIdentity",
    "iam": "GetRole ListRolePolicies ListUsers CreateUser CreateAccessKey AttachUserPolicy "
    "ListAttachedRolePolicies GetPolicyVersion",
    "kms": "Decrypt GenerateDataKey DescribeKey ListAliases",
    "ssm": "UpdateInstanceInformation GetParameter SendCommand DescribeInstanceInformation",
    "lambda": "ListFunctions20150331 GetFunction20150331v2 Invoke",
    "dynamodb": "GetItem PutItem Query DescribeTable",
    "logs": "CreateLogStream DescribeLogGroups PutRetentionPolicy",
    "monitoring": "DescribeAlarms PutMetricAlarm",
    "secretsmanager": "GetSecretValue ListSecrets",
    "cloudtrail": "LookupEvents DescribeTrails GetTrailStatus StopLogging",
}
READS = ("Get", "List", "Describe", "Lookup", "Head", "Query", "Decrypt", "Generate", "Assume")
FIELDS = {
    "ec2": "instanceId", "s3": "bucketName", "sts": "roleArn", "iam": "userName", "kms": "keyId",
    "ssm": "instanceId", "lambda": "functionName", "dynamodb": "tableName", "logs": "logGroupName",
    "monitoring": "alarmName", "secretsmanager": "secretId", "cloudtrail": "name",
}  # fmt: skip


class Maker:
    """Makes records one after the other in the order of time."""

    def __init__(self, count: int, seed: int = 1, days: float = 30) -> None:
        self.random = Random(seed)
        self.count = count
        self.step = timedelta(days=days) / max(1, count)
        self.actors = [self._actor(n) for n in range(400)]
        self.weights = [1 / (n + 3) for n in range(400)]
        self.calls = [(s, name) for s, names in CALLS.items() for name in names.split()]
        self.call_weights = [1 / (n + 2) for n in range(len(self.calls))]
        self.random.shuffle(self.calls)
        self.addresses = [
            f"10.{self.random.randrange(256)}.{self.random.randrange(256)}."
            f"{self.random.randrange(1, 255)}"
            for _ in range(3000)
        ] + [f"{net}.{n}" for net in ("192.0.2", "198.51.100", "203.0.113") for n in range(1, 255)]
        self.things = {
            field: [f"{field.lower()}-{self.random.getrandbits(48):012x}" for _ in range(900)]
            for field in set(FIELDS.values())
        }

    def _actor(self, number: int) -> tuple[str, str]:
        name = f"{('svc', 'app', 'ops', 'dev')[number % 4]}-{number:03}"
        unique = f"{self.random.getrandbits(80):020X}"[:17]
        key = f"{self.random.getrandbits(80):020X}"[:16]
        arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
        if number % 4:
            issuer = {
                "type": "Role", "principalId": f"AROA{unique}", "accountId": ACCOUNT,
                "arn": f"arn:aws:iam::{ACCOUNT}:role/{name}", "userName": name,
            }  # fmt: skip
            arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/session-{number}"
            who: dict[str, object] = {
                "type": "AssumedRole", "principalId": f"AROA{unique}:session-{number}", "arn": arn,
                "accountId": ACCOUNT, "accessKeyId": f"ASIA{key}",
                "sessionContext": {"sessionIssuer": issuer, "attributes": {
                    "creationDate": "2026-01-05T00:00:00Z", "mfaAuthenticated": "false"}},
            }  # fmt: skip
        else:
            who = {
                "type": "IAMUser", "principalId": f"AIDA{unique}", "arn": arn,
                "accountId": ACCOUNT, "accessKeyId": f"AKIA{key}", "userName": name,
            }  # fmt: skip
        return json.dumps(who, separators=(",", ":")), arn

    def records(self) -> Iterator[tuple[datetime, str]]:
        """Time and text of each record."""
        random, moment = self.random, FIRST
        done = 0
        while done < self.count:
            size = min(10_000, self.count - done)
            actors = random.choices(self.actors, self.weights, k=size)
            calls = random.choices(self.calls, self.call_weights, k=size)
            for actor, call in zip(actors, calls, strict=True):
                yield moment, self._record(moment, *actor, *call)
                moment += self.step
            done += size

    def _record(self, moment: datetime, who: str, arn: str, service: str, name: str) -> str:
        bits = self.random.getrandbits(512)
        field = FIELDS[service]
        things = self.things[field]
        thing = things[(bits >> 8) % (1 + (bits >> 20) % len(things))]
        address = self.addresses[(bits >> 32) % (1 + (bits >> 48) % len(self.addresses))]
        region = REGIONS[(bits >> 64) % (1 + (bits >> 68) % 6)]
        agent = AGENTS[(bits >> 72) % 6]
        error = ""
        if (bits >> 80) % 17 == 0:
            error = (
                f'"errorCode":"AccessDenied","errorMessage":"User: {arn} is not authorized to '
                f'perform: {service}:{name} because no identity-based policy allows it",'
            )
        event, request = f"{bits & (1 << 128) - 1:032x}", f"{bits >> 128 & (1 << 128) - 1:032x}"
        reads = "true" if name.startswith(READS) else "false"
        response = (
            "null" if reads == "true" or error else f'{{"requestId":"{request}","_return":true}}'
        )
        return (
            f'{{"eventVersion":"1.11","userIdentity":{who},"eventTime":"{moment:%Y-%m-%dT%H:%M:%SZ}",'
            f'"eventSource":"{service}.amazonaws.com","eventName":"{name}","awsRegion":"{region}",'
            f'"sourceIPAddress":"{address}","userAgent":"{agent}",{error}'
            f'"requestParameters":{{"{field}":"{thing}","maxResults":{bits >> 300 & 1023}}},'
            f'"responseElements":{response},"requestID":"{_uuid(request)}",'
            f'"eventID":"{_uuid(event)}","readOnly":{reads},"eventType":"AwsApiCall",'
            f'"managementEvent":true,"recipientAccountId":"{ACCOUNT}","eventCategory":"Management",'
            f'"tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256",'
            f'"clientProvidedHostHeader":"{service}.{region}.amazonaws.com"}}}}'
        )


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def write_trail(folder: Path, count: int, mean: int = 800, seed: int = 1) -> list[Path]:
    """Write `count` records as S3 delivers them, about `mean` to a file, and return the files."""
    sizes, written = Random(seed), []
    text: list[str] = []
    room = 0
    moment = FIRST
    for moment, record in Maker(count, seed).records():
        if not room:
            room = max(3, min(9 * mean, int(sizes.lognormvariate(0, 0.9) * mean * 0.7)))
        text.append(record)
        room -= 1
        if not room:
            written.append(_put(folder, moment, len(written), text))
            text = []
    if text:
        written.append(_put(folder, moment, len(written), text))
    return written


def _put(folder: Path, moment: datetime, number: int, records: list[str]) -> Path:
    region = REGIONS[0]
    path = folder / f"AWSLogs/{ACCOUNT}/CloudTrail/{region}/{moment:%Y/%m/%d}"
    path.mkdir(parents=True, exist_ok=True)
    path /= f"{ACCOUNT}_CloudTrail_{region}_{moment:%Y%m%dT%H%MZ}_{number:016d}.json.gz"
    packer = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    body = ('{"Records":[' + ",".join(records) + "]}").encode()
    path.write_bytes(packer.compress(body) + packer.flush())
    return path


def write_lookups(path: Path, count: int, seed: int = 1) -> Path:
    """Write the same records as lines of LookupEvents output."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for moment, text in Maker(count, seed).records():
            record = json.loads(text)
            who = record["userIdentity"]
            line = {
                "EventId": record["eventID"],
                "EventName": record["eventName"],
                "ReadOnly": str(record["readOnly"]).lower(),
                "AccessKeyId": who["accessKeyId"],
                "EventTime": f"{moment:%Y-%m-%d %H:%M:%S}+00:00",
                "EventSource": record["eventSource"],
                "Username": who.get("userName", "session"),
                "Resources": [],
                "CloudTrailEvent": text,
            }
            file.write(json.dumps(line) + "\n")
    return path


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--mean", type=int, default=800, help="records to a file on average")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lookups", action="store_true", help="LookupEvents lines instead")
    given = parser.parse_args()
    if given.lookups:
        print(write_lookups(given.folder / "lookup-events.jsonl", given.events, given.seed))
        return
    files = write_trail(given.folder, given.events, given.mean, given.seed)
    print(f"{len(files):,} files, {sum(f.stat().st_size for f in files) / 1e6:,.1f} MB")


if __name__ == "__main__":
    main()
