# SPDX-License-Identifier: Apache-2.0
"""The real application over a real desk, served on loopback and asked over HTTP.

All tests share one desk, in any order: its cases `one` and `two` are for reading, and whatever adds
to a case or takes from it has a `case` of its own.
"""

import socket
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from locard.api.app import create
from locard.api.page import Page
from locard.api.serve import server
from locard.cases.desk import Desk
from locard.model.access import Role
from locard.model.custody import Hand
from locard.settings import Settings
from locard.state import sessions
from locard.state.database import State
from tests.cases.trails import trail
from tests.conftest import stop_store
from tests.waiting import PATIENCE, eventually

PASSWORD = "correct horse battery staple"


@dataclass
class Api:
    """A served application and how to reach it."""

    url: str
    desk: Desk
    app: FastAPI

    @property
    def state(self) -> State:
        return self.desk.state

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"X-Locard": "1", **headers}, timeout=60)

    def signed_in(self, username: str = "ada") -> httpx.Client:
        with self.state.session() as s:
            secret = sessions.start(s, username, "127.0.0.1")
        client = self.client()
        client.cookies.set("locard_session", secret)
        return client


@contextmanager
def served(app: FastAPI, listening: socket.socket | None = None) -> Iterator[str]:
    listening = listening or socket.create_server(("127.0.0.1", 0))
    running = server(app)
    thread = threading.Thread(target=running.run, args=([listening],), daemon=True)
    thread.start()
    try:
        eventually(lambda: running.started, "the server does not begin")
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(PATIENCE)
        listening.close()


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with people and two cases: `one` of 100 events in two places, `two` of 5 others."""
    folder = tmp_path_factory.mktemp("api")
    desk = Desk(Settings(home=folder / "home", workers=2))
    try:
        _fill(desk, folder)
        yield desk
        desk.wait()
        desk.timeline.close()
    finally:
        desk.close()
        stop_store(folder / "home")


def _fill(desk: Desk, folder: Path) -> None:
    people, by = desk.people, Hand("tests")
    people.add_user("ada", name="Ada Lovelace", role=Role.ADMINISTRATOR, password=PASSWORD, by=by)
    people.add_user("bob", role=Role.ANALYST, password=PASSWORD, by=by)
    trail(folder / "in" / "a.json.gz", range(60))
    trail(folder / "inside.json", range(40, 100))
    with zipfile.ZipFile(folder / "in" / "b.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(folder / "inside.json", "logs/b.json")
    (folder / "in" / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    trail(folder / "other.json", range(1000, 1005), eventName="StopLogging")
    desk.create("one", "The first", who="ana")
    desk.add("one", [folder / "in"], who="ana")
    desk.create("two", who="ana")
    desk.add("two", [folder / "other.json"], who="ana")


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("web")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Locard</title>")
    (folder / "assets" / "index-abc.js").write_text("export const one = 1;\n" * 200)
    (folder.parent / "secret.txt").write_text("secret")
    return folder


@pytest.fixture(scope="session")
def api(desk: Desk, page: Path) -> Iterator[Api]:
    app = create(desk, desk.state, page=Page(page))

    def breaks() -> None:
        raise RuntimeError("inner detail")

    app.add_api_route("/api/breaks", breaks)
    app.router.routes.insert(0, app.router.routes.pop())
    with served(app) as url:
        yield Api(url, desk, app)


NUMBERS = count(1)


@pytest.fixture
def case(api: Api) -> str:
    """A case of the test's own, `own-1`, `own-2`, ..., without evidence."""
    name = f"own-{next(NUMBERS)}"
    api.desk.create(name, who="ana")
    return name


@pytest.fixture
def ada(api: Api) -> Iterator[httpx.Client]:
    with api.signed_in("ada") as client:
        yield client


@pytest.fixture
def bob(api: Api) -> Iterator[httpx.Client]:
    with api.signed_in("bob") as client:
        yield client
