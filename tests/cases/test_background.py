# SPDX-License-Identifier: Apache-2.0
"""Commands in a process of its own: one that stands by is used once, and nothing of it is left."""

from pathlib import Path

import pytest

from locard.cases.desk import Desk
from locard.model.custody import Hand, Verb
from tests.conftest import goes_on
from tests.waiting import PATIENCE, eventually

PERSON = Hand("ana", "page", "192.0.2.7", "a browser")
PLAYBOOK = "collect-instances"


@pytest.fixture
def desk(home: Path) -> Desk:
    found = Desk.at(home)
    found.response.shelf.enable(PLAYBOOK, PERSON)
    return found


def disable(desk: Desk, *, soon: bool = True) -> int:
    """Switch the playbook off in a process of its own; the process."""
    child = desk.background.run(["playbook", "disable", PLAYBOOK], PERSON, soon=soon)
    assert child.wait(PATIENCE) == 0, desk.background.log.read_text()
    return child.pid


def standing(desk: Desk) -> int:
    desk.background.stand_by()
    child = desk.background._standing
    assert child is not None and child.poll() is None
    return child.pid


def test_the_process_that_stands_by_does_it_by_the_hand_of_whoever_asked(desk: Desk) -> None:
    pid = standing(desk)
    assert standing(desk) == pid, "there is one"
    assert disable(desk) == pid
    assert not desk.response.shelf.awake
    said = [one for one in desk.vault.ledger.entries() if one.verb == Verb.POLICY_CHANGED][-1]
    assert said.actor == "ana"
    desk.create("c", who="ana")
    pid = standing(desk)
    child = desk.background.run(["case", "verify", "c"], PERSON, soon=True)
    assert (child.wait(PATIENCE), child.pid) == (0, pid)
    last = list(desk.vault.ledger.entries())[-1]
    assert (last.door, last.address) == ("page", "192.0.2.7")
    desk.close()


def test_without_one_and_when_it_has_died_another_is_begun(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = desk.background
    pid = standing(desk)
    assert child._standing is not None
    child._standing.kill()
    child._standing.wait(PATIENCE)
    child.stand_by()
    assert child._standing is None, "one that falls is not followed at once by one that falls"
    assert disable(desk) != pid
    monkeypatch.setattr(child, "_not_before", 0.0)
    desk.response.shelf.enable(PLAYBOOK, PERSON)
    pid = standing(desk)
    assert disable(desk, soon=False) != pid, "what nobody waits for leaves it alone"
    desk.close()


def test_it_ends_when_nobody_needs_it_any_more(desk: Desk) -> None:
    standing(desk)
    child = desk.background._standing
    desk.close()
    assert child is not None and child.wait(PATIENCE) == 0
    assert desk.background.log.read_bytes() == b""


def test_it_ends_with_the_process_that_began_it(home: Path) -> None:
    import subprocess
    import sys

    code = (
        "from locard.cases.background import Background; from pathlib import Path; import os\n"
        f"at = Background(Path({str(home)!r})); at.stand_by()\n"
        "print(at._standing.pid, flush=True); os.kill(os.getpid(), 9)\n"
    )
    died = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    eventually(lambda: not goes_on(int(died.stdout)))
