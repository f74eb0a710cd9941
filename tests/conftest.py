# SPDX-License-Identifier: Apache-2.0
"""What all tests share: a desk of their own, and the real evidence when it is there."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from locard.cases.desk import Desk
from locard.settings import Settings
from tests.waiting import eventually

ROOT = Path(__file__).parent.parent
# How long an example takes says how busy the machine is.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
EVIDENCE = Path(os.environ.get("LOCARD_EVIDENCE") or ROOT.parent / "shared" / "evidence")


@pytest.fixture(scope="session")
def evidence() -> Path:
    """The folder of real evidence, which is not part of the repository."""
    if not EVIDENCE.is_dir():
        pytest.skip("no real evidence here: set LOCARD_EVIDENCE to its folder")
    return EVIDENCE


def stop_store(home: Path) -> None:
    """End the store process of a home and wait until it is gone."""
    try:
        pid = json.loads((home / "timeline" / "store.json").read_text())["pid"]
        os.kill(pid, signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError):
        return
    eventually(lambda: not goes_on(pid), f"the store process {pid} does not end")


def goes_on(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A LOCARD_HOME of the test's own."""
    folder = tmp_path / "home"
    yield folder
    stop_store(folder)


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    """A desk over a home of the test's own."""
    desk = Desk(Settings(home=home, workers=2))
    yield desk
    if "timeline" in vars(desk):
        desk.timeline.close()
    desk.close()
