# SPDX-License-Identifier: Apache-2.0
"""A real pool of confined workers with the parsers of `toys/`, for the tests of the engine."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from locard.parsers.frames import Batch, Done, Frame, Recognised
from locard.parsers.pool import Pool, Task

TOYS = Path(__file__).parent / "toys"


@contextmanager
def task(folder: Path, data: bytes, name: str = "file", **more: Any) -> Iterator[Task]:
    """A task over `data`, written to a file of `folder`."""
    path = folder / f"evidence-{os.urandom(4).hex()}"
    path.write_bytes(data)
    fd = os.open(path, os.O_RDONLY)
    try:
        yield Task(hashlib.sha256(data).hexdigest(), name, fd, len(data), **more)
    finally:
        os.close(fd)


def frames(pool: Pool, folder: Path, data: bytes, name: str = "file", **more: Any) -> list[Frame]:
    """All frames of one run."""
    with task(folder, data, name, **more) as one:
        return list(pool.run(one))


def rows(told: list[Frame]) -> list[dict[str, Any]]:
    """The rows among `told`."""
    return [row for frame in told if isinstance(frame, Batch) for row in frame.batch.to_pylist()]


def recognised(told: list[Frame]) -> Recognised:
    """The first frame, which must be the recognition."""
    assert isinstance(told[0], Recognised)
    return told[0]


def done(told: list[Frame]) -> Done:
    """The last frame, which must be `Done`; the counts must add up."""
    last = told[-1]
    assert isinstance(last, Done)
    return last
