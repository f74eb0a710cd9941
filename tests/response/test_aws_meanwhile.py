# SPDX-License-Identifier: Apache-2.0
"""The shipped playbook over moto, in real processes: the instance is cut off while blocks of its
disk are still to come, and what is killed meanwhile is carried on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from locard.cases.desk import Desk
from locard.cases.playbooks import copying
from locard.cases.progress import birth
from locard.cases.response.runner import Runner
from locard.model.action import Receipt, RunState, StepState
from locard.model.custody import Hand, Verb
from locard.model.playbook import PlaybookRun, PlaybookState
from locard.settings import Settings
from locard.state import runs
from locard.state.playbooks import PlaybookRunRow
from locard.state.runs import TargetLock
from tests.clouds.aws.server import ACCOUNT, REGION
from tests.response.aws import Scene, differences
from tests.response.conftest import ANA, BEN
from tests.response.test_aws_collect import disk, image
from tests.response.test_aws_instance import aws, here, runner
from tests.waiting import PATIENCE

__all__ = ["aws", "disk", "here", "runner"]
pytestmark = pytest.mark.server

PLAYBOOK = "isolate-compromised-instance"
SLOW = """
import os, time
from locard.actions.collect.aws import blocks
from locard.actions.isolate.aws import cutting
cutting.WAIT = 0
fetch = blocks._block
def gated(cloud, name, index, token, length):
    while index > 1 and os.path.exists(os.environ["GATE"]):
        time.sleep(0.05)
    return fetch(cloud, name, index, token, length)
blocks._block = gated
"""
"""In every process of ours: only the first blocks come while the gate stands."""


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file that keeps all but the first blocks of a disk away while it stands."""
    folder, found = tmp_path / "site", tmp_path / "gate"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SLOW)
    found.touch()
    monkeypatch.setenv("GATE", str(found))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setattr("locard.actions.isolate.aws.cutting.WAIT", 0)
    yield found
    found.unlink(missing_ok=True)  # what still runs ends


@pytest.fixture
def at(runner: Runner) -> Iterator[Desk]:
    """The installation, with the playbook on."""
    desk = Desk(Settings(home=runner.home, workers=1))
    desk.response.shelf.enable(PLAYBOOK, ANA)
    yield desk
    desk.background.wait()
    desk.close()


def finding(here: Scene) -> bytes:
    """GuardDuty's word about the instance."""
    return json.dumps({
        "version": "0", "id": "e", "detail-type": "GuardDuty Finding", "source": "aws.guardduty",
        "account": ACCOUNT, "time": "2026-11-26T10:00:00Z", "region": REGION, "resources": [],
        "detail": {
            "schemaVersion": "2.0", "accountId": ACCOUNT, "region": REGION, "partition": "aws",
            "id": here.instance, "type": "CryptoCurrency:EC2/BitcoinTool.B",
            "resource": {"resourceType": "Instance",
                         "instanceDetails": {"instanceId": here.instance}},
            "service": {"serviceName": "guardduty", "resourceRole": "TARGET",
                        "eventFirstSeen": "2026-11-26T09:00:00Z",
                        "eventLastSeen": "2026-11-26T09:30:00Z", "archived": False, "count": 1},
            "severity": 8, "createdAt": "2026-11-26T09:10:00Z",
            "updatedAt": "2026-11-26T09:40:00Z", "title": "It mines.",
        },
    }).encode()  # fmt: skip


def until(holds: Callable[[], object]) -> None:
    """Wait until it holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.1)


def apart(at: Desk, *words: str) -> None:
    """A command of ours in a process of its own, as a server begins it."""
    at.background.run([*words], Hand("locard", "automation"))


def at_work(at: Desk, run: str) -> int:
    """The process that is at a run of an action; 0: none."""
    with at.state.session() as session:
        rows = session.query(TargetLock).filter_by(run=run).all()
        return next((one.pid for one in rows if one.pid and birth(one.pid) == one.birth), 0)


def kill(process: int) -> None:
    """End a process at once; number 0 would be the tests' own."""
    assert process > 0, "nobody is at work"
    os.kill(process, signal.SIGKILL)


def shown(at: Desk, run: str) -> str:
    """What the command line shows of a run."""
    words = [sys.executable, "-m", "locard.cli.main", "runs", "show", run]
    told = os.environ | {"LOCARD_HOME": str(at.settings.home), "COLUMNS": "400"}
    return subprocess.run(words, env=told, capture_output=True, text=True, check=True).stdout


def receipt(at: Desk, run: str) -> Receipt:
    with at.state.session() as session:
        return runs.receipt(session, run)


def state_of(run: PlaybookRun) -> list[str]:
    return [one.state.value for one in run.parts]


def waiting(at: Desk, here: Scene) -> PlaybookRun:
    """The alert comes; the run of the playbook asks people while the copy goes on."""
    at.response.alerts.take(finding(here), Hand("queue alerts", "automation"))
    (run,) = at.response.playbooks.judge()
    apart(at, "runs", "resume", run)
    until(lambda: at.response.playbooks.run(run).state is PlaybookState.WAITING)
    found = at.response.playbooks.run(run)
    assert state_of(found) == ["done", "kept", "pending", "pending", "pending"]
    until(lambda: at_work(at, found.parts[1].run))
    return found


def agreed(at: Desk, run: PlaybookRun) -> None:
    books = at.response.playbooks
    books.approve(run.id, BEN, "it mines", books.asked(run.id).plan)


def finished(at: Desk, here: Scene, run: str, blocks: dict[int, bytes]) -> None:
    """The run is done, and the disk is in the vault, whole and proved; each thing was done once."""
    until(lambda: at.response.playbooks.run(run).state is not PlaybookState.DUE)
    done = at.response.playbooks.run(run)
    assert (done.state, state_of(done)) == (PlaybookState.DONE, ["done"] * 5), done.error
    copied = receipt(at, done.parts[1].run)
    (read,) = [one for one in copied.steps if one.step.kind == "read"]
    assert copied.state is RunState.DONE and read.outcome["problems"] == 0
    assert read.outcome["image"] == image(blocks)
    at.vault.verify(read.outcome["image"], case=done.case, actor="ana", reason="test")
    assert at.vault.ledger.check().passed
    isolated = receipt(at, done.parts[2].run)
    assert (isolated.ended or 0) < (read.ended or 0)
    calls = [one["action"] for one in here.aws.calls(copied.run)]
    assert calls.count("ec2:CreateSnapshots") == 1 and calls.count("ec2:LockSnapshot") == 1
    isolating = [one["action"] for one in here.aws.calls(isolated.run)]
    assert isolating.count("ec2:CreateSecurityGroup") == 1
    told = list(reversed(at.vault.ledger.newest(case=done.case, limit=500)))
    first = [one.verb for one in told].index(Verb.CONTAIN_INTENDED)
    kept_at = [number for number, one in enumerate(told) if "is kept; it goes on" in one.reason]
    assert len(kept_at) == 1 and kept_at[0] < first


def test_the_instance_is_cut_off_and_released_while_blocks_are_still_to_come(
    at: Desk, here: Scene, disk: dict[int, bytes], gate: Path
) -> None:
    before = here.state()
    run = waiting(at, here)
    (locked,) = [one for one in receipt(at, run.parts[1].run).steps if one.step.kind == "lock"]
    assert locked.state is StepState.VERIFIED
    agreed(at, run)
    apart(at, "runs", "resume", run.id)
    until(lambda: state_of(at.response.playbooks.run(run.id))[3] == "done")  # people were told
    now = at.response.playbooks.run(run.id)
    assert (now.state, state_of(now)) == (
        PlaybookState.DUE, ["done", "kept", "done", "done", "pending"]
    )  # fmt: skip
    assert here.state() != before and at_work(at, now.parts[1].run)
    assert not at.vault.holds(image(disk))
    told = shown(at, now.parts[1].run)
    assert f"kept: isolating {here.instance} takes nothing from it any more" in told
    assert "now: Reading vol-" in told
    assert "kept; the rest is still read from copies" in shown(at, run.id)
    released = at.response.release(now.parts[2].run, BEN, "a drill")
    assert released.state is RunState.RELEASED and differences(before, here.state()) == []
    assert state_of(at.response.playbooks.run(run.id))[1] == "kept"
    gate.unlink()
    finished(at, here, run.id, disk)


def test_killed_while_it_copies_asks_and_has_isolated_it_goes_on(
    at: Desk, here: Scene, disk: dict[int, bytes], gate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(copying, "PATIENCE", 0.5)
    run = waiting(at, here)
    kill(at_work(at, run.parts[1].run))  # the copy, while people are asked
    until(lambda: not at_work(at, run.parts[1].run))

    def begun_again() -> int:
        at.response.playbooks.copying.look()
        return at_work(at, run.parts[1].run)

    until(begun_again)
    assert at.response.playbooks.run(run.id).state is PlaybookState.WAITING
    agreed(at, run)
    apart(at, "runs", "resume", run.id)
    until(lambda: state_of(at.response.playbooks.run(run.id))[3] == "done")
    kill(at_work(at, run.parts[1].run))  # and after it was isolated
    with at.state.session() as session:
        book = session.get_one(PlaybookRunRow, run.id).pid
    until(lambda: at_work(at, run.parts[1].run) == book)  # the run of the playbook reads on itself
    kill(book)
    until(lambda: run.id in at.response.playbooks.due())
    apart(at, "runs", "resume", run.id)
    until(lambda: at_work(at, run.parts[1].run))
    gate.unlink()
    finished(at, here, run.id, disk)
