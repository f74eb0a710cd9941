# SPDX-License-Identifier: Apache-2.0
"""Single sign-on with a real OpenID provider that the tests start, asked over HTTP."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from locard.api.app import create
from locard.api.page import Page
from locard.cases.desk import Desk
from locard.cases.singlesignon import Provider
from locard.model.access import Role
from locard.model.custody import CustodyEntry, Hand, Verb
from locard.model.errors import Error
from locard.settings import Settings, SingleSignOn, from_environment
from locard.state import groups, identities, refusals, users
from tests.servers.oidc import CLIENT, PUBLIC, SECRET, Oidc, oidc

from .conftest import Api, served

BY = Hand("tests")


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory, page: Path) -> Iterator[tuple[Api, Oidc]]:
    """A served Locard and the provider that it sends people to."""
    listening = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with oidc(f"{address}/sign-in/return") as provider:
        home = tmp_path_factory.mktemp("sso") / "home"
        wanted = SingleSignOn(provider.issuer, CLIENT, SECRET, name="Example")
        desk = Desk(Settings(home=home, workers=1, single_sign_on=wanted))
        desk.create("one", who=BY)
        desk.people.add_group("analysts", claim="dfir", by=BY)
        desk.people.grant(Role.ANALYST, group="analysts", case="one", by=BY)
        app = create(desk, desk.state, page=Page(page))
        with served(app, listening) as url:
            yield Api(url, desk, app), provider
        desk.close()


@pytest.fixture
def api(joined: tuple[Api, Oidc]) -> Iterator[Api]:
    api, provider = joined
    provider.fault("")
    with api.state.session() as s:
        s.query(refusals.RefusalRow).delete()
    yield api


@pytest.fixture
def provider(joined: tuple[Api, Oidc]) -> Oidc:
    return joined[1]


def begin(api: Api, browser: httpx.Client) -> str:
    answer = browser.post("/api/session/single-sign-on", headers={"Origin": api.url})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["address"])


def come_back(browser: httpx.Client, carried: dict[str, str]) -> httpx.Response:
    return browser.post("/api/session/single-sign-on/return", json=carried)


def told(api: Api, verb: Verb) -> list[CustodyEntry]:
    return [one for one in api.desk.vault.ledger.entries() if one.verb is verb]


def test_somebody_of_a_named_group_gets_in_and_does_what_the_group_may(
    api: Api, provider: Oidc
) -> None:
    provider.people(ida={"name": "Ida Silva", "groups": ["dfir", "staff"]})
    with api.client() as browser:
        assert browser.get("/api/session/ways").json() == {"single_sign_on": "Example"}
        away = begin(api, browser)
        asked = parse_qs(urlsplit(away).query)
        assert asked["code_challenge_method"] == ["S256"] and asked["nonce"] and asked["state"]
        answer = come_back(browser, provider.walk(away, "ida"))
        assert answer.status_code == 204, answer.text
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie
        me = browser.get("/api/session").json()
        assert (me["username"], me["name"], me["groups"]) == ("ida", "Ida Silva", ["analysts"])
        assert "acquire" in browser.get("/api/cases/one").json()["may"]
    entry = told(api, Verb.SIGNED_IN)[-1]
    assert entry.actor == "ida" and entry.details["way"] == "single sign-on"
    added = [one for one in told(api, Verb.USER_CHANGED) if one.details.get("user") == "ida"]
    assert "added by single sign-on" in added[0].reason


def test_what_the_provider_takes_back_is_gone_at_the_next_sign_in(api: Api, provider: Oidc) -> None:
    for named, seen in ((["dfir"], 200), ([], 404)):
        provider.people(eve={"groups": named or ["other"]})
        if not named:
            assert groups_of(api, "eve") == ["analysts"]
        with api.client() as browser:
            answer = come_back(browser, provider.walk(begin(api, browser), "eve"))
            assert answer.status_code == 204, answer.text
            assert browser.get("/api/cases/one").status_code == seen
    assert groups_of(api, "eve") == []


def groups_of(api: Api, username: str) -> list[str]:
    with api.state.session() as s:
        return groups.of(s, username)


def test_somebody_in_no_named_group_stays_out(api: Api, provider: Oidc) -> None:
    provider.people(mallory={"groups": ["marketing"]})
    with api.client() as browser:
        answer = come_back(browser, provider.walk(begin(api, browser), "mallory"))
        assert answer.status_code == 401 and "no group" in answer.json()["detail"]
        assert browser.get("/api/session").status_code == 401
    with api.state.session() as s:
        assert users.known(s, "mallory") is None
    assert "no group" in told(api, Verb.SIGN_IN_REFUSED)[-1].reason


def test_nobody_becomes_a_user_who_was_here_before_by_taking_the_name(
    api: Api, provider: Oidc
) -> None:
    api.desk.people.add_user("root", role=Role.ADMINISTRATOR, by=BY)
    provider.people(stranger={"preferred_username": "root", "groups": ["dfir"]})
    with api.client() as browser:
        answer = come_back(browser, provider.walk(begin(api, browser), "stranger"))
        assert answer.status_code == 401 and "not joined" in answer.json()["detail"]
        api.desk.people.change_user("root", single_sign_on=True, by=BY)
        answer = come_back(browser, provider.walk(begin(api, browser), "stranger"))
        assert answer.status_code == 204
        assert browser.get("/api/session").json()["username"] == "root"
    provider.people(second={"preferred_username": "root", "groups": ["dfir"]})
    with api.client() as browser:
        answer = come_back(browser, provider.walk(begin(api, browser), "second"))
        assert answer.status_code == 401


def test_somebody_disabled_here_stays_out(api: Api, provider: Oidc) -> None:
    provider.people(dora={"groups": ["dfir"]})
    with api.client() as browser:
        assert come_back(browser, provider.walk(begin(api, browser), "dora")).status_code == 204
        api.desk.people.add_user("keeper", role=Role.ADMINISTRATOR, by=BY)
        api.desk.people.change_user("dora", disabled=True, by=BY)
        answer = come_back(browser, provider.walk(begin(api, browser), "dora"))
        assert answer.status_code == 401 and "disabled" in answer.json()["detail"]


def test_groups_that_let_one_both_acquire_and_dispose_keep_them_out(
    api: Api, provider: Oidc
) -> None:
    api.desk.people.add_group("keepers", claim="keepers", by=BY)
    api.desk.people.grant(Role.CUSTODIAN, group="keepers", case="one", by=BY)
    provider.people(carl={"groups": ["keepers", "dfir"]})
    with api.client() as browser:
        answer = come_back(browser, provider.walk(begin(api, browser), "carl"))
        assert answer.status_code == 401 and "both acquire" in answer.json()["detail"]
        with api.state.session() as s:
            assert users.known(s, "carl") is None
        provider.people(carl={"groups": ["keepers"]})
        assert come_back(browser, provider.walk(begin(api, browser), "carl")).status_code == 204
        assert "dispose" in browser.get("/api/cases/one").json()["may"]


def test_an_answer_is_for_the_browser_that_asked_and_once(api: Api, provider: Oidc) -> None:
    provider.people(ana={"groups": ["dfir"]})
    with api.client() as browser, api.client() as other:
        carried = provider.walk(begin(api, browser), "ana")
        begin(api, other)
        assert come_back(other, carried).status_code == 401
        assert come_back(browser, carried | {"state": "x" * 43}).status_code == 401
        assert come_back(browser, carried | {"iss": "https://other.example"}).status_code == 401
        assert come_back(browser, carried).status_code == 401, "the state was used up"
        carried = provider.walk(begin(api, browser), "ana")
        assert come_back(browser, carried).status_code == 204
        assert come_back(browser, carried).status_code == 401


def test_a_code_alone_is_worth_nothing_without_its_verifier(api: Api, provider: Oidc) -> None:
    """PKCE: a code that was taken from one sign-in is put into another."""
    provider.people(ana={"groups": ["dfir"]}, mallory={"groups": ["dfir"]})
    with api.client() as browser, api.client() as other:
        stolen = provider.walk(begin(api, browser), "ana")
        own = provider.walk(begin(api, other), "mallory")
        answer = come_back(other, own | {"code": stolen["code"]})
        assert answer.status_code == 401
        assert other.get("/api/session").status_code == 401


@pytest.mark.parametrize(
    "fault",
    [
        "nonce",
        "audience",
        "issuer",
        "expired",
        "signature",
        "at_hash",
        "unsigned",
        "shared",
        "missing",
        "userinfo",
    ],
)
def test_a_token_that_is_wrong_lets_nobody_in(api: Api, provider: Oidc, fault: str) -> None:
    provider.people(ana={"groups": ["dfir"]})
    with api.client() as browser:
        away = begin(api, browser)
        provider.fault(fault)
        answer = come_back(browser, provider.walk(away, "ana"))
        assert answer.status_code == 401, f"{fault}: {answer.status_code}"
        assert "cannot be believed" in answer.json()["detail"]
        assert browser.get("/api/session").status_code == 401
    assert told(api, Verb.SIGN_IN_REFUSED)


def test_nothing_secret_is_logged_or_told(
    api: Api, provider: Oidc, caplog: pytest.LogCaptureFixture
) -> None:
    provider.people(ana={"groups": ["dfir"]})
    with caplog.at_level(logging.DEBUG), api.client() as browser:
        carried = provider.walk(begin(api, browser), "ana")
        provider.fault("signature")
        come_back(browser, carried)
    ledger = b"".join(
        one.read_bytes() for one in api.desk.settings.vault.rglob("*") if one.is_file()
    )
    ours = "\n".join(one.getMessage() for one in caplog.records if one.name.startswith("locard"))
    for secret in (SECRET, carried["code"], carried["state"]):
        assert secret not in ours and secret.encode() not in ledger
    assert SECRET not in repr(api.desk.settings)


def test_a_public_client_has_no_secret(api: Api, provider: Oidc) -> None:
    provider.people(ana={"groups": ["dfir"], "name": "Ana"})
    there = Provider(SingleSignOn(provider.issuer, PUBLIC))
    back = f"{api.url}/sign-in/return"
    address, state, leaving = there.away(back)
    carried = provider.walk(address, "ana")
    assert carried["state"] == state
    assert there.claims(carried["code"], carried["iss"], leaving).groups == {"dfir"}


def test_an_address_must_be_verified_to_be_a_name(api: Api, provider: Oidc) -> None:
    there = Provider(SingleSignOn(provider.issuer, PUBLIC, username="email"))
    for verified in (False, True):
        provider.people(fay={"email": "fay@example.org", "email_verified": verified})
        address, _, leaving = there.away(f"{api.url}/sign-in/return")
        carried = provider.walk(address, "fay")
        if verified:
            found = there.claims(carried["code"], carried["iss"], leaving)
            assert found.username == "fay@example.org"
        else:
            with pytest.raises(Error, match="not verified"):
                there.claims(carried["code"], carried["iss"], leaving)


def test_an_issuer_that_is_another_or_not_there_is_told(provider: Oidc) -> None:
    other = Provider(SingleSignOn(provider.issuer + "/", CLIENT, SECRET))
    with pytest.raises(Error, match="says that it is"):
        other.away("http://127.0.0.1:1/sign-in/return")
    nobody = Provider(SingleSignOn("http://127.0.0.1:9", CLIENT, SECRET))
    with pytest.raises(Error, match="does not answer"):
        nobody.away("http://127.0.0.1:1/sign-in/return")


def test_another_page_cannot_begin_a_sign_in(api: Api) -> None:
    with api.client() as browser:
        for origin in ("https://evil.example", "null", ""):
            answer = browser.post("/api/session/single-sign-on", headers={"Origin": origin})
            assert answer.status_code == 403


def test_sign_ins_that_never_come_back_do_not_pile_up(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identities, "MOST", 5)
    with api.client() as browser:
        for _ in range(12):
            begin(api, browser)
    with api.state.session() as s:
        assert s.query(identities.LeavingRow).count() <= 5


def test_the_settings_say_what_is_wrong_with_them(tmp_path: Path) -> None:
    good = {"LOCARD_OIDC_ISSUER": "https://login.example.com", "LOCARD_OIDC_CLIENT": "x"}
    found = from_environment(good).single_sign_on
    assert found is not None and found.name == "login.example.com" and not found.secret
    secret = tmp_path / "secret"
    secret.write_text("from a file\n")
    kept = from_environment({**good, "LOCARD_OIDC_SECRET_FILE": str(secret)}).single_sign_on
    assert kept is not None and kept.secret == "from a file"
    for wrong in (
        {"LOCARD_OIDC_ISSUER": "http://login.example.com"},
        {"LOCARD_OIDC_ISSUER": "login"},
        {"LOCARD_OIDC_CLIENT": ""},
        {"LOCARD_OIDC_SECRET_FILE": str(tmp_path / "none")},
    ):
        with pytest.raises(Error):
            from_environment({**good, **wrong})
    assert from_environment({}).single_sign_on is None
