# SPDX-License-Identifier: Apache-2.0
"""The simulated AWS as tests use it: its address, clients of an administrator, faults, calls."""

import json
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from tests.servers.running import by_http, free_ports, running

ACCOUNT, REGION = "123456789012", "eu-central-1"
SNAPSHOT_IN_ERROR = """<DescribeSnapshotsResponse><requestId>r</requestId><snapshotSet><item>
<snapshotId>snap-1</snapshotId><status>error</status>
<statusMessage>Given key ID is not accessible</statusMessage>
<kmsKeyId>arn:aws:kms:eu-central-1:123456789012:key/k</kmsKeyId><encrypted>true</encrypted>
</item></snapshotSet></DescribeSnapshotsResponse>"""
_JSON = ("ebs:", "lambda:", "ecs:", "organizations:", "logs:", "ssm:")
"""Services that answer in JSON."""
ROOT = Path(__file__).parent.parent.parent.parent


class Aws:
    """One simulated AWS."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def client(self, service: str) -> Any:
        """A client of the account's administrator, whose calls are not told from others'."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="administrator",
            aws_secret_access_key="simulated",
        )

    def fault(self, action: str, code: str, *, times: int = 1, after: int = 0) -> None:
        """Answer `action` (a regular expression) with an error, so many times, later if asked."""
        status = {"AccessDenied": "403 Forbidden", "UnauthorizedOperation": "403 Forbidden",
                  "RequestLimitExceeded": "503 Slow"}.get(code, "400 Bad Request")  # fmt: skip
        error = f"<Error><Code>{code}</Code><Message>as the test says</Message></Error>"
        inner = f"{error}<Errors>{error}</Errors><RequestID>f</RequestID>"
        body = f"<ErrorResponse>{inner}</ErrorResponse>"
        if action.startswith("ec2:"):
            body = f"<Response><Errors>{error}</Errors><RequestID>f</RequestID></Response>"
        kind = "text/xml"
        if code == "error-state":
            status, body = "200 OK", SNAPSHOT_IN_ERROR
        if action.startswith("s3:"):
            body = error
        if action.startswith(_JSON):
            body = json.dumps({"__type": code, "message": "as the test says", "code": code})
            kind = "application/json"
        self._control(
            "faults",
            {"action": action, "status": status, "body": body, "type": kind,
             "times": times, "after": after},
        )  # fmt: skip

    def calls(self, run: str = "") -> list[dict[str, str]]:
        """The calls that named a run of Locard in their user agent."""
        found: list[dict[str, str]] = self._control("calls")
        return [one for one in found if f"run/{run}" in one["agent"]]

    def forget(self) -> None:
        """Forget calls and faults."""
        self._control("forget", {})

    def seed(self, volume: str, snapshot: str) -> None:
        """Snapshots of this volume have the blocks of that snapshot."""
        self._control("seeds", {volume: snapshot})

    def show(self, volume: str, image: Path) -> None:
        """Snapshots of this volume have the blocks of that image file."""
        self._control("images", {volume: str(image)})

    def still(self, model: str) -> None:
        """Let moto's `ecs::task`, `rds::...` stay as they are however often they are looked at."""
        told = {"model_name": model, "transition": {"progression": "manual", "times": 10_000}}
        request = urllib.request.Request(
            f"{self.endpoint}/moto-api/state-manager/set-transition",
            json.dumps(told).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=60).close()

    def _control(self, name: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.endpoint}/locard-simulation/{name}"
        with urllib.request.urlopen(url, data=data, timeout=60) as answer:
            return json.loads(answer.read())


@contextmanager
def simulated() -> Iterator[Aws]:
    """A simulated AWS of its own, gone at the end."""
    (port,) = free_ports(1)
    aws = Aws(f"http://127.0.0.1:{port}")
    command = [sys.executable, "-W", "ignore", "-m", "tests.clouds.aws.front", str(port)]
    with running(command, by_http(f"{aws.endpoint}/locard-simulation/calls"), cwd=ROOT):
        yield aws
