# SPDX-License-Identifier: Apache-2.0
"""The server that runs the application: `server(app).run([listening socket])`, until a signal."""

from collections.abc import Sequence

import uvicorn
from fastapi import FastAPI

GRACE = 3
"""Seconds that open streams (progress, exports) have to end when the server is stopped."""


def server(app: FastAPI, behind: Sequence[str] = ()) -> uvicorn.Server:
    """The server, quiet but for errors.

    Headers that name another client address are believed from the proxies `behind` alone (addresses
    or networks): whoever sends them could otherwise choose the address that slows guessing of
    passwords, and that custody entries name.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            ws="none",
            access_log=False,
            log_level="warning",
            server_header=False,
            proxy_headers=bool(behind),
            forwarded_allow_ips=list(behind),
            timeout_keep_alive=60,
            timeout_graceful_shutdown=GRACE,
        )
    )
