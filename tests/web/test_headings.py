# SPDX-License-Identifier: Apache-2.0
"""Headings as a screen reader walks them: a page begins with its only first, none skips a level."""

from itertools import pairwise

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.web.conftest import Served, window

pytestmark = pytest.mark.browser

LEVELS = """() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6, [role=heading]')]
    .filter(one => one.checkVisibility())
    .map(one => Number(one.getAttribute('aria-level') ?? one.tagName.slice(1)))"""
CASE = "/cases/harbour"
PAGES = (
    "/cases", CASE, f"{CASE}/timeline", f"{CASE}/timeline?q=nowhere",
    f"{CASE}/evidence", f"{CASE}/custody", f"{CASE}/respond", f"{CASE}/people",
    "/respond", "/custody", "/settings", "/settings/people", "/no-such-page",
)  # fmt: skip


def in_order(page: Page) -> None:
    """Assert it of what is shown."""
    page.wait_for_load_state("networkidle")
    expect(page.locator("h1").first).to_be_visible()
    levels = page.evaluate(LEVELS)
    assert levels[0] == 1, (page.url, levels)
    assert levels.count(1) == 1, (page.url, levels)
    for before, after in pairwise(levels):
        assert after <= before + 1, (page.url, levels)


def test_no_page_skips_a_level(page: Page):
    for address in PAGES:
        page.goto(address)
        in_order(page)


def test_a_case_that_there_is_not_has_its_heading(context: BrowserContext):
    page = context.new_page()
    page.goto("/cases/none")
    in_order(page)


def test_no_drawer_skips_a_level(page: Page):
    page.goto(f"{CASE}/timeline")
    page.locator("#row-1").click()
    drawer = page.get_by_role("complementary", name="Event")
    expect(drawer.get_by_role("heading", name="Raw record")).to_be_visible()
    in_order(page)
    page.set_viewport_size({"width": 2560, "height": 1440})
    expect(page.get_by_role("complementary", name="Facets")).to_be_visible()
    in_order(page)
    page.goto(f"{CASE}/evidence")
    page.get_by_role("row", name="trail.jsonl").click()
    expect(page.get_by_label("Piece of evidence")).to_contain_text("SHA-256")
    in_order(page)


def test_the_sign_in_page_has_its_heading(served: Served, browser: Browser):
    with window(browser, served.address) as stranger:
        page = stranger.new_page()
        page.goto("/sign-in")
        in_order(page)
