# SPDX-License-Identifier: Apache-2.0
"""A network that fails: a proxy on loopback that cuts connections or alters what passes."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Alter = Callable[[bytes], bytes | None]
"""What becomes of bytes that pass; None cuts the connection."""


class Proxy:
    """Forwards connections to a port of loopback, until it is told to do worse."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.up: Alter = lambda data: data
        self.down: Alter = lambda data: data
        self.passed = 0
        """Bytes that went up so far."""
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut_after(self, count: int) -> None:
        """Let `count` more bytes up, then cut every connection."""
        limit = self.passed + count
        self.up = lambda data: data if self.passed + len(data) <= limit else None

    def close(self) -> None:
        for one in [self._server, *self._open]:
            with suppress(OSError):
                one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                self._open += [near, far]
                for args in ((near, far, True), (far, near, False)):
                    threading.Thread(target=self._pump, args=args, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, up: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                changed = (self.up if up else self.down)(data)
                if changed is None:
                    break
                sink.sendall(changed)
                self.passed += len(data) if up else 0
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def proxy(target: int) -> Iterator[Proxy]:
    """A proxy before a port of loopback."""
    made = Proxy(target)
    try:
        yield made
    finally:
        made.close()
