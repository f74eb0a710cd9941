# SPDX-License-Identifier: Apache-2.0
"""Keeping and custody over HTTP: who may, what it says, and that two people dispose."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from locard.model.access import Role
from locard.model.custody import Hand, Verb
from locard.state.investigations import COPY, Holding
from tests.api.conftest import Api
from tests.cases.trails import trail
from tests.waiting import eventually

BY = Hand("tests")


@pytest.fixture(scope="session")
def custodians(api: Api) -> tuple[str, ...]:
    names = ("carla", "omar")
    for name in names:
        api.desk.people.add_user(name, by=BY)
    return names


@pytest.fixture
def at(api: Api, case: str, custodians: tuple[str, ...], tmp_path: Path) -> Iterator[str]:
    """The address of a case of two pieces of evidence that no other case has, taken in by ana.

    Carla and omar are its custodians while the test runs.
    """
    start = 10_000 + 100 * int(case.partition("-")[2])
    a = trail(tmp_path / "a.json", range(start, start + 20))
    b = trail(tmp_path / "b.json", range(start + 20, start + 30))
    api.desk.add(case, [a, b], who="ana")
    people = api.desk.people
    given = [people.grant(Role.CUSTODIAN, user=name, case=case, by=BY) for name in custodians]
    yield f"/api/cases/{case}"
    for grant in given:
        people.revoke(grant.id, by=BY)


@pytest.fixture
def carla(api: Api, at: str) -> Iterator[httpx.Client]:
    with api.signed_in("carla") as client:
        yield client


@pytest.fixture
def omar(api: Api, at: str) -> Iterator[httpx.Client]:
    with api.signed_in("omar") as client:
        yield client


def done(client: httpx.Client, at: str, what: str) -> dict[str, Any]:
    """The job of that name, once it has ended."""

    def job() -> dict[str, Any]:
        jobs = client.get(f"{at}/progress").json()
        found = [one for one in jobs if one["what"].startswith(what)]
        return dict(found[0]) if found and found[0]["state"] != "running" else {}

    return eventually(job, f"no end of {what!r}")


def ids(client: httpx.Client, at: str) -> list[str]:
    return [one["evidence"] for one in client.get(f"{at}/exhibits").json()["exhibits"]]


def test_exhibits_are_listed_by_number_and_found(
    api: Api, carla: httpx.Client, case: str, at: str
) -> None:
    found = carla.get(f"{at}/exhibits").json()
    assert found["total"] == 2
    assert [(one["number"], one["name"]) for one in found["exhibits"]] == [
        (f"{case.upper()}-0001", "a.json"),
        (f"{case.upper()}-0002", "b.json"),
    ]
    one = found["exhibits"][0]
    assert (one["state"], one["taken_by"], one["parent"]) == ("kept", "ana", "")
    assert one["last"]["verb"] == "processed"
    assert carla.get(f"{at}/exhibits?q=B.JSON").json()["total"] == 1
    assert carla.get(f"{at}/exhibits?q=0002&only=acquired").json()["total"] == 1
    assert carla.get(f"{at}/exhibits?q=%25").json()["total"] == 0
    assert carla.get(f"{at}/exhibits?only=derived").json()["total"] == 0
    page = carla.get(f"{at}/exhibits?limit=1&offset=1").json()
    assert [one["number"] for one in page["exhibits"]] == [f"{case.upper()}-0002"]
    whole = carla.get(f"{at}/exhibits/{one['evidence']}").json()
    assert whole["record"]["number"] == f"{case.upper()}-0001"
    assert whole["record"]["evidence"]["sha256"] == one["evidence"]
    assert whole["copy_of_it"] is None
    said = update(Holding).where(Holding.case == case, Holding.evidence == one["evidence"])
    with api.state.session() as session:
        known = session.scalar(select(Holding.facts).where(Holding.evidence == one["evidence"]))
        session.execute(said.values(facts={COPY: "0" * 64}))
    where = f"{at}/exhibits/{one['evidence']}", f"{at}/evidence/{one['evidence']}"
    assert [carla.get(each).json()["copy_of_it"] for each in where] == ["0" * 64] * 2
    with api.state.session() as session:
        session.execute(said.values(facts=known))
    assert carla.get(f"{at}/exhibits/{'0' * 64}").status_code == 404


def test_a_life_has_what_happened_to_all_of_the_case_when_asked(
    carla: httpx.Client, case: str, at: str
) -> None:
    (a, _) = ids(carla, at)
    answer = carla.post(f"{at}/authority", json={"kind": "warrant", "reference": "Gs 12/26"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["authorities"][0]["reference"] == "Gs 12/26"
    where = f"{at}/custody/entries"
    alone = carla.get(where, params={"evidence": a}).json()
    assert {one["exhibit"] for one in alone} == {f"{case.upper()}-0001"}
    assert alone[-1]["verb"] == "acquired"
    wide = carla.get(where, params={"evidence": a, "whole": True}).json()
    assert [one["verb"] for one in wide if not one["evidence"]] == ["authorised"]
    assert [one["sequence"] for one in wide] == sorted(
        (one["sequence"] for one in wide), reverse=True
    )
    some = carla.get(where, params={"verb": ["acquired", "opened"], "actor": "ana"}).json()
    assert {one["verb"] for one in some} == {"acquired", "opened"}
    older = carla.get(
        where, params={"evidence": a, "whole": True, "before": wide[0]["sequence"]}
    ).json()
    assert older and older == wide[1:]
    tally = carla.get(f"{at}/custody/tally").json()
    assert tally["verbs"]["acquired"] == 2
    assert tally["actors"]["carla"] >= 1


def test_an_entry_comes_with_its_proof(api: Api, carla: httpx.Client, case: str, at: str) -> None:
    (first, *_) = carla.get(f"{at}/custody/entries", params={"verb": "acquired"}).json()
    found = carla.get(f"{at}/custody/entries/{first['sequence']}").json()
    assert found["entry"] == first
    assert json.loads(found["statement"])["predicate"]["sequence"] == first["sequence"]
    assert found["leaf"] == first["hash"]
    assert found["size"] >= first["sequence"]
    assert found["checkpoint"]["size"] >= first["sequence"]
    other = next(iter(api.desk.vault.ledger.entries(case="two")))
    assert carla.get(f"{at}/custody/entries/{other.sequence}").status_code == 404
    assert carla.get(f"{at}/custody/entries/99999").status_code == 404


def test_the_installation_is_for_administrators(api: Api, carla: httpx.Client, case: str) -> None:
    assert carla.get("/api/custody/entries").status_code == 403
    with api.signed_in("ada") as ada:
        entries = ada.get("/api/custody/entries").json()
        assert {one["case"] for one in entries} == {""}
        assert ada.get(f"/api/custody/entries/{entries[0]['sequence']}").status_code == 200
        assert ada.get("/api/custody/tally").json()["verbs"]["granted"] >= 2
        names = [one["name"] for one in ada.get("/api/custody").json()["cases"]]
        assert {"one", "two", case} <= set(names)
    mine = carla.get("/api/custody").json()
    assert [one["name"] for one in mine["cases"]] == [case]
    assert mine["cases"][0]["exhibits"] == 2
    assert len(mine["signing"]["fingerprint"]) == 64
    assert mine["signing"]["pinned"]


def test_verifying_is_a_job_whose_verdict_is_kept(
    api: Api, carla: httpx.Client, case: str, at: str
) -> None:
    assert carla.post(f"{at}/verification").status_code == 202
    assert done(carla, at, "Verifying")["state"] == "done"
    verdict = carla.get(f"{at}/verification").json()["verification"]
    assert verdict["passed"]
    assert verdict["by"] == "carla"
    states = {one["name"]: one["state"] for one in verdict["clauses"]}
    assert states["evidence"] == "pass"
    assert states["time stamps"] == "not checked"
    (entry, *_) = api.desk.records.entries(case, verbs=[Verb.VERIFIED])
    assert (entry.actor, entry.door) == ("carla", "page")


def test_viewers_see_and_decide_nothing(api: Api, case: str, at: str) -> None:
    api.desk.people.add_user("vera", role=Role.VIEWER, case=case, by=BY)
    api.desk.people.add_user("anna", role=Role.ANALYST, case=case, by=BY)
    for name in ("vera", "anna", "ada"):
        with api.signed_in(name) as client:
            assert client.get(f"{at}/keeping").status_code == 200
            new = {"reason": "x"}
            assert client.post(f"{at}/disposals", json=new).status_code == 403
            if name != "ada":
                assert client.post(f"{at}/holds", json=new).status_code == 403
                refused = client.post(f"{at}/retention", json={"until": "2033-12-31", **new})
                assert "evidence custodian" in refused.json()["detail"].lower()


def test_a_hold_stands_until_it_is_released(carla: httpx.Client, at: str) -> None:
    nothing = carla.post(f"{at}/holds", json={"reason": " "})
    assert (nothing.status_code, nothing.json()["detail"]) == (400, "A reason is needed.")
    placed = carla.post(f"{at}/holds", json={"reference": "2026/17", "reason": "court"}).json()
    assert placed["held"]
    number = placed["holds"][-1]["number"]
    states = {one["state"] for one in carla.get(f"{at}/exhibits").json()["exhibits"]}
    assert states == {"held"}
    refused = carla.post(f"{at}/disposals", json={"reason": "done"})
    assert refused.status_code == 403
    assert "legal hold" in refused.json()["detail"]
    ended = carla.post(f"{at}/holds/{number}/release", json={"reason": "lifted"}).json()
    assert not ended["held"]
    again = carla.post(f"{at}/holds/{number}/release", json={"reason": "lifted"})
    assert again.status_code == 409


def test_a_day_counts_to_its_end(carla: httpx.Client, at: str) -> None:
    kept = carla.post(f"{at}/retention", json={"until": "2020-12-31", "reason": "short"}).json()
    assert kept["until"] == "2020-12-31T23:59:59.999999999Z"
    for until in ("", "soon"):
        answer = carla.post(f"{at}/retention", json={"until": until, "reason": "x"})
        assert answer.status_code == 400
    assert carla.get(f"{at}/keeping").json()["barred"] == ""


def test_two_people_dispose(
    api: Api, carla: httpx.Client, omar: httpx.Client, case: str, at: str
) -> None:
    (a, b) = ids(carla, at)
    over = {"until": "2020-12-31", "reason": "short"}
    assert carla.post(f"{at}/retention", json=over).status_code == 201
    plan = carla.post(f"{at}/disposals/plan", json={"evidence": [a], "reason": ""}).json()
    assert (plan["total"], plan["rows"], plan["takers"]) == (1, 20, ["ana"])
    assert plan["exhibits"][0]["name"] == "a.json"
    asked = carla.post(f"{at}/disposals", json={"evidence": [a], "reason": "over"}).json()
    number = asked["disposals"][-1]["number"]
    states = {one["state"] for one in carla.get(f"{at}/exhibits").json()["exhibits"]}
    assert states == {"kept", "disposal asked"}
    own = carla.post(f"{at}/disposals/{number}/agree", json={})
    assert "cannot agree to it too" in own.json()["detail"]
    assert carla.get(f"{at}/disposals/{number}/plan").json()["total"] == 1
    agreed = omar.post(f"{at}/disposals/{number}/agree", json={"reason": "checked"})
    assert agreed.status_code == 202, agreed.text
    assert done(omar, at, "Disposing")["state"] == "done"
    last = omar.get(f"{at}/keeping").json()["disposals"][-1]
    assert (last["standing"], last["decided_by"]) == ("done", "omar")
    assert not api.desk.vault.holds(a)
    assert api.desk.vault.holds(b)
    gone = omar.get(f"{at}/exhibits?only=disposed").json()
    assert [one["number"] for one in gone["exhibits"]] == [f"{case.upper()}-0001"]
    (entry,) = api.desk.records.entries(case, verbs=[Verb.DISPOSED])
    assert (entry.actor, entry.door, entry.address) == ("omar", "page", "127.0.0.1")
    asked = carla.post(f"{at}/disposals", json={"reason": "over"}).json()
    number = asked["disposals"][-1]["number"]
    refused = omar.post(f"{at}/disposals/{number}/refuse", json={"reason": "appeal"}).json()
    assert refused["disposals"][-1]["standing"] == "refused"


def test_a_changed_ledger_is_verified_and_named_over_http(
    api: Api, carla: httpx.Client, at: str
) -> None:
    entries = api.desk.vault.ledger.path
    before = carla.get(f"{at}/verification").json()
    assert before["signing"]
    assert before["broken"] == ""
    api.desk.vault.ledger.settle()
    data = entries.read_bytes()
    lines = data.splitlines(keepends=True)
    lines = [lines[0], *lines[:0:-1]]
    try:
        entries.write_bytes(b"".join(lines))
        assert carla.post(f"{at}/verification").status_code == 202
        assert carla.get(f"{at}/custody").status_code == 409

        def judged() -> dict[str, Any]:
            now: dict[str, Any] = carla.get(f"{at}/verification").json()
            return now if now["verification"] != before["verification"] else {}

        found = eventually(judged, "nothing was judged")
        assert found["signing"] is None
        assert "removed or swapped" in found["broken"]
        failed = {one["name"] for one in found["verification"]["clauses"] if one["state"] == "fail"}
        assert {"sequence", "tree"} <= failed
    finally:
        entries.write_bytes(data)
