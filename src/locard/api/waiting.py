# SPDX-License-Identifier: Apache-2.0
"""Ends the queries of a request whose sender has gone.

A page cancels what it has overtaken: the search before the last keystroke, rows that were scrolled
past. The connection closes, but the thread that asks the store would not notice by itself.
"""

import asyncio
import logging
from contextlib import suppress

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from locard.api.door import Door
from locard.model.errors import Error
from locard.timeline import Asking, asking

log = logging.getLogger("locard.api")

AGAIN = 0.25
"""Seconds between two orders to end: a query may reach the store just behind the first one."""


class Waiting:
    """A layer of the application. Requests that carry a body are passed through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and end its queries when its sender goes before the answer."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        messages: asyncio.Queue[Message] = asyncio.Queue()
        with asking() as asked:
            watch = asyncio.create_task(_watch(scope, receive, messages, asked))
            try:
                await self.app(scope, messages.get, send)
            finally:
                watch.cancel()
                with suppress(asyncio.CancelledError):
                    await watch


async def _watch(
    scope: Scope, receive: Receive, messages: asyncio.Queue[Message], asked: Asking
) -> None:
    """Hand on what is received; once the sender has gone, end what is asked until we are ended."""
    while True:
        message = await receive()
        messages.put_nowait(message)
        if message["type"] == "http.disconnect":
            break
    door = scope["app"].state.door
    assert isinstance(door, Door)
    while True:
        try:
            await run_in_threadpool(door.desk.timeline.end, asked)
        except Error as error:
            log.warning("a query that nobody waits for goes on: %s", error.message)
        await asyncio.sleep(AGAIN)
