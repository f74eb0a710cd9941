# SPDX-License-Identifier: Apache-2.0
import re

import httpx
import pytest

from locard.state import sessions, throttle, users

from .conftest import PASSWORD, Api

OPEN = {
    ("get", "/api/health"),
    ("post", "/api/session"),
    ("post", "/api/session/link"),
    ("get", "/api/session/ways"),
    ("post", "/api/session/single-sign-on"),
    ("post", "/api/session/single-sign-on/return"),
    ("get", "/api/breaks"),
    ("post", "/api/alerts/in/{source}"),  # a message proves itself by its signature
}


@pytest.fixture(autouse=True)
def _fresh_attempts(api: Api) -> None:
    with api.state.session() as s:
        s.query(throttle.AttemptRow).delete()


def test_signing_in_gives_a_cookie_that_scripts_cannot_read(api: Api) -> None:
    with api.client() as client:
        answer = client.post("/api/session", json={"username": "ada", "password": PASSWORD})
        assert answer.status_code == 204
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/" in cookie
        me = client.get("/api/session").json()
        assert me["username"] == "ada" and me["name"] == "Ada Lovelace"
        assert "people" in me["may"] and "dispose" not in me["anywhere"]
        assert me["ask"] == ["ada"] and me["second_factor"] is False
        assert client.delete("/api/session").status_code == 204
        assert client.get("/api/session").status_code == 401


def test_the_session_itself_ends_with_signing_out(api: Api) -> None:
    with api.signed_in() as client:
        secret = client.cookies["locard_session"]
        client.delete("/api/session")
    with api.client(Cookie=f"locard_session={secret}") as stolen:
        assert stolen.get("/api/session").status_code == 401


def test_every_route_but_the_open_ones_needs_signing_in(api: Api) -> None:
    count = 0
    with api.client() as client:
        for path, methods in api.app.openapi()["paths"].items():
            where = path.replace("{event}", "f" * 32)
            where = re.sub(r"\{\w+\}", "1", where)
            for method in methods:
                if (method, path) in OPEN:
                    continue
                answer = client.request(method, where)
                assert answer.status_code == 401, f"{method} {path} gave {answer.status_code}"
                assert answer.headers["content-type"] == "application/problem+json"
                count += 1
        assert client.get("/api/openapi.json").status_code == 401
        assert client.post("/api/else").status_code == 401
    assert count > 20


@pytest.mark.parametrize(
    "given",
    [
        {"username": "ada", "password": "wrong wrong wrong"},
        {"username": "nobody", "password": PASSWORD},
        {"username": "ada", "password": ""},
    ],
)
def test_wrong_names_and_passwords_get_the_same_answer(api: Api, given: dict[str, str]) -> None:
    with api.client() as client:
        answer = client.post("/api/session", json=given)
    assert answer.status_code == 401
    assert answer.json()["detail"] == "User name or password is wrong."
    assert "set-cookie" not in answer.headers


def test_guessing_is_told_to_wait(api: Api) -> None:
    wrong = {"username": "ada", "password": "wrong wrong wrong"}
    with api.client() as client:
        codes = [
            client.post("/api/session", json=wrong).status_code for _ in range(throttle.FREE + 1)
        ]
        assert codes == [401] * throttle.FREE + [429]
        right = client.post("/api/session", json={"username": "ada", "password": PASSWORD})
    assert right.status_code == 429
    assert 0 < int(right.headers["retry-after"]) <= 15


def test_a_link_signs_in_once(api: Api) -> None:
    with api.state.session() as s:
        link = sessions.make_link(s, "bob")
    with api.client() as client:
        assert client.post("/api/session/link", json={"token": link}).status_code == 204
        assert client.get("/api/session").json()["username"] == "bob"
    with api.client() as client:
        assert client.post("/api/session/link", json={"token": link}).status_code == 401


def test_a_change_by_cookie_needs_the_header(api: Api, bob: httpx.Client) -> None:
    del bob.headers["X-Locard"]
    assert bob.put("/api/users/me/preferences", json={"theme": "dark"}).status_code == 403
    bob.headers["X-Locard"] = "1"
    assert bob.put("/api/users/me/preferences", json={"theme": "dark"}).status_code == 204
    assert bob.get("/api/users/me/preferences").json() == {"theme": "dark"}


def test_a_form_of_another_page_cannot_sign_in(api: Api) -> None:
    body = '{"username":"ada","password":"' + PASSWORD + '"}'
    with api.client() as client:
        answer = client.post("/api/session", content=body, headers={"content-type": "text/plain"})
    assert answer.status_code == 422


def test_a_disabled_user_is_out_at_once(api: Api, ada: httpx.Client) -> None:
    with api.state.session() as s:
        users.create(s, "trudy", password=PASSWORD)
    with api.signed_in("trudy") as eve:
        made = eve.post("/api/tokens", json={"name": "nightly"}).json()
        assert ada.put("/api/users/trudy", json={"disabled": True}).json()["disabled"]
        assert eve.get("/api/session").status_code == 401
        assert ada.put("/api/users/trudy", json={"disabled": False}).status_code == 200
        assert eve.get("/api/session").status_code == 401
    with api.client(Authorization=f"Bearer {made['token']}") as script:
        assert script.get("/api/session").json()["username"] == "trudy"
