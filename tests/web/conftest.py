# SPDX-License-Identifier: Apache-2.0
"""A served Locard with a small case of our own, and headless Chromium before it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Response,
    Route,
    expect,
    sync_playwright,
)

from tests.conftest import ROOT, stop_store
from tests.waiting import PATIENCE, said

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = "<img src=x onerror=\"document.title='owned'\">\u202egpj.exe\x1b[2J"
EVENTS = 420
SLOW = 60_000
"""Milliseconds that a page may take on a slow machine."""
LONG = 180_000
"""Milliseconds for what the server does in a process of its own."""
expect.set_options(timeout=SLOW)


def trail() -> str:
    """CloudTrail as JSON lines: one actor fails a lot, one writes what attackers write."""
    lines = []
    for number in range(EVENTS):
        failed = number % 7 == 0
        record: dict[str, object] = {
            "eventVersion": "1.09",
            "eventTime": f"2026-03-0{1 + number // 100}T{number % 24:02}:{number % 60:02}:00Z",
            "eventSource": "s3.amazonaws.com",
            "eventName": ("GetObject", "ListBuckets", "PutObject")[number % 3],
            "awsRegion": "eu-central-1",
            "sourceIPAddress": f"203.0.113.{number % 9 + 1}",
            "userAgent": HOSTILE if number == 5 else "aws-cli/2.15",
            "userIdentity": {
                "type": "IAMUser",
                "userName": "mallory" if failed else "alice",
                "arn": f"arn:aws:iam::111122223333:user/{'mallory' if failed else 'alice'}",
            },
            "requestParameters": {"bucketName": HOSTILE if number == 5 else "reports"},
            "eventID": f"00000000-0000-4000-8000-{number:012}",
            "eventType": "AwsApiCall",
            "recipientAccountId": "111122223333",
        }
        if failed:
            record["errorCode"] = "AccessDenied"
        lines.append(json.dumps(record))
    return "\n".join(lines) + "\n"


class Held:
    """Requests that are kept from the server until the test lets them go."""

    def __init__(self, page: Page, where: str | re.Pattern[str]) -> None:
        self.page, self.where = page, where
        self.routes: list[Route] = []
        self.open = False
        page.route(where, self._routed)

    def _routed(self, route: Route) -> None:
        if self.open:
            route.continue_()
        else:
            self.routes.append(route)

    def let_go(self) -> None:
        """Let them all go, and those that come."""
        self.open = True
        for route in self.routes:
            route.continue_()

    def first(self) -> Route:
        """The first of them, as soon as the page has asked."""
        until = time.monotonic() + PATIENCE
        while not self.routes:
            assert time.monotonic() < until, f"nothing was asked of {self.where}"
            self.page.wait_for_timeout(20)
        return self.routes[0]


def preferences_kept(response: Response) -> bool:
    """Whether the server has just taken what somebody chose."""
    return response.request.method == "PUT" and response.url.endswith("/users/me/preferences")


class Served:
    """A running `locard serve`."""

    def __init__(
        self, home: Path, *, port: int = 0, settings: dict[str, str] | None = None
    ) -> None:
        self.home = home
        self.environment = os.environ | {"LOCARD_HOME": str(home), "LOCARD_WORKERS": "1"}
        self.environment |= settings or {}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "locard.cli.main", "serve", "--port", str(port)],
            env=self.environment | {"PYTHONUNBUFFERED": "1", "COLUMNS": "400"},
            stdout=subprocess.PIPE,
            text=True,
        )
        text = said(self.process, "Sign in once with")
        found = re.search(r"(http://[^/\s]+)(/sign-in\S*)", text)
        assert found, text
        self.address, self.link = found[1], found[1] + found[2]

    def stop(self) -> None:
        """End the server and its store."""
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=PATIENCE)
        stop_store(self.home)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Locard with the case `harbour` of 420 events."""
    assert (ROOT / "src/locard/web/index.html").exists(), "The page is not built: make install"
    folder = tmp_path_factory.mktemp("served")
    home = folder / "home"
    (folder / "trail.jsonl").write_text(trail(), encoding="utf-8")
    environment = os.environ | {"LOCARD_HOME": str(home), "LOCARD_WORKERS": "1"}
    subprocess.run(
        [sys.executable, "-m", "locard.cli.main", "add", "harbour", folder / "trail.jsonl"],
        env=environment,
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )
    running = Served(home)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium of the machine."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no Chromium on this machine: make test installs it")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        yield chromium
        chromium.close()


@contextmanager
def window(
    browser: Browser, address: str, *, cookies: Path | None = None, width: int = 1280
) -> Iterator[BrowserContext]:
    """A browser window that waits as long as a slow machine needs, gone at the end."""
    made = browser.new_context(
        base_url=address,
        storage_state=cookies,
        viewport={"width": width, "height": 800},
        color_scheme="light",
        reduced_motion="reduce",
    )
    made.set_default_timeout(SLOW)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def signed_in(served: Served, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cookies of somebody who came in by the one-time link."""
    kept = tmp_path_factory.mktemp("cookies") / "state.json"
    with window(browser, served.address) as stranger:
        page = stranger.new_page()
        page.goto(served.link)
        page.wait_for_url("**/cases")
        stranger.storage_state(path=kept)
    return kept


@pytest.fixture
def context(served: Served, browser: Browser, signed_in: Path) -> Iterator[BrowserContext]:
    """A signed-in browser window of the test's own."""
    with window(browser, served.address, cookies=signed_in) as made:
        yield made


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that must not say anything wrong on its console."""
    wrong: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda message: wrong.append(message.text) if message.type == "error" else None,
    )
    yield page
    assert wrong == []
