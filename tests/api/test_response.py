# SPDX-License-Identifier: Apache-2.0
"""Responding over HTTP: who may, plans before anything, runs to their end, and back again."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from locard.cases.alerts.sources import sources
from locard.cases.response import receipts
from locard.cases.response.orders import Order
from locard.model.access import Role
from locard.model.custody import Hand, Verb
from locard.state.accounts import Account
from tests.api.conftest import PASSWORD, Api
from tests.clouds.aws.server import ACCOUNT, REGION, Aws, simulated
from tests.response.aws import Scene, differences, scene
from tests.waiting import eventually

FINDING = sources().get("aws.guardduty").folder / "samples" / "credential-exfiltration.json"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Locard"


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "responder")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "simulated")
        with simulated() as server:
            yield server


@pytest.fixture(scope="module")
def here(aws: Aws, api: Api) -> Iterator[Scene]:
    """The account `prod`, simulated, with a compromised instance."""

    at, who = api.desk.response.accounts, Hand("tests")
    at.add(Account("prod", "aws", "", ROLE, "", (REGION,), endpoint=aws.endpoint), who=who)
    yield scene(aws, "shop-api")
    at.remove("prod", who=who)


def ended(client: httpx.Client, case: str, run: str, state: str) -> dict[str, Any]:
    """The run as soon as it is in that state and nobody is at work on it."""

    def look() -> dict[str, Any]:
        found: dict[str, Any] = client.get(f"/api/cases/{case}/runs/{run}").json()
        return found if found["state"] == state and not found["working"] else {}

    return eventually(look, f"the run is not {state}")


def test_accounts_are_settings_and_their_secrets_are_not_for_everybody(
    ada: httpx.Client, bob: httpx.Client
) -> None:
    new = {"name": "lab", "role": ROLE.replace(ACCOUNT, "210987654321"), "regions": [REGION]}
    assert bob.post("/api/accounts", json=new).status_code == 403
    assert bob.get("/api/accounts").status_code == 403
    assert ada.post("/api/accounts", json=new | {"regions": ["a b"]}).status_code == 400
    made = ada.post("/api/accounts", json=new)
    assert made.status_code == 201 and len(made.json()["external_id"]) >= 32
    assert ada.post("/api/accounts", json=new).status_code == 409
    trust = ada.get("/api/accounts/lab/trust", params={"principal": "arn:aws:iam::1:root"}).json()
    assert made.json()["external_id"] in trust["text"]
    asked = {"target": "i-0abc1234def567890", "protected": True}
    assert ada.put("/api/accounts/lab/protection", json=asked).json()["protected"] == [
        "i-0abc1234def567890"
    ]
    policy = ada.get("/api/actions/policy", params={"action": "collect.aws.instance"}).json()
    assert "ec2:GetConsoleOutput" in policy["text"] and "StopInstances" not in policy["text"]
    assert ada.delete("/api/accounts/lab").status_code == 204


def test_whoever_may_not_respond_sees_runs_and_begins_none(bob: httpx.Client, case: str) -> None:
    order = {"verb": "collect", "target": "i-0abc1234def567890"}
    assert bob.post(f"/api/cases/{case}/plans", json=order).status_code == 403
    begun = bob.post(f"/api/cases/{case}/runs", json=order | {"reason": "x", "seen": ["y"]})
    assert begun.status_code == 403
    assert bob.get(f"/api/cases/{case}/runs").status_code == 200
    assert bob.get(f"/api/cases/{case}/runs/r123456-00000000").status_code == 404


@pytest.mark.server
def test_from_the_plan_to_the_release(api: Api, ada: httpx.Client, case: str, here: Scene) -> None:
    before = here.state()
    order = {"verb": "isolate", "target": here.instance, "account": "prod"}
    (plan,) = ada.post(f"/api/cases/{case}/plans", json=order).json()
    assert plan["simulated"] and plan["uncollected"] == ["collect.aws.instance"]
    assert any(one["breaks"] for one in plan["steps"])
    assert differences(before, here.state()) == []
    new = order | {"reason": "beacons", "seen": [plan["digest"]]}
    refused = ada.post(f"/api/cases/{case}/runs", json=new)
    assert refused.status_code == 400 and "was not collected" in refused.json()["detail"]
    stale = ada.post(f"/api/cases/{case}/runs", json=new | {"seen": ["0"], "collecting": True})
    assert stale.status_code == 409
    begun = ada.post(f"/api/cases/{case}/runs", json=new | {"collecting": True})
    assert begun.status_code == 202, begun.text
    collecting, isolating = begun.json()["runs"]
    early = ada.get(f"/api/cases/{case}/runs/{isolating}/receipt")
    assert early.status_code == 404 and "has no receipt yet" in early.json()["detail"]
    done = ended(ada, case, isolating, "done")
    states = {one["key"]: one["state"] for one in done["taken"]}
    assert states.pop("check:flows") == "applied", "no flow log is on: nothing is known"
    assert done["standing"] and set(states.values()) == {"verified"}
    taken = ended(ada, case, collecting, "done")
    kept = [one for step in taken["taken"] for one in step["evidence"]]
    assert "ec2-DescribeInstances.json" in {one["name"] for one in kept}
    listed = ada.get(f"/api/cases/{case}/runs").json()
    assert [one["run"] for one in listed["runs"]] == [isolating, collecting]
    assert (listed["next"], listed["isolated"]) == (None, 1)
    first = ada.get(f"/api/cases/{case}/runs", params={"limit": 1}).json()
    assert [one["run"] for one in first["runs"]] == [isolating]
    rest = {"limit": 1, "before": first["next"]}
    assert [r["run"] for r in ada.get(f"/api/cases/{case}/runs", params=rest).json()["runs"]] == [
        collecting
    ]
    for asked, found in (
        ({"state": "done", "verb": "isolate"}, [isolating]),
        ({"state": ["failed", "released"]}, []),
    ):
        some = ada.get(f"/api/cases/{case}/runs", params=asked).json()
        assert [one["run"] for one in some["runs"]] == found and some["isolated"] == 1
    assert ada.get(f"/api/cases/{case}/runs", params={"before": "x"}).status_code == 400
    assert ada.get(f"/api/cases/{case}/runs", params={"state": "odd"}).status_code == 422
    assert ada.get(f"/api/cases/two/runs/{isolating}").status_code == 404
    jobs = {one["what"]: one["state"] for one in ada.get(f"/api/cases/{case}/progress").json()}
    assert jobs[f"Isolating {here.instance}"] == "done"

    second = ada.post(f"/api/cases/{case}/plans", json=order).json()[0]
    assert isolating in second["refusals"][0]

    undo = ada.get(f"/api/cases/{case}/runs/{isolating}/release").json()
    assert undo[-1]["key"] == "scaling:detach" and all(one["undo_title"] for one in undo)
    assert ada.post(f"/api/cases/{case}/runs/{isolating}/resume").status_code == 409
    back = ada.post(f"/api/cases/{case}/runs/{isolating}/release", json={"reason": "all clear"})
    assert back.status_code == 202
    after = ended(ada, case, isolating, "released")
    looked = {one["key"]: one["verdict"]["holds"] for one in after["taken"]}
    assert looked.pop("check:flows") is None, "no flow log is on"
    assert set(looked.values()) == {True}
    assert (after["released_by"], after["released_reason"]) == ("ada", "all clear")
    assert differences(before, here.state()) == []
    again = ada.post(f"/api/cases/{case}/runs/{isolating}/release", json={"reason": "again"})
    assert again.status_code == 409
    left = ada.get(f"/api/cases/{case}/runs/{isolating}/receipt")
    assert f'filename="receipt-{isolating}.json"' in left.headers["content-disposition"]
    receipt, _ = receipts.opened(left.content, receipts.ours(api.desk.vault))
    assert (receipt.run, receipt.state.value) == (isolating, "released")
    same = receipts.signed(api.state, api.desk.vault, isolating, actor=Hand("ada"))
    assert left.json() == same, "what the page gives is what the command line takes"
    entry = api.desk.vault.ledger.newest(case=case, limit=2)[1]
    assert (entry.verb, entry.actor) == (Verb.DOWNLOADED, "ada")


@pytest.mark.server
def test_runs_whose_process_ended_go_on_when_the_server_starts(
    api: Api, ada: httpx.Client, case: str, here: Scene
) -> None:

    at, who = api.desk.response, Hand("ada", "page")
    order = Order(case, "collect", here.other, "prod", only=("instance",))
    (run,) = at.orders.begin(order, who, "to be interrupted").runs
    assert ada.get(f"/api/cases/{case}/runs/{run}").json()["state"] == "applying"
    at.resume_stopped(Hand("system", "automation"))
    assert ended(ada, case, run, "done")["done"]


CUT = """title: Cut it off
when: {source: aws.guardduty, target.kind: instance}
then:
  - collect: collect.aws.instance
  - isolate: isolate.aws.instance
ask: {approval: before-containing, approvers: 1, within: 2h}
"""


@pytest.mark.server
def test_a_person_agrees_to_the_calls_that_are_shown_and_is_asked_again_about_others(
    api: Api, ada: httpx.Client, here: Scene
) -> None:
    response, home = api.desk.response, api.desk.settings.home
    api.desk.people.add_user("fay", role=Role.RESPONDER, password=PASSWORD, by=Hand("tests"))
    (home / "playbooks").mkdir(exist_ok=True)
    (home / "playbooks" / "cut.yaml").write_text(CUT)
    assert ada.put("/api/playbooks/cut", json={"enabled": True}).status_code == 200
    finding = json.loads(FINDING.read_bytes())
    finding["detail"]["id"] = "four-eyes"
    finding["detail"]["resource"]["instanceDetails"]["instanceId"] = here.instance
    response.alerts.take(json.dumps(finding).encode(), Hand("queue prod", "automation"))
    (run,) = response.playbooks.judge()
    at = f"/api/cases/{response.playbooks.carry_on(run).case}/playbook-runs/{run}"
    with api.signed_in("fay") as fay:
        seen = fay.get(f"{at}/plan").json()
        (plan,) = seen["plans"]
        assert plan["action"] == "isolate.aws.instance" and len(plan["steps"]) > 5
        assert seen["plan"] == fay.get(f"{at}/plan").json()["plan"], "the same plan is the same"
        ec2 = here.ec2()
        subnet = ec2.describe_network_interfaces(NetworkInterfaceIds=here.interfaces[:1])
        new = ec2.create_network_interface(
            SubnetId=subnet["NetworkInterfaces"][0]["SubnetId"], Groups=here.groups[:1]
        )["NetworkInterface"]["NetworkInterfaceId"]
        ec2.attach_network_interface(
            NetworkInterfaceId=new, InstanceId=here.instance, DeviceIndex=7
        )
        before = here.state()
        word = {"reason": "beacon confirmed", "plan": seen["plan"]}
        stale = fay.post(f"{at}/approve", json=word)
        assert stale.status_code == 409, stale.text
        again = fay.get(f"{at}/plan").json()
        assert again["round"] == 2 and again["agreed"] == 0
        assert any(new in line for line in again["changed"]), again["changed"]
        assert ada.post(f"{at}/approve", json=word | {"plan": again["plan"]}).status_code == 403
        agreed = fay.post(f"{at}/approve", json=word | {"plan": again["plan"]})
        assert agreed.json()["state"] == "due", agreed.text
    assert differences(before, here.state()) == []
    done = response.playbooks.carry_on(run)
    assert done.state.value == "done", done
    response.runner.release(done.parts[1].run, Hand("ada"), "over")
    assert ada.put("/api/playbooks/cut", json={"enabled": False}).status_code == 200
