# SPDX-License-Identifier: Apache-2.0
"""Alerts, playbooks, approvals and notices on the command line."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from locard.actions.isolate.aws.steps import found as waiting
from locard.cases.alerts.sources import sources
from tests.cli.conftest import Locard
from tests.clouds.aws.server import REGION, Aws, simulated
from tests.response.aws import differences, scene
from tests.waiting import eventually

SAMPLES = sources().get("aws.guardduty").folder / "samples"
FINDING = SAMPLES / "credential-exfiltration.json"
BOOK = """title: Tell somebody
when: {severity|gte: high}
then:
  - {notify: all, text: Look at it.}
ask: always
"""
CUT = """title: Describe and cut off
when: {target.kind: instance, tag.Name|exists: false}
then:
  - collect: collect.aws.instance
  - isolate: isolate.aws.instance
ask: before-containing
"""


@pytest.fixture
def told(locard: Locard) -> Locard:
    """A home with a playbook of the person's own, switched on."""
    folder = locard.home / "playbooks"
    folder.mkdir(parents=True)
    (folder / "tell.yaml").write_text(BOOK)
    assert locard("playbook", "enable", "tell", "--who", "ana", "--json").json["enabled"]
    return locard


def test_from_a_file_to_an_approval(told: Locard) -> None:
    added = told("alert", "add", FINDING, "--who", "bob", "--json")
    assert added.status == 0
    ((alert,), (run,)) = added.json["alerts"], added.json["runs"]
    assert (alert["severity"], alert["by"], run["state"]) == ("high", "bob", "waiting")
    assert "content" not in alert
    shown = told("alert", "show", alert["id"][:8], "--json").json
    assert shown["content"]["id"] and shown["runs"][0]["id"] == run["id"]
    people = told("runs", "show", run["id"])
    assert "waits for one person until 20" in people.out and "24 hours more" in people.out
    assert "bob brought the alert in, and does not count" in people.out
    assert "ana switched the playbook on, and does not count" in people.out
    mine = told("runs", "approve", run["id"], "--who", "bob", "--reason", "sure")
    assert mine.status == 2 and "bob brought in the alert" in mine.err
    bare = told("runs", "approve", run["id"], "--who", "eve", "--reason", " ")
    assert bare.status == 2 and "It needs a reason" in bare.err
    own = told("runs", "approve", run["id"], "--who", "ana", "--reason", "sure")
    assert own.status == 2 and "ana switched the playbook tell on" in own.err
    plan = told("runs", "approve", run["id"], "--json").json["plan"]
    blind = told("runs", "approve", run["id"], "--who", "eve", "--reason", "seen")
    assert blind.status == 2 and f"--plan {plan[:8]}" in blind.err
    seen = ("runs", "approve", run["id"], "--who", "eve", "--reason", "seen", "--plan")
    other = told(*seen, "0" * 8)
    assert other.status == 2 and "has changed since you looked" in other.err
    done = told(*seen, plan[:8], "--json").json
    assert (done["state"], done["approvals"][0]["who"]) == ("done", "eve")
    listed = told("runs", "list", "--json").json
    assert [(one["run"], one["action"]) for one in listed] == [(run["id"], "playbook tell")]
    assert told("runs", "list", "--state", "waiting", "--json").json == []
    odd = told("runs", "list", "--state", "odd")
    assert odd.status == 2 and "There are: due, waiting, done" in odd.err
    again = told("alert", "add", FINDING, "--json").json
    assert again["alerts"][0]["sightings"] == 2 and again["runs"] == []
    assert FINDING.stem not in told("alert", "list").err


def test_runs_and_alerts_are_listed_from_the_newest_a_few_at_a_time(
    told: Locard, tmp_path: Path
) -> None:
    finding, made = json.loads(FINDING.read_bytes()), []
    for number in range(3):
        finding["id"] = finding["detail"]["id"] = f"finding-{number}"
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(finding))
        made.append(told("alert", "add", path, "--json").json["runs"][0]["id"])
    first = told("runs", "list", "--limit", "2", "--state", "waiting", "--json")
    assert [one["run"] for one in first.json] == [made[2], made[1]]
    hint = f"locard runs list --state waiting --before {made[1]}"
    assert hint in " ".join(first.err.split())
    rest = told(*hint.split()[1:], "--json")
    assert [one["run"] for one in rest.json] == [made[0]] and "older" not in rest.err

    alerts = told("alert", "list", "--limit", "2", "--json")
    assert len(alerts.json) == 2
    hint = f"locard alert list --before {alerts.json[1]['id']}"
    assert hint in " ".join(alerts.err.split())
    rest = told(*hint.split()[1:], "--json")
    assert [one["original"] for one in rest.json] == ["finding-0"] and "older" not in rest.err


def test_a_run_is_refused(told: Locard) -> None:
    (run,) = told("alert", "add", FINDING, "--json").json["runs"]
    refused = told("runs", "refuse", run["id"], "--reason", "a drill", "--json").json
    assert refused["state"] == "refused"
    late = told("runs", "approve", run["id"], "--reason", "yes", "--who", "x")
    assert late.status == 2 and "nothing left to decide" in late.err


def test_what_cannot_be_read_is_kept_and_listed(locard: Locard, tmp_path: Path) -> None:
    strange = tmp_path / "strange.json"
    strange.write_text('{"who": "knows"}')
    refused = locard("alert", "add", strange)
    assert refused.status == 2 and "no source of alerts" in refused.err
    (kept,) = locard("alert", "unread", "--json").json
    assert kept["size"] == 16 and "locard alert unread" in locard("alert", "list").err
    strange.write_text('{"who": "else"}')
    assert locard("alert", "add", strange).status == 2
    few = locard("alert", "unread", "--limit", "1", "--json")
    assert [one["id"] for one in few.json] != [kept["id"]]
    hint = f"locard alert unread --before {few.json[0]['id']}"
    assert hint in " ".join(few.err.split())
    assert [one["id"] for one in locard(*hint.split()[1:], "--json").json] == [kept["id"]]
    printed = locard.apart("alert", "unread", kept["id"])
    assert printed.out == '{"who": "knows"}'
    missing = locard("alert", "add", tmp_path / "nothing.json")
    assert missing.status == 2 and "cannot be read" in missing.err
    odd = locard("alert", "add", strange, "--source", "wizz")
    assert odd.status == 2 and "no source of alerts called 'wizz'" in odd.err


def test_playbooks_are_checked_tried_and_switched(locard: Locard, tmp_path: Path) -> None:
    listed = locard("playbook", "list", "--json").json
    assert listed["faulty"] == {} and not any(one["enabled"] for one in listed["playbooks"])
    assert "isolate-compromised-instance" in {one["id"] for one in listed["playbooks"]}
    bad = tmp_path / "bad.yaml"
    bad.write_text(BOOK.replace("ask: always", "ask: alwys").replace("when", "whn"))
    told = locard("playbook", "check", bad, "--json")
    assert told.status == 1 and len(told.json["faults"]) == 3
    person = locard("playbook", "check", bad)
    assert person.status == 1 and "line 5, column 6: ask cannot be 'alwys'" in person.err
    good = tmp_path / "good.yaml"
    good.write_text(BOOK.replace("notify: all", "notify: pager"))
    checked = locard("playbook", "check", good, "--json").json
    assert checked["good"] and "No channel is called pager" in checked["warnings"][0]
    locard("alert", "add", FINDING)
    locard("alert", "add", SAMPLES / "archived-backdoor.json")
    trials = locard("playbook", "test", good, "--json").json
    assert [one["matches"] for one in trials] == [False, True]
    assert "the source has closed the alert" in trials[0]["why"]
    people = locard("playbook", "test", "isolate-compromised-instance")
    assert "would have acted on 1 of 2 alerts" in people.out
    assert locard("playbook", "show", "nothing").status == 2
    off = locard("playbook", "disable", "disable-leaked-key")
    assert off.status == 2 and "is not on" in off.err


def test_sources_say_how_each_proves_where_it_comes_from(locard: Locard) -> None:
    found = locard("alert", "sources", "--json").json
    assert {one["source"] for one in found["sources"]} == set(sources().by_id)
    assert "joins the newest case" in found["cases"]
    assert locard("alert", "watch").status == 2
    locard.home.mkdir(exist_ok=True)
    (locard.home / "response.yaml").write_text("cases: {joyn: target}\n")
    refused = locard("alert", "sources")
    assert refused.status == 2 and "line 1, column 9: cases: there is no key 'joyn'" in refused.err


def test_a_notice_that_cannot_be_sent_is_listed(told: Locard) -> None:
    (told.home / "response.yaml").write_text(
        "notices: {siem: {kind: syslog, server: 127.0.0.1, port: 1, transport: tcp}}\n"
    )
    failed = told("notice", "test", "siem")
    assert failed.status == 2 and "cannot be reached" in failed.err
    told("alert", "add", FINDING)
    (notice,) = told("notice", "list", "--json").json
    assert (notice["about"], notice["sent"]) == ("approval", False)
    assert "no: 127.0.0.1 cannot be reached" in told("notice", "list").out


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """A simulated AWS, with credentials for it in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "responder")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "simulated")
    monkeypatch.setattr(waiting, "PAUSE", 0.05)
    with simulated() as server:
        yield server


@pytest.mark.server
def test_from_a_queue_to_an_isolated_instance_and_back(locard: Locard, aws: Aws) -> None:
    """The alert comes through SQS, tags decide, a person agrees, and all is put back."""
    here = scene(aws, "shop")
    before = here.state()
    sqs = aws.client("sqs")
    address = sqs.create_queue(QueueName="alerts")["QueueUrl"]
    role = "arn:aws:iam::123456789012:role/Locard"
    account = ("account", "add", "prod", "--role", role, "--region", REGION, "--endpoint")
    assert locard(*account, aws.endpoint).status == 0
    (locard.home / "response.yaml").write_text(
        f"queues: [{{account: prod, address: '{address}'}}]\n"
    )
    (locard.home / "playbooks").mkdir()
    (locard.home / "playbooks" / "cut.yaml").write_text(CUT)
    assert locard("playbook", "enable", "cut").status == 0
    finding = json.loads(FINDING.read_bytes())
    finding["detail"]["resource"]["instanceDetails"]["instanceId"] = here.instance
    sqs.send_message(QueueUrl=address, MessageBody=json.dumps(finding))
    came = locard("alert", "watch", "--once", "--json")
    assert came.status == 0, came.err
    ((alert,), (run,)) = came.json["alerts"], came.json["runs"]
    assert run["state"] == "waiting" and run["parts"][0]["state"] == "done"
    assert came.json["queues"][0]["alerts"] == 1
    tried = locard("playbook", "test", "cut", "--plan", "--json").json
    assert [one["action"] for one in tried[0]["plans"]] == [
        "collect.aws.instance",
        "isolate.aws.instance",
    ]
    assert differences(before, here.state()) == []
    shown = locard("runs", "approve", run["id"])
    assert "breaks: " in shown.out and "agree to exactly this" in shown.out
    word = ("--plan", run["plan"][:8], "--reason", "confirmed", "--who", "eve", "--json")
    done = locard("runs", "approve", run["id"], *word).json
    assert done["state"] == "done", done
    assert differences(before, here.state()) != []
    exhibits = locard("custody", alert["case"], "--json").json
    assert any("playbook cut" in str(one) for one in exhibits)
    isolated = done["parts"][1]["run"]
    released = locard("release", isolated, "--apply", "--reason", "over", "--json").json
    assert released[0]["state"] == "released" and differences(before, here.state()) == []


@pytest.mark.server
def test_the_server_judges_and_carries_on_in_a_process_of_its_own(told: Locard) -> None:
    from locard.cases.desk import Desk
    from locard.model.custody import Hand

    (told.home / "playbooks" / "tell.yaml").write_text(BOOK.replace("always", "never"))
    told("playbook", "enable", "tell")
    desk = Desk.at(told.home)
    try:
        desk.response.attending.begin()
        desk.response.alerts.take(FINDING.read_bytes(), Hand("ana", "api"))
        desk.response.attending.look()
        eventually(lambda: [one.state.value for one in desk.response.playbooks.runs()] == ["done"])
        assert desk.response.attending.error == ""
    finally:
        desk.close()


def test_another_process_stands_by_while_a_long_run_goes_on(
    told: Locard, monkeypatch: pytest.MonkeyPatch
) -> None:
    from locard.cases.desk import Desk
    from locard.cases.response import attending
    from locard.model.custody import Hand

    (told.home / "playbooks" / "tell.yaml").write_text(BOOK.replace("always", "never"))
    told("playbook", "enable", "tell")
    desk, stood, long = Desk.at(told.home), [0], subprocess.Popen(["sleep", "600"])
    own = desk.response.attending
    found = attending.Attending(
        own.playbooks, own.responding, own.watcher, lambda _run: long,
        lambda: stood.append(1),
    )  # fmt: skip
    try:
        found.once()
        assert len(stood) == 2, "nothing goes on, a playbook is on"
        desk.response.alerts.take(FINDING.read_bytes(), Hand("ana", "api"))
        found.once()
        assert len(stood) == 2, "the run has the machine to itself"
        monkeypatch.setattr(attending, "ALONE", 0.0)
        found.once()
        assert len(stood) == 3
    finally:
        long.kill()
        long.wait()
        desk.close()
