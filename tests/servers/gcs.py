# SPDX-License-Identifier: Apache-2.0
"""A GCS emulator on loopback. It keeps bytes and CRC32C; it refuses no deletion."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.running import by_http, free_ports, running


@contextmanager
def gcs() -> Iterator[int]:
    """The port of a server that keeps everything in memory."""
    (port,) = free_ports(1)
    program = Path(sys.executable).parent / "gcp-storage-emulator"
    command = [program, "start", "--host", "127.0.0.1", "--port", str(port), "-M", "-q"]
    with running(command, by_http(f"http://127.0.0.1:{port}/")):
        yield port
