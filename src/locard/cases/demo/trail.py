# SPDX-License-Identifier: Apache-2.0
"""A CloudTrail trail as S3 holds it: records, log files of a delivery each, and signed digests.

Records follow the CloudTrail record contents reference (event version 1.11), digests the digest
file structure that `aws cloudtrail validate-logs` checks.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from . import story
from .packed import gzip, put
from .signing import Key

Record = dict[str, Any]
DELIVERY = timedelta(minutes=30)
"""Events are gathered this long into one file. AWS delivers about every five minutes."""


def stamp(moment: datetime) -> str:
    """A time as records write it: whole seconds, UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def service(name: str) -> Record:
    """An AWS service that acts on its own."""
    return {"type": "AWSService", "invokedBy": f"{name}.amazonaws.com"}


def user(name: str, key: str = "", session: datetime | None = None, mfa: bool = False) -> Record:
    """An IAM user, by access key or (with `session`) in the console."""
    arn = f"arn:aws:iam::{story.ACCOUNT}:user/{name}"
    who: Record = {
        "type": "IAMUser",
        "principalId": story.principal("AIDA", name),
        "arn": arn,
        "accountId": story.ACCOUNT,
    }
    if key:
        who["accessKeyId"] = key
    who["userName"] = name
    if session is not None:
        attributes = {"creationDate": stamp(session), "mfaAuthenticated": str(mfa).lower()}
        who["sessionContext"] = {"attributes": attributes}
    return who


def role(name: str, session: str, issued: datetime, instance: str = "") -> Record:
    """A role that was assumed; with `instance`, through that instance's metadata service."""
    unique, account = story.principal("AROA", name), story.ACCOUNT
    context: Record = {
        "sessionIssuer": {
            "type": "Role",
            "principalId": unique,
            "arn": f"arn:aws:iam::{account}:role/{name}",
            "accountId": account,
            "userName": name,
        },
        "attributes": {"creationDate": stamp(issued), "mfaAuthenticated": "false"},
    }
    who: Record = {
        "type": "AssumedRole",
        "principalId": f"{unique}:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
        "accountId": account,
        "accessKeyId": story.role_key(name, issued),
        "sessionContext": context,
    }
    if instance:
        context["ec2RoleDelivery"] = "1.0"
        who["inScopeOf"] = {
            "issuerType": "AWS::EC2::Instance",
            "credentialsIssuedTo": f"arn:aws:ec2:{story.HOME_REGION}:{account}:instance/{instance}",
        }
    return who


@dataclass(slots=True)
class Trail:
    """Takes records in any order and writes what the bucket would hold."""

    random: Random
    records: list[tuple[datetime, str, Record]] = field(default_factory=list)

    def add(
        self,
        moment: datetime,
        api: str,
        who: Mapping[str, Any],
        address: str,
        agent: str,
        *,
        region: str = story.HOME_REGION,
        request: Mapping[str, Any] | None = None,
        response: Mapping[str, Any] | None = None,
        error: tuple[str, str] | None = None,
        **more: Any,
    ) -> None:
        """Append one record; `api` is such as `s3:GetObject`, `more` goes into it as it is."""
        source, _, name = api.partition(":")
        reads = name.startswith(("Get", "List", "Describe", "Lookup", "Head", "Decrypt", "Assume"))
        reads = reads or name == "GenerateDataKey"
        record: Record = {
            "eventVersion": "1.11",
            "userIdentity": dict(who),
            "eventTime": stamp(moment),
            "eventSource": f"{source}.amazonaws.com",
            "eventName": name,
            "awsRegion": region,
            "sourceIPAddress": address,
            "userAgent": agent,
        }
        if error:
            record["errorCode"], record["errorMessage"] = error
        record["requestParameters"] = dict(request) if request else None
        record["responseElements"] = dict(response) if response else None
        if source == "s3":
            record["additionalEventData"] = self._s3_details(error is not None)
        record["requestID"] = self._letters(16) if source == "s3" else self._uuid()
        record["eventID"] = self._uuid()
        record["readOnly"] = reads
        record["eventType"] = "AwsApiCall"
        record["managementEvent"] = True
        record["recipientAccountId"] = story.ACCOUNT
        if who["type"] == "AWSService":
            record["sharedEventID"] = self._uuid()
        record["eventCategory"] = "Management"
        if who["type"] != "AWSService" and not address.endswith("amazonaws.com"):
            record["tlsDetails"] = {
                "tlsVersion": "TLSv1.3",
                "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": f"{source}.{region}.amazonaws.com",
            }
        record.update(more)
        self.records.append((moment, region, record))

    def object(
        self, moment: datetime, name: str, who: Mapping[str, Any], address: str, agent: str,
        bucket: str, key: str, **more: Any,
    ) -> None:  # fmt: skip
        """Append one data event of S3: something was done with one object."""
        region = more.get("region", story.HOME_REGION)
        host = f"{bucket}.s3.{region}.amazonaws.com"
        arn = f"arn:aws:s3:::{bucket}"
        self.add(
            moment, f"s3:{name}", who, address, agent,
            request={"bucketName": bucket, "Host": host, "key": key},
            resources=[
                {"type": "AWS::S3::Object", "ARN": f"{arn}/{key}"},
                {"accountId": story.ACCOUNT, "type": "AWS::S3::Bucket", "ARN": arn},
            ],
            managementEvent=False, eventCategory="Data", **more,
        )  # fmt: skip

    def write(self, folder: Path, key: Key) -> list[Path]:
        """Write log files and digests below `folder` and return their paths."""
        written = []
        for region in story.REGIONS:
            logs = list(self._logs(region))
            written += [put(folder / name, gzip(text)) for name, text, *_ in logs]
            written += _digests(folder, region, logs, key)
        return written

    def _logs(self, region: str) -> Iterable["Log"]:
        slots: dict[datetime, list[tuple[datetime, Record]]] = {}
        for moment, where, record in sorted(self.records, key=lambda r: (r[0], r[2]["eventID"])):
            if where == region and not story.blind(moment):
                slot = story.START + ((moment - story.START) // DELIVERY + 1) * DELIVERY
                if moment <= story.STOPPED < slot:
                    slot = story.STOPPED
                slots.setdefault(slot, []).append((moment, record))
        for slot, events in sorted(slots.items()):
            yield self._log(region, slot, events)

    def _log(self, region: str, slot: datetime, events: list[tuple[datetime, Record]]) -> "Log":
        stem = f"{story.ACCOUNT}_CloudTrail_{region}_{slot:%Y%m%dT%H%MZ}_{self._letters(16)}"
        name = f"AWSLogs/{story.ACCOUNT}/CloudTrail/{region}/{slot:%Y/%m/%d}/{stem}.json.gz"
        text = json.dumps({"Records": [r for _, r in events]}, separators=(",", ":")).encode()
        return name, text, slot, events[0][0], events[-1][0]

    def _uuid(self) -> str:
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def _letters(self, count: int) -> str:
        return story.token(self.random.getrandbits(64), length=count)

    def _s3_details(self, failed: bool) -> Record:
        return {
            "SignatureVersion": "SigV4",
            "CipherSuite": "TLS_AES_128_GCM_SHA256",
            "bytesTransferredIn": 0,
            "AuthenticationMethod": "AuthHeader",
            "x-amz-id-2": self._letters(44) + "=",
            "bytesTransferredOut": 0 if failed else self.random.randrange(400, 900_000),
        }


Log = tuple[str, bytes, datetime, datetime, datetime]
"""Name, text, delivery, oldest and newest event of a log file."""


def _digests(folder: Path, region: str, logs: list[Log], key: Key) -> list[Path]:
    """One digest for each hour; when logging stops the chain ends, and a new one starts later."""
    hours = [story.START + timedelta(hours=n) for n in range(97)]
    edges = sorted({*hours, story.STOPPED, story.RESTARTED})
    written: list[Path] = []
    previous: tuple[str, str, str] | None = None
    for start, end in pairwise(edges):
        if start == story.STOPPED:
            previous = None
            continue
        inside = [log for log in logs if start < log[2] <= end]
        stem = f"{story.ACCOUNT}_CloudTrail-Digest_{region}_{story.TRAIL}_{story.HOME_REGION}"
        name = (
            f"AWSLogs/{story.ACCOUNT}/CloudTrail-Digest/{region}/{end:%Y/%m/%d}/"
            f"{stem}_{end:%Y%m%dT%H%M%SZ}.json.gz"
        )
        text = json.dumps(_digest(name, start, end, inside, previous, key)).encode()
        signature = previous[2] if previous else "null"
        digest = hashlib.sha256(text).hexdigest()
        signed = f"{stamp(end)}\n{story.TRAIL_BUCKET}/{name}\n{digest}\n{signature}"
        previous = name, digest, key.sign(signed.encode())
        written.append(put(folder / name, gzip(text)))
    return written


def _digest(
    name: str,
    start: datetime,
    end: datetime,
    logs: list[Log],
    previous: tuple[str, str, str] | None,
    key: Key,
) -> Record:
    bucket = story.TRAIL_BUCKET
    return {
        "awsAccountId": story.ACCOUNT,
        "digestStartTime": stamp(start),
        "digestEndTime": stamp(end),
        "digestS3Bucket": bucket,
        "digestS3Object": name,
        "digestPublicKeyFingerprint": key.fingerprint,
        "digestSignatureAlgorithm": "SHA256withRSA",
        "newestEventTime": stamp(max(log[4] for log in logs)) if logs else None,
        "oldestEventTime": stamp(min(log[3] for log in logs)) if logs else None,
        "previousDigestS3Bucket": bucket if previous else None,
        "previousDigestS3Object": previous[0] if previous else None,
        "previousDigestHashValue": previous[1] if previous else None,
        "previousDigestHashAlgorithm": "SHA-256" if previous else None,
        "previousDigestSignature": previous[2] if previous else None,
        "logFiles": [
            {
                "s3Bucket": bucket,
                "s3Object": log,
                "hashValue": hashlib.sha256(text).hexdigest(),
                "hashAlgorithm": "SHA-256",
                "newestEventTime": stamp(newest),
                "oldestEventTime": stamp(oldest),
            }
            for log, text, _, oldest, newest in logs
        ],
    }
