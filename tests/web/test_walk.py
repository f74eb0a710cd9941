# SPDX-License-Identifier: Apache-2.0
"""A new user's walk through the page, from the sign-in link to the export, in one sitting."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.web.conftest import LONG, Held, Served, preferences_kept, trail, window
from tests.web.test_page import bars, exported, first_rows, search, total

pytestmark = pytest.mark.browser

EVENTS = 6300
CASE = "walk"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, served: Served) -> Iterator[Served]:
    """A server of its own, with a link that nobody used yet; its page is that of `served`."""
    running = Served(tmp_path_factory.mktemp("walk") / "home")
    yield running
    running.stop()


@pytest.fixture
def stranger(server: Served, browser: Browser) -> Iterator[Page]:
    """Somebody who has never been here, in a window that must not say anything wrong."""
    wrong: list[str] = []
    with window(browser, server.address, width=1440) as made:
        page = made.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        yield page
    assert wrong == []


def big_trail() -> str:
    """Fifteen times the small trail, each with ids and a minute of its own."""
    lines = []
    for turn in range(15):
        for line in trail().splitlines():
            record = json.loads(line)
            record["eventID"] = f"{turn:08}{record['eventID'][8:]}"
            record["eventTime"] = record["eventTime"].replace(
                "2026-03-0", f"2026-{turn % 9 + 1:02}-1"
            )
            lines.append(json.dumps(record))
    return "\n".join(lines) + "\n"


def signed_in(page: Page, server: Served) -> None:
    """Ask for a page, be sent to sign in, follow the link, and stand on the page asked for."""
    page.goto("/settings?from=bookmark")
    page.wait_for_url("**/sign-in?next=*")
    page.goto(server.link)
    page.wait_for_url("**/settings?from=bookmark")
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    assert "#" not in page.url


def evidence_added(page: Page, tmp_path: Path) -> None:
    """Make a case, upload a file, and see its progress without loading the page again."""
    page.goto("/cases")
    page.get_by_role("button", name="Make the first case").click()
    page.get_by_label("Name").fill(CASE)
    page.get_by_label("Title").fill("What the new user sees")
    page.get_by_role("button", name="Make the case").click()
    page.get_by_text("No evidence yet").wait_for()
    file = tmp_path / "trail.jsonl"
    file.write_text(big_trail(), encoding="utf-8")
    held = Held(page, re.compile(r"/evidence\?name="))
    page.locator("input[type=file][multiple]").set_input_files(file)
    held.first()
    page.get_by_role("progressbar").first.wait_for()
    held.let_go()
    row = page.get_by_role("row", name=re.compile(r"trail\.jsonl"))
    expect(row).to_contain_text("parsed", timeout=LONG)
    expect(row).to_contain_text(f"{EVENTS:,}")
    page.get_by_role("link", name="Timeline").click()
    total(page, EVENTS)
    first_rows(page)


def searched(page: Page) -> None:
    """Complete a field and a value, make a mistake, see where it is, and mend it."""
    page.keyboard.press("/")
    page.keyboard.type("act")
    page.get_by_role("option", name="actor").first.wait_for()
    page.keyboard.type("ion")
    page.get_by_role("option", name=re.compile("^action ")).click()
    page.keyboard.type("Get")
    page.get_by_role("option", name="GetObject").click()
    query = page.get_by_role("combobox", name="Query")
    expect(query).to_have_value("action:GetObject ")
    page.keyboard.type("AND attributes.userA")
    page.get_by_role("option", name="attributes.userAgent").click()
    expect(query).to_have_value("action:GetObject AND attributes.userAgent:")
    search(page, "action:GetObject AND outcom:failure")
    expect(page.get_by_role("heading", name="This query cannot be understood")).to_be_visible()
    wrong = "".join(page.locator("[data-kind][data-wrong]").all_inner_texts())
    assert wrong.rstrip(":") == "outcom"
    page.get_by_role("button", name="Use outcome").click()
    page.keyboard.press("Enter")
    total(page, EVENTS // 21)
    search(page, "attributes.useragnt:curl")
    total(page, 0)
    expect(page.get_by_text("Did you mean attributes.userAgent?")).to_be_visible()
    page.get_by_role("button", name="Show everything").click()
    total(page, EVENTS)


def narrowed(page: Page) -> None:
    """Click a facet, brush the histogram, and come back."""
    facets = page.get_by_label("Facets")
    facets.get_by_role("button", name=re.compile("^failure")).click()
    total(page, EVENTS // 7)
    box = bars(page)
    page.mouse.move(box["x"] + 4, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20, steps=5)
    page.mouse.up()
    page.wait_for_url(re.compile("from=.*to="))
    expect(page.locator("strong[aria-live]")).not_to_have_text(f"{EVENTS // 7} events")
    page.get_by_role("button", name="Whole span").click()
    total(page, EVENTS // 7)


def followed(page: Page) -> Locator:
    """Open an event and follow its actor, its address and what is around it."""
    first_rows(page)
    page.locator("#row-2").click()
    drawer = page.get_by_role("complementary", name="Event")
    drawer.get_by_role("button", name="This actor").click()
    total(page, EVENTS // 7)
    drawer.get_by_role("button", name="This address").click()
    expect(page.locator("[data-not], [title='Turn into its opposite']").first).to_be_visible()
    expect(page.locator("strong[aria-live]")).not_to_have_text(f"{EVENTS // 7} events")
    drawer.get_by_role("button", name="± 5 minutes").click()
    expect(page.get_by_role("button", name="Take the range away")).to_be_visible()
    page.goto(f"/cases/{CASE}/timeline?q=outcome%3Afailure")
    total(page, EVENTS // 7)
    first_rows(page)
    page.locator("#row-0").click()
    return drawer


def marked_and_proved(page: Page, drawer: Locator) -> None:
    """Star, tag, comment and prove the open event."""
    page.keyboard.press("s")
    star = page.locator("#row-0").get_by_role("button", name="Star")
    expect(star).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("t")
    page.get_by_label("Tag", exact=True).fill("refused")
    page.keyboard.press("Enter")
    expect(drawer).to_contain_text("refused")
    drawer.get_by_label("Comment", exact=True).fill("Somebody tries doors.")
    drawer.get_by_role("button", name="Comment", exact=True).click()
    expect(drawer.get_by_text("Somebody tries doors.")).to_be_visible()
    drawer.get_by_role("button", name="Prove").click()
    expect(drawer.get_by_text("Proved: this row is what the evidence says.")).to_be_visible()
    steps = drawer.locator("li[data-passed=true]")
    for step in ("Row", "Custody entry", "Stored bytes", "Parser"):
        expect(steps.filter(has_text=step).first).to_be_visible()
    assert drawer.locator("li[data-passed=false]").count() == 0


def kept(page: Page, tmp_path: Path) -> None:
    """Save the search and take the rows away as CSV."""
    page.get_by_role("button", name="Saved").click()
    page.get_by_label("Name of this search").fill("refused doors")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Delete refused doors")).to_be_visible()
    page.keyboard.press("Escape")
    rows = exported(page, tmp_path)
    assert len(rows) == EVENTS // 7
    assert {row["actor"].rpartition("/")[2] for row in rows} == {"mallory"}


def arranged(page: Page) -> None:
    """Choose a column and a time zone, read in the dark, and move by keys alone."""
    page.goto(f"/cases/{CASE}/timeline")
    first_rows(page)
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="region").check()
    page.keyboard.press("Escape")
    expect(page.get_by_role("columnheader", name="region")).to_be_visible()
    page.goto("/settings")
    page.get_by_role("combobox", name="Time zone").fill("Tokyo")
    page.get_by_role("option", name="Asia/Tokyo").click()
    with page.expect_response(preferences_kept):
        page.get_by_text("Dark", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    page.goto(f"/cases/{CASE}/timeline")
    first_rows(page)
    expect(page.get_by_role("columnheader", name="Asia/Tokyo")).to_be_visible()
    expect(page.get_by_role("columnheader", name="region")).to_be_visible()
    grid = page.get_by_role("grid", name="Events")
    for key in ("j", "j", "k"):
        page.keyboard.press(key)
    expect(grid).to_have_attribute("aria-activedescendant", "row-1")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")


def test_a_new_user_walks_from_the_link_to_the_export(
    stranger: Page, server: Served, tmp_path: Path
) -> None:
    signed_in(stranger, server)
    evidence_added(stranger, tmp_path)
    searched(stranger)
    narrowed(stranger)
    drawer = followed(stranger)
    marked_and_proved(stranger, drawer)
    kept(stranger, tmp_path)
    arranged(stranger)
