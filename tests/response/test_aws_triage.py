# SPDX-License-Identifier: Apache-2.0
"""Triage without copying, over moto: the confined parser asks for blocks, and rows are provable."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from locard.actions.collect.aws import picked
from locard.actions.collect.aws.picked import Picked
from locard.cases.desk import Desk
from locard.cases.response.runner import Asked, Runner
from locard.model.action import Receipt, RunState
from locard.model.errors import Error
from locard.parsers.frames import Frame
from locard.parsers.pool import Pool, Task, WorkerLost
from locard.settings import Settings
from tests.parsers.test_disk import FILES, tool
from tests.response.aws import Scene
from tests.response.test_aws_collect import kept, outcome
from tests.response.test_aws_instance import ANA, aws, here, runner, target

__all__ = ["aws", "here", "runner"]
pytestmark = pytest.mark.server
BLOCK = 512 << 10


@pytest.fixture
def disk(here: Scene, tmp_path: Path) -> Path:
    """The instance's one volume is a GiB of ext4 with a few files of a server."""
    folder, image = tmp_path / "files", tmp_path / "disk.raw"
    for name, data in {**FILES, "var/big": os.urandom(40 << 20)}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    make = [tool("mkfs.ext4"), "-q", "-d", str(folder), str(image), "1G"]
    subprocess.run(make, check=True, capture_output=True)
    here.aws.show(volume(here), image)
    return image


def volume(here: Scene) -> str:
    seen = here.ec2().describe_instances(InstanceIds=[here.instance])["Reservations"][0]
    return str(seen["Instances"][0]["BlockDeviceMappings"][0]["Ebs"]["VolumeId"])


def run(runner: Runner, here: Scene, what: str, **options: Any) -> Receipt:
    plan = runner.plan(what, "prod", target(here), "c", options)
    return runner.carry_on(runner.begin(plan, "prod", Asked("c", ANA, "beacons")), ANA)


def test_the_answers_of_the_whole_disk_after_a_few_blocks(
    runner: Runner, here: Scene, disk: Path
) -> None:
    told = outcome(run(runner, here, "collect.aws.triage"), "triage")
    assert told["bytes"] < 12 << 20 and told["problems"] == 0 and not told["ended"]
    assert told["rows"]["linux.shell_history"] == 3 and told["rows"]["linux.auth"] == 1
    exhibit = runner.vault.ledger.exhibits("c", told["image"])[0]
    assert exhibit.method.consistency.startswith("partial; crash-consistent")
    assert f"{told['blocks']:,} of 2,048 blocks" in exhibit.covers
    assert exhibit.source["snapshot"] == told["snapshot"]
    asked = [one.call for one in exhibit.requests]
    assert asked[0] == "ec2:CreateSnapshots", "which made the snapshot"
    assert asked.count("ebs:GetSnapshotBlock") == told["blocks"] > 0
    assert asked.count("ebs:ListSnapshotBlocks") == told["listings"]
    assert len(asked) == 1 + told["blocks"] + told["listings"]

    desk = Desk(Settings(home=runner.home, workers=1))
    desk.add("c", [], who="ana")
    desk.add("whole", [disk], who="ana")
    try:
        few, whole = rows(desk, "c"), rows(desk, "whole")
        assert len(few) == sum(told["rows"].values())
        assert few == [row for row in whole if row[0] != "disk.filesystem"]
        search = desk.search("c", "source:linux.auth", who="ana")
        (row,) = desk.timeline.page(search).rows
        proof = desk.prove(row["id"], who="ana")
        assert proof.passed, proof.steps
    finally:
        desk.close()


def rows(desk: Desk, case: str) -> list[tuple[str, str, str]]:
    page = desk.timeline.page(desk.search(case, who="ana"), limit=1000)
    return sorted((one["source"], one["locator"], one["message"]) for one in page.rows)


def test_the_calls_list_only_where_a_block_is_needed_and_fetch_no_block_twice(
    runner: Runner, here: Scene, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picked, "LISTED", 100)
    done = run(runner, here, "collect.aws.triage")
    told = outcome(done, "triage")
    calls = [one["action"] for one in here.aws.calls(done.run)]
    assert calls.count("ebs:GetSnapshotBlock") == told["blocks"] == told["fetched"]
    assert calls.count("ebs:ListSnapshotBlocks") == told["listings"]


def test_what_the_limit_leaves_out_is_a_counted_problem(
    runner: Runner, here: Scene, disk: Path
) -> None:
    told = outcome(run(runner, here, "collect.aws.triage", most="1"), "triage")
    assert told["blocks"] == 2 and told["not read"] > 0 and told["problems"] > 0
    desk = Desk(Settings(home=runner.home, workers=1))
    try:
        desk.add("c", [], who="ana")
        page = desk.timeline.page(desk.search("c", who="ana"), limit=1000)
        assert sum(bool(one["problem"]) for one in page.rows) == told["problems"]
    finally:
        desk.close()
    with pytest.raises(Error, match="no number of MiB"):
        runner.plan("collect.aws.triage", "prod", target(here), "c", {"most": "-1"})


def test_a_small_disk_is_copied_without_a_triage(runner: Runner, here: Scene, disk: Path) -> None:
    plan = runner.plan("collect.aws.disks", "prod", target(here), "c", {})
    assert [one.kind for one in plan.steps] == ["snapshots", "lock", "read"]
    with pytest.raises(Error, match="'many' is no number of GiB"):
        runner.plan("collect.aws.disks", "prod", target(here), "c", {"above": "many"})


def test_the_copy_follows_and_agrees_with_the_triage(
    runner: Runner, here: Scene, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run(runner, here, "collect.aws.disks", above="0")
    kinds = [one.step.kind for one in done.steps]
    assert kinds == ["snapshots", "lock", "triage", "read", "agree"]
    assert outcome(done, "agree")["compared"] == outcome(done, "triage")["blocks"]
    assert outcome(done, "read")["fetched"] == outcome(done, "read")["blocks"]
    assert kept(runner, outcome(done, "read")["image"]) == disk.read_bytes()

    def other(folder: Path, name: str) -> picked.Record:
        found = record(folder, name)
        return picked.Record({**found.known, min(found.known): "another"}, found.zeros)

    record = Picked.record
    monkeypatch.setattr(Picked, "record", staticmethod(other))
    stopped = run(runner, here, "collect.aws.disks", above="0")
    assert stopped.state == RunState.FAILED
    assert "differs from what the triage read in 1 blocks" in stopped.steps[-1].error


def test_a_denied_or_throttled_block_stops_the_run_and_carrying_on_fetches_the_rest(
    runner: Runner, here: Scene, disk: Path
) -> None:
    plan = runner.plan("collect.aws.triage", "prod", target(here), "c", {})
    begun = runner.begin(plan, "prod", Asked("c", ANA, "beacons"))
    here.aws.fault("ebs:GetSnapshotBlock", "AccessDeniedException", after=3)
    stopped = runner.carry_on(begun, ANA)
    assert stopped.state == RunState.FAILED
    assert "denied ebs:GetSnapshotBlock" in stopped.steps[2].error
    here.aws.forget()
    here.aws.fault("ebs:GetSnapshotBlock", "RequestThrottledException", times=2)
    told = outcome(runner.carry_on(begun, ANA), "triage")
    assert told["fetched"] == told["blocks"] - 3


def test_a_token_that_has_ended_is_fetched_anew(runner: Runner, here: Scene, disk: Path) -> None:
    here.aws.fault("ebs:GetSnapshotBlock", "ValidationException", after=1)
    done = run(runner, here, "collect.aws.triage")
    told = outcome(done, "triage")
    calls = [one["action"] for one in here.aws.calls(done.run)]
    assert calls.count("ebs:ListSnapshotBlocks") == told["listings"] + 1
    assert told["problems"] == 0 and told["rows"]["linux.auth"] == 1


def test_killed_half_way_what_was_fetched_stays(runner: Runner, here: Scene, disk: Path) -> None:
    plan = runner.plan("collect.aws.triage", "prod", target(here), "c", {})
    begun = runner.begin(plan, "prod", Asked("c", ANA, "beacons"))
    code = (
        "import os; from pathlib import Path\n"
        "from locard.actions.catalogue import catalogue\n"
        "from locard.actions.collect.aws.picked import Picked\n"
        "from locard.cases.desk import Desk; from locard.settings import Settings\n"
        "from locard.cases.response.connecting import connect\n"
        "from locard.cases.response.runner import Runner\n"
        "from locard.model.custody import Hand\n"
        "fetch = Picked._fetch\n"
        "def killing(self, index):\n"
        "    if self.fetched == 3: os.kill(os.getpid(), 9)\n"
        "    return fetch(self, index)\n"
        "Picked._fetch = killing\n"
        f"desk = Desk(Settings(home=Path({str(runner.home)!r}), workers=1))\n"
        "runner = Runner(desk.settings.home, desk.state, desk.vault, catalogue(), connect)\n"
        f"runner.carry_on({begun!r}, Hand('ana'))\n"
    )
    died = subprocess.run([sys.executable, "-c", code], env=dict(os.environ), capture_output=True)
    assert died.returncode == -9, died.stderr.decode()
    told = outcome(runner.carry_on(begun, ANA), "triage")
    assert told["fetched"] == told["blocks"] - 3 and told["problems"] == 0
    assert not (runner.home / "runs" / begun).exists()


def test_a_worker_that_dies_leaves_what_it_read(
    runner: Runner, here: Scene, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(pool: Pool, task: Task) -> Iterator[Frame]:
        for number, frame in enumerate(run_of(pool, task)):
            yield frame
            if number == 1:
                raise WorkerLost("The parsing worker crashed.")

    run_of = Pool.run
    monkeypatch.setattr(Pool, "run", dies)
    told = outcome(run(runner, here, "collect.aws.triage"), "triage")
    assert "crashed" in told["ended"] and told["image"] and told["blocks"]
