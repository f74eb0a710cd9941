# SPDX-License-Identifier: Apache-2.0
"""Waiting for what another process or thread does: for the event, never for a length of time."""

import time
from collections.abc import Callable
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
