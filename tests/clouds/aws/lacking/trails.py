# SPDX-License-Identifier: Apache-2.0
"""`cloudtrail:LookupEvents`, and findings of GuardDuty, as their models shape them, page by page.

What they answer is what a test has put here through the simulated account's own calls: an event is
the tag `event` of a bucket `events-REGION`, which moto keeps for us; findings likewise.
"""

import json
import time
from typing import Any

from tests.clouds.aws.lacking import Answer, Asked
from tests.clouds.aws.server import ACCOUNT

PAGE = 2
"""Records of a page, fewer than any service gives, so that pages are turned."""


def _objects(bucket: str) -> list[Any]:
    from moto.s3.models import s3_backends

    known = s3_backends[ACCOUNT]["aws"].buckets.get(bucket)
    return [json.loads(one.value) for _, one in sorted(known.keys.items())] if known else []


def lookup(asked: Asked) -> Answer:
    """The events that objects of the bucket `simulated-events` hold, if they are of the time."""
    said = json.loads(asked.body)
    found = [
        one for one in _objects("simulated-events")
        if said["StartTime"] <= one["EventTime"] <= said["EndTime"]
    ]  # fmt: skip
    for one in said.get("LookupAttributes", ()):
        assert one["AttributeKey"] == "Username"
        found = [each for each in found if each.get("Username") == one["AttributeValue"]]
    first = int(said.get("NextToken", 0))
    answer: dict[str, Any] = {"Events": found[first : first + PAGE]}
    if found[first + PAGE :]:
        answer["NextToken"] = str(first + PAGE)
    return Answer(json.dumps(answer))


def listed(asked: Asked) -> Answer:
    """Ids of the findings that objects of the bucket `simulated-findings` hold."""
    said = json.loads(asked.body)
    found = [one["id"] for one in _objects("simulated-findings")]
    first = int(said.get("nextToken") or 0)
    answer = {"findingIds": found[first : first + PAGE],
              "nextToken": str(first + PAGE) if found[first + PAGE :] else ""}  # fmt: skip
    return Answer(json.dumps(answer))


def got(asked: Asked) -> Answer:
    """These findings."""
    wanted = json.loads(asked.body)["findingIds"]
    found = [one for one in _objects("simulated-findings") if one["id"] in wanted]
    return Answer(json.dumps({"findings": found}))


def event(
    number: int, name: str, run: str = "", agent: str = "", request: str = ""
) -> dict[str, Any]:
    """One event as LookupEvents gives it."""
    at = time.time() - 60 * number
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    record = {
        "eventVersion": "1.09", "eventID": f"00000000-0000-4000-8000-{number:012}",
        "eventName": name, "eventSource": "iam.amazonaws.com", "eventTime": when,
        "awsRegion": "us-east-1", "sourceIPAddress": "198.51.100.7", "recipientAccountId": ACCOUNT,
        "userIdentity": {"type": "IAMUser", "userName": "eve", "accountId": ACCOUNT},
    }  # fmt: skip
    if run or agent:
        record |= {"userAgent": agent or f"Boto3 locard/1 run/{run}", "requestID": request}
    return {"Username": run or "eve", "EventId": record["eventID"], "EventName": name,
            "EventTime": at, "EventSource": "iam.amazonaws.com",
            "CloudTrailEvent": json.dumps(record)}  # fmt: skip


ANSWERS = {
    "cloudtrail:LookupEvents": lookup,
    r"guardduty:POST /detector/\w+/findings": listed,
    r"guardduty:POST /detector/\w+/findings/get": got,
}
