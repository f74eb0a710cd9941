# SPDX-License-Identifier: Apache-2.0
"""Waiting for what another process or thread does: for the event, never for a length of time."""

import time
from collections.abc import Callable
from subprocess import Popen
from threading import Timer
from typing import TypeVar

PATIENCE = 180.0
"""Seconds until nothing can be hoped for: only a test that fails waits so long, however slow the
machine is."""

Seen = TypeVar("Seen")


def eventually(look: Callable[[], Seen], said: str = "") -> Seen:
    """The first answer of `look` that is true."""
    until = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < until, said or f"it is still {found!r}"
        time.sleep(0.02)
    return found


def said(process: Popen[str], last: str) -> str:
    """What a process says, up to the line with `last`; one that is silent for too long is ended."""
    assert process.stdout is not None
    patience = Timer(PATIENCE, process.kill)
    patience.start()
    text = ""
    try:
        while last not in text:
            line = process.stdout.readline()
            assert line, f"it ended before it said {last!r}: {text}"
            text += line
    finally:
        patience.cancel()
    return text
