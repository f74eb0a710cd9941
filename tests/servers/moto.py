# SPDX-License-Identifier: Apache-2.0
"""moto: AWS on loopback, for what SeaweedFS is not."""

import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.running import by_http, free_ports, running


def enforce(endpoint: str, after: int = 0) -> None:
    """Have the server hold every call but the next `after` against the policies of IAM."""
    request = urllib.request.Request(
        f"{endpoint}/moto-api/reset-auth",
        data=str(after).encode(),
        method="POST",
        headers={"content-type": "text/plain"},
    )
    urllib.request.urlopen(request, timeout=60).close()


@contextmanager
def moto() -> Iterator[str]:
    """The address of a server of its own."""
    (port,) = free_ports(1)
    endpoint = f"http://127.0.0.1:{port}"
    command = [Path(sys.executable).parent / "moto_server", "-H", "127.0.0.1", "-p", str(port)]
    with running(command, by_http(f"{endpoint}/moto-api/")):
        yield endpoint
