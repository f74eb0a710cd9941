# SPDX-License-Identifier: Apache-2.0
import httpx

from .conftest import PASSWORD, Api


def test_only_administrators_see_and_make_users(ada: httpx.Client, bob: httpx.Client) -> None:
    assert bob.get("/api/users").status_code == 403
    assert bob.post("/api/users", json={"username": "x"}).status_code == 403
    assert bob.put("/api/users/bob", json={"disabled": True}).status_code == 403
    assert bob.post("/api/users/ada/link").status_code == 403
    made = ada.post("/api/users", json={"username": "carol", "role": "analyst"})
    assert made.status_code == 201 and made.json()["has_password"] is False
    assert made.json()["roles"] == [{"role": "analyst", "case": "", "group": ""}]
    assert "carol" in [user["username"] for user in ada.get("/api/users").json()]
    assert "argon2" not in ada.get("/api/users").text
    assert ada.post("/api/users", json={"username": "carol"}).status_code == 409


def test_a_new_user_comes_in_by_link_and_sets_a_password(api: Api, ada: httpx.Client) -> None:
    ada.post("/api/users", json={"username": "dave"})
    link = ada.post("/api/users/dave/link").json()
    assert link["seconds"] == 900
    with api.client() as dave:
        assert dave.post("/api/session/link", json={"token": link["token"]}).status_code == 204
        assert dave.put("/api/users/me/password", json={"new": "short"}).status_code == 400
        change = {"new": PASSWORD + "!"}
        assert dave.put("/api/users/me/password", json=change).status_code == 204
        assert dave.get("/api/session").status_code == 200
        again = dave.put("/api/users/me/password", json=change)
        assert again.status_code == 400 and "current" in again.json()["detail"]


def test_changing_the_password_ends_the_other_sessions(api: Api, ada: httpx.Client) -> None:
    ada.post("/api/users", json={"username": "frank", "password": PASSWORD})
    with api.signed_in("frank") as here, api.signed_in("frank") as there:
        change = {"current": PASSWORD, "new": PASSWORD + " more"}
        assert here.put("/api/users/me/password", json=change).status_code == 204
        assert here.get("/api/session").status_code == 200
        assert there.get("/api/session").status_code == 401


def test_an_api_token_works_until_revoked_and_makes_no_other(api: Api, bob: httpx.Client) -> None:
    made = bob.post("/api/tokens", json={"name": "nightly", "days": 7, "scope": "write"}).json()
    assert made["token"].startswith("locard_") and made["name"] == "nightly"
    assert all("token" not in token for token in bob.get("/api/tokens").json())
    with httpx.Client(
        base_url=api.url, headers={"Authorization": f"Bearer {made['token']}"}, timeout=60
    ) as script:
        assert script.get("/api/session").json()["username"] == "bob"
        assert script.put("/api/users/me/preferences", json={}).status_code == 204
        assert script.post("/api/tokens", json={}).status_code == 403
        assert script.put("/api/users/me/password", json={"new": PASSWORD}).status_code == 403
        assert bob.delete(f"/api/tokens/{made['id']}").status_code == 204
        refused = script.get("/api/session")
    assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Bearer"


def test_tokens_of_others_are_not_there(ada: httpx.Client, bob: httpx.Client) -> None:
    made = ada.post("/api/tokens", json={"name": "mine"}).json()
    assert bob.delete(f"/api/tokens/{made['id']}").status_code == 404
    assert made["id"] not in [token["id"] for token in bob.get("/api/tokens").json()]


def test_preferences_have_a_bound(ada: httpx.Client) -> None:
    assert ada.put("/api/users/me/preferences", json={"a": "x" * (70 << 10)}).status_code == 400


def test_the_last_administrator_cannot_go(ada: httpx.Client) -> None:
    assert ada.put("/api/users/ada", json={"disabled": True}).status_code == 409
    grants = ada.get("/api/grants").json()
    own = next(one["id"] for one in grants if one["user"] == "ada" and one["case"] == "")
    assert ada.delete(f"/api/grants/{own}").status_code == 409
    assert own in [one["id"] for one in ada.get("/api/grants").json()]
