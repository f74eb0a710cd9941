# SPDX-License-Identifier: Apache-2.0
"""Azurite: Azure's data plane on loopback. It knows no immutability policies and no versions."""

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.node import NODE, installed
from tests.servers.running import by_http, free_ports, running


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
    command = [
        NODE, program, "--blobHost", "127.0.0.1", "--blobPort", str(server.port),
        "--location", folder, "--silent", "--skipApiVersionCheck", "--disableTelemetry",
    ]  # fmt: skip
    environment = {
        "AZURITE_ACCOUNTS": f"{server.account}:{server.key}",
        "PATH": str(NODE.parent),
    }
    with running(command, by_http(f"http://127.0.0.1:{server.port}/"), env=environment):
        yield server
