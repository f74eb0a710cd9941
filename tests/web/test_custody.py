# SPDX-License-Identifier: Apache-2.0
"""The custody page: lives of exhibits, the ledger, keeping decided by two, and verifying now."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from locard.cases.desk import Desk
from locard.model.access import Role
from locard.model.custody import Hand
from locard.state import sessions
from tests.web.conftest import HOSTILE, LONG, Served, window

BY = Hand("tests")
OMAR = Hand("omar", "page", "10.0.0.7", "Firefox")


@pytest.fixture(scope="module")
def pier(served: Served, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A case of three exhibits, one with a hostile name; carla and omar are its custodians."""
    folder = tmp_path_factory.mktemp("pier")
    # Bytes of its own: those that another test took in before would be taken in again.
    line = '{"datetime": "2026-03-01T00:00:00Z", "message": "hello from the quay"}\n'
    for number, name in enumerate(("a.jsonl", "b.jsonl", HOSTILE[:40].replace("/", "_"))):
        (folder / name).write_text(line * (number + 1))
    desk = Desk.at(served.home)
    try:
        desk.create("quay", "The quay", who="ana")
        for name in ("carla", "omar"):
            desk.people.add_user(name, role=Role.CUSTODIAN, case="quay", by=BY)
        desk.add("quay", sorted(folder.iterdir()), who="ana")
        for query in ("hello", "message:hello", "never"):
            desk.search("quay", query, who=OMAR)
        row = desk.timeline.page(desk.search("quay", "hello", who=OMAR), 1).rows[0]
        desk.event("quay", row["id"], who=OMAR)
    finally:
        desk.close()
    return "quay"


def person(served: Served, browser: Browser, name: str) -> Iterator[Page]:
    desk = Desk.at(served.home)
    with desk.state.session() as session:
        secret = sessions.start(session, name, "127.0.0.1")
    desk.close()
    wrong: list[str] = []
    with window(browser, served.address) as made:
        made.add_cookies([{"name": "locard_session", "value": secret, "url": served.address}])
        page = made.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        yield page
    assert wrong == []


@pytest.fixture
def carla(served: Served, browser: Browser, pier: str) -> Iterator[Page]:
    yield from person(served, browser, "carla")


@pytest.fixture
def omar(served: Served, browser: Browser, pier: str) -> Iterator[Page]:
    yield from person(served, browser, "omar")


def test_the_life_of_an_exhibit_is_told(carla: Page) -> None:
    carla.goto("/cases/quay/custody")
    rows = carla.get_by_role("grid", name="Exhibits").get_by_role("row")
    expect(rows).to_have_count(4)
    rows.nth(1).focus()
    carla.keyboard.press("Enter")
    life = carla.get_by_role("complementary", name="Life of the exhibit")
    expect(life).to_contain_text("QUAY-0001")
    expect(life.get_by_role("listitem").filter(has_text="Taken in by ana")).to_have_count(1)
    expect(life).to_contain_text("Read by")
    expect(life.get_by_role("listitem").filter(has_text="Searched by omar")).to_contain_text(
        "page, 10.0.0.7"
    )
    carla.keyboard.press("ArrowDown")
    expect(life).to_contain_text("QUAY-0002")
    expect(carla).to_have_url(re.compile("id="))
    life.get_by_role("radiogroup", name="Kind of entry").get_by_text("Taken in").click()
    expect(life.get_by_role("listitem").filter(has_text="Read by")).to_have_count(0)
    expect(life.get_by_role("listitem").filter(has_text="Taken in by ana")).to_have_count(1)
    assert carla.title() != "owned"


def test_an_entry_shows_its_proof_one_click_away(carla: Page) -> None:
    carla.goto("/cases/quay/custody?view=ledger")
    seen = carla.get_by_role("listitem").filter(has_text="An event of it was viewed by omar")
    expect(seen).to_be_visible()
    seen.get_by_role("button", name=re.compile(r"^entry \d+$")).click()
    expect(seen).to_contain_text("Its signature holds")
    expect(seen).to_contain_text("fingerprint")
    seen.get_by_text("Signed statement, envelope and proof").click()
    expect(seen).to_contain_text("https://in-toto.io/Statement/v1")


def test_searches_of_one_person_are_one_line_that_opens(carla: Page) -> None:
    carla.goto("/cases/quay/custody?view=ledger&kind=read&who=omar")
    line = carla.get_by_role("listitem").filter(has_text="Searched by omar")
    expect(line).to_contain_text("3 times")
    line.get_by_role("button", name=re.compile("^entries")).click()
    expect(line).to_contain_text("for message:hello")


def test_verifying_now_gives_a_verdict_clause_by_clause(carla: Page) -> None:
    carla.goto("/cases/quay/custody?view=verify")
    expect(carla.get_by_text("has not been verified from here yet")).to_be_visible()
    carla.get_by_role("button", name="Verify now").click()
    result = carla.get_by_role("region", name="Result")
    expect(result.get_by_text("Nothing failed")).to_be_visible(timeout=LONG)
    clause = result.get_by_role("listitem")
    expect(clause.filter(has_text="evidence").filter(has_text="pass").first).to_be_visible()
    expect(clause.filter(has_text="time stamps")).to_contain_text("not checked")
    expect(carla.get_by_role("region", name="Key and time stamps")).to_contain_text(
        re.compile(r"[0-9a-f]{64}")
    )
    expect(carla.get_by_role("button", name="Verify now")).to_be_enabled()


def test_a_hold_and_a_disposal_by_two(carla: Page, omar: Page) -> None:
    carla.goto("/cases/quay/custody?view=keeping")
    disposal = carla.get_by_role("region", name="Disposal")
    expect(disposal.get_by_role("button", name="Ask for disposal")).to_be_disabled()
    carla.get_by_role("button", name="Put a hold").click()
    dialog = carla.get_by_role("dialog")
    dialog.get_by_label("Reference").fill("2026/17")
    expect(dialog.get_by_role("button", name="Put the hold")).to_be_disabled()
    dialog.get_by_label("Reason").fill("order of the court")
    dialog.get_by_role("button", name="Put the hold").click()
    expect(carla.get_by_text("The case is under a legal hold.")).to_be_visible()
    carla.get_by_role("button", name="Release").click()
    dialog.get_by_label("Reason").fill("lifted")
    expect(dialog.get_by_role("button", name="Release")).to_be_disabled()
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Release").click()
    expect(carla.get_by_text("No legal hold stands.")).to_be_visible()
    carla.get_by_role("region", name="Retention").get_by_role("button", name="Set").click()
    dialog.get_by_label("Last day").fill("2020-12-31")
    dialog.get_by_label("Reason").fill("short")
    dialog.get_by_role("button", name="Keep until then").click()
    disposal.get_by_role("button", name="Ask for disposal").click()
    expect(dialog).to_contain_text("3 exhibits of case quay")
    expect(dialog).to_contain_text("Who took it in can neither ask nor agree: ana.")
    dialog.get_by_label("Reason").fill("all periods are over")
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Ask for disposal").click()
    expect(disposal.get_by_text("waits for a second person")).to_be_visible()
    expect(disposal.get_by_role("button", name="Agree")).to_be_disabled()
    omar.goto("/cases/quay/custody?view=keeping")
    omar.get_by_role("button", name="Agree").click()
    second = omar.get_by_role("dialog")
    expect(second).to_contain_text("3 exhibits of case quay")
    second.get_by_role("checkbox").check()
    second.get_by_role("button", name="Dispose of it").click()
    expect(omar.get_by_text("carried out", exact=True)).to_be_visible(timeout=LONG)
    omar.goto("/cases/quay/custody")
    expect(omar.get_by_role("grid", name="Exhibits")).to_contain_text("disposed")


def test_all_cases_for_administrators_and_for_others(page: Page, carla: Page) -> None:
    page.goto("/custody")
    expect(page.get_by_role("region", name="Cases")).to_contain_text("harbour")
    expect(page.get_by_role("heading", name="What happened to the installation")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="signed in").first).to_be_visible()
    carla.goto("/custody")
    expect(carla.get_by_role("region", name="Cases")).to_contain_text("quay")
    expect(carla.get_by_role("region", name="Cases")).not_to_contain_text("harbour")
    expect(carla.get_by_role("heading", name="What happened to the installation")).to_have_count(0)
