# SPDX-License-Identifier: Apache-2.0
"""A request whose sender goes takes its query in the store with it."""

import socket
import threading

import httpx
from fastapi import Request

from locard.api.app import create
from locard.api.page import Page
from locard.cases.desk import Desk
from locard.timeline import Unwanted
from tests.api.conftest import Api, served
from tests.waiting import PATIENCE

ENDLESS = "SELECT count() AS n FROM system.numbers WHERE NOT ignore(number)"


def test_a_sender_who_goes_ends_the_query(desk: Desk, api: Api) -> None:
    app = create(desk, desk.state, page=Page(api.app.state.page.folder))
    begun, ended = threading.Event(), threading.Event()

    def endless(request: Request) -> None:
        begun.set()
        try:
            desk.timeline._client.table(ENDLESS)
        except Unwanted:
            ended.set()
            raise

    app.add_api_route("/api/endless", endless)
    app.router.routes.insert(0, app.router.routes.pop())
    with served(app) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as sender:
            sender.sendall(b"GET /api/endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert begun.wait(PATIENCE)
        assert ended.wait(PATIENCE), "the query went on although nobody waited"
        assert httpx.get(f"{url}/api/session", timeout=60).status_code == 401
