# SPDX-License-Identifier: Apache-2.0
"""The part of the ClickHouse HTTP protocol that `clickhouse-connect` needs, on loopback.

Statement in the body or in `?query=`, parameters as `param_name=`, settings as any other name of
the query string, large parameters as `multipart/form-data`; the number of an error in
`X-ClickHouse-Exception-Code`.
Every request carries the secret (HTTP Basic); others are refused before their body is read.
"""

import hmac
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from email.parser import BytesHeaderParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from locard.timeline.engine import Engine, EngineError

USER = "locard"
BODY_BYTES = 1 << 30
"""A longer body is refused: the largest batch of a parser is far smaller."""
PIECE = 1 << 20
"""Data on its way into the engine is held by so many bytes at a time: memory that is used again
costs a third of memory that the kernel hands out anew."""

_TRANSPORT = frozenset({
    "database", "buffer_size", "session_id", "session_timeout", "session_check", "query_id",
    "quota_key", "compress", "decompress", "wait_end_of_query", "client_protocol_version", "role",
    "send_progress_in_http_headers", "http_headers_progress_interval_ms", "default_format",
    "enable_http_compression", "cancel_http_readonly_queries_on_client_close", "query",
})  # fmt: skip
"""Names of the query string that are no settings of the engine."""

_AUTHENTICATION_FAILED = 516
_INTERNAL = 1001


class StoreServer(ThreadingHTTPServer):
    """Answers requests, and knows for how long nobody has asked anything."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, engine: Engine, secret: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.engine = engine
        self.authorization = "Basic " + b64encode(f"{USER}:{secret}".encode()).decode()
        self._lock = threading.Lock()
        self._busy = 0
        self._since = time.monotonic()

    @property
    def port(self) -> int:
        """The port that the system chose."""
        return int(self.server_address[1])

    def began(self) -> None:
        """A request is at work."""
        with self._lock:
            self._busy += 1

    def ended(self) -> None:
        """A request was answered."""
        with self._lock:
            self._busy -= 1
            self._since = time.monotonic()

    @property
    def busy(self) -> int:
        """Requests at work now."""
        with self._lock:
            return self._busy

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last request ended; 0 while one is at work."""
        with self._lock:
            return 0.0 if self._busy else time.monotonic() - self._since

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is nothing to report; the thread ends."""


class _Handler(BaseHTTPRequestHandler):
    server: StoreServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout = 3600

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: their text may quote evidence."""

    def do_GET(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        self._respond()

    def _respond(self) -> None:
        self.server.began()
        try:
            if not self._known():
                self.close_connection = True
                self._send(403, b"Code: 516. The secret is wrong.", _AUTHENTICATION_FAILED)
                return
            path, _, text = self.path.partition("?")
            if self.headers.get("Transfer-Encoding"):
                self.close_connection = True
                self._send(411, b"Code: 1001. A body says how long it is.", _INTERNAL)
            elif not 0 <= self._length() <= BODY_BYTES:
                self.close_connection = True
                self._send(413, b"Code: 1001. The body is too long.", _INTERNAL)
            elif path == "/ping":
                self._send(200, b"Ok.\n")
            else:
                self._query(dict(parse_qsl(text, keep_blank_values=True)))
        finally:
            self.wfile.flush()
            self.server.ended()

    def _known(self) -> bool:
        given = self.headers.get("Authorization", "")
        return hmac.compare_digest(
            given.encode("latin-1", "replace"), self.server.authorization.encode()
        )

    def _length(self) -> int:
        return int(self.headers.get("Content-Length") or 0)

    def _body(self) -> Iterator[bytes]:
        """The body in pieces. Raises `ConnectionError` when it ends before its end."""
        left = self._length()
        while left:
            piece = self.rfile.read(min(left, PIECE))
            if not piece:
                raise ConnectionError("the client went away amid its request")
            left -= len(piece)
            yield piece

    def _query(self, names: dict[str, str]) -> None:
        kind = self.headers.get("Content-Type", "")
        pieces = self._body()
        data: Iterator[bytes] | None = None
        if kind.startswith("multipart/form-data"):
            names.update(_form(kind, b"".join(pieces)))
        elif names.get("query") and self._length():
            data = pieces
        statement = names.get("query", "").encode() or b"".join(pieces)
        parameters = {k[6:]: v for k, v in names.items() if k.startswith("param_")}
        settings = {
            k: v for k, v in names.items() if k not in _TRANSPORT and not k.startswith("param_")
        }
        form = names.get("default_format", "TabSeparated")
        try:
            answer = self.server.engine.run(statement, parameters, settings, form, data)
        except EngineError as error:
            for _ in pieces:  # a client that still sends would not listen
                pass
            status = 404 if error.code in (60, 81) else 500
            self._send(status, str(error).encode(), error.code or _INTERNAL)
        except UnicodeDecodeError:
            self._send(400, b"Code: 62. The statement is not UTF-8.", 62)
        else:
            self._send(200, answer)

    def _send(self, status: int, body: bytes, code: int = 0) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ClickHouse-Timezone", "UTC")
        self.send_header("X-ClickHouse-Summary", "{}")
        if code:
            self.send_header("X-ClickHouse-Exception-Code", str(code))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def _form(kind: str, body: bytes) -> Mapping[str, str]:
    """The plain fields of a multipart form."""
    header = BytesHeaderParser().parsebytes(
        b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n"
    )
    boundary = header.get_boundary()
    fields: dict[str, str] = {}
    if boundary is None:
        return fields
    for part in body.split(b"--" + boundary.encode("latin-1")):
        head, blank, content = part.partition(b"\r\n\r\n")
        if not blank:
            continue
        about = BytesHeaderParser().parsebytes(head.strip() + b"\r\n\r\n")
        name = about.get_param("name", header="Content-Disposition")
        if isinstance(name, str):
            fields[name] = content.removesuffix(b"\r\n").decode()
    return fields
