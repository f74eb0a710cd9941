# SPDX-License-Identifier: Apache-2.0
"""CloudTrail's own event ids, named at each exhibit that they bear out."""

import json
from typing import Any

import pytest

from locard.cases.response import corroboration, record
from locard.cases.response.runner import Asked, Runner
from locard.evidence import lives, vault
from locard.model.action import Receipt, RunState, Target
from locard.model.custody import CustodyEntry, Exhibit, Verb
from tests.clouds.aws.lacking.trails import event
from tests.clouds.aws.server import ACCOUNT, REGION
from tests.response.aws import Scene
from tests.response.test_aws_collect import collect, disk, kept, outcome
from tests.response.test_aws_instance import ANA, aws, here, runner

__all__ = ["aws", "disk", "here", "runner"]
pytestmark = pytest.mark.server


def wrote(here: Scene, *events: dict[str, Any]) -> None:
    """CloudTrail has these events, and no others."""
    s3 = here.aws.client("s3")
    if "simulated-events" not in {one["Name"] for one in s3.list_buckets()["Buckets"]}:
        where = {"LocationConstraint": REGION}
        s3.create_bucket(Bucket="simulated-events", CreateBucketConfiguration=where)
    for one in s3.list_objects_v2(Bucket="simulated-events").get("Contents", ()):
        s3.delete_object(Bucket="simulated-events", Key=one["Key"])
    for number, one in enumerate(events):
        s3.put_object(Bucket="simulated-events", Key=f"{number}", Body=json.dumps(one))


def asked(runner: Runner, run: str) -> Receipt:
    target = Target("aws", ACCOUNT, REGION, "run", run)
    plan = runner.plan("collect.aws.audit", "prod", target, "c", {"days": "2"})
    done = runner.carry_on(runner.begin(plan, "prod", Asked("c", ANA, "to be sure")), ANA)
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    return done


def told(runner: Runner, evidence: str) -> list[CustodyEntry]:
    return lives.entries(runner.vault.ledger, "c", evidence=evidence, verbs=[Verb.CORROBORATED])


def exhibit(runner: Runner, evidence: str) -> Exhibit:
    return runner.vault.ledger.exhibits("c", evidence)[0]


def test_each_exhibit_of_a_disk_names_the_event_by_which_its_snapshot_was_made(
    runner: Runner, here: Scene, disk: dict[int, bytes]
) -> None:
    done = collect(runner, here, "collect.aws.disks", triage=False)
    found = outcome(done, "read")
    taken = exhibit(runner, found["image"])
    made = taken.requests[0]
    assert made.call == "ec2:CreateSnapshots" and made.id
    assert len(taken.requests) == 2, "the snapshot, and the last call before the blocks"
    number = "00000000-0000-4000-8000-000000000001"
    wrote(
        here,
        event(1, "CreateSnapshots", done.run, request=made.id),
        event(2, "CreateSnapshots", done.run, agent="a stranger", request=taken.requests[1].id),
        event(3, "LockSnapshot", done.run, request="of no exhibit"),
    )
    first = asked(runner, done.run)
    got = [one.outcome for one in first.steps if "events" in one.outcome]
    assert sum(one["exhibits borne out"] for one in got[:1]) == 2
    for evidence in (found["image"], found["checksums"]):
        (entry,) = told(runner, evidence)[:1]
        assert entry.details[f"ec2:CreateSnapshots {made.id}"] == number
        assert entry.details["run"] == done.run and number in entry.reason
        assert "1 of 2 requests" in entry.reason and entry.actor == "ana"
        whole = json.loads(kept(runner, entry.details["log"]))
        assert number in json.dumps(whole), "the answer as a whole is evidence too"
        assert len(told(runner, evidence)) == 1, "both regions gave the same event"
    every = lives.entries(runner.vault.ledger, "c", verbs=[Verb.CORROBORATED])
    assert len(every) == 2, "none at receipts"
    asked(runner, done.run)
    assert len(told(runner, found["image"])) == 1, "asking again says nothing twice"
    assert runner.vault.ledger.check().passed


def test_a_request_that_cloudtrail_wrote_later_is_named_in_a_further_entry(
    runner: Runner, here: Scene
) -> None:
    done = collect(runner, here, "collect.aws.instance")
    by_request = {
        exhibit(runner, one.evidence[0]).requests[0].id: one.evidence[0]
        for one in done.steps
        if one.step.key.startswith("answer:") and one.evidence
    }  # moto gives some answers the same id
    early, late = list(by_request)[:2]
    taken = [by_request[early], by_request[late]]
    first = event(1, "DescribeInstances", done.run, request=early)
    wrote(here, first)
    asked(runner, done.run)
    assert [len(told(runner, one)) for one in taken] == [1, 0]
    wrote(here, first, event(2, "DescribeTags", done.run, request=late))
    asked(runner, done.run)
    assert [len(told(runner, one)) for one in taken] == [1, 1]


def test_more_requests_than_a_record_has_room_for_are_listed_and_all_are_borne_out(
    runner: Runner, here: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (vault, record, corroboration):
        monkeypatch.setattr(module, "MOST_REQUESTS", 2)
    wrote(here, *(event(number, "ConsoleLogin") for number in range(7)))
    target = Target("aws", ACCOUNT, REGION, "account", ACCOUNT)
    options = {"regions": REGION, "lookup": True}
    plan = runner.plan("collect.aws.trail", "prod", target, "c", options)
    done = runner.carry_on(runner.begin(plan, "prod", Asked("c", ANA, "beacons")), ANA)
    taken = exhibit(runner, outcome(done, "lookup")["evidence"])
    assert (len(taken.requests), taken.further_requests) == (2, 2), "of four pages"
    assert Exhibit.of(taken.record()) == taken
    (step,) = [one for one in done.steps if one.step.kind == "lookup"]
    listed, main = step.evidence
    assert main == taken.evidence and exhibit(runner, listed).source["requests of"] == main
    rows = kept(runner, listed).decode().splitlines()
    assert rows[0] == "call,id,time,status" and len(rows) == 5
    ids = [one.split(",")[1] for one in rows[1:]]
    assert len(set(ids)) == 4 and ids[:2] == [one.id for one in taken.requests]

    wrote(here, *(
        event(number, "LookupEvents", done.run, request=one) for number, one in enumerate(ids, 1)
    ))  # fmt: skip
    asked(runner, done.run)
    (entry,) = told(runner, main)
    assert "(" not in entry.reason.partition(":")[0], "every request has its event"
    assert entry.details["further events, in the log"] == "2"
    assert entry.details[f"cloudtrail:LookupEvents {ids[0]}"].endswith("000000000001")
