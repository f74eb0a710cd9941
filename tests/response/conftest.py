# SPDX-License-Identifier: Apache-2.0
"""A runner over the toy provider, and the same in a process of its own that may be killed."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from locard.actions import catalogue
from locard.cases.desk import Desk
from locard.cases.response.runner import Asked, Runner
from locard.model.action import Target
from locard.model.custody import Hand
from locard.model.errors import Conflict
from locard.settings import Settings
from locard.state import accounts
from locard.state.accounts import Account
from tests import toys
from tests.toys import cloud

ANA, BEN = Hand("ana", "command line"), Hand("ben", "page")
ONE = Target("toy", "42", "", "lamp", "one")


def toy_runner(home: Path, room: Path) -> Runner:
    """A runner that knows the toys and nothing else, with account `room` and case `c`."""
    desk = Desk(Settings(home=home, workers=1))
    try:
        desk.create("c", who="ana")
    except Conflict:
        pass
    else:
        with desk.state.session() as session:
            account = Account("room", "toy", "42", endpoint=str(room))
            accounts.add(session, account, who="ana")
    return Runner(home, desk.state, desk.vault, catalogue.within(toys), cloud.connect)


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """Two lamps."""
    path = tmp_path / "room.json"
    cloud.make(path)
    return path


@pytest.fixture
def runner(home: Path, room: Path) -> Runner:
    """The runner of this test."""
    return toy_runner(home, room)


Isolate = Callable[..., str]


@pytest.fixture
def begun(runner: Runner) -> Isolate:
    """Begins to isolate a lamp, and does not carry it out."""

    def begin(who: Hand = ANA, target: Target = ONE, **asked: object) -> str:
        plan = runner.plan("isolate.toy.lamp", "room", target, "c", {})
        given = {"exception": "it is a toy", **asked}
        return runner.begin(plan, "room", Asked("c", who, "flickers", **given))  # type: ignore[arg-type]

    return begin


def apart(home: Path, room: Path, what: str, die: str = "") -> int:
    """Carry on or release a run in a process that may kill itself; its exit status."""
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.response.conftest import toy_runner, ANA\n"
        f"runner = toy_runner(Path({str(home)!r}), Path({str(room)!r}))\n"
        f"{what}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TOY_DIE": die},
        cwd=Path(__file__).parent.parent.parent,
        capture_output=True,
        text=True,
    )
    refused = "\nlocard.model.errors." in done.stderr
    assert done.returncode in (0, -9) or refused, done.stderr
    return done.returncode
