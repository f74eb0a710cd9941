# SPDX-License-Identifier: Apache-2.0
"""Collecting from an EC2 instance over moto: what AWS knows, and the disks block by block."""

import hashlib
import json
import os
import random
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from locard.actions.collect.aws import snapshots
from locard.cases.response.runner import Asked, Runner
from locard.model.action import Receipt, RunState
from tests.response.aws import Scene
from tests.response.test_aws_instance import ANA, aws, here, runner, target

__all__ = ["aws", "here", "runner"]
pytestmark = pytest.mark.server
BLOCK = 512 << 10


def collect(runner: Runner, here: Scene, what: str, **options: object) -> Receipt:
    plan = runner.plan(what, "prod", target(here), "c", options)
    return runner.carry_on(runner.begin(plan, "prod", Asked("c", ANA, "beacons")), ANA)


def outcome(done: Receipt, kind: str) -> dict[str, Any]:
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    (found,) = [one.outcome for one in done.steps if one.step.kind == kind]
    return dict(found)


def kept(runner: Runner, evidence: str) -> bytes:
    with runner.vault.open(evidence, case="c", actor="ana", reason="test") as file:
        return file.read()


@pytest.fixture
def disk(here: Scene) -> dict[int, bytes]:
    """The instance's one volume has these blocks: the first, some, and the last."""
    client, chance = here.aws.client("ebs"), random.Random(7)
    ec2 = here.ec2()
    seen = ec2.describe_instances(InstanceIds=[here.instance])["Reservations"][0]["Instances"][0]
    ours = seen["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    (volume,) = ec2.describe_volumes(VolumeIds=[ours])["Volumes"]
    seed = client.start_snapshot(VolumeSize=volume["Size"])["SnapshotId"]
    last = (volume["Size"] << 30) // BLOCK - 1
    blocks = {index: chance.randbytes(BLOCK) for index in (0, 1, 7, 300, 301, last)}
    for index, data in blocks.items():
        digest = b64encode(hashlib.sha256(data).digest()).decode()
        client.put_snapshot_block(
            SnapshotId=seed, BlockIndex=index, BlockData=data, DataLength=BLOCK,
            Checksum=digest, ChecksumAlgorithm="SHA256",
        )  # fmt: skip
    here.aws.seed(volume["VolumeId"], seed)
    return blocks


def test_what_aws_knows_is_evidence_with_its_requests(runner: Runner, here: Scene) -> None:
    here.ec2().modify_instance_attribute(
        InstanceId=here.instance, Attribute="userData", Value=b64encode(b"#!/bin/sh\n").decode()
    )
    done = collect(runner, here, "collect.aws.instance")
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    by_key = {one.step.key: one for one in done.steps}
    assert list(by_key)[:2] == ["console:GetConsoleOutput", "screenshot:GetConsoleScreenshot"]
    (described,) = by_key["answer:DescribeInstances"].evidence
    found = json.loads(kept(runner, described))
    assert found["answer"]["Reservations"][0]["Instances"][0]["InstanceId"] == here.instance
    assert found["request id"] and found["account"] == "123456789012"
    picture = by_key["screenshot:GetConsoleScreenshot"].evidence[1]
    assert kept(runner, picture).startswith(b"\xff\xd8")
    (exhibit,) = runner.vault.ledger.exhibits("c", described)
    assert exhibit.requests[0].call == "ec2:DescribeInstances"
    assert exhibit.requests[0].id == found["request id"]
    assert exhibit.source["resource"] == here.instance and exhibit.source["run"] == done.run


def test_one_answer_that_is_denied_does_not_keep_the_others_away(
    runner: Runner, here: Scene
) -> None:
    plan = runner.plan("collect.aws.instance", "prod", target(here), "c", {})
    here.aws.fault("ec2:DescribeVolumes", "UnauthorizedOperation")
    run = runner.begin(plan, "prod", Asked("c", ANA, "beacons"))
    done = runner.carry_on(run, ANA)
    assert done.state == RunState.DONE
    told = {one.step.key: one.outcome for one in done.steps}
    assert "denied ec2:DescribeVolumes" in told["answer:DescribeVolumes"]["not collected"]
    assert "evidence" in told["answer:DescribeTags"]


def image(blocks: dict[int, bytes]) -> str:
    digest, last = hashlib.sha256(), max(blocks)
    for index in range(last + 1):
        digest.update(blocks.get(index, bytes(BLOCK)))
    return digest.hexdigest()


def test_a_disk_is_in_the_vault_byte_for_byte_with_its_checksums(
    runner: Runner, here: Scene, disk: dict[int, bytes]
) -> None:
    done = collect(runner, here, "collect.aws.disks", triage=False)
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    found = outcome(done, "read")
    assert found["image"] == image(disk)
    assert (found["blocks"], found["fetched"]) == (len(disk), len(disk))
    lines = kept(runner, found["checksums"]).decode().split()
    assert [int(one.partition(",")[0]) for one in lines[1:]] == sorted(disk)
    (exhibit,) = runner.vault.ledger.exhibits("c", found["image"])
    assert "2,048 blocks" in exhibit.covers and "one instant" in exhibit.method.consistency
    assert exhibit.source["snapshot"] == found["snapshot"]
    assert not (runner.home / "runs" / done.run).exists()


def test_killed_half_way_no_block_comes_twice_and_no_snapshot_is_made_twice(
    runner: Runner, here: Scene, disk: dict[int, bytes], tmp_path: Path
) -> None:
    plan = runner.plan("collect.aws.disks", "prod", target(here), "c", {"triage": False})
    run = runner.begin(plan, "prod", Asked("c", ANA, "beacons"))
    code = (
        "import os; from pathlib import Path\n"
        "from locard.actions.catalogue import catalogue\n"
        "from locard.actions.collect.aws import blocks\n"
        "from locard.cases.desk import Desk; from locard.settings import Settings\n"
        "from locard.cases.response.connecting import connect\n"
        "from locard.cases.response.runner import Runner\n"
        "from locard.model.custody import Hand\n"
        "blocks.AHEAD, keep, count = 1, blocks.Snapshot._keep, []\n"
        "def killing(self, *given):\n"
        "    count.append(1)\n"
        "    if len(count) == 4: os.kill(os.getpid(), 9)\n"
        "    return keep(self, *given)\n"
        "blocks.Snapshot._keep = killing\n"
        f"desk = Desk(Settings(home=Path({str(runner.home)!r}), workers=1))\n"
        "runner = Runner(desk.settings.home, desk.state, desk.vault, catalogue(), connect)\n"
        f"runner.carry_on({run!r}, Hand('ana'))\n"
    )
    died = subprocess.run([sys.executable, "-c", code], env=dict(os.environ), capture_output=True)
    assert died.returncode == -9, died.stderr.decode()
    here.aws.forget()
    done = runner.carry_on(run, ANA)
    assert done.state == RunState.DONE and outcome(done, "read")["image"] == image(disk)
    calls = [one["action"] for one in here.aws.calls(run)]
    assert calls.count("ebs:GetSnapshotBlock") == len(disk) - 3
    assert "ec2:CreateSnapshots" not in calls


def test_a_block_whose_checksum_is_wrong_is_fetched_again_and_then_a_problem(
    runner: Runner, here: Scene, disk: dict[int, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    from locard.actions.collect.aws import blocks

    seen: list[bytes] = []
    truth = blocks.digest

    def wrong(data: bytes) -> str:
        if data == disk[7] and len(seen) < limit:
            seen.append(data)
            return "another"
        return truth(data)

    monkeypatch.setattr(blocks, "digest", wrong)
    limit = 2
    assert collect(runner, here, "collect.aws.disks", triage=False).state == RunState.DONE
    seen.clear()
    limit = 99
    told = outcome(collect(runner, here, "collect.aws.disks", triage=False), "read")
    assert told["problems"] == 1 and "Block 7 of snap-" in told["wrong"]["7"]
    assert told["image"] == image({**disk, 7: bytes(BLOCK)})
    lines = kept(runner, told["checksums"]).decode().splitlines()
    assert [one for one in lines if one.startswith("7,,Block 7 of")]


def test_a_snapshot_that_ends_in_error_because_of_its_key(
    runner: Runner, here: Scene, disk: dict[int, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "PAUSE", 0.01)
    plan = runner.plan("collect.aws.disks", "prod", target(here), "c", {"triage": False})
    run = runner.begin(plan, "prod", Asked("c", ANA, "beacons"))
    here.aws.fault("ec2:DescribeSnapshots", "error-state", after=1)
    stopped = runner.carry_on(run, ANA)
    assert stopped.state == RunState.FAILED
    assert "ended in error: Given key ID is not accessible" in stopped.steps[2].error
    assert "kms:CreateGrant" in stopped.steps[2].error
    assert runner.carry_on(run, ANA).state == RunState.DONE
