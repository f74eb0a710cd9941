# SPDX-License-Identifier: Apache-2.0
"""A copy of a disk that is killed on its way from the blocks to the exhibit, and carried on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from locard.actions.collect.aws import blocks
from locard.cases.response.runner import Asked, Runner
from tests.response.aws import Scene
from tests.response.test_aws_collect import BLOCK, collect, disk, image, kept, outcome
from tests.response.test_aws_instance import ANA, aws, here, runner, target

__all__ = ["aws", "disk", "here", "runner"]
pytestmark = pytest.mark.server

KILLED = {
    "read-only": "LocalStore.place = dies",
    "linked": "LocalStore._leave = dies",
    "placed": "Ledger.append = unless(Ledger.append, lambda self, drafts, **_: "
    "drafts[0].details.get('name', '').endswith('.raw'))",
    "entered": "Intake.register = unless(Intake.register, lambda self, put, origin, depth: "
    "origin.name.endswith('.raw'))",
    "outcome": "Record.step = unless(Record.step, lambda self, number, state, **given: "
    "'image' in (given.get('outcome') or {}))",
}
CODE = """
import os
from pathlib import Path
from locard.actions.catalogue import catalogue
from locard.actions.collect.aws import blocks
from locard.cases.desk import Desk
from locard.cases.intake import Intake
from locard.cases.response.connecting import connect
from locard.cases.response.record import Record
from locard.cases.response.runner import Runner
from locard.evidence.ledger import Ledger
from locard.evidence.local import LocalStore
from locard.model.custody import Hand
from locard.settings import Settings
def dies(*given, **more):
    os.kill(os.getpid(), 9)
def unless(do, last):
    def done(*given, **more):
        if last(*given, **more): dies()
        return do(*given, **more)
    return done
def wrong(number):
    one = blocks._block
    def fetch(cloud, name, index, token, length):
        if index == number: raise blocks.Tampered("Block came wrong.", "")
        return one(cloud, name, index, token, length)
    blocks._block = fetch
"""


def killed(runner: Runner, run: str, how: str) -> None:
    """Carry a run on in a process that dies there."""
    code = CODE + (
        f"{how}\n"
        f"desk = Desk(Settings(home=Path({str(runner.home)!r}), workers=1))\n"
        "runner = Runner(desk.settings.home, desk.state, desk.vault, catalogue(), connect)\n"
        f"runner.carry_on({run!r}, Hand('ana'))\n"
    )
    died = subprocess.run([sys.executable, "-c", code], env=dict(os.environ), capture_output=True)
    assert died.returncode == -9, died.stderr.decode()


def begun(runner: Runner, here: Scene) -> str:
    plan = runner.plan("collect.aws.disks", "prod", target(here), "c", {"triage": False})
    return runner.begin(plan, "prod", Asked("c", ANA, "beacons"))


def objects(runner: Runner) -> dict[str, Path]:
    return {one.parent.name + one.name: one for one in runner.vault.folder.glob("objects/??/*")}


@pytest.mark.parametrize("where", list(KILLED))
def test_killed_between_the_last_block_and_the_outcome_nothing_is_fetched_again(
    runner: Runner, here: Scene, disk: dict[int, bytes], where: str
) -> None:
    run = begun(runner, here)
    killed(runner, run, KILLED[where])
    here.aws.forget()
    done = runner.carry_on(run, ANA)
    told = outcome(done, "read")
    assert told["image"] == image(disk) and told["fetched"] == 0
    assert "ebs:GetSnapshotBlock" not in [one["action"] for one in here.aws.calls(run)]
    found = objects(runner)[told["image"]].stat()
    assert (found.st_nlink, found.st_mode & 0o777) == (1, 0o444)
    assert not (runner.home / "runs" / run).exists()
    assert list(runner.vault.incoming.iterdir()) == []
    assert runner.vault.ledger.check().passed
    assert runner.vault.verify(told["image"], case="c", actor="ana", reason="test")


def test_a_block_that_comes_right_only_after_the_kill_leaves_the_stored_file_alone(
    runner: Runner, here: Scene, disk: dict[int, bytes]
) -> None:
    run = begun(runner, here)
    killed(runner, run, f"wrong(7); {KILLED['placed']}")
    (lacking,) = objects(runner).keys() & {image({**disk, 7: bytes(BLOCK)})}
    stored = objects(runner)[lacking].read_bytes()
    here.aws.forget()
    told = outcome(runner.carry_on(run, ANA), "read")
    assert told["image"] == image(disk) and told["problems"] == 0 and told["fetched"] == 1
    assert objects(runner)[lacking].read_bytes() == stored


def test_zeros_stand_where_a_block_never_came_though_an_earlier_attempt_left_something(
    runner: Runner, here: Scene, disk: dict[int, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(cloud: object, name: str, index: int, token: str, length: int) -> tuple[bytes, str]:
        if index == 7:
            raise blocks.Tampered("Block 7 came wrong.", "")
        return one(cloud, name, index, token, length)  # type: ignore[arg-type]

    def dirty(snapshot: blocks.Snapshot) -> bool:
        found = prepared(snapshot)
        with snapshot.lies_in.open("r+b") as file:
            for index in (7, 8, 299, max(disk) - 1):
                file.seek(index * BLOCK + 5)
                file.write(b"left by an earlier attempt")
        return found

    one, prepared = blocks._block, blocks.Snapshot._prepared
    monkeypatch.setattr(blocks, "_block", wrong)
    monkeypatch.setattr(blocks.Snapshot, "_prepared", dirty)
    told = outcome(collect(runner, here, "collect.aws.disks", triage=False), "read")
    assert told["image"] == image({**disk, 7: bytes(BLOCK)}) and told["problems"] == 1
    assert kept(runner, told["image"])[7 * BLOCK : 9 * BLOCK] == bytes(2 * BLOCK)


def test_the_copy_of_a_disk_is_written_once(
    runner: Runner, here: Scene, disk: dict[int, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen(snapshot: blocks.Snapshot) -> bool:
        found = prepared(snapshot)
        inodes.append(snapshot.lies_in.stat().st_ino)
        return found

    inodes: list[int] = []
    prepared = blocks.Snapshot._prepared
    monkeypatch.setattr(blocks.Snapshot, "_prepared", seen)
    told = outcome(collect(runner, here, "collect.aws.disks", triage=False), "read")
    stored = objects(runner)[told["image"]].stat()
    assert [stored.st_ino] == inodes and stored.st_nlink == 1
    assert stored.st_blocks * 512 < (len(disk) + 2) * BLOCK
