# SPDX-License-Identifier: Apache-2.0
import httpx
import pytest


@pytest.fixture
def ids(ada: httpx.Client) -> list[str]:
    return [row["id"] for row in ada.get("/api/cases/one/events?limit=2").json()["events"]]


@pytest.fixture
def stranger(ada: httpx.Client) -> str:
    return str(ada.get("/api/cases/two/events?limit=1").json()["events"][0]["id"])


def test_marking_many_and_undoing(ada: httpx.Client, ids: list[str]) -> None:
    first_id, second_id = ids
    first = ada.post(
        "/api/cases/one/marks", json={"ids": [first_id], "add_tags": ["initial access"]}
    )
    assert first.json()["changed"] == 1
    both = ada.post(
        "/api/cases/one/marks",
        json={"ids": [first_id, second_id], "star": True, "add_tags": ["initial access"]},
    ).json()
    assert both["changed"] == 2
    assert ada.get("/api/cases/one/tags").json() == [{"tag": "initial access", "count": 2}]
    assert ada.post("/api/cases/one/marks", json=both["undo"]).json()["changed"] == 2
    assert ada.get("/api/cases/one/tags").json() == [{"tag": "initial access", "count": 1}]
    undo = first.json()["undo"]
    assert undo["ids"] == [first_id], "one kind of change keeps the plain shape"
    ada.post("/api/cases/one/marks", json=undo)
    assert ada.get("/api/cases/one/tags").json() == []


def test_events_of_another_case_cannot_be_marked(
    ada: httpx.Client, ids: list[str], stranger: str
) -> None:
    first_id, other = ids[0], stranger
    answer = ada.post("/api/cases/one/marks", json={"ids": [first_id, other], "star": True})
    assert answer.status_code == 404 and other in answer.json()["detail"]
    assert (
        ada.post(f"/api/cases/one/events/{other}/comments", json={"text": "x"}).status_code == 404
    )
    assert ada.get(f"/api/cases/one/events/{other}/comments").status_code == 404
    assert ada.post("/api/cases/one/marks", json={"ids": ["x"], "star": True}).status_code == 422


def test_comments_can_be_taken_back_by_their_author(
    ada: httpx.Client, bob: httpx.Client, ids: list[str], stranger: str
) -> None:
    first_id = ids[0]
    where = f"/api/cases/one/events/{first_id}/comments"
    made = ada.post(where, json={"text": "the key that leaked"}).json()
    assert made["author"] == "ada" and made["own"] and made["time"].endswith("Z")
    assert [comment["own"] for comment in bob.get(where).json()] == [False]
    assert bob.delete(f"{where}/{made['n']}").status_code == 403
    assert ada.delete(f"/api/cases/two/events/{stranger}/comments/{made['n']}").status_code == 404
    assert ada.delete(f"{where}/{made['n']}").status_code == 204
    assert ada.get(where).json() == []


def test_searches_are_saved_changed_and_forgotten(ada: httpx.Client) -> None:
    body = {"name": "Root", "q": "actor:root", "from": "now-1d", "to": None, "columns": ["time"]}
    made = ada.post("/api/cases/one/searches", json=body).json()
    assert {**made, **body} == made and made["author"] == "ada"
    assert ada.post("/api/cases/one/searches", json=body).status_code == 409
    where = f"/api/cases/one/searches/{made['n']}"
    assert ada.put(where, json={**body, "q": "actor:*"}).json()["q"] == "actor:*"
    assert ada.delete(f"/api/cases/two/searches/{made['n']}").status_code == 404
    assert ada.delete(where).status_code == 204
    assert ada.get("/api/cases/one/searches").json() == []


def test_mappings_are_saved(ada: httpx.Client) -> None:
    body = {"name": "nginx", "mapping": {"time": "ts"}}
    assert ada.post("/api/mappings", json=body).status_code == 201
    assert ada.get("/api/mappings").json()[0]["mapping"] == {"time": "ts"}
    assert ada.post("/api/mappings", json={"name": "none", "mapping": {}}).status_code == 422
    huge = {"name": "big", "mapping": {"a": "x" * (70 << 10)}}
    assert ada.post("/api/mappings", json=huge).status_code == 400
    assert ada.delete("/api/mappings/nginx").status_code == 204
