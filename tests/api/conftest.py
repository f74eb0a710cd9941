# SPDX-License-Identifier: Apache-2.0
"""The real application over a real state file, served on loopback and asked over HTTP."""

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from locard.api.app import create
from locard.api.page import Page
from locard.api.serve import bound, server
from locard.model.errors import Missing
from locard.model.event import Event
from locard.state import investigations, sessions, users
from locard.state.database import State, open_state

PASSWORD = "correct horse battery staple"


class Cases:
    """A desk over the state alone: cases are real, events are known by id."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.ids = {"one": {f"{n:032x}" for n in range(10)}, "two": {"f" * 32}}

    def case(self, name: str) -> object:
        with self.state.session() as s:
            row = s.get(investigations.CaseRow, name)
        if row is None:
            raise Missing(f"There is no case {name}.")
        return row

    def known(self, case: str, ids: Collection[str]) -> set[str]:
        return self.ids[case] & set(ids)

    def event(self, case: str, event: str) -> Event:
        if event not in self.ids[case]:
            raise Missing("no event")
        return Event(event, case, 0, {}, {}, b"")


@dataclass
class Api:
    """A served application and how to reach it."""

    url: str
    state: State
    app: Any

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"X-Locard": "1", **headers})

    def signed_in(self, username: str = "ada") -> httpx.Client:
        with self.state.session() as s:
            secret = sessions.start(s, username, "127.0.0.1")
        client = self.client()
        client.cookies.set("locard_session", secret)
        return client


@contextmanager
def served(app: Any) -> Iterator[str]:
    listening = bound("127.0.0.1", 0)
    running = server(app)
    thread = threading.Thread(target=running.run, args=([listening],))
    thread.start()
    while not running.started:
        time.sleep(0.005)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    running.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    state = open_state(tmp_path_factory.mktemp("home") / "state.sqlite")
    with state.session() as s:
        users.create(s, "ada", name="Ada Lovelace", role=users.Role.ADMIN, password=PASSWORD)
        users.create(s, "bob", password=PASSWORD)
        for name in ("one", "two"):
            s.add(investigations.CaseRow(name=name, title="", created=0, created_by="ada"))
    yield state
    state.close()


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("web")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Locard</title>")
    (folder / "assets" / "index-abc.js").write_text("export const one = 1;\n" * 200)
    (folder.parent / "secret.txt").write_text("secret")
    return folder


@pytest.fixture(scope="session")
def api(state: State, page: Path) -> Iterator[Api]:
    app = create(Cases(state), state, page=Page(page))

    def breaks() -> None:
        raise RuntimeError("inner detail")

    app.add_api_route("/api/breaks", breaks)
    app.router.routes.insert(0, app.router.routes.pop())
    with served(app) as url:
        yield Api(url, state, app)


@pytest.fixture
def ada(api: Api) -> Iterator[httpx.Client]:
    with api.signed_in("ada") as client:
        yield client


@pytest.fixture
def bob(api: Api) -> Iterator[httpx.Client]:
    with api.signed_in("bob") as client:
        yield client
