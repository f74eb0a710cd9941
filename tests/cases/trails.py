# SPDX-License-Identifier: Apache-2.0
"""Small CloudTrail files written by the tests."""

import gzip
import json
from pathlib import Path
from typing import Any


def record(number: int, **changes: Any) -> dict[str, Any]:
    """One CloudTrail record; the number decides everything about it."""
    minute, second = divmod(number, 60)
    return {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "IAMUser",
            "arn": f"arn:aws:iam::111122223333:user/u{number % 7}",
            "accountId": "111122223333",
            "userName": f"u{number % 7}",
        },
        "eventTime": f"2026-03-{1 + minute // 1440 % 28:02d}T{minute // 60 % 24:02d}:"
        f"{minute % 60:02d}:{second:02d}Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject" if number % 5 else "DeleteObject",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": f"198.51.100.{number % 250 + 1}",
        "userAgent": "tests",
        "requestParameters": {"bucketName": f"bucket-{number % 11}", "key": f"k{number}"},
        "responseElements": None,
        "requestID": f"r{number}",
        "eventID": f"00000000-0000-4000-8000-{number:012x}",
        "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333",
        **changes,
    }


def trail(path: Path, numbers: range | list[int], **changes: Any) -> Path:
    """A file as S3 delivers it: gzip of `{"Records": [...]}`."""
    body = json.dumps({"Records": [record(n, **changes) for n in numbers]}, separators=(",", ":"))
    path.parent.mkdir(parents=True, exist_ok=True)
    data = body.encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path
