# SPDX-License-Identifier: Apache-2.0
"""A row whose evidence was changed by hand, proved in the page: what failed is said first."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.waiting import PATIENCE
from tests.web.conftest import Served, trail, window
from tests.web.test_page import TIMELINE, first_rows

pytestmark = pytest.mark.browser


def test_a_changed_byte_is_said_before_the_steps_that_passed(
    browser: Browser, served: Served, tmp_path: Path
) -> None:
    """`served` has the page built; the evidence that is changed is in a home of its own."""
    home = tmp_path / "home"
    (tmp_path / "trail.jsonl").write_text(trail(), encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "locard.cli.main", "add", "harbour", tmp_path / "trail.jsonl"],
        env=os.environ | {"LOCARD_HOME": str(home), "LOCARD_WORKERS": "1"},
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )
    [stored] = [path for path in (home / "vault" / "objects").rglob("*") if path.is_file()]
    content = bytearray(stored.read_bytes())
    content[100] ^= 1
    stored.chmod(0o600)
    stored.write_bytes(content)
    running = Served(home)
    try:
        with window(browser, running.address) as made:
            page = made.new_page()
            page.goto(running.link)
            page.wait_for_url("**/cases")
            page.goto(TIMELINE)
            first_rows(page)
            page.keyboard.press("p")
            told = page.get_by_role("status").filter(has_text="Not proved")
            expect(told.locator("strong")).to_have_text("Not proved: stored bytes")
            expect(told.locator("p")).to_contain_text("were changed: the bytes now hash to")
            expect(told.get_by_label("failed")).to_have_count(1)
    finally:
        running.stop()


def test_the_custody_entry_of_a_row_leads_to_the_life_of_its_exhibit(page: Page) -> None:
    page.goto("/cases/harbour/timeline")
    page.locator("#row-3 [role=gridcell]").last.click()
    drawer = page.get_by_role("complementary", name="Event")
    entry = drawer.get_by_role("link", name=re.compile(r"^entry #\d+$"))
    evidence = drawer.locator("dd").filter(has_text=re.compile("^[0-9a-f]{64}$")).inner_text()
    entry.click()
    page.wait_for_url(f"**/custody?id={evidence}")
    expect(page.get_by_role("heading", name="trail.jsonl").first).to_be_visible()
