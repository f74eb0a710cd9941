# SPDX-License-Identifier: Apache-2.0
"""A real store process in a folder of the test's own."""

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from locard.timeline import Timeline, connect
from tests.waiting import eventually


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

    def gone() -> bool:
        # A child of ours stays as a zombie until it is waited for; others vanish by themselves.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process, os.WNOHANG)
        return not Path(f"/proc/{process}").exists()

    eventually(gone, f"the store process {process} does not end")


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
