# SPDX-License-Identifier: Apache-2.0
"""A server that writes down what it is asked and answers what a test tells it to.

For calls that no emulator knows: what is judged is the shape of the request.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Request:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    target: str
    """Path and query as they were written."""


@dataclass
class Answer:
    """What is answered."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Recorder:
    """The requests so far, and what answers them."""

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                parts = urlsplit(self.path)
                size = int(self.headers.get("content-length") or 0)
                request = Request(
                    self.command,
                    parts.path,
                    dict(parse_qsl(parts.query, keep_blank_values=True)),
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(size),
                    self.path,
                )
                recorder.requests.append(request)
                answer = recorder.answer(request)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if "content-length" not in {name.lower() for name in answer.headers}:
                    self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.body)

            do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = do_HEAD = handle_one

            def log_message(self, *_args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def recorder(answer: Callable[[Request], Answer]) -> Iterator[Recorder]:
    """A recorder that is gone at the end."""
    made = Recorder(answer)
    try:
        yield made
    finally:
        made.close()


def forwarded(request: Request, port: int) -> Answer:
    """What the server on that port answers to the request, as it is now."""
    told = {k: v for k, v in request.headers.items() if k not in ("connection", "content-length")}
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(request.method, request.target, request.body, told)
        found = connection.getresponse()
        kept = {
            name: value
            for name, value in found.getheaders()
            if name.lower() not in ("connection", "transfer-encoding", "keep-alive")
        }
        return Answer(found.status, found.read(), kept)
    finally:
        connection.close()
