# SPDX-License-Identifier: Apache-2.0
"""The real command line over a home of the test's own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from locard.cli.main import outcome
from tests.cases.trails import trail
from tests.conftest import stop_store
from tests.waiting import PATIENCE


@dataclass(frozen=True)
class Ran:
    """What one command answered."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer of a command that was asked for JSON."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The answer of a command that gives one JSON value a line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Locard:
    """`locard` in one home."""

    def __init__(self, home: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.home, self._capture = home, capture

    def __call__(self, *arguments: object) -> Ran:
        """Run a command in this process."""
        self._capture.readouterr()
        status = outcome([str(one) for one in arguments])
        said = self._capture.readouterr()
        return Ran(status, said.out, said.err)

    def apart(self, *arguments: object, **environment: str) -> Ran:
        """Run a command in a process of its own."""
        return run(self.home, *arguments, environment=environment)


def run(home: Path, *arguments: object, environment: Mapping[str, str] | None = None) -> Ran:
    """Run a command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "locard.cli.main", *map(str, arguments)],
        env={**os.environ, "LOCARD_HOME": str(home), **(environment or {})},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=2 * PATIENCE,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def locard(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Locard:
    """`locard` in an empty home."""
    monkeypatch.setenv("LOCARD_HOME", str(home))
    monkeypatch.delenv("LOCARD_LIMITS", raising=False)
    monkeypatch.setenv("LOCARD_WHO", "ana")
    return Locard(home, capsys)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with case `c`, for the tests of a module that only read it: 100 events, two files."""
    folder = tmp_path_factory.mktemp("filled")
    trail(folder / "in" / "a.json.gz", range(60))
    trail(folder / "in" / "b.json", range(40, 100))
    added = run(folder / "home", "add", "c", folder / "in", "--json")
    assert (added.status, added.json["events"]) == (0, 100), added
    yield folder / "home"
    stop_store(folder / "home")


@pytest.fixture
def c(filled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Locard:
    """`locard` in the home that holds case `c`."""
    monkeypatch.setenv("LOCARD_HOME", str(filled))
    monkeypatch.setenv("LOCARD_WHO", "ana")
    return Locard(filled, capsys)
