# SPDX-License-Identifier: Apache-2.0
"""moto: AWS on loopback, for what SeaweedFS is not."""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.seaweedfs import free_ports


def enforce(endpoint: str, after: int = 0) -> None:
    """Have the server hold every call but the next `after` against the policies of IAM."""
    request = urllib.request.Request(
        f"{endpoint}/moto-api/reset-auth",
        data=str(after).encode(),
        method="POST",
        headers={"content-type": "text/plain"},
    )
    urllib.request.urlopen(request, timeout=10).close()


@contextmanager
def moto() -> Iterator[str]:
    """The address of a server of its own."""
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    endpoint, until = f"http://127.0.0.1:{port}", time.monotonic() + 60
    try:
        while True:
            try:
                urllib.request.urlopen(f"{endpoint}/moto-api/", timeout=2).close()
                break
            except OSError:
                if time.monotonic() > until or process.poll() is not None:
                    raise
                time.sleep(0.1)
        yield endpoint
    finally:
        process.terminate()
        process.wait(20)
