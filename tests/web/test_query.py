# SPDX-License-Identifier: Apache-2.0
"""A query that is too long for an address is refused where it is typed."""

import re

import pytest
from playwright.sync_api import Page, expect

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
