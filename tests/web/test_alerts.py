# SPDX-License-Identifier: Apache-2.0
"""Alerts in the page: however many there are, the last of them can be reached."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import delete

from locard.state.alerts import AlertRow
from locard.state.database import open_state
from tests.web.conftest import Served

pytestmark = pytest.mark.browser
MINUTE = 60_000_000_000


@pytest.fixture
def storm(served: Served) -> Iterator[int]:
    """So many alerts of the case, each a minute older than the one before."""
    count, now = 230, time.time_ns()
    state = open_state(served.home / "state.sqlite")
    with state.session() as session:
        session.add_all(
            AlertRow(
                id=f"a-{number:04x}", case="harbour", placed="", source="wiz", original="",
                kind="Exposed", severity="high", title=f"Exposed host {number}", account="",
                region="", by="webhook", door="webhook", time=now - number * MINUTE,
                first=now - number * MINUTE, last=now - number * MINUTE,
            )
            for number in range(count)
        )  # fmt: skip
    yield count
    with state.session() as session:
        session.execute(delete(AlertRow))
    state.close()


def test_older_alerts_are_shown_until_there_are_none(page: Page, storm: int) -> None:
    page.goto("/respond?view=alerts")
    expect(page.get_by_text(f"{storm} alerts")).to_be_visible()
    expect(page.get_by_role("link", name="Exposed host")).to_have_count(100)
    older = page.get_by_role("button", name="Show older ones")
    older.click()
    expect(page.get_by_role("link", name="Exposed host")).to_have_count(200)
    older.click()
    expect(page.get_by_role("link", name="Exposed host")).to_have_count(storm)
    expect(older).to_have_count(0)
    expect(page.get_by_role("link", name=f"Exposed host {storm - 1}", exact=True)).to_be_visible()
