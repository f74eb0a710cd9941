# SPDX-License-Identifier: Apache-2.0
"""Logs of an account over moto: out of buckets and log groups, by the day, none twice."""

import gzip
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from locard.actions import policy
from locard.actions.catalogue import catalogue
from locard.actions.collect.aws import buckets
from locard.cases.desk import Desk
from locard.cases.response.runner import Asked
from locard.model.action import Receipt, RunState, Target
from locard.model.errors import Error
from locard.settings import Settings
from tests.clouds.aws.lacking.trails import event
from tests.clouds.aws.server import ACCOUNT, REGION
from tests.response.simulated import ANA, DECRYPTED, Room, aws, room
from tests.response.test_aws_collect import kept

__all__ = ["aws", "room"]
pytestmark = pytest.mark.server
TODAY = datetime.now(UTC)
DAYS = [TODAY - timedelta(days=one) for one in (0, 1, 30)]


def begin(room: Room, kind: str, **options: object) -> str:
    target = room.target("account", ACCOUNT)
    plan = room.runner.plan(f"collect.aws.{kind}", "prod", target, "c", {
        "regions": REGION, **options
    })  # fmt: skip
    return room.runner.begin(plan, "prod", Asked("c", ANA, "beacons"))


def run(room: Room, kind: str, **options: object) -> Receipt:
    done = room.runner.carry_on(begin(room, kind, **options), ANA)
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    return done


def outcomes(done: Receipt, kind: str) -> list[dict[str, Any]]:
    return [dict(one.outcome) for one in done.steps if one.step.kind == kind]


def bucket(room: Room, name: str) -> Any:
    """A client at a bucket that is there and empty."""
    s3 = room.aws.client("s3")
    if name not in {one["Name"] for one in s3.list_buckets()["Buckets"]}:
        where = {"LocationConstraint": REGION}
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=where)
    for one in s3.list_objects_v2(Bucket=name).get("Contents", ()):
        s3.delete_object(Bucket=name, Key=one["Key"])
    return s3


def records(number: int) -> bytes:
    found = [json.loads(event(number, "CreateUser")["CloudTrailEvent"])]
    return gzip.compress(json.dumps({"Records": found}).encode())


@pytest.fixture
def trail(room: Room) -> list[str]:
    """A trail whose bucket has logs and digests of today, yesterday and a month ago."""
    s3 = bucket(room, "trail-bucket")
    keys = []
    for number, day in enumerate(DAYS):
        for kind in ("CloudTrail", "CloudTrail-Digest"):
            key = f"logs/AWSLogs/{ACCOUNT}/{kind}/{REGION}/{day:%Y/%m/%d}/{number}.json.gz"
            body = records(number) if kind == "CloudTrail" else gzip.compress(b"{}")
            s3.put_object(Bucket="trail-bucket", Key=key, Body=body)
            keys.append(key)
    trails = room.aws.client("cloudtrail")
    if not trails.describe_trails()["trailList"]:
        trails.create_trail(Name="all", S3BucketName="trail-bucket", S3KeyPrefix="logs",
                            IsMultiRegionTrail=True)  # fmt: skip
    return keys


def names(room: Room, done: Receipt) -> list[str]:
    ids = {one for taken in done.steps for one in taken.evidence}
    ledger = room.runner.vault.ledger
    found = [one.source.get("key", "") for id_ in ids for one in ledger.exhibits("c", id_)]
    return sorted(one for one in found if one)


def requests(room: Room, evidence: str) -> list[tuple[str, str]]:
    """Call and id of each request that the record of an exhibit names."""
    (exhibit,) = room.runner.vault.ledger.exhibits("c", evidence)
    return [(one.call, one.id) for one in exhibit.requests]


def test_logs_and_digests_of_the_days_come_as_they_lie_there(room: Room, trail: list[str]) -> None:
    room.clouds.clear()
    done = run(room, "trail", **{"from": f"{DAYS[1]:%Y-%m-%d}"})
    (told,) = outcomes(done, "days")
    # the digests are one piece of evidence: their bytes are the same
    assert (told["taken"], told["problems"]) == (4, 0) and not outcomes(done, "lookup")
    (exhibit,) = [
        one
        for taken in done.steps
        for id_ in taken.evidence
        for one in room.runner.vault.ledger.exhibits("c", id_)
        if one.source.get("key") == trail[0]
    ]
    assert exhibit.source["bucket"] == "trail-bucket" and exhibit.source["etag"]
    assert kept(room.runner, exhibit.evidence) == records_of(room, trail[0])
    asked = [requests(room, one) for taken in done.steps if taken.step.kind == "days"
             for one in dict.fromkeys(taken.evidence)]  # fmt: skip
    assert all([call for call, _ in one] == ["s3:GetObject"] for one in asked)
    assert len({number for ((_, number),) in asked}) == len(asked) == 3, "each has its own request"
    without_a_trail = {"cloudtrail:LookupEvents"}
    room.look_everywhere("trail")
    assert room.unused("collect.aws.trail") == DECRYPTED | without_a_trail
    desk = Desk(Settings(home=room.runner.home, workers=1))
    try:
        desk.add("c", [], who="ana")
        assert desk.search("c", "action:CreateUser", who="ana")
        page = desk.timeline.page(desk.search("c", "action:CreateUser", who="ana"))
        assert len(page.rows) == 2
    finally:
        desk.close()


def records_of(room: Room, key: str) -> bytes:
    got = room.aws.client("s3").get_object(Bucket="trail-bucket", Key=key)
    return bytes(got["Body"].read())


def test_an_organization_s_trail_in_a_central_bucket(room: Room) -> None:
    s3 = bucket(room, "central-logs")
    day = f"{TODAY:%Y/%m/%d}"
    for owner in ("111111111111", "222222222222"):
        key = f"AWSLogs/o-abc/{owner}/CloudTrail/{REGION}/{day}/a.json.gz"
        s3.put_object(Bucket="central-logs", Key=key, Body=records(int(owner[0])))
    done = run(room, "trail", bucket="central-logs", of="222222222222", log_account="prod")
    told = {(one["told"] and "?") or one["taken"] for one in outcomes(done, "days")}
    assert 1 in told
    assert names(room, done)[-1].startswith("AWSLogs/o-abc/222222222222/")
    with pytest.raises(Error, match="no id of an account"):
        begin(room, "trail", of="me")


def test_an_object_that_cannot_be_had_is_a_counted_problem(room: Room, trail: list[str]) -> None:
    begun = begin(room, "trail", **{"from": f"{DAYS[1]:%Y-%m-%d}"})
    room.aws.fault(
        f"s3:GET .*CloudTrail/.*{DAYS[0]:%Y/%m/%d}/0.json.gz", "InvalidObjectState", times=1
    )
    done = room.runner.carry_on(begun, ANA)
    (told,) = outcomes(done, "days")
    assert (told["taken"], told["problems"]) == (3, 1) and trail[0] in told["told"][0]


def test_what_is_over_the_limit_is_counted_and_a_run_that_died_takes_none_twice(
    room: Room, trail: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = begin(room, "trail", **{"from": f"{DAYS[1]:%Y-%m-%d}"})
    settle, count = buckets.Taking._settle, 0

    def dying(self: Any, *given: Any) -> None:
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt
        settle(self, *given)

    with monkeypatch.context() as once:
        once.setattr(buckets.Taking, "_settle", dying)
        with pytest.raises(KeyboardInterrupt):
            room.runner.carry_on(begun, ANA)
    room.aws.forget()
    done = room.runner.carry_on(begun, ANA)
    assert outcomes(done, "days")[0]["taken"] == 4
    gets = [one for one in room.aws.calls(begun) if ".json.gz" in one["action"]]
    assert len(gets) == 2
    with pytest.raises(Error, match="no number of GiB"):
        begin(room, "trail", gib="all")


def test_where_there_is_no_trail_events_are_looked_up_region_by_region(room: Room) -> None:
    s3 = bucket(room, "simulated-events")
    for number in range(5):
        body = json.dumps(event(number, "ConsoleLogin"))
        s3.put_object(Bucket="simulated-events", Key=f"{number}", Body=body)
    regions = "us-east-1,eu-west-1"
    room.clouds.clear()
    done = run(room, "trail", regions=regions, lookup=True)
    room.look_everywhere("trail")
    out_of_a_bucket = {"s3:GetObject", "s3:ListBucket"}
    assert room.unused("collect.aws.trail") <= DECRYPTED | out_of_a_bucket
    told = outcomes(done, "lookup")
    assert [one["events"] for one in told] == [5, 5]
    for one in told:
        asked = requests(room, one["evidence"])
        assert [call for call, _ in asked] == ["cloudtrail:LookupEvents"] * 3, "three pages"
        assert len({number for _, number in asked}) == 3 and all(number for _, number in asked)
    document = json.loads(kept(room.runner, told[0]["evidence"]))
    assert json.loads(document["Events"][4]["CloudTrailEvent"])["eventName"] == "ConsoleLogin"
    with pytest.raises(Error, match="no instant"):
        begin(room, "trail", **{"from": "yesterday"})
    with pytest.raises(Error, match="not before"):
        begin(room, "trail", **{"from": "2026-01-02", "to": "2026-01-01"})


def test_flow_logs_come_out_of_their_bucket_and_their_group(room: Room) -> None:
    s3 = bucket(room, "flow-bucket")
    ec2, logs = room.aws.client("ec2"), room.aws.client("logs")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    name = f"flows-{vpc}"
    logs.create_log_group(logGroupName=name)
    ec2.create_flow_logs(ResourceIds=[vpc], ResourceType="VPC", TrafficType="ALL",
                         LogDestinationType="s3",
                         LogDestination="arn:aws:s3:::flow-bucket")  # fmt: skip
    ec2.create_flow_logs(ResourceIds=[vpc], ResourceType="VPC", TrafficType="REJECT",
                         LogGroupName=name,
                         DeliverLogsPermissionArn=f"arn:aws:iam::{ACCOUNT}:role/flows")  # fmt: skip
    line = (f"2 {ACCOUNT} eni-0123 10.0.0.5 198.51.100.7 44 443 6 5 400 {int(time.time()) - 60} "
            f"{int(time.time())} ACCEPT OK")  # fmt: skip
    key = f"AWSLogs/{ACCOUNT}/vpcflowlogs/{REGION}/{TODAY:%Y/%m/%d}/f.log.gz"
    s3.put_object(Bucket="flow-bucket", Key=key, Body=gzip.compress(f"h\n{line}\n".encode()))
    logs.create_log_stream(logGroupName=name, logStreamName="eni-0123-all")
    now = int(time.time() * 1000)
    logs.put_log_events(logGroupName=name, logStreamName="eni-0123-all",
                        logEvents=[{"timestamp": now, "message": line}])  # fmt: skip
    room.clouds.clear()
    done = run(room, "flows")
    room.look_everywhere("flows")
    assert room.unused("collect.aws.flows") == DECRYPTED
    assert names(room, done) == [key]
    grouped = [one for one in outcomes(done, "group") if one["events"]]
    assert [one["events"] for one in grouped] == [1]
    assert kept(room.runner, grouped[0]["evidence"]).decode() == f"{line}\n"
    asked = {call for call, _ in requests(room, grouped[0]["evidence"])}
    assert asked == {"logs:FilterLogEvents"}


def test_findings_of_guardduty(room: Room) -> None:
    s3 = bucket(room, "simulated-findings")
    for number in range(3):
        found = {"id": f"f{number}", "type": "Backdoor:EC2/C&CActivity.B", "severity": 8}
        s3.put_object(Bucket="simulated-findings", Key=f"{number}", Body=json.dumps(found))
    room.aws.client("guardduty").create_detector(Enable=True)
    room.clouds.clear()
    done = run(room, "findings")
    told = outcomes(done, "findings")
    assert told[0]["findings"] == 3
    room.look_everywhere("findings")
    assert room.unused("collect.aws.findings") == set()
    found = json.loads(kept(room.runner, told[0]["evidence"]))["Findings"]
    assert [one["Id"] for one in found] == ["f0", "f1", "f2"]
    listed, got = "guardduty:ListFindings", "guardduty:GetFindings"
    assert [call for call, _ in requests(room, told[0]["evidence"])] == [listed, listed, got]


def test_what_cloudtrail_wrote_of_a_run_ties_its_exhibits_to_events(room: Room) -> None:
    made = run(room, "findings")
    bucket(room, "simulated-findings")
    s3 = bucket(room, "simulated-events")
    target = room.target("run", made.run)
    plan = room.runner.plan("collect.aws.audit", "prod", target, "c", {"days": "2"})
    begun = room.runner.begin(plan, "prod", Asked("c", ANA, "to be sure"))
    room.clouds.clear()
    told = [
        event(1, "ListDetectors", made.run, request="request-1"),
        event(2, "ListDetectors", made.run, agent="aws-cli/2 of a stranger", request="request-2"),
        event(3, "ConsoleLogin"),
    ]
    for number, one in enumerate(told):
        s3.put_object(Bucket="simulated-events", Key=f"{number}", Body=json.dumps(one))
    done = room.runner.carry_on(begun, ANA)
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    assert room.unused("collect.aws.audit") == set()
    first = outcomes(done, "events")[0]
    assert first["events"] == 1, "a session of that name with another agent is none of ours"
    assert first["event ids by request"] == {"request-1": "00000000-0000-4000-8000-000000000001"}
    assert json.loads(kept(room.runner, first["evidence"]))["Events"][0]["Username"] == made.run
    for wrong in ("0", "91", "two"):
        with pytest.raises(Error, match="no number of days"):
            room.runner.plan("collect.aws.audit", "prod", target, "c", {"days": wrong})


def test_a_log_group_is_taken_with_what_it_declares(room: Room) -> None:
    logs, name = room.aws.client("logs"), f"shop-{time.time_ns()}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    said = [{"timestamp": int(time.time() * 1000), "message": "GET /"}]
    logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=said)
    target = room.target("log group", name)
    room.clouds.clear()
    plan = room.runner.plan("collect.aws.group", "prod", target, "c", {})
    done = room.runner.carry_on(room.runner.begin(plan, "prod", Asked("c", ANA, "x")), ANA)
    (told,) = outcomes(done, "group")
    assert told["events"] == 1 and b"GET /" in kept(room.runner, told["evidence"])
    assert room.unused("collect.aws.group") == set()


@pytest.mark.parametrize(
    "kind", ["trail", "flows", "resolver", "balancers", "firewall", "findings"]
)
def test_with_nothing_to_take_a_plan_says_so_and_its_policies_are_short(
    room: Room, kind: str
) -> None:
    action = catalogue().get(f"collect.aws.{kind}")
    target = Target("aws", ACCOUNT, REGION, "account", ACCOUNT)
    plan = room.runner.plan(action.id, "prod", target, "c", {"regions": "eu-west-3"})
    assert plan.warnings or plan.steps
    text = json.dumps(policy.narrowed(action, target, plan.names), separators=(",", ":"))
    assert len(text) <= policy.LONGEST
    assert room.made() <= {one.action for one in action.permissions}


def test_an_account_is_named_by_its_number_or_arn() -> None:
    for name in (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"):
        found = catalogue().meant("collect", name)
        assert {one.id for one in found} == {ACCOUNT} == {one.account for one in found}
        assert "collect.aws.trail" in {one.action.id for one in found}
