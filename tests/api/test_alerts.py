# SPDX-License-Identifier: Apache-2.0
"""Alerts and playbooks over HTTP: a door for detectors alone, and who may see, agree and switch."""

import json
import time
from collections.abc import Iterator

import httpx
import pytest

from locard.cases.alerts import signatures
from locard.cases.alerts.sources import sources
from locard.model.access import Role
from locard.model.custody import Hand
from locard.state import alerts
from locard.state import playbooks as rows
from tests.api.conftest import PASSWORD, Api

SECRET = "a secret of sufficient length"
BODY = (sources().get("wiz").folder / "samples" / "issue.json").read_bytes()
BOOK = """title: Tell somebody
when: {source: wiz}
then:
  - {notify: all, text: Look.}
ask: {approval: always, approvers: 2}
"""


@pytest.fixture
def door(api: Api) -> Iterator[Api]:
    """The application with a secret for one source, and a playbook that asks two people."""
    home, by = api.desk.settings.home, Hand("tests")
    (home / "keys").mkdir(exist_ok=True)
    key = home / "keys" / "wiz.key"
    key.write_text(SECRET)
    key.chmod(0o600)
    (home / "response.yaml").write_text("sources: {wiz: {secret: {file: keys/wiz.key}}}\n")
    (home / "playbooks").mkdir(exist_ok=True)
    (home / "playbooks" / "tell.yaml").write_text(BOOK)
    with api.state.session() as session:
        from locard.state import users

        known = users.known(session, "cleo")
    if known is None:
        api.desk.people.add_user("cleo", role=Role.RESPONDER, password=PASSWORD, by=by)
        api.desk.people.add_user("eve", role=Role.RESPONDER, password=PASSWORD, by=by)
        api.desk.people.add_user("dan", password=PASSWORD, by=by)
    yield api
    (home / "response.yaml").unlink()


def post(client: httpx.Client, body: bytes = BODY, **headers: str) -> httpx.Response:
    at = str(int(time.time()))
    signed = {"Locard-Timestamp": at, "Locard-Signature": signatures.sign(SECRET, body, at)}
    return client.post("/api/alerts/in/wiz", content=body, headers=signed | headers)


def alike(alert: alerts.AlertRow, name: str, **changes: object) -> alerts.AlertRow:
    """An alert of another name that says the same but for these changes; no playbook judges it."""
    same = {key.name: getattr(alert, key.name) for key in alert.__table__.columns}
    return alerts.AlertRow(**same | {"id": name, "judged": True} | changes)


def test_a_detector_needs_no_session_but_a_signature(door: Api) -> None:
    with httpx.Client(base_url=door.url, timeout=60) as stranger:
        assert stranger.post("/api/alerts/in/wiz", content=BODY).status_code == 401
        wrong = post(stranger, **{"Locard-Signature": "v1=00"})
        assert wrong.status_code == 401 and SECRET not in wrong.text
        assert stranger.post("/api/alerts/in/nobody", content=BODY).status_code == 404
        assert stranger.post("/api/alerts/in/falco", content=BODY).status_code == 401
        assert post(stranger, b'{"no": "alert"}').status_code == 422
        assert post(stranger, b" " * (1 << 20) + b"{}").status_code == 413
        taken = post(stranger)
        assert taken.status_code == 202 and len(taken.json()["alerts"]) == 1
        assert stranger.get("/api/alerts").status_code == 401


def test_alerts_are_seen_by_those_who_see_their_case(door: Api, ada: httpx.Client) -> None:
    (name,) = post(ada).json()["alerts"]
    with door.state.session() as session:
        first = alerts.row(session, name)
        session.add(alike(first, "a-e15e", case="two"))
    with door.signed_in("dan") as dan:
        assert dan.get("/api/alerts").status_code == 403
        assert dan.get(f"/api/alerts/{name}").status_code == 403
    shown = ada.get(f"/api/alerts/{name}").json()
    assert shown["severity"] == "critical" and shown["targets"][0]["id"] == "i-0abc1234def567890"
    assert name in {one["id"] for one in ada.get("/api/alerts").json()["alerts"]}
    door.desk.people.grant(
        Role.VIEWER, user="dan", case=shown["case"], reason="to look", by=Hand("tests")
    )
    with door.signed_in("dan") as dan:
        mine = dan.get("/api/alerts", params={"limit": 1000}).json()
        every = ada.get("/api/alerts", params={"limit": 1000}).json()
        seen = [one["id"] for one in every["alerts"] if one["case"] == shown["case"]]
        assert [one["id"] for one in mine["alerts"]] == seen and name in seen
        assert mine["total"] == len(seen) < every["total"], "nothing of another case"
        assert dan.get("/api/alerts/a-e15e").status_code == 404
        assert dan.get("/api/playbooks").status_code == 403


def test_two_people_who_may_respond_agree(door: Api, ada: httpx.Client, bob: httpx.Client) -> None:
    assert bob.put("/api/playbooks/tell", json={"enabled": True}).status_code == 403
    assert ada.put("/api/playbooks/tell", json={"enabled": True}).json()["enabled"]
    body = json.loads(BODY)
    body["issue"]["id"] = "another-issue"
    post(ada, json.dumps(body).encode())
    *_, run = door.desk.response.playbooks.judge()
    case = door.desk.response.playbooks.carry_on(run).case
    at = f"/api/cases/{case}/playbook-runs/{run}"
    shown = ada.get(f"{at}/plan").json()
    word = {"reason": "yes", "plan": shown["plan"]}
    assert shown["lapses"] > shown["reminds"] > shown["started"]
    assert bob.post(f"{at}/approve", json=word).status_code == 403
    assert bob.get(f"{at}/plan").status_code == 403
    own = ada.post(f"{at}/approve", json=word)
    assert own.status_code == 403 and "does not count as an approver" in own.json()["detail"]
    assert (shown["enabled_by"], shown["asks_you"]) == ("ada", False)
    assert "ada switched the playbook tell on" in shown["barred"]
    assert ada.get("/api/awaiting").json()["approvals"] == 0, "not for who switched it on"
    alert = ada.get(f"/api/alerts/{shown['alert']}").json()
    assert [one["id"] for one in alert["runs"]] == [run] and alert["playbooks"] == 1
    with door.signed_in("eve") as eve:
        waits = eve.get("/api/awaiting", params={"since": alert["first"]}).json()
        assert waits == {"approvals": 1, "alerts": 0}
        assert eve.get("/api/awaiting").json()["alerts"] >= 1
        assert eve.get(f"{at}/plan").json()["asks_you"] is True
        assert eve.post(f"{at}/approve", json=word | {"reason": ""}).status_code == 422
        assert eve.post(f"{at}/approve", json={"reason": "yes"}).status_code == 422
        other = eve.post(f"{at}/approve", json=word | {"plan": "0" * 64})
        assert other.status_code == 409 and "has changed" in other.json()["detail"]
        agreed = eve.post(f"{at}/approve", json=word).json()
        assert (agreed["state"], agreed["agreed"], agreed["asks_you"]) == ("waiting", 1, False)
        assert eve.post(f"{at}/approve", json=word).status_code == 409
        assert eve.get("/api/awaiting").json()["approvals"] == 0, "she has said her word"
    assert (
        ada.post(f"/api/cases/one/playbook-runs/{run}/refuse", json={"reason": "x"}).status_code
        == 404
    )
    with door.signed_in("cleo") as cleo:
        assert cleo.post(f"{at}/approve", json=word).json()["state"] == "due"
        due = cleo.get("/api/playbook-runs", params={"state": "due"}).json()
    assert run in {one["id"] for one in due["runs"]}
    assert door.desk.response.playbooks.carry_on(run).state.value == "done"
    assert ada.put("/api/playbooks/tell", json={"enabled": False}).json()["enabled"] is False


def test_what_lapsed_is_asked_again_by_whoever_may_respond(
    door: Api, ada: httpx.Client, bob: httpx.Client
) -> None:
    assert ada.put("/api/playbooks/tell", json={"enabled": True}).json()["enabled"]
    body = json.loads(BODY)
    body["issue"]["id"] = "a-third-issue"
    post(ada, json.dumps(body).encode())
    playbooks = door.desk.response.playbooks
    *_, run = playbooks.judge()
    at = f"/api/cases/{playbooks.carry_on(run).case}/playbook-runs/{run}"
    with door.state.session() as session:
        rows.row(session, run).lapses = time.time_ns() - 1
    with door.signed_in("cleo") as cleo:
        seen = cleo.get(f"{at}/plan").json()
        assert (seen["state"], seen["asks_you"]) == ("lapsed", False)
        late = cleo.post(f"{at}/approve", json={"reason": "yes", "plan": seen["plan"]})
        assert late.status_code == 409 and "has lapsed" in late.json()["detail"]
        playbooks.waiting.look()
        assert "Nobody agreed by" in cleo.get(f"{at}/plan").json()["error"]
        only = cleo.get("/api/playbook-runs", params={"state": "lapsed", "limit": 1}).json()
        assert [one["id"] for one in only["runs"]] == [run]
        older = {"before": only["next"], "limit": 50}
        assert run not in {
            one["id"] for one in cleo.get("/api/playbook-runs", params=older).json()["runs"]
        }
        assert bob.post(f"{at}/retry").status_code == 403
        assert cleo.post(f"{at}/retry").json()["state"] == "due"
        playbooks.carry_on(run)
        asked = cleo.get(f"{at}/plan").json()
        assert (asked["state"], asked["round"], asked["asks_you"]) == ("waiting", 2, True)
    playbooks.refuse(run, Hand("bob"), "it was a test")
    assert ada.put("/api/playbooks/tell", json={"enabled": False}).json()["enabled"] is False


def test_every_alert_and_every_unread_message_is_reached_page_by_page(
    door: Api, ada: httpx.Client
) -> None:
    (known,) = post(ada).json()["alerts"]
    with door.state.session() as session:
        first = alerts.row(session, known)
        for number in range(230):  # of ten each, all came in the same instant
            at = 1_000 + number // 10
            session.add(alike(first, f"a-{number:04x}", time=at, first=at, last=at))
        for number in range(70):
            session.add(
                alerts.UnreadRow(digest=f"{number}", body=b"x", came=1_000 + number // 10,
                                 door="webhook", place="wiz", problem="no JSON")
            )  # fmt: skip

    def walk(where: str, what: str, name: str, limit: int) -> list[str]:
        found: list[str] = []
        asked: dict[str, object] = {"limit": limit}
        while True:
            page = ada.get(where, params=asked).json()
            assert page["total"] >= 70 and len(page[what]) <= limit
            found += [one[name] for one in page[what]]
            if page["next"] is None:
                return found
            asked["before"] = page["next"]

    for limit in (1000, 100, 7):
        names = walk("/api/alerts", "alerts", "id", limit)
        assert len(names) == len(set(names)) and {f"a-{n:04x}" for n in range(230)} < set(names)
        assert known in names[:-230], "the old ones come last"
        unread = walk("/api/alerts/unread", "messages", "number", limit)
        assert len(unread) == len(set(unread)) >= 70
    for wrong in ("x", "1.b", "9999999999999999999.a-0001"):
        answer = ada.get("/api/alerts/unread", params={"before": wrong})
        assert answer.status_code == 400 and "no place in" in answer.json()["detail"]
