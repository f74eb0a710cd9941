# SPDX-License-Identifier: Apache-2.0
"""What an address says to a colleague, and what is done with many rows at once."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.conftest import EVENTS, preferences_kept
from tests.web.test_page import TIMELINE, first_rows, total

pytestmark = pytest.mark.browser

DAY = "time:2026-03-01"
IN_UTC = 100
"""Events of that day, the first of all; the same day of Tokyo begins before and has fewer."""


def zone_shown(page: Page, zone: str) -> None:
    expect(page.get_by_role("columnheader", name=re.compile("time"))).to_contain_text(zone)


def zone_in_address(page: Page) -> list[str]:
    return parse_qs(urlsplit(page.url).query).get("zone", [])


def test_a_link_shows_the_same_rows_in_the_zone_of_whoever_sent_it(
    page: Page, context: BrowserContext
) -> None:
    page.goto(f"{TIMELINE}?q={DAY}")
    total(page, IN_UTC)
    page.get_by_role("button", name="Time (UTC)", exact=True).click()
    page.get_by_role("combobox", name="Times are read and shown in").fill("Tokyo")
    page.get_by_role("option", name="Asia/Tokyo").click()
    zone_shown(page, "Asia/Tokyo")
    page.keyboard.press("Escape")
    there = page.locator("strong[aria-live]")
    expect(there).not_to_have_text(f"{IN_UTC} events")
    page.wait_for_url(re.compile("zone=Asia"))
    in_tokyo, link = there.inner_text(), page.url
    assert zone_in_address(page) == ["Asia/Tokyo"]

    page.get_by_role("button", name="Time (Asia/Tokyo)", exact=True).click()
    page.get_by_role("combobox", name="Times are read and shown in").fill("UTC")
    page.get_by_role("option", name="UTC", exact=True).click()
    zone_shown(page, "UTC")
    total(page, IN_UTC)
    expect(page).not_to_have_url(re.compile("zone="))

    colleague = context.new_page()
    colleague.goto(link)
    zone_shown(colleague, "Asia/Tokyo")
    expect(colleague.locator("strong[aria-live]")).to_have_text(in_tokyo)
    colleague.get_by_role("link", name="Overview").click()
    colleague.get_by_role("link", name="Timeline").click()
    zone_shown(colleague, "UTC")


def test_zooming_out_holds_what_was_chosen(page: Page) -> None:
    chosen = "from=2026-03-01T00:00:00.000Z&to=2026-03-01T00:00:59.999Z"
    page.goto(f"{TIMELINE}?{chosen}")
    total(page, 1)
    page.get_by_role("button", name="Zoom out").click()
    page.wait_for_url(re.compile("from=2026-02-28T23"))
    said = parse_qs(urlsplit(page.url).query)
    assert said["to"] == ["2026-03-01T00:01:29.999Z"]


def test_a_range_is_marked_with_the_rows_that_nobody_scrolled_to(page: Page) -> None:
    page.goto(TIMELINE)
    first_rows(page)
    page.keyboard.press("x")
    page.keyboard.press("End")
    page.locator(f"#row-{EVENTS - 1} [role=gridcell]").first.wait_for()
    page.keyboard.press("Shift+X")
    marked = page.get_by_role("toolbar", name="Marked rows")
    expect(marked).to_contain_text(f"{EVENTS} marked")


def test_a_mistake_behind_an_emoji_is_mended_where_it_stands(page: Page) -> None:
    page.goto(TIMELINE)
    first_rows(page)
    page.get_by_role("combobox", name="Query").fill("😀😀 OR acton:GetObject")
    page.get_by_role("button", name="Use action").dispatch_event("mousedown")
    expect(page.get_by_role("combobox", name="Query")).to_have_value("😀😀 OR action:GetObject")
    page.get_by_role("combobox", name="Query").press("Enter")
    total(page, EVENTS // 3)


def test_a_pivot_stands_where_the_event_is_among_the_others(page: Page) -> None:
    page.goto(f"{TIMELINE}?q=actor:*alice&row=250")
    page.locator("#row-249 [role=gridcell]").first.wait_for()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("complementary")
    for button in ("This actor", "± 5 minutes"):
        drawer.get_by_role("button", name=button).click()
        expect(page.locator("[role=row][data-open]")).to_be_in_viewport()
        expect(page.locator("[role=row][data-cursor]")).to_be_in_viewport()
    assert "row" in parse_qs(urlsplit(page.url).query)


def test_what_is_chosen_in_two_windows_holds_in_both(page: Page, context: BrowserContext) -> None:
    other = context.new_page()
    for window in (page, other):
        window.goto("/settings")
        expect(window.get_by_role("radio", name="Compact")).to_be_checked()
    with page.expect_response(preferences_kept):
        page.get_by_text("Comfortable", exact=True).click()
    with other.expect_response(preferences_kept):
        other.get_by_text("Dark", exact=True).click()
    page.reload()
    try:
        expect(page.get_by_role("radio", name="Dark")).to_be_checked()
        expect(page.get_by_role("radio", name="Comfortable")).to_be_checked()
    finally:
        with page.expect_response(preferences_kept):
            page.get_by_text("As the system", exact=True).click()
            page.get_by_text("Compact", exact=True).click()
