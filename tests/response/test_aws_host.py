# SPDX-License-Identifier: Apache-2.0
"""Tools on a host through Systems Manager: a stand-in really runs, and its output is uploaded."""

import base64
import hashlib
import io
import tarfile
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from locard.actions.collect.aws import commands, onhost
from locard.cases.response.orders import COLLECT, Order, Orders
from locard.cases.response.runner import Asked
from locard.model.action import Receipt, RunState
from locard.model.errors import Tampered
from locard.providers.aws.session import Cloud
from tests.clouds.aws.server import ACCOUNT, REGION
from tests.response.aws import scene
from tests.response.simulated import ANA, Room, aws, room
from tests.response.test_aws_collect import kept
from tests.servers.fixtures import as_admin, seaweed
from tests.servers.seaweedfs import Seaweed

__all__ = ["as_admin", "aws", "room", "seaweed"]
pytestmark = pytest.mark.server
BUCKET = "evidence-uploads"
AVML = b"""#!/bin/sh
env | grep AWS_ && exit 9
head -c 11534337 /dev/zero | tr '\\0' 'm' > "$1"
"""


@pytest.fixture
def host(room: Room, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(commands, "PAUSE", 0.1)
    monkeypatch.setattr(onhost, "PART", 5)
    where = {"LocationConstraint": REGION}
    try:
        room.aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    except room.aws.client("s3").exceptions.BucketAlreadyOwnedByYou:
        pass
    return scene(room.aws, f"host{abs(hash(str(room.runner.home))) % 10**6}").instance


def options(tmp_path: Path, tool: bytes) -> dict[str, str]:
    path = tmp_path / "tool"
    path.write_bytes(tool)
    digest = hashlib.sha256(tool).hexdigest()
    return {"tool": str(path), "sha256": digest, "bucket": BUCKET, "folder": str(tmp_path)}


def run(room: Room, kind: str, host: str, said: dict[str, str]) -> Receipt:
    plan = room.runner.plan(f"collect.aws.{kind}", "prod", room.target("instance", host), "c", said)
    begun = room.runner.begin(plan, "prod", Asked("c", ANA, "beacons"))
    return room.runner.carry_on(begun, ANA)


def test_memory_comes_in_parts_that_were_measured_on_the_host(
    room: Room, host: str, tmp_path: Path
) -> None:
    room.clouds.clear()
    said = options(tmp_path, AVML)
    done = run(room, "memory", host, said)
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    told = done.steps[-1].outcome
    assert (told["bytes"], told["parts"]) == (11_534_337, 3)
    assert kept(room.runner, told["evidence"]) == b"m" * 11_534_337
    (exhibit,) = room.runner.vault.ledger.exhibits("c", told["evidence"])
    assert exhibit.tool.digest == said["sha256"] and "smeared" in exhibit.method.consistency
    assert "removed from there again" in exhibit.changes[0]
    asked = [one.call for one in exhibit.requests]
    assert asked == ["ssm:SendCommand", "ssm:SendCommand", "s3:GetObject"]
    assert len({one.id for one in exhibit.requests}) == 3
    assert list(tmp_path.glob("locard-*")) == [], "nothing is left on the host"
    assert not room.aws.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"]
    assert room.unused("collect.aws.memory") == set()


def test_a_package_of_uac(room: Room, host: str, tmp_path: Path) -> None:
    script = b'#!/bin/sh\n[ "$1 $2" = "-p ir_triage" ] || exit 2\ntar -czf "$3/uac-h.tar.gz" uac\n'
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        member = tarfile.TarInfo("uac-3.3.0/uac")
        member.size, member.mode = len(script), 0o755
        file.addfile(member, io.BytesIO(script))
    room.clouds.clear()
    done = run(room, "files", host, options(tmp_path, packed.getvalue()))
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    data = kept(room.runner, done.steps[-1].outcome["evidence"])
    with tarfile.open(fileobj=io.BytesIO(data)) as file:
        assert file.getnames() == ["uac"]
    assert room.unused("collect.aws.files") == set()


def test_a_tool_that_fails_says_why_and_is_run_again_when_the_run_is_carried_on(
    room: Room, host: str, tmp_path: Path
) -> None:
    flag = tmp_path / "unlocked"
    tool = f"#!/bin/sh\n[ -e {flag} ] || {{ echo kernel lockdown; exit 1; }}\necho x > $1\n"
    stopped = run(room, "memory", host, options(tmp_path, tool.encode()))
    assert stopped.state == RunState.FAILED and "kernel lockdown" in stopped.steps[1].error
    flag.touch()
    assert room.runner.carry_on(stopped.run, ANA).state == RunState.DONE


def test_a_run_that_was_killed_waits_for_its_command_and_sends_no_second_one(
    room: Room, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_seconds: float) -> None:
        raise KeyboardInterrupt

    plan = room.runner.plan("collect.aws.memory", "prod", room.target("instance", host), "c",
                            options(tmp_path, b"#!/bin/sh\nsleep 1\necho x > $1\n"))  # fmt: skip
    begun = room.runner.begin(plan, "prod", Asked("c", ANA, "beacons"))
    with monkeypatch.context() as dying:
        dying.setattr(commands.time, "sleep", killed)
        with pytest.raises(KeyboardInterrupt):
            room.runner.carry_on(begun, ANA)
    assert room.runner.carry_on(begun, ANA).state == RunState.DONE
    calls = [one["action"] for one in room.aws.calls(begun)]
    assert calls.count("ssm:SendCommand") == 2, "one that makes, one that uploads"


def test_without_a_tool_or_with_another_one_it_is_refused(
    room: Room, host: str, tmp_path: Path
) -> None:
    def refusal(**changed: str) -> str:
        said = {**options(tmp_path, AVML), **changed}
        target = room.target("instance", host)
        plan = room.runner.plan("collect.aws.memory", "prod", target, "c", said)
        return " ".join(plan.refusals)

    assert "Name your avml" in refusal(tool="")
    assert "and not" in refusal(sha256="0" * 64)
    assert "cannot be read" in refusal(tool="/nowhere")
    assert "cannot be" in refusal(folder="/tmp/'; reboot; '")
    assert "cannot be" in refusal(folder="here")
    other = room.target("instance", "i-0123456789abcdef0")
    plan = room.runner.plan("collect.aws.memory", "prod", other, "c", options(tmp_path, AVML))
    assert "does not manage" in plan.refusals[0]


def test_what_the_installation_says_once_need_not_be_said_again(
    room: Room, host: str, tmp_path: Path
) -> None:
    orders = Orders(room.runner)
    order = Order("c", COLLECT, host)
    ids = {one.action.id for one in orders.propose(order)}
    assert ids == {"collect.aws.instance", "collect.aws.disks"}
    said = options(tmp_path, AVML)
    lines = ['["collect.aws.memory"]', *(f'{name} = "{value}"' for name, value in said.items())]
    (room.runner.home / "actions.toml").write_text("\n".join(lines))
    found = {one.action.id: one for one in orders.propose(order)}
    assert list(found)[:2] == ["collect.aws.instance", "collect.aws.memory"]
    assert found["collect.aws.memory"].plan.options["bucket"] == BUCKET
    (room.runner.home / "actions.toml").write_text('["collect.aws.memory"]\nspeed = 3\n')
    assert any("has no option speed" in one.failed for one in orders.propose(order))


@pytest.mark.parametrize(
    "told", ["", "part 5\nsize 3\n", f"part 5\nsize 0\n{'a' * 64}\n", "part 5\nsize 9\nzz\n"]
)
def test_what_a_host_says_is_read_strictly(told: str) -> None:
    with pytest.raises(Tampered):
        onhost._measured(told)


def test_an_address_is_good_for_its_bytes_and_once(as_admin: Seaweed) -> None:
    client = as_admin.client()
    client.create_bucket(Bucket=BUCKET)
    cloud = Cloud(ACCOUNT, "us-east-1", "r1", endpoint=as_admin.endpoint)

    def signed(data: bytes, key: str) -> tuple[str, dict[str, str]]:
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        address = cloud.presigned(
            "s3:PutObject", 60, Bucket=BUCKET, Key=key, ContentLength=len(data),
            ChecksumSHA256=digest, IfNoneMatch="*",
        )  # fmt: skip
        return address, {"x-amz-checksum-sha256": digest, "If-None-Match": "*"}

    def put(address: str, headers: dict[str, str], data: bytes) -> int:
        request = urllib.request.Request(address, data, headers, method="PUT")
        request.add_header("Content-Type", "")
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    address, headers = signed(b"the memory", "a")
    assert put(address, headers, b"a longer forgery") == 403
    assert put(address, headers, b"forgery!!!") in (400, 403)
    assert put(address, {**headers, "x-amz-checksum-sha256": "x"}, b"the memory") in (400, 403)
    assert put(address.replace("/a?", "/b?"), headers, b"the memory") == 403
    assert put(address, headers, b"the memory") == 200
    assert put(address, headers, b"the memory") == 412, "an address is used once"
