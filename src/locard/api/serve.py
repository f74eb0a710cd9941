# SPDX-License-Identifier: Apache-2.0
"""Runs the application on a socket."""

import socket

import uvicorn
from fastapi import FastAPI

from locard.model.errors import Conflict

GRACE = 3
"""Seconds that open streams (progress, exports) have to end when the server is stopped."""


def bound(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises `Conflict` when it is taken.

    Binding comes before anything is announced, so that the printed address is right.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise Conflict(
            f"{host}:{port} cannot be served on: {error.strerror}.",
            "Stop what uses it or choose another port with --port.",
        ) from error
    listening.listen(128)
    return listening


def server(app: FastAPI) -> uvicorn.Server:
    """The server, quiet but for errors; `server(app).run([socket])` serves until a signal."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            ws="none",
            access_log=False,
            log_level="warning",
            server_header=False,
            date_header=True,
            proxy_headers=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=GRACE,
        )
    )
