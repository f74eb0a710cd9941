# SPDX-License-Identifier: Apache-2.0
"""A GCS emulator on loopback. It keeps bytes and CRC32C; it refuses no deletion."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.seaweedfs import free_ports


@contextmanager
def gcs() -> Iterator[int]:
    """The port of a server that keeps everything in memory."""
    (port,) = free_ports(1)
    program = Path(sys.executable).parent / "gcp-storage-emulator"
    process = subprocess.Popen(
        [program, "start", "--host", "127.0.0.1", "--port", str(port), "-M", "-q"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
                break
            except urllib.error.HTTPError as error:
                error.close()
                break
            except OSError:
                if time.monotonic() > until or process.poll() is not None:
                    raise
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)
