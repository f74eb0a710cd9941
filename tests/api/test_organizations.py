# SPDX-License-Identifier: Apache-2.0
"""An organization over HTTP: its roles to download, what would be entered, then all at once."""

import json
from collections.abc import Iterator

import httpx
import pytest

from locard.model.custody import Hand
from tests.api.conftest import Api
from tests.clouds.aws.server import ACCOUNT, REGION, Aws, simulated

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


@pytest.mark.server
def test_what_would_be_entered_is_seen_before_anything_is_added(
    api: Api, ada: httpx.Client, bob: httpx.Client, aws: Aws
) -> None:
    before = {one["name"] for one in ada.get("/api/accounts").json()}
    assert bob.post("/api/organizations/look", json=WANTED).status_code == 403
    seen = ada.post("/api/organizations/look", json=WANTED)
    assert seen.status_code == 200, seen.text
    states = {one["name"]: one["state"] for one in seen.json()["members"]}
    assert states["shop"] == states["Data Lake"] == "open"
    assert {one["name"] for one in ada.get("/api/accounts").json()} == before
    aws.fault("sts:AssumeRole", "AccessDenied", after=2)
    added = ada.post("/api/organizations", json=WANTED | {"name": "acme"})
    assert added.status_code == 201, added.text
    found = added.json()
    assert found["external_id"] == "a-shared-id"
    refused = [one for one in found["members"] if one["state"] == "refused"]
    assert len(refused) == 1 and "denied sts:AssumeRole" in refused[0]["reason"]
    again = ada.post("/api/organizations/acme/refresh", json={}).json()["members"]
    assert {one["state"] for one in again} <= {"added", "known"}
    now = {one["name"]: one for one in ada.get("/api/accounts").json()}
    assert {"acme", "shop", "Data-Lake"} <= now.keys()
    assert now["shop"]["role"].endswith(":role/team/Locard")
    for name in now.keys() - before:
        api.desk.response.accounts.remove(name, who=Hand("tests"))


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
