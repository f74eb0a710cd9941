# SPDX-License-Identifier: Apache-2.0
"""Who may do what, asked over HTTP: cases that one may not see, roles, tokens, and the ledger."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from locard.api import app
from locard.api.allowed import UNSEEN
from locard.model.access import Permission, Role
from locard.model.custody import CustodyEntry, Hand, Verb
from locard.state import grants, refusals

from .conftest import PASSWORD, Api

BY = Hand("tests")


@pytest.fixture(scope="session", autouse=True)
def _people(api: Api) -> None:
    """One person for each role in the case `one`, and one with none."""
    for role in Role:
        if role is not Role.ADMINISTRATOR:
            api.desk.people.add_user(f"only-{role}", role=role, case="one", by=BY)
    api.desk.people.add_user("only-admin", role=Role.ADMINISTRATOR, case="one", by=BY)
    api.desk.people.add_user("nothing", by=BY)


@pytest.fixture(autouse=True)
def _fresh_counts(api: Api) -> None:
    with api.state.session() as s:
        s.query(refusals.RefusalRow).delete()


@contextmanager
def token(api: Api, username: str, **asked: str) -> Iterator[httpx.Client]:
    with api.signed_in(username) as person:
        made = person.post("/api/tokens", json={"name": "t", **asked})
        assert made.status_code == 201, made.text
    with httpx.Client(
        base_url=api.url, headers={"Authorization": f"Bearer {made.json()['token']}"}, timeout=60
    ) as script:
        yield script


def entries(api: Api, verb: Verb, actor: str = "") -> list[CustodyEntry]:
    return [
        one
        for one in api.desk.vault.ledger.entries()
        if one.verb is verb and actor in ("", one.actor)
    ]


def since(api: Api, before: int) -> list[CustodyEntry]:
    """What came after so many entries; checkpoints come by count and clock, whoever does what."""
    came = list(api.desk.vault.ledger.entries())[before:]
    return [one for one in came if one.verb is not Verb.CHECKPOINT_KEPT]


def test_a_case_one_may_not_see_is_not_there(api: Api) -> None:
    described = app.description(app.assemble())["paths"]
    with api.signed_in("nothing") as nothing, api.signed_in("only-viewer") as viewer:
        assert nothing.get("/api/cases").json() == []
        assert [one["name"] for one in viewer.get("/api/cases").json()] == ["one"]
        count = 0
        for path, methods in described.items():
            if "{case}" not in path:
                continue
            for method in methods:
                answers = []
                for case in ("one", "not-there"):
                    where = re.sub(r"\{event\}", "f" * 32, path.replace("{case}", case))
                    where = re.sub(r"\{evidence\}", "f" * 64, where)
                    answers.append(nothing.request(method, re.sub(r"\{\w+\}", "1", where)))
                hidden, missing = answers
                assert hidden.status_code == missing.status_code == 404, f"{method} {path}"
                told = [one.json()["detail"].replace("not-there", "one") for one in answers]
                advice = [one.json()["advice"] for one in answers]
                assert told[0] == told[1] and advice == [UNSEEN, UNSEEN]
                count += 1
        assert count > 20
        assert viewer.get("/api/cases/two").status_code == 404
        assert "two" not in viewer.get("/api/cases/elsewhere").text


def test_each_role_may_what_the_table_says(api: Api) -> None:
    """Every route of a case, asked by each role: refused exactly where the role lacks it."""
    described = app.description(app.assemble())["paths"]
    for role in Role:
        name = "only-admin" if role is Role.ADMINISTRATOR else f"only-{role}"
        with api.state.session() as s:
            held = grants.access(s, name).of("one")
        with api.signed_in(name) as person:
            for path, methods in described.items():
                if "{case}" not in path or "stream" in path:
                    continue
                for method, operation in methods.items():
                    needed = {Permission(one) for one in operation["x-permission"]}
                    where = path.replace("{case}", "one").replace("{event}", "f" * 32)
                    where = re.sub(r"\{evidence\}", "f" * 64, where)
                    where = re.sub(r"\{\w+\}", "999999", where)
                    if needed <= held and method != "get":
                        continue
                    answer = person.request(method, where)
                    refused = answer.status_code == 403
                    assert refused == (not needed <= held), f"{role} {method} {path}: {answer.text}"


def test_a_refusal_says_whom_to_ask_and_is_in_the_ledger(api: Api) -> None:
    with api.signed_in("only-viewer") as viewer:
        answer = viewer.post("/api/cases/one/searches", json={"name": "mine"})
    assert answer.status_code == 403
    problem = answer.json()
    assert "analyst" in problem["detail"] and "the case one" in problem["detail"]
    assert "ada" in problem["advice"] and "only-admin" in problem["advice"]
    told = entries(api, Verb.REFUSED, "only-viewer")[-1]
    assert told.case == "one" and "POST /api/cases/{case}/searches" in told.reason
    assert told.door == "page" and told.address == "127.0.0.1" and "httpx" in told.agent


def test_asking_for_a_hidden_case_is_in_the_ledger_and_one_that_is_not_there_is_not(
    api: Api,
) -> None:
    with api.signed_in("nothing") as nothing:
        nothing.get("/api/cases/two/tags")
        nothing.get("/api/cases/nowhere/tags")
    told = [one for one in entries(api, Verb.REFUSED, "nothing") if "{case}/tags" in one.reason]
    assert {one.case for one in told} <= {"one", "two"} and "two" in {one.case for one in told}


def test_refusals_that_are_alike_are_counted_and_not_repeated(api: Api) -> None:
    before = len(entries(api, Verb.REFUSED, "only-viewer"))
    with api.signed_in("only-viewer") as viewer:
        for _ in range(30):
            viewer.put("/api/cases/one/searches/77", json={"name": "again"})
    told = entries(api, Verb.REFUSED, "only-viewer")[before:]
    assert [one.details["count"] for one in told] == ["1"]
    api.desk.entrance.settle(everything=True)
    told = entries(api, Verb.REFUSED, "only-viewer")[before:]
    assert [one.details["count"] for one in told] == ["1", "29"]


def test_whoever_makes_a_case_administers_it(api: Api) -> None:
    with api.signed_in("only-analyst") as analyst, api.signed_in("only-viewer") as viewer:
        assert viewer.post("/api/cases", json={"name": "mine"}).status_code == 403
        made = analyst.post("/api/cases", json={"name": "mine"})
        assert made.status_code == 201 and "grant" in made.json()["may"]
        assert viewer.get("/api/cases/mine").status_code == 404
        shared = analyst.post(
            "/api/cases/mine/grants", json={"role": "viewer", "user": "only-viewer"}
        )
        assert shared.status_code == 201
        assert viewer.get("/api/cases/mine").json()["may"] == ["view"]
        where = f"/api/cases/mine/grants/{shared.json()['id']}"
        assert analyst.delete(where, params={"reason": "no longer needed"}).status_code == 204
        assert viewer.get("/api/cases/mine").status_code == 404
    told = [one for one in entries(api, Verb.GRANTED) if one.case == "mine"]
    assert [one.details["user"] for one in told] == ["only-analyst", "only-viewer"]
    assert "no longer needed" in entries(api, Verb.REVOKED)[-1].reason


def test_an_administrator_of_one_case_grants_in_that_case_only(api: Api) -> None:
    with api.signed_in("only-admin") as admin:
        listed = admin.get("/api/cases/one/grants").json()
        assert "nothing" in listed["users"]
        elsewhere = next(one["id"] for one in listed["grants"] if one["case"] == "")
        assert admin.delete(f"/api/cases/one/grants/{elsewhere}").status_code == 404
        assert admin.get("/api/grants").status_code == 403
        assert admin.post("/api/grants", json={"role": "viewer", "user": "x"}).status_code == 403
        assert admin.post("/api/users", json={"username": "x"}).status_code == 403
        both = admin.post(
            "/api/cases/one/grants", json={"role": "custodian", "user": "only-analyst"}
        )
        assert both.status_code == 409 and "both acquire" in both.json()["detail"]
    with api.state.session() as s:
        assert [one.case for one in grants.every(s) if one.id == elsewhere] == [""]


def test_tokens_reach_as_far_as_scope_and_case(api: Api, ada: httpx.Client) -> None:
    with token(api, "ada", scope="read") as script:
        assert len(script.get("/api/cases").json()) >= 2
        refused = script.post("/api/cases/one/searches", json={"name": "x"})
        assert refused.status_code == 403 and "write" in refused.json()["advice"]
        assert script.get("/api/users").status_code == 403
    with token(api, "ada", scope="write", case="two") as script:
        assert [one["name"] for one in script.get("/api/cases").json()] == ["two"]
        assert script.get("/api/cases/one").status_code == 404
        assert script.post("/api/cases", json={"name": "more"}).status_code == 403
        assert script.post("/api/cases/two/searches", json={"name": "x"}).status_code == 201
    with token(api, "ada", scope="manage") as script:
        assert script.get("/api/users").status_code == 200
        assert script.post("/api/tokens", json={"name": "more"}).status_code == 403
        assert script.post("/api/users/me/second-factor").status_code == 403
    with api.signed_in("only-viewer") as viewer:
        hidden = viewer.post("/api/tokens", json={"name": "t", "case": "two"})
        assert hidden.status_code == 404
    assert entries(api, Verb.TOKEN_MADE)[-1].details["scope"] == "manage"


def test_a_token_loses_what_its_owner_loses(api: Api) -> None:
    grant = api.desk.people.grant(Role.ANALYST, user="nothing", case="two", by=BY)
    with token(api, "nothing", scope="manage") as script:
        assert script.get("/api/cases/two").status_code == 200
        api.desk.people.revoke(grant.id, by=BY)
        assert script.get("/api/cases/two").status_code == 404


def test_sign_ins_and_sign_outs_are_in_the_ledger(api: Api) -> None:
    with api.client() as client:
        given = {"username": "bob", "password": PASSWORD}
        assert client.post("/api/session", json=given).status_code == 204
        assert client.delete("/api/session").status_code == 204
    came, went = entries(api, Verb.SIGNED_IN, "bob")[-1], entries(api, Verb.SIGNED_OUT, "bob")[-1]
    assert came.details["way"] == "password" and came.address == "127.0.0.1"
    assert came.door == "page" and came.sequence < went.sequence


def test_strangers_choose_neither_names_nor_number_in_the_ledger(api: Api) -> None:
    api.desk.entrance.settle(everything=True)
    before = len(list(api.desk.vault.ledger.entries()))
    secret = "hunter2 typed into the wrong field"
    with api.client() as client:
        for number in range(20):
            given = {"username": f"{secret} {number}", "password": "x"}
            client.post("/api/session", json=given)
            client.post("/api/session/link", json={"token": f"guess {number}"})
    new = since(api, before)
    assert 1 <= len(new) <= 4
    assert {one.verb for one in new} == {Verb.SIGN_IN_REFUSED}
    assert {one.actor for one in new} == {"unknown"} and secret not in str(new)
    api.desk.entrance.settle(everything=True)
    counted = since(api, before)
    assert sum(int(one.details["count"]) for one in counted) == 40


def test_a_token_that_is_none_is_a_refused_sign_in(api: Api) -> None:
    before = len(entries(api, Verb.SIGN_IN_REFUSED))
    with httpx.Client(
        base_url=api.url, headers={"Authorization": "Bearer locard_x"}, timeout=60
    ) as script:
        assert [script.get("/api/cases").status_code for _ in range(5)] == [401] * 5
    told = entries(api, Verb.SIGN_IN_REFUSED)[before:]
    assert [(one.actor, one.door) for one in told] == [("unknown", "api")]
    assert "API token" in told[0].reason


def test_people_and_groups_are_managed_and_told(api: Api, ada: httpx.Client) -> None:
    group = {"name": "counsel", "title": "Legal counsel", "claim": "legal"}
    assert ada.post("/api/groups", json=group).status_code == 201
    put_in = ada.post("/api/groups/counsel/members", json={"username": "nothing"})
    assert put_in.json()["members"] == ["nothing"]
    granted = ada.post("/api/grants", json={"role": "viewer", "group": "counsel", "case": "two"})
    assert granted.status_code == 201
    with api.signed_in("nothing") as nothing:
        assert [one["name"] for one in nothing.get("/api/cases").json()] == ["two"]
        assert nothing.get("/api/session").json()["groups"] == ["counsel"]
    shown = next(one for one in ada.get("/api/users").json() if one["username"] == "nothing")
    assert shown["roles"] == [{"role": "viewer", "case": "two", "group": "counsel"}]
    assert ada.delete("/api/groups/counsel").status_code == 204
    with api.signed_in("nothing") as nothing:
        assert nothing.get("/api/cases").json() == []
    told = ada.get("/api/people/custody").json()
    assert any("group counsel removed" in one["reason"] for one in told)
    assert entries(api, Verb.REVOKED)[-1].case == "two"


def test_viewing_a_case_one_is_taken_out_of_ends(api: Api) -> None:
    grant = api.desk.people.grant(Role.VIEWER, user="nothing", case="one", by=BY)
    with api.signed_in("nothing") as nothing:
        assert nothing.get("/api/cases/one").status_code == 200
        api.desk.people.revoke(grant.id, by=BY)
        assert nothing.get("/api/cases/one").status_code == 404


def test_what_may_not_be_uploaded_is_not_in_the_vault(api: Api) -> None:
    before = len(list(api.desk.vault.ledger.entries()))
    with api.signed_in("only-custodian") as keeper:
        answer = keeper.post("/api/cases/one/evidence?name=x", content=io.BytesIO(b"bytes"))
    assert answer.status_code == 403
    new = since(api, before)
    assert {one.verb for one in new} <= {Verb.REFUSED, Verb.SIGN_IN_REFUSED}


def test_roles_are_shown_to_whoever_is_signed_in(api: Api) -> None:
    with api.signed_in("nothing") as nothing:
        table = nothing.get("/api/roles").json()
    assert [one["role"] for one in table["roles"]] == [role.value for role in Role]
    assert {one["permission"] for one in table["permissions"]} == set(Permission)
