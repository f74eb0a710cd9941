# SPDX-License-Identifier: Apache-2.0
"""Values and names that hold what is syntax elsewhere, and a query too long for an address."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.waiting import PATIENCE
from tests.web.conftest import EVENTS, Served
from tests.web.test_page import total

pytestmark = pytest.mark.browser

TIMELINE = "/cases/harbour/timeline?order=desc"


def test_a_query_that_is_too_long_does_not_get_into_the_address(page: Page):
    page.goto(TIMELINE)
    query = page.get_by_role("combobox", name="Query")
    query.fill("x" * 10_001)
    query.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("A query has at most 10,000 characters.")
    assert "q=" not in page.url
    query.fill("x" * 10_000)
    expect(page.get_by_role("alert")).to_have_count(0)
    query.press("Enter")
    page.wait_for_url(re.compile("q=x"))
    answer = page.reload()
    assert answer and answer.status == 200
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()


def test_a_value_is_completed_behind_colons_of_its_own(page: Page):
    page.goto("/cases/harbour/timeline")
    total(page, EVENTS)
    page.keyboard.press("/")
    page.keyboard.insert_text("actor:arn:aws:iam::111122223333:user/ma")
    value = page.get_by_role("option", name="user/mallory")
    value.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    query = page.get_by_role("combobox", name="Query")
    expect(query).to_have_value('actor:"arn:aws:iam::111122223333:user/mallory" ')
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    total(page, EVENTS // 7)


def test_fields_are_completed_where_a_value_in_them_is_asked_for(page: Page):
    page.goto("/cases/harbour/timeline")
    total(page, EVENTS)
    page.keyboard.press("/")
    query = page.get_by_role("combobox", name="Query")
    for typed, offered, completed in (
        ("_exi", "_exists_", "_exists_:"),
        ("err", "error", "_exists_:error "),
        ("AND starred:f", "false", "_exists_:error AND starred:false "),
        ("AND _exists_:attributes.userA", "attributes.userAgent", ""),
    ):
        page.keyboard.insert_text(typed)
        page.get_by_role("option", name=offered).first.wait_for()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        if completed:
            expect(query).to_have_value(completed)
    expect(query).to_have_value(re.compile(r"_exists_:attributes\.userAgent $"))
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    total(page, EVENTS // 7)


def test_an_attribute_of_any_name_is_included_and_excluded(
    page: Page, served: Served, tmp_path: Path
):
    table = tmp_path / "proxy.csv"
    rows = [f"2026-02-0{day}T00:00:00+00:00,Seen,day {day},agent {day % 2}" for day in range(1, 6)]
    head = "datetime,timestamp_desc,message,cs(User-Agent): as sent"
    table.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "locard.cli.main", "add", "proxy", table],
        env=os.environ | {"LOCARD_HOME": str(served.home), "LOCARD_WORKERS": "1"},
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )
    page.goto("/cases/proxy/timeline")
    total(page, 5)
    page.locator("#row-0 [role=gridcell]").last.click()
    line = page.get_by_role("complementary", name="Event").locator(
        "div:has(> [title^='attributes.cs'])"
    )
    line.hover()
    line.get_by_role("button", name="Include").click()
    total(page, 3)
    page.reload()
    total(page, 3)
    page.get_by_title("Turn into its opposite").click()
    total(page, 2)
