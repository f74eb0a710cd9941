# SPDX-License-Identifier: Apache-2.0
"""ECS Exec over moto and a true data channel: the commands really run, in a sandbox of the test."""

import io
import json
import os
import shlex
import socket
import subprocess
import sys
import tarfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from locard.actions.collect.aws import inside
from locard.actions.collect.aws.inside import Answer
from locard.actions.collect.aws.procfs import Proc
from locard.cases.response.orders import COLLECT, Order, Orders
from locard.cases.response.runner import Asked
from locard.model.action import Plan, Receipt, RunState
from locard.model.errors import Error, Missing, Tampered
from tests.clouds.aws.agent import apart
from tests.response.simulated import ANA, ASKED, Room, aws, room
from tests.response.test_aws_collect import kept
from tests.response.test_aws_logs import bucket
from tests.waiting import PATIENCE

__all__ = ["aws", "room"]
server = pytest.mark.server
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
SECRET = "hunter2-hunter2"


def task(room: Room, how: str = "on", may: str = "*", **given: Any) -> str:
    """A task with two containers and the agent as the tags say; its id."""
    ecs, ec2, iam = (room.aws.client(one) for one in ("ecs", "ec2", "iam"))
    room.aws.still("ecs::task")
    name = f"exec{time.time_ns()}"
    faults, settings = given.pop("faults", {}), given.pop("settings", None)
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": f"ssmmessages:{may}", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=name, PolicyName="exec", PolicyDocument=document)
    configured = {"configuration": {"executeCommandConfiguration": settings}} if settings else {}
    ecs.create_cluster(clusterName=name, **configured)
    ecs.register_task_definition(
        family=name, requiresCompatibilities=["FARGATE"], networkMode="awsvpc", cpu="256",
        memory="512", taskRoleArn=role,
        containerDefinitions=[{"name": one, "image": "web:1", "memory": 64, **given}
                              for one in ("web", "side")],
    )  # fmt: skip
    subnet = ec2.describe_subnets()["Subnets"][0]
    vpc = {"Name": "vpc-id", "Values": [subnet["VpcId"]]}
    group = ec2.describe_security_groups(Filters=[vpc])["SecurityGroups"][0]["GroupId"]
    ran = ecs.run_task(
        cluster=name, taskDefinition=name, launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {
            "subnets": [subnet["SubnetId"]], "securityGroups": [group]}},
        tags=[{"key": "exec", "value": how}, {"key": "faults", "value": json.dumps(faults)}],
    )["tasks"][0]["taskArn"]  # fmt: skip
    return str(ran.partition(":task/")[2])


def planned(room: Room, named: str, **options: object) -> Plan:
    target = room.target("task", named)
    return room.runner.plan("collect.aws.containers", "prod", target, "c", options)


def begun(room: Room, named: str, **options: object) -> str:
    plan = planned(room, named, **options)
    return room.runner.begin(plan, "prod", Asked("c", ANA, "beacons"))


def collected(room: Room, named: str, **options: object) -> Receipt:
    return room.runner.carry_on(begun(room, named, **options), ANA)


def told(room: Room, done: Receipt, key: str) -> list[dict[str, Any]]:
    (found,) = [one.outcome for one in done.steps if one.step.key == key]
    return [json.loads(one) for one in kept(room.runner, found["evidence"]).splitlines()]


@server
def test_what_runs_in_a_container_is_told_and_no_value_of_its_environment(room: Room) -> None:
    room.clouds.clear()
    done = collected(room, task(room))
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    assert [one.step.key for one in done.steps] == ["live:web", "live:side"]
    rows = told(room, done, "live:web")
    (beside,) = [one for one in rows if one["message"].startswith("web: sleep 300 ")]
    assert beside["timestamp_desc"] == "Process started"
    assert {"API_TOKEN=", "LD_LIBRARY_PATH=/x"} <= set(beside["environment"])
    assert any(one["timestamp_desc"] == "Mounted when asked" for one in rows)
    outcome = done.steps[0].outcome
    raw = kept(room.runner, outcome["raw"])
    assert b'"/proc/net/tcp"' in raw and SECRET.encode() not in raw
    (exhibit,) = room.runner.vault.ledger.exhibits("c", outcome["raw"])
    assert exhibit.requests[0].call == "ecs:ExecuteCommand"
    assert "ran in the container web" in exhibit.changes[0]
    assert exhibit.source["container"] == "web" and "smeared" in exhibit.method.consistency
    unused = room.unused("collect.aws.containers") - ASKED
    assert all(one.startswith("s3:") for one in unused), "a bucket is for what is large"


@server
def test_chosen_files_come_as_a_tar_and_what_is_not_there_is_named(
    room: Room, tmp_path: Path
) -> None:
    data = os.urandom(200_000)
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "a b.bin").write_bytes(data)
    named = task(room)
    paths = f"{tmp_path}/app,/no/such"
    done = collected(room, named, live="no", container="web", paths=paths)
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    (step,) = done.steps
    assert step.outcome["not collected"] == ["/no/such"]
    packed = kept(room.runner, step.outcome["evidence"]["tar"])
    with tarfile.open(fileobj=io.BytesIO(packed)) as file:
        (member,) = [one for one in file.getmembers() if one.isfile()]
        taken = file.extractfile(member)
        assert taken is not None and taken.read() == data
    stopped = collected(room, named, live="no", container="web", mib="1",
                        paths="/usr/share,/usr/lib")  # fmt: skip
    assert stopped.state == RunState.FAILED and "that is the limit" in stopped.steps[0].error


@server
def test_a_container_uploads_its_files_itself_and_the_bucket_is_empty_again(
    room: Room, tmp_path: Path
) -> None:
    room.clouds.clear()
    drop = bucket(room, "exec-uploads")
    (tmp_path / "a b.bin").write_bytes(data := os.urandom(3_000_000))
    named, paths = task(room), f"{tmp_path}/a b.bin,/no/such"
    said = {"container": "web", "paths": paths, "bucket": "exec-uploads", "mib": "1"}
    done = collected(room, named, **said)
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    outcome = done.steps[1].outcome
    assert outcome["uploaded"] > len(data) and outcome["not collected"] == ["/no/such"]
    with tarfile.open(fileobj=io.BytesIO(kept(room.runner, outcome["evidence"]["tar"]))) as file:
        taken = file.extractfile(file.getmembers()[0])
        assert taken is not None and taken.read() == data
    (exhibit,) = room.runner.vault.ledger.exhibits("c", outcome["evidence"]["tar"])
    assert [one.call for one in exhibit.requests] == ["ecs:ExecuteCommand", "s3:GetObject"]
    assert not drop.list_objects_v2(Bucket="exec-uploads")["KeyCount"]
    byhand = {"s3:PutObject"}  # the container makes this call, by the address that it was given
    assert room.unused("collect.aws.containers") - ASKED == byhand


@server
@pytest.mark.parametrize(
    "how,said",
    [("bare", "has no curl."), ("refused", "curl ended with 22"), ("nowhere", "does not exist")],
)
def test_what_a_container_cannot_upload_comes_through_its_session(
    room: Room, tmp_path: Path, how: str, said: str
) -> None:
    (tmp_path / "x").write_bytes(b"small")
    if how != "nowhere":
        bucket(room, f"exec-{how}")
    named = task(room, faults={"without": ["curl"]} if how == "bare" else {})
    if how == "refused":
        room.aws.fault(":PUT .*exec-refused.*", "AccessDenied")
    done = collected(room, named, container="web", live="no", paths=f"{tmp_path}/x",
                     bucket=f"exec-{how}")  # fmt: skip
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    outcome = done.steps[0].outcome
    assert said in outcome["not uploaded"]
    with tarfile.open(fileobj=io.BytesIO(kept(room.runner, outcome["evidence"]["tar"]))) as file:
        assert file.getmembers()[0].size == 5


@server
def test_without_tar_and_base64_plain_files_come_all_the_same(room: Room, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(range(256)) * 9)
    named = task(room, faults={"without": ["tar", "base64"]})
    paths = f"{tmp_path}/x,{tmp_path}"
    done = collected(room, named, live="no", container="web", paths=paths)
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    outcome = done.steps[0].outcome
    assert outcome["not collected"] == [str(tmp_path)] and "Without tar" in outcome["why"]
    assert kept(room.runner, outcome["evidence"][f"{tmp_path}/x"]) == bytes(range(256)) * 9


@server
@pytest.mark.parametrize(
    "faults,said",
    [
        ({"without": ["base64", "od"]}, "neither base64 nor od"),
        ({"bare": True}, "has no shell at /bin/sh"),
        ({"close_at": 6}, "ended before the command did"),
        ({"key": "arn:aws:kms:k"}, "encrypted with arn:aws:kms:k"),
    ],
    ids=["encoders", "shell", "closed", "key"],
)
def test_what_cannot_be_had_is_a_sentence_and_keeps_nothing_half(
    room: Room, faults: dict[str, object], said: str
) -> None:
    done = collected(room, task(room, faults=faults), container="web")
    assert done.state == RunState.FAILED and said in done.steps[0].error
    assert not done.steps[0].evidence


@server
def test_preconditions_stand_in_the_plan_each_as_a_sentence(room: Room) -> None:
    def refused(how: str = "on", **given: Any) -> str:
        return " ".join(planned(room, task(room, how, **given)).refusals)

    assert "ECS Exec is off" in refused("off")
    assert "Windows" in refused("windows")
    text = refused("stopped", readonlyRootFilesystem=True)
    assert "The agent of ECS Exec in web is STOPPED" in text and "read-only" in text
    text = refused(may="CreateControlChannel")
    assert "may not ssmmessages:CreateDataChannel" in text and "task's role" in text
    assert "encrypted with key-1" in refused(settings={"kmsKeyId": "key-1", "logging": "NONE"})
    logged = {"cloudWatchLogGroupName": "exec-log"}
    plan = planned(room, task(room, settings={"logging": "OVERRIDE", "logConfiguration": logged}))
    assert not plan.refusals and "exec-log" in plan.warnings[0]
    plan = planned(room, task(room), container="nobody")
    assert "no container nobody" in plan.refusals[0]
    for wrong in ("/a'b", "/$(reboot)", "relative", "/a{{b}}"):
        with pytest.raises(Error, match="no path that can be asked for"):
            planned(room, task(room), paths=wrong)


@server
def test_an_order_that_names_no_action_goes_without_it_where_exec_is_off(room: Room) -> None:
    arn = "arn:aws:ecs:eu-central-1:123456789012:task/"
    orders = Orders(room.runner)
    found = orders.propose(Order("c", COLLECT, arn + task(room)))
    assert {one.action.id for one in found} == {"collect.aws.task", "collect.aws.containers"}
    found = orders.propose(Order("c", COLLECT, arn + task(room, "off")))
    assert [one.action.id for one in found] == ["collect.aws.task"]


@server
def test_isolating_says_that_what_runs_in_it_cannot_be_taken_afterwards(room: Room) -> None:
    def told(how: str) -> str:
        return " ".join(room.plan(room.target("task", task(room, how))).warnings)

    assert "can be taken now (collect.aws.containers)" in told("on")
    assert "collect.aws.containers" not in told("off")


@server
def test_killed_in_the_middle_and_carried_on_everything_is_there_once(room: Room) -> None:
    run = begun(room, task(room))
    code = (
        "import os; from pathlib import Path\n"
        "from locard.actions.catalogue import catalogue\n"
        "from locard.cases.desk import Desk; from locard.settings import Settings\n"
        "from locard.cases.response.connecting import connect\n"
        "from locard.cases.response.runner import Runner\n"
        "from locard.model.custody import Hand\n"
        "from locard.providers.aws.datachannel import Channel\n"
        "output, count = Channel.output, []\n"
        "def killing(self, **given):\n"
        "    count.append(1)\n"
        "    for number, one in enumerate(output(self, **given)):\n"
        "        if len(count) == 2 and number == 5: os.kill(os.getpid(), 9)\n"
        "        yield one\n"
        "Channel.output = killing\n"
        f"desk = Desk(Settings(home=Path({str(room.runner.home)!r}), workers=1))\n"
        "runner = Runner(desk.settings.home, desk.state, desk.vault, catalogue(), connect)\n"
        f"runner.carry_on({run!r}, Hand('ana', 'command line'))\n"
    )
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert dead.returncode == -9, dead.stderr
    done = room.runner.carry_on(run, ANA)
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    again = [one["action"] for one in room.aws.calls(run)].count("ecs:ExecuteCommand")
    assert again == 3, "the first container was not asked again"
    exhibits = [one.number for step in done.steps for id in step.evidence
                for one in room.runner.vault.ledger.exhibits("c", id)]  # fmt: skip
    assert len(exhibits) == len(set(exhibits)) == 4


def run_here(command: str) -> bytes:
    """The command as the agent starts it, without a terminal."""

    return subprocess.run(
        [*apart(), *shlex.split(command)], capture_output=True, timeout=PATIENCE,
        env={"PATH": os.environ["PATH"], "API_TOKEN": SECRET, "LD_AUDIT": "/x.so"},
    ).stdout  # fmt: skip


def files(data: bytes) -> dict[str, bytes]:
    answer = Answer([data], "n0", "The container web")
    return {name: b"".join(chunks) for name, chunks in answer.files()}


def test_a_process_a_connection_and_a_deleted_file_are_rows(tmp_path: Path) -> None:
    gone = tmp_path / "implant"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        code = (
            "import socket, time\n"
            f"s = socket.create_connection(('127.0.0.1', {port}))\n"
            f"f = open({str(gone)!r}, 'w')\n"
            "print('x', flush=True)\n"
            "time.sleep(600)\n"
        )
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE,
                                 env={"API_TOKEN": SECRET, "LD_AUDIT": "/x.so"})  # fmt: skip
        try:
            assert child.stdout is not None
            child.stdout.readline()
            gone.unlink()
            command = inside.live("n0", values=False)
            words = shlex.split(command)
            data = subprocess.run(words, capture_output=True, timeout=PATIENCE).stdout
        finally:
            child.kill()
            child.communicate()
    found = files(data)
    assert SECRET.encode() not in found[f"{child.pid}/environ"]
    proc = Proc(found, "web", datetime.now(UTC))
    rows = [one for one in proc.lines() if f"pid {child.pid})" in one["message"]
            or one.get("pid") == child.pid]  # fmt: skip
    process = next(one for one in rows if one["timestamp_desc"] == "Process started")
    assert process["environment"] == ["API_TOKEN=", "LD_AUDIT=/x.so"]
    assert "import socket" in process["message"] and process["parent"] == str(os.getpid())
    started = datetime.fromisoformat(process["datetime"]).timestamp()
    assert abs(started - time.time()) < 300
    deleted = {one["path"] for one in rows if one["timestamp_desc"] == "Open when asked"}
    assert str(gone) in deleted
    connected = next(one for one in rows if one["timestamp_desc"] == "Connection when asked")
    assert (connected["dst_ip"], connected["dst_port"]) == ("127.0.0.1", port)
    assert connected["state"] == "established"


def test_values_come_when_a_person_wants_them() -> None:
    found = files(run_here(inside.live("n0", values=True)))
    assert any(SECRET.encode() in data for name, data in found.items() if "environ" in name)


@pytest.mark.parametrize(
    "data,kind,said",
    [
        (b"sh: not found\n", Missing, "no shell that answers"),
        (b"x" * 70_000 + b"\n", Missing, "no shell that answers"),
        (b"x" * 70_000, Tampered, "a line of more than"),
        (b"@begin n0 base64\n@ stat\nYQ==\n", Tampered, "breaks off"),
        (b"@begin n1 base64\n@end n1\n", Missing, "no shell that answers"),
        (b"@no-encoder n0\n", Missing, "neither base64 nor od"),
    ],
)  # fmt: skip
def test_an_answer_is_read_strictly(data: bytes, kind: type[Error], said: str) -> None:
    with pytest.raises(kind, match=said):
        files(data)


def test_an_address_that_could_leave_its_quotes_is_in_no_command() -> None:
    for wrong in ('https://x/"; reboot; "', "https://x/$(reboot)", "https://x/`", "https://x/'"):
        with pytest.raises(Error, match="cannot stand in a command"):
            inside.upload("n0", ["/a"], 1, "x", wrong)


def test_lines_that_no_encoder_writes_are_counted_and_not_taken() -> None:
    data = b"@begin n0 base64\n@ a\nYWJj\n@~\n\xff\xfe!\nZGVm\n@! b\n@~\n@end n0\n"
    answer = Answer([data.replace(b"\n", b"\r\n")], "n0", "The container web")
    assert {name: b"".join(one) for name, one in answer.files()} == {"a": b"abcdef"}
    assert (answer.lost, answer.spoiled, answer.ended) == (["b"], 1, True)


def test_hostile_proc_gives_rows_or_is_told() -> None:
    found = {
        "stat": b"btime 99999999999\n", "7/stat": b"7 (a) b) (c) S 1", "7/cmdline": b"\xff\0\n",
        "8/stat": b"8 (x) " + b"9" * 400, "8/links": b" 3 -> /a\n (deleted)\n -> \n",
        "net/tcp": b"head\n0: zz:1 2 3\n0: 0100007F:0050 00000000:0000 FF 0 0 0 0 0 1\n",
        "self/mountinfo": b"garbage\n",
    }  # fmt: skip
    proc = Proc(found, "web", datetime.now(UTC))
    rows = list(proc.lines())
    assert [one.get("pid") for one in rows[:2]] == [7, 8]
    assert {"7/stat", "net/tcp", "self/mountinfo"} <= set(proc.strange)
    assert "127.0.0.1:80" in rows[2]["message"]
