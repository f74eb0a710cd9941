# SPDX-License-Identifier: Apache-2.0
"""The data channel against a server that speaks the agent's side of it, and throws faults."""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locard.model.errors import Error, Storage, Tampered
from locard.providers.aws import datachannel
from locard.providers.aws.datachannel import Channel, Message, packed, unpacked
from tests.clouds.aws.agent import Agent, Faults, message
from tests.waiting import eventually

COUNT = "/bin/sh -c 'i=0; while [ $i -lt 900 ]; do echo line $i; i=$((i+1)); done'"
LINES = "".join(f"line {number}\r\n" for number in range(900)).encode()


@pytest.fixture
def agent() -> Iterator[Agent]:
    made = Agent()
    yield made
    if made.server is not None:
        made.server.shutdown()


def output(agent: Agent, command: str = COUNT, **limits: float) -> bytes:
    channel = Channel(agent.start(), agent.command(command), guarded=False)
    seconds, most = limits.get("seconds", 30.0), int(limits.get("most", 1 << 20))
    return b"".join(channel.output(seconds=seconds, most=most))


@pytest.mark.parametrize(
    "faults",
    [
        Faults(), Faults(handshake=False), Faults(spoil_at=4), Faults(swap_at=3),
        Faults(twice_at=4), Faults(twice_at=0), Faults(pause_at=5, seconds=1.5),
    ],
    ids=["handshake", "none", "digest", "order", "twice", "handshake twice", "slow"],
)  # fmt: skip
def test_what_the_terminal_shows_comes_once_and_in_order(agent: Agent, faults: Faults) -> None:
    agent.faults = faults
    assert output(agent) == LINES
    count = max(agent.acknowledged) + 1
    assert set(agent.acknowledged) == set(range(count)), "each message is acknowledged"
    assert agent.told_to_end() == [b"\0\0\0\2"], "the agent is told to end"
    if faults.handshake:
        (answer,) = {str(one) for one in agent.answers}
        assert "'ActionStatus': 1" in answer


@pytest.mark.parametrize(
    "faults,kind,said",
    [
        (Faults(close_at=5), Storage, "ended before the command did"),
        (Faults(always_spoiled=True), Tampered, "SHA-256 is wrong"),
        (Faults(far_at=4), Tampered, "where 4 was due"),
        (Faults(long_at=4), Tampered, "more than 65,536 bytes"),
        (Faults(lie_at=4), Tampered, "claims 2,147,483,648 bytes"),
        (Faults(key="arn:aws:kms:eu-central-1:1:key/k"), Error, "encrypted with arn:aws:kms"),
    ],
    ids=["closed", "digests", "gap", "long", "lie", "encrypted"],
)
def test_what_breaks_the_rules_ends_it_with_a_sentence(
    agent: Agent, faults: Faults, kind: type[Error], said: str
) -> None:
    agent.faults = faults
    with pytest.raises(kind, match=said):
        output(agent)


def test_a_message_that_never_comes_is_waited_for_and_then_given_up(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent.faults = Faults(pause_at=4, seconds=6)
    monkeypatch.setattr(datachannel, "QUIET", 1.0)
    with pytest.raises(Storage, match="within 1 seconds"):
        output(agent)


def test_time_and_bytes_have_limits(agent: Agent) -> None:
    said = f"x{secrets.token_hex(8)}"

    def goes_on() -> bool:
        found = False
        for one in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                found = found or said in one.read_text("utf-8", "replace")
        return found

    with pytest.raises(Storage, match="within 1 seconds"):
        output(agent, f"/bin/sh -c 'while :; do echo {said}; sleep 0.1; done'", seconds=1.0)
    eventually(lambda: not goes_on(), "the command outlives its session")
    with pytest.raises(Error, match="More than 100 bytes"):
        output(agent, most=100)


def test_a_container_without_a_shell_says_so(agent: Agent) -> None:
    agent.faults = Faults(bare=True)
    channel = Channel(agent.start(), agent.command(COUNT), guarded=False)
    assert list(channel.output(seconds=20, most=100)) == []
    assert "Unable to start command" in channel.farewell and "\n" not in channel.farewell


def test_a_token_that_nobody_knows_opens_nothing(agent: Agent) -> None:
    with pytest.raises(Storage):
        list(Channel(agent.start(), "stolen", guarded=False).output(seconds=9, most=9))


@pytest.mark.parametrize(
    "address",
    ["ws://ssmmessages.eu-central-1.amazonaws.com/", "wss://evil.example/?.amazonaws.com",
     "wss://amazonaws.com.evil.example/", "wss://evilamazonaws.com/"],
)  # fmt: skip
def test_only_where_aws_is_and_encrypted(address: str) -> None:
    with pytest.raises(Error, match="not safe"):
        Channel(address, "t")


def test_what_we_pack_is_what_the_agent_reads_and_the_other_way_round() -> None:
    sent = Message("output_stream_data", 7, b"payload", 1)
    assert unpacked(packed(sent)) == sent
    found = unpacked(message("output_stream_data", 7, b"payload"))
    assert (found.kind, found.number, found.payload, found.whole) == (
        "output_stream_data", 7, b"payload", True,
    )  # fmt: skip


@given(st.binary(max_size=400))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    try:
        unpacked(data)
    except Tampered:
        return


@given(st.data())
def test_a_message_with_any_byte_changed_is_never_taken_for_whole_output(
    data: st.DataObject,
) -> None:
    good = bytearray(packed(Message("output_stream_data", 3, b"the payload")))
    at = data.draw(st.integers(112, len(good) - 1))
    good[at] ^= data.draw(st.integers(1, 255))
    try:
        found = unpacked(bytes(good))
    except Tampered:
        return
    assert found.payload == b"the payload" or not found.whole
