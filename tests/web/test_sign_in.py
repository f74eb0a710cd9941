# SPDX-License-Identifier: Apache-2.0
"""Signing in as people do: with a second factor, and at a real OpenID provider, in a browser."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.servers.oidc import CLIENT, SECRET, Oidc, oidc
from tests.servers.running import free_ports
from tests.waiting import PATIENCE
from tests.web.conftest import Served, trail
from tests.web.conftest import window as opened

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery staple"


def locard(home: Path, *words: str, typed: str = "") -> str:
    run = subprocess.run(
        [sys.executable, "-m", "locard.cli.main", *words],
        env=os.environ | {"LOCARD_HOME": str(home), "LOCARD_WORKERS": "1"},
        input=typed,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    return run.stdout


@pytest.fixture(scope="module")
def joined(
    tmp_path_factory: pytest.TempPathFactory, served: Served
) -> Iterator[tuple[Served, Oidc]]:
    """A server of its own with people in it, and the provider that it sends some of them to."""
    folder = tmp_path_factory.mktemp("people")
    home = folder / "home"
    (folder / "trail.jsonl").write_text(trail(), encoding="utf-8")
    locard(home, "add", "harbour", str(folder / "trail.jsonl"))
    locard(home, "add", "pier", str(folder / "trail.jsonl"))
    twice = f"{PASSWORD}\n{PASSWORD}\n"
    locard(home, "user", "add", "ana", "--role", "analyst", "--case", "harbour", typed=twice)
    locard(home, "group", "add", "readers", "--claim", "dfir-readers")
    locard(home, "grant", "add", "viewer", "--group", "readers", "--case", "harbour")
    (port,) = free_ports(1)
    with oidc(f"http://127.0.0.1:{port}/sign-in/return") as provider:
        settings = {
            "LOCARD_OIDC_ISSUER": provider.issuer,
            "LOCARD_OIDC_CLIENT": CLIENT,
            "LOCARD_OIDC_SECRET": SECRET,
            "LOCARD_OIDC_NAME": "Example",
        }
        running = Served(home, port=port, settings=settings)
        yield running, provider
        running.stop()


@pytest.fixture
def server(joined: tuple[Served, Oidc]) -> Served:
    return joined[0]


@pytest.fixture
def provider(joined: tuple[Served, Oidc]) -> Oidc:
    return joined[1]


@pytest.fixture
def window(server: Served, browser: Browser) -> Iterator[BrowserContext]:
    """A window of somebody who is not signed in."""
    with opened(browser, server.address) as made:
        yield made


def by_link(window: BrowserContext, server: Served, username: str) -> Page:
    """Somebody who came in by a link that the command line printed."""
    page = window.new_page()
    page.goto(server.address + locard(server.home, "user", "link", username).strip())
    page.wait_for_url("**/cases")
    return page


def leave(page: Page) -> None:
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.wait_for_url("**/sign-in**")


def test_a_second_factor_is_set_up_asked_for_and_turned_off(
    window: BrowserContext, server: Served
) -> None:
    page = window.new_page()
    page.goto("/settings")
    page.get_by_label("Name").fill("ana")
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Set up an authenticator app").click()
    picture = page.get_by_alt_text("The secret as a QR code")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 20
    secret = page.locator("code").filter(has_text="").all_inner_texts()
    totp = pyotp.TOTP(next(one for one in secret if len(one) == 32))
    page.get_by_label("Code that the app shows now").fill("000000")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("alert")).to_contain_text("not the code of now")
    page.get_by_label("Code that the app shows now").fill(totp.now())
    page.get_by_role("button", name="Turn on").click()
    told = page.get_by_role("status").filter(has_text="Keep these recovery codes")
    expect(told).to_be_visible()
    codes = told.locator("code").inner_text().split()
    assert len(codes) == 10

    leave(page)
    page.get_by_label("Name").fill("ana")
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Code").fill("123456")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("wrong or was used already")
    page.get_by_label("Code").fill(totp.at(int(time.time()) + 30))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("button", name="Account")).to_contain_text("ana")

    leave(page)
    page.get_by_label("Name").fill("ana")
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("button", name="Account")).to_contain_text("ana")
    page.goto("/settings")
    expect(page.get_by_text("9 recovery codes are left")).to_be_visible()
    page.get_by_label("Code that the app shows now").fill(codes[1])
    page.get_by_role("button", name="Turn off").click()
    expect(page.get_by_role("button", name="Set up an authenticator app")).to_be_visible()


def test_somebody_signs_in_at_the_provider_and_sees_what_the_group_may(
    window: BrowserContext, provider: Oidc
) -> None:
    provider.people(olga={"name": "Olga Reader", "groups": ["dfir-readers"]})
    page = window.new_page()
    page.goto("/cases/harbour/evidence")
    page.get_by_role("button", name="Sign in with Example").click()
    page.wait_for_url(f"{provider.issuer}/**")
    page.locator("input[name=login]").fill("olga")
    page.locator("input[name=password]").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/cases/harbour/evidence")
    expect(page.get_by_role("button", name="Account")).to_contain_text("olga")
    assert "code=" not in page.evaluate("window.location.href")

    expect(page.get_by_role("button", name="Add files")).to_be_disabled()
    expect(page.get_by_role("note").first).to_have_attribute(
        "aria-label",
        "This takes the role of analyst, responder or administrator in this case. Ask admin.",
    )
    page.goto("/cases")
    expect(page.get_by_role("link", name="harbour")).to_be_visible()
    expect(page.get_by_role("link", name="pier")).to_have_count(0)
    page.goto("/cases/pier")
    expect(page.get_by_role("alert")).to_contain_text("There is no case called 'pier'")


def test_somebody_whom_no_group_names_is_turned_away(
    window: BrowserContext, provider: Oidc
) -> None:
    provider.people(mallory={"groups": ["marketing"]})
    page = window.new_page()
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with Example").click()
    page.locator("input[name=login]").fill("mallory")
    page.locator("input[name=password]").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("no group that Locard knows")
    page.get_by_role("link", name="Back to the sign-in page").click()
    expect(page.get_by_role("button", name="Sign in with Example")).to_be_visible()


def test_an_administrator_grants_and_takes_back_and_the_page_says_why_not(
    window: BrowserContext, server: Served
) -> None:
    page = by_link(window, server, "admin")
    page.goto("/settings/people")
    new = page.locator("form").filter(has=page.get_by_label("Password (or send a link)"))
    new.get_by_label("Name").fill("carl")
    new.get_by_role("combobox", name="First role").click()
    page.get_by_role("option", name="Evidence custodian").click()
    new.get_by_role("combobox", name="Case").click()
    page.get_by_role("option", name="pier").click()
    new.get_by_role("button", name="Add").click()
    row = page.get_by_role("row").filter(has_text="carl").first
    expect(row).to_contain_text("Evidence custodian")

    page.goto("/cases/pier/people")
    page.get_by_role("combobox", name="Who").click()
    page.get_by_role("option", name="carl").click()
    page.get_by_role("combobox", name="Role").click()
    page.get_by_role("option", name="Analyst").click()
    page.get_by_role("button", name="Grant", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("both acquire evidence and dispose of it")
    page.get_by_role("button", name="Take Evidence custodian back from carl").click()
    expect(page.get_by_role("dialog")).to_contain_text("carl will no longer be")
    page.get_by_role("dialog").get_by_label("Why, for the ledger").fill("wrong case")
    page.get_by_role("dialog").get_by_role("button", name="Take back").click()
    expect(page.get_by_role("row").filter(has_text="carl")).to_have_count(0)

    page.goto("/settings/people")
    happened = page.locator("section").filter(has=page.get_by_role("heading", name="What happened"))
    expect(happened).to_contain_text("user carl added")
    page.goto("/cases/pier/custody?view=ledger")
    expect(
        page.get_by_text("Evidence custodian in pier taken back from carl: wrong case")
    ).to_be_visible()


def test_who_may_not_manage_people_is_told_whom_to_ask(
    window: BrowserContext, server: Served
) -> None:
    page = by_link(window, server, "ana")
    page.goto("/settings/people")
    expect(page.get_by_role("alert")).to_contain_text("This takes the role of administrator")
    expect(page.get_by_role("alert")).to_contain_text("Ask admin")
    page.goto("/settings")
    expect(page.get_by_text("What you may do")).to_be_visible()
    expect(page.get_by_role("button", name="Manage people")).to_have_count(0)


def test_a_session_that_ends_amid_a_comment_leads_back_to_it(
    window: BrowserContext, server: Served
) -> None:
    page = by_link(window, server, "ana")
    page.goto("/cases/harbour/timeline")
    page.locator("#row-0 [role=gridcell]").last.click()
    field = page.get_by_role("textbox", name="Comment")
    field.fill("Seen before, in spring.")
    locard(server.home, "user", "password", "ana", typed=f"{PASSWORD}\n{PASSWORD}\n")
    page.get_by_role("button", name="Comment", exact=True).click()
    page.wait_for_url("**/sign-in?next=*")
    page.get_by_label("Name").fill("ana")
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/timeline?event=*")
    expect(field).to_have_value("Seen before, in spring.")


def test_a_comment_that_was_begun_is_not_the_next_persons(
    window: BrowserContext, server: Served
) -> None:
    twice = f"{PASSWORD}\n{PASSWORD}\n"
    locard(server.home, "user", "add", "bea", "--role", "analyst", "--case", "harbour", typed=twice)
    page = by_link(window, server, "ana")
    page.goto("/cases/harbour/timeline")
    page.locator("#row-0 [role=gridcell]").last.click()
    field = page.get_by_role("textbox", name="Comment")
    field.fill("Between ourselves.")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    expect(page.get_by_role("button", name="Star (s)")).to_have_attribute("aria-pressed", "true")
    locard(server.home, "user", "password", "ana", typed=twice)
    page.get_by_role("button", name="Comment", exact=True).click()
    for name in ("bea", "ana"):
        page.wait_for_url("**/sign-in**")
        page.get_by_label("Name").fill(name)
        page.get_by_role("textbox", name="Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_role("button", name=f"Account: {name}").wait_for()
        if name == "bea":
            expect(field).to_have_value("")
            leave(page)
    page.get_by_role("link", name="harbour").click()
    page.get_by_role("link", name="Timeline").click()
    page.locator("#row-0 [role=gridcell]").first.wait_for()
    page.keyboard.press("z")
    expect(page.get_by_text("There is nothing to undo.")).to_be_visible()
