# SPDX-License-Identifier: Apache-2.0
"""What holds for every request: a known host, an id, safe headers, and no inner error shown."""

import logging
import re
import secrets
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from locard.api.problems import problem

log = logging.getLogger("locard.api")

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""The host names under which a server on this machine is reached."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""Nothing is loaded from elsewhere, and no text of the evidence can become a script."""

_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_OVER_TLS = {"strict-transport-security": "max-age=31536000"}
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::\d{1,5})?", re.IGNORECASE)


class Guard:
    """The outermost layer of the application.

    The host name is checked because a page elsewhere can have its own name resolve to this
    machine (DNS rebinding) and would then count as the same origin.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], secure: bool = False) -> None:
        self.app = app
        self.headers = _HEADERS | (_OVER_TLS if secure else {})
        self.hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def safely(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                headers["x-request-id"] = request_id
                if scope["path"].startswith("/api"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        if not self._known(Headers(scope=scope).get("host", "")):
            answer = problem(
                421,
                "This server is not reached under that host name.",
                advice="Use the address that `locard serve` printed, or name the host with --name.",
                request_id=request_id,
            )
            await answer(scope, receive, safely)
            return
        try:
            await self.app(scope, receive, safely)
        except Exception:
            log.exception("request %s: %s %s", request_id, scope["method"], scope["path"])
            if started:
                raise
            answer = problem(
                500,
                "Something went wrong that we did not foresee.",
                advice="The log of the server has more under the id of this request.",
                request_id=request_id,
            )
            await answer(scope, receive, safely)

    def _known(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        return match is not None and match[1].lower().rstrip(".") in self.hosts
