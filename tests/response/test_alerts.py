# SPDX-License-Identifier: Apache-2.0
"""Alerts come in: proved, held against each other, put into cases; by webhook and by queue."""

import base64
import hashlib
import hmac
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locard.cases.alerts import signatures
from locard.cases.alerts.inflow import Alerts
from locard.cases.alerts.signatures import Unproved
from locard.cases.alerts.sources import sources
from locard.cases.alerts.watching import Watcher
from locard.cases.document import BadDocument
from locard.cases.response import connecting
from locard.cases.response import settings as responding
from locard.cases.response.settings import Queue
from locard.model.alert import Alert, Message
from locard.model.custody import Verb
from locard.model.errors import Conflict, Error, Missing, Storage, Unreadable
from locard.state import accounts
from locard.state.accounts import Account
from tests.clouds.aws.server import ACCOUNT, REGION, Aws, simulated
from tests.forked import apart
from tests.response.automation import WATCHMAN, Bench, bench, said
from tests.response.conftest import ANA
from tests.waiting import PATIENCE, eventually

SECRET = "a secret of sufficient length"
SAMPLES = {
    name: (sources().get(name).folder / "samples" / f"{file}.json").read_bytes()
    for name, file in (
        ("wiz", "issue"), ("crowdstrike", "endpoint-detection"), ("falco", "terminal-shell"),
        ("aws.guardduty", "credential-exfiltration"), ("aws.securityhub", "instance"),
    )
}  # fmt: skip


@pytest.fixture
def at(home: Path, room: Path) -> Bench:
    """Everything that responds, over the toys."""
    return bench(home, room)


@pytest.fixture
def real(at: Bench) -> Alerts:
    """Alerts by the real sources, with secrets for three of them."""
    key = at.home / "keys" / "in.key"
    key.parent.mkdir(exist_ok=True)
    key.write_text(SECRET)
    key.chmod(0o600)
    (at.home / "response.yaml").write_text(
        "sources:\n"
        "  wiz: {secret: {file: keys/in.key}}\n"
        "  crowdstrike: {secret: {file: keys/in.key}}\n"
        "  falco: {secret: {file: keys/in.key}, proof: token, header: X-Locard-Token}\n"
    )
    return Alerts(
        at.home, at.runner.state, at.runner.vault, sources(),
        lambda: responding.load(at.home, sources().by_id),
    )  # fmt: skip


def signed(body: bytes, *, secret: str = SECRET, off: float = 0) -> dict[str, str]:
    at = str(int(time.time() + off))
    return {
        "locard-timestamp": at,
        "LOCARD-SIGNATURE": signatures.sign(secret, body, at),
        "User-Agent": "wiz-webhook/1",
    }


# Where it comes from


def test_a_signed_message_is_taken_and_its_original_is_kept(at: Bench, real: Alerts) -> None:
    body = SAMPLES["wiz"]
    (alert,) = real.ingest("wiz", signed(body), body, "192.0.2.7")
    assert (alert.source, alert.severity.value, alert.door) == ("wiz", "critical", "webhook")
    assert alert.evidence == (hashlib.sha256(body).hexdigest(),)
    with at.runner.vault.open(
        alert.evidence[0], case=alert.case, actor="ana", reason="to compare"
    ) as kept:
        assert kept.read() == body
    (entry,) = [e for e in at.runner.vault.ledger.newest(case=alert.case, limit=9)
                if e.verb is Verb.ACQUIRED]  # fmt: skip
    assert (entry.actor, entry.address) == ("webhook wiz", "192.0.2.7")
    assert alert.placed.startswith("opened this case")


def test_the_scheme_of_the_vendor_is_checked_as_the_vendor_describes_it(real: Alerts) -> None:
    """CrowdStrike signs the bytes and then the time, in base64."""
    body, stamp = SAMPLES["crowdstrike"], time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    digest = hmac.new(SECRET.encode(), body + stamp.encode(), hashlib.sha256).digest()
    headers = {
        "X-Cs-Primary-Signature": base64.b64encode(digest).decode(),
        "X-Cs-Delivery-Timestamp": stamp,
        "X-Cs-Signature-Algorithm": "HMAC-SHA256",
    }
    (alert,) = real.ingest("crowdstrike", headers, body)
    assert [one.id for one in alert.targets if one.provider == "aws"] == ["i-0abc1234def567890"]
    with pytest.raises(Unproved, match="not signed"):
        real.ingest("crowdstrike", signed(body), body)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (lambda _body: {}, "not signed"),
        (lambda body: signed(body, secret="another secret of that length"), "does not fit"),
        (lambda body: signed(body + b" "), "does not fit"),
        (lambda body: signed(body) | {"LOCARD-SIGNATURE": "v1=\u00fc"}, "does not fit"),
        (lambda body: signed(body) | {"LOCARD-SIGNATURE": ""}, "not signed"),
        (lambda body: signed(body, off=-302), "s from now, and 300 s are allowed"),
        (lambda body: signed(body, off=400), "s from now, and 300 s are allowed"),
    ],
)
def test_what_does_not_prove_where_it_comes_from_leaves_nothing(
    real: Alerts, headers: Callable[[bytes], dict[str, str]], said: str
) -> None:
    with pytest.raises(Unproved, match=said):
        real.ingest("wiz", headers(SAMPLES["wiz"]), SAMPLES["wiz"])
    assert real.every() == [] and real.unread() == []


def test_a_sender_that_cannot_sign_shows_the_secret_itself(real: Alerts) -> None:
    body = SAMPLES["falco"]
    (alert,) = real.ingest("falco", {"x-locard-token": SECRET}, body)
    assert alert.kind == "Terminal shell in container"
    for wrong in ({}, {"X-Locard-Token": SECRET[:-1]}, {"Authorization": f"Bearer {SECRET}"}):
        with pytest.raises(Unproved, match="does not hold the secret"):
            real.ingest("falco", wrong, body)


def test_nothing_is_taken_from_a_source_without_a_secret_or_of_no_name(real: Alerts) -> None:
    with pytest.raises(Unproved, match="No secret is set for sentinelone"):
        real.ingest("sentinelone", {}, b"{}")
    with pytest.raises(Missing, match="no source of alerts called 'wizz'"):
        real.ingest("wizz", {}, b"{}")


def test_a_message_that_is_sent_again_is_not_counted_again(real: Alerts) -> None:
    body = SAMPLES["wiz"]
    headers = signed(body)
    first = real.ingest("wiz", headers, body)
    again = real.ingest("wiz", headers, body)
    assert first == again and again[0].sightings == 1
    other = real.ingest("wiz", signed(body, off=-20), body)
    assert other[0].sightings == 2 and other[0].id == first[0].id


def test_a_proved_message_that_says_no_alert_is_kept_and_refused(real: Alerts) -> None:
    body = b'{"hello": "world"}'
    with pytest.raises(Unreadable, match="none of Wiz"):
        real.ingest("wiz", signed(body), body)
    (kept,) = real.unread()
    assert real.unread_body(kept.id) == body and kept.door == "webhook"
    with pytest.raises(Unreadable):
        real.ingest("wiz", signed(body), body)
    assert [one.times for one in real.unread()] == [2]


@given(st.binary(max_size=64), st.text(max_size=20), st.text(max_size=40))
def test_a_signature_holds_for_these_bytes_alone(body: bytes, stamp: str, secret: str) -> None:
    assert signatures.sign(secret, body, stamp) != signatures.sign(secret, body + b"\0", stamp)
    assert signatures.sign(secret, body, stamp) == signatures.sign(secret, body, stamp)


# Secrets


def test_a_secret_that_others_could_read_is_not_used(at: Bench, real: Alerts) -> None:
    (at.home / "keys" / "in.key").chmod(0o640)
    with pytest.raises(Error, match="can be read by others") as refused:
        real.ingest("wiz", signed(SAMPLES["wiz"]), SAMPLES["wiz"])
    assert "chmod 600" in refused.value.advice and SECRET not in str(refused.value)


def test_a_secret_may_stand_in_the_environment(
    at: Bench, real: Alerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    (at.home / "response.yaml").write_text("sources: {wiz: {secret: {environment: LOCARD_WIZ}}}\n")
    body = SAMPLES["wiz"]
    with pytest.raises(Missing, match="LOCARD_WIZ is not set"):
        real.ingest("wiz", signed(body), body)
    monkeypatch.setenv("LOCARD_WIZ", SECRET)
    assert real.ingest("wiz", signed(body), body)
    monkeypatch.setenv("LOCARD_WIZ", "short")
    with pytest.raises(Error, match="has 5 characters, and needs 16"):
        real.ingest("wiz", signed(body, secret="short"), body)


def test_faults_of_the_settings_are_named_with_their_lines() -> None:
    text = """cases:
  joyn: target
  within_hours: 0
sources:
  wizz: {secret: {file: a}}
  wiz: {secret: {file: a, environment: B}, proof: sigature}
queues:
  - {account: prod, address: 'http://example.com/q'}
notices:
  mail: {kind: mail, server: s, from: x, to: [y@z], password: {file: p}, security: none}
  chat: {address: {file: a}}
  siem: {kind: syslog, server: s, transport: tpc, about: [alarm]}
"""
    with pytest.raises(BadDocument) as bad:
        responding.read(text, "response.yaml", sources().by_id)
    told = "\n".join(bad.value.faults)
    for line, what in (
        (2, "'joyn'; did you mean 'join'"), (3, "within_hours is 0"), (5, "'wizz'; did you mean"),
        (6, "either a file or a variable"), (6, "'sigature'; did you mean 'signature'"),
        (8, "has to begin with https://"), (10, "'x' is no address of mail"),
        (10, "in the clear"), (11, "'kind' is missing"), (12, "'tpc'; did you mean 'tcp'"),
        (12, "'alarm' is none of"),
    ):  # fmt: skip
        assert any(f.startswith(f"line {line},") and what in f for f in bad.value.faults), told


# Which case


def test_alerts_of_one_resource_join_one_case_whichever_source_says_it(real: Alerts) -> None:
    taken: list[Alert] = []
    for name in ("aws.guardduty", "wiz", "crowdstrike", "aws.securityhub"):
        taken += real.take(SAMPLES[name], WATCHMAN)
    assert len({one.case for one in taken}) == 1
    assert taken[1].placed.startswith(f"joined: alert {taken[0].id} of ")
    assert "names one of the same resources, within 24 h" in taken[1].placed


def test_the_rule_of_cases_can_be_set(at: Bench) -> None:
    one, other = at.take(), at.take(number="2", lamps=["two"])
    assert one.case != other.case
    (at.home / "response.yaml").write_text("cases: {join: account}\n")
    third = at.take(number="3", lamps=["three"])
    assert third.case == other.case and "is of account 42 too" in third.placed
    (at.home / "response.yaml").write_text("cases: {join: never, prefix: storm}\n")
    fourth = at.take(number="4")
    assert fourth.case.startswith("storm-") and "join: never" in fourth.placed


def test_a_storm_of_alerts_does_not_open_a_case_each(at: Bench) -> None:
    (at.home / "response.yaml").write_text("cases: {join: never, most_per_hour: 3}\n")
    cases = [at.take(number=str(n)).case for n in range(6)]
    assert len(set(cases)) == 3
    assert "may open 3" in at.alerts.every()[0].placed


def test_two_alerts_at_once_open_one_case(at: Bench) -> None:
    bodies = [json.dumps(said(number=str(n))).encode() for n in range(8)]
    threads = [threading.Thread(target=at.alerts.take, args=(body, WATCHMAN)) for body in bodies]
    for one in threads:
        one.start()
    for one in threads:
        one.join(PATIENCE)
    assert len({one.case for one in at.alerts.every()}) == 1
    assert len(at.alerts.every()) == 8


def test_an_older_message_does_not_take_back_what_a_newer_one_said(at: Bench) -> None:
    new = at.take(words="new", at=2_000_000_000)
    late = at.take(words="old", at=1_000_000_000)
    assert (late.title, late.sightings, len(late.evidence)) == ("new", 2, 2)
    assert late.case == new.case


def test_what_attackers_write_does_not_reach_a_terminal(at: Bench) -> None:
    evil = at.take(words="\x1b[2J\u202egone\n\nlocard", lamps=["one two", "../x", "ok"])
    assert evil.title == "\\x1b[2J\\u202egone\\n\\nlocard"
    assert [one.id for one in evil.targets] == ["../x", "ok"]
    assert any("'one two' cannot be the id of a resource" in note for note in evil.notes)


# Queues


class ToyQueue:
    """A queue of the toy provider: a folder of files, which come again until they are deleted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def receive(self, _seconds: int) -> list[Message]:
        return [
            Message(one.name, one.read_bytes(), one.read_bytes(), str(one))
            for one in sorted(self.folder.iterdir())
        ]

    def delete(self, message: Message) -> None:
        if os.environ.get("TOY_DIE") == "delete":
            os.kill(os.getpid(), signal.SIGKILL)
        Path(message.receipt).unlink()


QUEUE = Queue("room", "http://127.0.0.1/lamps")


def toy_watcher(at: Bench, folder: Path) -> Watcher:
    return Watcher(at.alerts, lambda _account, _address: ToyQueue(folder))


def test_a_message_is_deleted_when_it_is_recorded_and_poison_is_kept_and_counted(
    at: Bench, tmp_path: Path
) -> None:
    folder = tmp_path / "queue"
    folder.mkdir()
    for name, body in (
        ("1", json.dumps(said()).encode()), ("2", b"\xff\xfe no JSON"), ("3", b"[1, 2]"),
        ("4", json.dumps(said(number="2")).encode()), ("5", json.dumps({"watchman": 1}).encode()),
    ):  # fmt: skip
        (folder / name).write_bytes(body)
    watcher = toy_watcher(at, folder)
    found = watcher.once(QUEUE)
    assert {one.original for one in found} == {"1", "2"} and list(folder.iterdir()) == []
    (watched,) = watcher.watched()
    assert (watched.messages, watched.alerts, watched.unread) == (5, 2, 3)
    problems = sorted(one.problem[:24] for one in at.alerts.unread())
    assert problems == ["An alert of toy.lamp has", "The message is not JSON:",
                        "The message is of no sou"]  # fmt: skip


def killed_at_the_delete(home: Path, room: Path, folder: Path) -> None:
    os.environ["TOY_DIE"] = "delete"
    toy_watcher(bench(home, room), folder).once(QUEUE)


def test_killed_between_record_and_delete_the_message_comes_again_and_is_no_sighting(
    at: Bench, tmp_path: Path
) -> None:
    folder = tmp_path / "queue"
    folder.mkdir()
    (folder / "1").write_bytes(json.dumps(said()).encode())
    at.runner.state.close()
    assert apart(killed_at_the_delete, at.home, at.room, folder) == signal.SIGKILL
    assert len(list(folder.iterdir())) == 1
    (alert,) = toy_watcher(at, folder).once(QUEUE)
    assert (alert.sightings, len(alert.evidence)) == (1, 1) and list(folder.iterdir()) == []


def test_when_it_cannot_be_recorded_the_message_stays_in_the_queue(
    at: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "queue"
    folder.mkdir()
    (folder / "1").write_bytes(json.dumps(said()).encode())

    def full(*_given: object, **_named: object) -> object:
        raise Storage("The disk is full.", "Free some space.")

    with monkeypatch.context() as patch:
        patch.setattr(at.runner.vault, "keep", full)
        with pytest.raises(Storage):
            toy_watcher(at, folder).once(QUEUE)
    assert len(list(folder.iterdir())) == 1
    (alert,) = toy_watcher(at, folder).once(QUEUE)
    assert len(alert.evidence) == 1 and list(folder.iterdir()) == []


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """A simulated AWS."""
    with simulated() as made:
        yield made


@pytest.mark.server
def test_what_eventbridge_delivers_to_sqs_is_taken(
    at: Bench, real: Alerts, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event goes through a real rule of the simulated EventBridge; one comes wrapped by SNS."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "simulated")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "simulated")
    sqs, events, sns = (aws.client(one) for one in ("sqs", "events", "sns"))
    address = sqs.create_queue(QueueName="locard-alerts", Attributes={"VisibilityTimeout": "600"})[
        "QueueUrl"
    ]
    named = f"arn:aws:sqs:{REGION}:{ACCOUNT}:locard-alerts"
    events.put_rule(Name="findings", EventPattern=json.dumps({"source": ["aws.guardduty"]}))
    events.put_targets(Rule="findings", Targets=[{"Id": "1", "Arn": named}])
    finding = json.loads(SAMPLES["aws.guardduty"])
    events.put_events(
        Entries=[{"Source": "aws.guardduty", "DetailType": "GuardDuty Finding",
                  "Detail": json.dumps(finding["detail"])}]
    )  # fmt: skip
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=named)
    sns.publish(TopicArn=topic, Message=SAMPLES["aws.securityhub"].decode())
    sqs.send_message(QueueUrl=address, MessageBody="poison")
    with at.runner.state.session() as session:
        account = Account("prod", "aws", ACCOUNT, regions=(REGION,), endpoint=aws.endpoint)
        accounts.add(session, account, who="ana")
    watcher = Watcher(real, connecting.queue)
    queue, found = Queue("prod", address), list[Alert]()

    def read() -> bool:
        found.extend(watcher.once(queue, 1))
        return len(found) >= 2 and bool(real.unread())

    eventually(read)
    assert {one.source for one in found} == {"aws.guardduty", "aws.securityhub"}
    assert len({one.case for one in found}) == 1
    assert watcher.once(queue, 0) == []
    left = sqs.get_queue_attributes(QueueUrl=address, AttributeNames=["All"])["Attributes"]
    assert (left["ApproximateNumberOfMessages"], left["ApproximateNumberOfMessagesNotVisible"]) == (
        "0",
        "0",
    )
    (kept,) = real.unread()
    assert real.unread_body(kept.id) == b"poison" and kept.door == "queue"


@pytest.mark.server
def test_tags_are_read_from_the_simulated_account(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    from locard.model.action import Target

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "simulated")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "simulated")
    ec2, iam = aws.client("ec2"), aws.client("iam")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]
    ec2.create_tags(Resources=[instance["InstanceId"]], Tags=[{"Key": "env", "Value": "prod"}])
    iam.create_user(UserName="tagged", Tags=[{"Key": "team", "Value": "web"}])
    account = Account("prod", "aws", ACCOUNT, regions=(REGION,), endpoint=aws.endpoint)

    def tags(kind: str, name: str, region: str = "") -> Mapping[str, Any]:
        return connecting.tags(account, Target("aws", ACCOUNT, region, kind, name))

    assert tags("instance", instance["InstanceId"], REGION) == {"env": "prod"}
    assert tags("user", "tagged") == {"team": "web"}
    with pytest.raises(Missing, match="A cluster has no tags that are read"):
        tags("cluster", "x")


def test_an_alert_by_hand_names_the_person(at: Bench) -> None:
    alert = at.take(who=ANA)
    assert (alert.by, alert.door) == ("ana", "command line")
    with pytest.raises(Conflict):
        at.shelf.disable("nothing", ANA)


def test_odd_json_is_read_or_refused_and_said(at: Bench) -> None:
    body = json.dumps(said()).encode()
    (odd,) = at.alerts.take(b"\xef\xbb\xbf" + body.replace(b'{"w', b'{"room": "9", "w', 1), ANA)
    assert odd.account == "42" and any("duplicate key 'room'" in note for note in odd.notes)
    deep = body.replace(b'"number": "1"', b'"x": ' + b"[" * 200 + b"]" * 200 + b', "number": "2"')
    with pytest.raises(Unreadable, match="nested more than 100 deep"):
        at.alerts.take(deep, ANA)
    with pytest.raises(Unreadable, match="has 1,048,577 bytes"):
        at.alerts.take(b" " * (1 << 20) + b"1", ANA)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_watching_that_ends_by_a_defect_is_begun_again_and_the_queue_says_so(
    at: Bench, tmp_path: Path
) -> None:
    folder = tmp_path / "queue"
    folder.mkdir()
    (folder / "1").write_bytes(json.dumps(said()).encode())
    times = 0

    class Failing(ToyQueue):
        def receive(self, seconds: int) -> list[Message]:
            nonlocal times
            times += 1
            if times == 1:
                raise KeyError("a defect")
            time.sleep(0.05)
            return super().receive(seconds)

    watcher = Watcher(at.alerts, lambda _account, _address: Failing(folder))
    watcher.begin([QUEUE])
    eventually(lambda: not watcher._threads[QUEUE].is_alive())
    watcher.revive()
    eventually(at.alerts.every)
    watcher.close()
    assert len(at.alerts.every()) == 1 and times > 1
