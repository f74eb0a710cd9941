# SPDX-License-Identifier: Apache-2.0
"""A real store process in a folder of the test's own."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from locard.timeline import Timeline, connect


def told(folder: Path) -> dict[str, object]:
    """What the store process says of itself."""
    return dict(json.loads((folder / "store.json").read_text()))


def end(folder: Path, how: signal.Signals = signal.SIGTERM) -> None:
    """End the store process of a folder and wait until it is gone."""
    try:
        process = int(str(told(folder)["pid"]))
    except FileNotFoundError:
        return
    os.kill(process, how)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        # A child of ours stays as a zombie until it is waited for; others vanish by themselves.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process, os.WNOHANG)
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    raise AssertionError("the store process did not end")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "timeline"
    yield folder
    end(folder)


@pytest.fixture
def timeline(home: Path) -> Iterator[Timeline]:
    with connect(home) as connected:
        yield connected


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Timeline]:
    """One store for the tests of a module that only read it."""
    folder = tmp_path_factory.mktemp("store") / "timeline"
    with connect(folder) as connected:
        yield connected
    end(folder)
