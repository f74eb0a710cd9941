# SPDX-License-Identifier: Apache-2.0
"""One at a time: what changes the rows of a case waits for its turn, across processes."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(home: Path, case: str, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the case's turn; `waiting` is called when another process has it first.

    A process that dies gives its turn back.
    """
    folder = home / "locks"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / case).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
