# SPDX-License-Identifier: Apache-2.0
"""Azurite: Azure's data plane on loopback. It knows no immutability policies and no versions."""

import base64
import secrets
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.node import NODE, installed
from tests.servers.seaweedfs import free_ports


@dataclass
class Azurite:
    """A running server with one account."""

    port: int
    account: str
    key: str

    def connection(self, port: int = 0) -> str:
        """The connection string, through another port when something stands between."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={self.account};AccountKey={self.key};"
            f"BlobEndpoint=http://127.0.0.1:{port or self.port}/{self.account};"
        )


@contextmanager
def azurite(folder: Path) -> Iterator[Azurite]:
    """A server with its data in `folder`."""
    server = Azurite(free_ports(1)[0], "tests", base64.b64encode(secrets.token_bytes(64)).decode())
    program = installed() / "azurite" / "dist" / "src" / "blob" / "main.js"
    process = subprocess.Popen(
        [NODE, program, "--blobHost", "127.0.0.1", "--blobPort", str(server.port),
         "--location", folder, "--silent", "--skipApiVersionCheck", "--disableTelemetry"],
        env={"AZURITE_ACCOUNTS": f"{server.account}:{server.key}", "PATH": str(NODE.parent)},
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{server.port}/", timeout=2).close()
                break
            except urllib.error.HTTPError as error:
                error.close()
                break
            except OSError:
                if time.monotonic() > until or process.poll() is not None:
                    raise
                time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        process.wait(20)
