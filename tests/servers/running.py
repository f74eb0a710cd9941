# SPDX-License-Identifier: Apache-2.0
"""Servers of others on loopback: free ports for them, begun, answering, and gone at the end."""

import secrets
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.waiting import PATIENCE, eventually


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on, nor is given until a server has begun.

    The kernel gives none of them to whoever connects meanwhile: it takes those from its own range.
    """
    own = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]
    found: set[int] = set()
    while len(found) < count:
        port = 10_000 + secrets.randbelow(int(own) - 10_000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        found.add(port)
    return list(found)


@contextmanager
def running(
    command: list[Any],
    answers: Callable[[], bool],
    ends_by: signal.Signals = signal.SIGTERM,
    **given: Any,
) -> Iterator[None]:
    """The command as a process that answers, until the block ends."""
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, **{**silent, **given})

    def begun() -> bool:
        assert process.poll() is None, f"{command[0]} ended before it served"
        return answers()

    try:
        eventually(begun, f"{command[0]} does not answer")
        yield
    finally:
        process.send_signal(ends_by)
        try:
            process.wait(45)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def by_http(address: str) -> Callable[[], bool]:
    """Whether somebody answers there, be it with a refusal."""

    def answers() -> bool:
        try:
            urllib.request.urlopen(address, timeout=PATIENCE).close()
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            return False
        return True

    return answers
