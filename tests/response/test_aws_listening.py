# SPDX-License-Identifier: Apache-2.0
"""Whether an isolated instance is silent: by flow logs, by a probe, and by neither, as it is."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest

from locard.actions.isolate.aws.steps import silence
from locard.model.action import Receipt, RunState, Verdict
from tests.clouds.aws.server import REGION
from tests.response.aws import Scene, differences, scene
from tests.response.simulated import ANA, Room, aws, room
from tests.waiting import PATIENCE

__all__ = ["aws", "room"]
pytestmark = pytest.mark.server
NAMES = (f"listen{number}" for number in count())
RECORD = "2 123456789012 {eni} 198.51.100.7 10.0.1.5 40000 443 6 9 900 {start} {end} {what} OK"


@pytest.fixture
def here(room: Room) -> Scene:
    """The awkward instance."""
    made = scene(room.aws, next(NAMES))
    room.aws.forget()
    return made


def verdict(done: Receipt, key: str) -> Verdict:
    (found,) = [one.verdict for one in done.steps if one.step.key == key]
    assert found is not None
    return found


def logged(here: Scene, **given: str) -> str:
    """A flow log of the VPC; the name of its log group."""
    name = f"/flows/{here.group}"
    here.aws.client("logs").create_log_group(logGroupName=name)
    to = {"LogGroupName": name, "DeliverLogsPermissionArn": "arn:aws:iam::123456789012:role/f"}
    here.ec2().create_flow_logs(
        ResourceIds=[here.vpc], ResourceType="VPC", TrafficType="ALL", **(given or to)
    )
    return name


def seen(here: Scene, what: str, start: float) -> None:
    """The network sees something of the first interface."""
    logs, group, eni = here.aws.client("logs"), f"/flows/{here.group}", here.interfaces[0]
    stream = f"{eni}-all"
    if not logs.describe_log_streams(logGroupName=group)["logStreams"]:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    text = RECORD.format(eni=eni, start=int(start), end=int(start) + 60, what=what)
    event = {"timestamp": int(time.time() * 1000) + 5000, "message": text}
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])


def test_flow_logs_say_nothing_yet_then_silence_then_what_is_let_through(
    room: Room, here: Scene
) -> None:
    logged(here)
    done = room.isolated(room.target("instance", here.instance))
    first = verdict(done, "check:flows")
    assert first.holds is None and "nothing since yet" in first.detail
    assert done.state == RunState.DONE
    seen(here, "ACCEPT", time.time() - 300)
    again = verdict(room.runner.verify(done.run, ANA), "check:flows")
    assert again.holds is None, "what began before the change does not count"
    seen(here, "REJECT", time.time() + 2)
    again = verdict(room.runner.verify(done.run, ANA), "check:flows")
    assert again.holds is True and "1 records since" in again.detail
    seen(here, "ACCEPT", time.time() + 3)
    again = verdict(room.runner.verify(done.run, ANA), "check:flows")
    assert again.holds is False and "198.51.100.7 to 10.0.1.5 port 443" in again.detail
    room.released(done.run)


def test_what_is_not_available_is_said_with_the_reason(room: Room, here: Scene) -> None:
    target = room.target("instance", here.instance)
    done = room.isolated(target)
    assert "not available: no flow log is on" in verdict(done, "check:flows").detail
    room.released(done.run)
    room.aws.fault("ec2:DescribeFlowLogs", "UnauthorizedOperation")
    (step,) = [one for one in room.plan(target).steps if one.key == "check:flows"]
    assert "denied ec2:DescribeFlowLogs" in step.arguments["why"]
    where = {"LocationConstraint": REGION}
    here.aws.client("s3").create_bucket(Bucket="flows", CreateBucketConfiguration=where)
    logged(here, LogDestinationType="s3", LogDestination="arn:aws:s3:::flows")
    (step,) = [one for one in room.plan(target).steps if one.key == "check:flows"]
    assert step.arguments["logs"] == [] and "arn:aws:s3:::flows" in step.arguments["why"]


@contextmanager
def listening(address: str, times: int) -> Iterator[int]:
    """A server that answers so many times; its port."""
    with socket.create_server((address, 0)) as server:
        server.settimeout(PATIENCE)

        def serve() -> None:
            for _ in range(times):
                server.accept()[0].close()
            server.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]


def opened(here: Scene, port: int) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port,
            "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}  # fmt: skip
    here.ec2().authorize_security_group_ingress(GroupId=here.groups[0], IpPermissions=[rule])


@pytest.mark.parametrize("source", ["here", "instance"])
def test_a_probe_that_answered_before_and_does_not_any_more(
    room: Room, here: Scene, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "PATIENCE", 1.0)
    assert here.address.startswith("127."), "moto's Elastic IPs are on loopback"
    with listening(here.address, 1) as port:
        opened(here, port)
        where = here.other if source == "instance" else "here"
        done = room.isolated(room.target("instance", here.instance), probe=where)
    assert f"answered before: {here.address} port {port}" in verdict(done, "probe:before").detail
    after = verdict(done, "probe:after")
    assert after.holds is True and f"before, {here.address} port {port} did" in after.detail
    assert (where if source == "instance" else "this machine") in after.signal
    room.released(done.run)


def test_a_probe_that_is_answered_still_stops_the_run_and_all_goes_back(
    room: Room, here: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "PATIENCE", 1.0)
    with listening(here.address, 2) as port:
        opened(here, port)
        before = here.state()
        run = room.begin(room.target("instance", here.instance), probe="here")
        stopped = room.runner.carry_on(run, ANA)
    assert stopped.state == RunState.FAILED
    assert f"it answers at {here.address} port {port}" in stopped.steps[-1].error
    standing = room.runner.standing(run)
    assert standing and all(one.step.changes for one in standing)
    room.released(run)
    assert differences(before, here.state()) == []


def test_silence_where_nothing_answered_before_proves_nothing() -> None:
    step = type("Step", (), {"arguments": {"places": [], "source": "", "before": False}})()
    found = silence.Probe().look(None, step, {"answered": []})  # type: ignore[arg-type]
    assert found.holds is None and "proves nothing" in found.detail
