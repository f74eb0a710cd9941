# SPDX-License-Identifier: Apache-2.0
"""Bundles over HTTP: begun, watched, downloaded, removed, and refused."""

from pathlib import Path
from typing import Any

import httpx

from locard.model.access import Role
from locard.model.custody import Hand
from locard_verify.bundle import verify_bundle
from tests.api.conftest import Api
from tests.waiting import eventually

WHERE = "/api/cases/two/bundles"


def ended(client: httpx.Client, name: str) -> dict[str, Any]:
    def job() -> dict[str, Any]:
        jobs = client.get("/api/cases/two/progress").json()
        found = [one for one in jobs if one["what"] == f"Exporting a bundle: {name}"]
        return found[0] if found and found[0]["state"] != "running" else {}

    return eventually(job, "the export did not end")


def test_a_bundle_is_made_watched_taken_and_removed(
    api: Api, ada: httpx.Client, tmp_path: Path
) -> None:
    begun = ada.post(WHERE, json={"reason": "asked for by the court"})
    assert begun.status_code == 202, begun.text
    name = begun.json()["name"]
    job = ended(ada, name)
    assert job["state"] == "done", job
    found = ada.get(WHERE).json()
    (shown,) = found["bundles"]
    assert found["fingerprint"] == api.desk.vault.ledger.keys()[0].fingerprint
    assert shown["name"] == name
    taken = ada.get(f"{WHERE}/{name}")
    assert taken.headers["content-type"] == "application/zip"
    assert name in taken.headers["content-disposition"]
    assert len(taken.content) == shown["size"]
    (tmp_path / name).write_bytes(taken.content)
    verdict = verify_bundle(tmp_path / name, list(api.desk.vault.ledger.keys()))
    assert verdict.passed, verdict
    entries = ada.get("/api/cases/two/custody").json()
    assert [one["verb"] for one in entries[:2]] == ["downloaded", "exported"]
    assert {one["actor"] for one in entries[:2]} == {"ada"}
    exported = api.desk.vault.ledger.newest(case="two", limit=2)[1]
    assert (exported.door, exported.reason) == ("page", "asked for by the court")
    assert ada.delete(f"{WHERE}/{name}").status_code == 204
    assert ada.get(WHERE).json()["bundles"] == []
    assert ada.get(f"{WHERE}/{name}").status_code == 404


def test_an_export_that_breaks_off_says_why(ada: httpx.Client) -> None:
    begun = ada.post(WHERE, json={"reason": "x", "exhibit": "TWO-0099"})
    job = ended(ada, begun.json()["name"])
    assert job["state"] == "failed"
    assert "has no exhibit TWO-0099" in job["log"][-1]
    assert ada.get(WHERE).json()["bundles"] == []


def test_a_reason_is_asked_for_and_names_lead_nowhere(ada: httpx.Client) -> None:
    assert ada.post(WHERE, json={"reason": ""}).status_code == 422
    assert ada.post("/api/cases/none/bundles", json={"reason": "x"}).status_code == 404
    for name in ("..%2Fstate.sqlite", "x.zip", "%2e%2e", "state.sqlite"):
        assert ada.get(f"{WHERE}/{name}").status_code == 404


def test_a_viewer_may_not_seal(api: Api) -> None:
    people = api.desk.people
    people.add_user("vic", role=Role.VIEWER, password="a long enough password", by=Hand("tests"))
    with api.signed_in("vic") as client:
        assert client.get(WHERE).status_code == 403
        assert client.post(WHERE, json={"reason": "x"}).status_code == 403
