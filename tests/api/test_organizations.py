# SPDX-License-Identifier: Apache-2.0
"""An organization over HTTP: its roles to download, what would be entered, then all at once."""

import json
import time
from collections.abc import Iterator
from threading import Event
from typing import Any

import httpx
import pytest

from locard.model.custody import Hand
from locard.providers.aws import organization
from tests.api.conftest import Api
from tests.clouds.aws.server import ACCOUNT, REGION, Aws, simulated
from tests.waiting import PATIENCE

LISTS = f"arn:aws:iam::{ACCOUNT}:role/Lists"
OURS = "arn:aws:iam::210987654321:role/Responder"
WANTED = {"role": LISTS, "member_role": "team/Locard", "external_id": "a-shared-id",
          "regions": [REGION]}  # fmt: skip


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """A simulated AWS where the provider's own address is that of this machine."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "responder")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "simulated")
    with simulated() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        client = server.client("organizations")
        client.create_organization(FeatureSet="ALL")
        client.create_account(Email="shop@example.com", AccountName="shop")
        client.create_account(Email="lake@example.com", AccountName="Data Lake")
        server.forget()
        yield server


def ended(client: httpx.Client, where: str, state: str = "done") -> dict[str, Any]:
    """A work when it has ended, in this state."""
    until = time.monotonic() + PATIENCE
    while (found := client.get(where).json())["progress"]["state"] == "running":
        assert time.monotonic() < until, found
        time.sleep(0.05)
    assert found["progress"]["state"] == state, found
    return dict(found)


def through(
    client: httpx.Client, what: str, body: dict[str, Any], state: str = "done"
) -> dict[str, Any]:
    """Begin a work, and wait until it has ended."""
    begun = client.post(f"/api/organizations/{what}".rstrip("/"), json=body)
    assert begun.status_code == 202, begun.text
    return ended(client, f"/api/organizations/work/{begun.json()['progress']['job']}", state)


@pytest.mark.server
def test_what_would_be_entered_is_seen_before_anything_is_added(
    api: Api, ada: httpx.Client, bob: httpx.Client, aws: Aws
) -> None:
    before = {one["name"] for one in ada.get("/api/accounts").json()}
    assert bob.post("/api/organizations/look", json=WANTED).status_code == 403
    seen = through(ada, "look", WANTED)
    states = {one["name"]: one["state"] for one in seen["members"]}
    assert states["shop"] == states["Data Lake"] == "open"
    assert {one["name"] for one in ada.get("/api/accounts").json()} == before
    aws.fault("sts:AssumeRole", "AccessDenied", after=2)
    found = through(ada, "", WANTED | {"name": "acme"})
    assert found["external_id"] == "a-shared-id"
    refused = [one for one in found["members"] if one["state"] == "refused"]
    assert len(refused) == 1 and "denied sts:AssumeRole" in refused[0]["reason"]
    assert found["progress"]["what"] == "Adding the organization of acme"
    assert found["progress"]["done"] == found["progress"]["total"] == len(found["members"])
    again = through(ada, "acme/refresh", {})["members"]
    assert {one["state"] for one in again} <= {"added", "known"}
    now = {one["name"]: one for one in ada.get("/api/accounts").json()}
    assert {"acme", "shop", "Data-Lake"} <= now.keys()
    assert now["shop"]["role"].endswith(":role/team/Locard")
    for name in now.keys() - before:
        api.desk.response.accounts.remove(name, who=Hand("tests"))


@pytest.mark.server
def test_each_account_is_told_while_the_others_are_tried(
    api: Api, ada: httpx.Client, bob: httpx.Client, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, real = Event(), organization.refusal

    def slow(member: Any, *given: Any) -> str:
        if member.name == "Data Lake":
            assert go.wait(PATIENCE)
        return real(member, *given)

    monkeypatch.setattr(organization, "refusal", slow)
    begun = ada.post("/api/organizations/look", json=WANTED)
    assert begun.status_code == 202 and begun.json()["progress"]["state"] == "running"
    where = f"/api/organizations/work/{begun.json()['progress']['job']}"
    until = time.monotonic() + PATIENCE
    now = begun.json()
    while "shop" not in {one["name"] for one in now["members"]}:
        assert time.monotonic() < until, now
        time.sleep(0.05)
        now = ada.get(where).json()
    assert now["progress"]["state"] == "running" and now["progress"]["total"] == 3
    assert 0 < now["progress"]["done"] < 3 and "shop" in "".join(now["progress"]["log"])
    assert now["progress"]["job"] in {
        one["progress"]["job"] for one in ada.get("/api/organizations/work").json()
    }
    assert bob.get(where).status_code == bob.get("/api/organizations/work").status_code == 403
    go.set()
    assert len(ended(ada, where)["members"]) == 3
    assert ada.get("/api/organizations/work/4711").status_code == 404


@pytest.mark.server
def test_what_cannot_be_listed_or_named_says_why(api: Api, ada: httpx.Client, aws: Aws) -> None:
    odd = ada.post("/api/organizations/look", json=WANTED | {"member_role": "no role"})
    assert odd.status_code == 400 and "no name of a role" in odd.json()["detail"]
    assert ada.post("/api/organizations/nobody/refresh", json={}).status_code == 404
    aws.fault("organizations:ListAccounts", "AccessDeniedException")
    failed = through(ada, "", WANTED | {"name": "none"}, state="failed")
    assert "denied organizations:ListAccounts" in failed["error"] and failed["members"] == []
    assert "none" not in {one["name"] for one in ada.get("/api/accounts").json()}


def test_its_roles_are_written_as_they_are_handed_in(
    api: Api, ada: httpx.Client, bob: httpx.Client
) -> None:
    asked = {"part": "listing", "name": "Lists", "principal": OURS, "external_id": "a-shared-id"}
    assert bob.get("/api/organizations/role", params=asked).status_code == 403
    plain = json.loads(ada.get("/api/organizations/role", params=asked).json()["text"])
    assert plain["policy"]["Statement"][0]["Action"] == "organizations:ListAccounts"
    statement = plain["trust"]["Statement"][0]
    assert statement["Principal"] == {"AWS": OURS}
    assert statement["Condition"]["StringEquals"]["sts:ExternalId"] == "a-shared-id"
    member = asked | {"part": "member", "name": "team/Locard", "action": ["collect.aws.instance"]}
    form = member | {"form": "cloudformation"}
    template = json.loads(ada.get("/api/organizations/role", params=form).json()["text"])
    role = template["Resources"]["Role"]["Properties"]
    assert (role["RoleName"], role["Path"]) == ("Locard", "/team/")
    assert role["ManagedPolicyArns"] == [{"Ref": "Locard1"}]
    every = json.loads(
        ada.get("/api/organizations/role", params={**form, "action": []}).json()["text"]
    )
    attached = every["Resources"]["Role"]["Properties"]["ManagedPolicyArns"]
    assert len(attached) > 1, "all of it is longer than one managed policy may be"
    text = ada.get("/api/organizations/role", params=member | {"form": "terraform"}).json()["text"]
    assert 'resource "aws_iam_role" "locard"' in text and 'path = "/team/"' in text
    assert "aws_iam_policy.locard1.arn" in text
    for odd in (
        {"name": 'x" {}'}, {"principal": "everybody"}, {"principal": "arn:aws:iam::1:root"},
        {"external_id": "${x}"},
    ):  # fmt: skip
        assert ada.get("/api/organizations/role", params=asked | odd).status_code == 400, odd
