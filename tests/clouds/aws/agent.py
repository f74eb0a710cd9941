# SPDX-License-Identifier: Apache-2.0
"""The agent's side of the data channel of Systems Manager: it runs the command in a terminal.

A server on loopback that speaks the protocol as AWS's agent does, by code of its own: it shares
nothing with what it tests. The command is split into words and started without a shell, at a true
pseudo-terminal, in a process namespace of its own where the machine allows that. Faults are thrown
when asked for.
"""

import hashlib
import json
import os
import pty
import shlex
import signal
import struct
import subprocess
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from threading import Thread
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from tests.waiting import PATIENCE

PIECE = 1024
APART = (
    "unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc",
)  # fmt: skip
BESIDE = ("sh", "-c", 'sleep 300 & exec "$@"', "sh")
"""Starts the command with something else that runs in the container."""


@dataclass
class Faults:
    """What goes wrong, by the number of the message that it happens to; -1: nothing does."""

    close_at: int = -1
    spoil_at: int = -1
    """Its digest is wrong the first time."""
    always_spoiled: bool = False
    swap_at: int = -1
    """It comes after its successor."""
    twice_at: int = -1
    far_at: int = -1
    """Its number is far ahead."""
    long_at: int = -1
    """It is longer than it may be."""
    lie_at: int = -1
    """It claims another length than it has."""
    pause_at: int = -1
    seconds: float = 0.0
    key: str = ""
    """The agent asks for encryption with this key."""
    handshake: bool = True
    without: tuple[str, ...] = ()
    """Programs that the container does not have."""
    bare: bool = False
    """The container has no shell."""


@dataclass
class Agent:
    """One agent; `faults` may be changed between sessions."""

    faults: Faults = field(default_factory=Faults)
    tokens: dict[str, str] = field(default_factory=dict)
    """Commands that wait for their session, by token."""
    answers: list[dict[str, Any]] = field(default_factory=list)
    """What the other side answered to the handshake."""
    acknowledged: list[int] = field(default_factory=list)
    ended: list[bytes] = field(default_factory=list)
    """Flags that the other side sent."""
    server: Server | None = None

    def start(self) -> str:
        """Serve; the address."""
        self.server = serve(self._session, "127.0.0.1", 0)
        Thread(target=self.server.serve_forever, daemon=True).start()
        return f"ws://127.0.0.1:{self.server.socket.getsockname()[1]}/v1/data-channel/s"

    def command(self, words: str) -> str:
        """A token for a session that runs this."""
        token = str(uuid.uuid4())
        self.tokens[token] = words
        return token

    def told_to_end(self) -> list[bytes]:
        """The flags that came; the first is waited for, as it is sent when the output is there."""
        until = time.monotonic() + PATIENCE
        while not self.ended and time.monotonic() < until:
            time.sleep(0.02)
        return self.ended

    def _session(self, socket: ServerConnection) -> None:
        opened = json.loads(socket.recv(timeout=20))
        words = self.tokens.pop(opened["TokenValue"], None)
        if words is None or opened["MessageSchemaVersion"] != "1.0":
            socket.close(4001, "unknown token")
            return
        try:
            _Session(self, socket).run(words)
        except (ConnectionClosed, TimeoutError):
            return


class _Session:
    def __init__(self, agent: Agent, socket: ServerConnection) -> None:
        self.agent, self.socket, self.number = agent, socket, 0
        self.waiting: dict[int, bytes] = {}
        self.held: bytes | None = None

    def run(self, words: str) -> None:
        faults = self.agent.faults
        self.socket.send(message("start_publication", 0, b"", digest=bytes(32)))
        if faults.handshake or faults.key:
            self._shake()
        if faults.bare:
            said = "Unable to start command: Failed to start pty: fork/exec /bin/sh: no such file"
            self._close(f"----------ERROR-------\n{said}\n")
            return
        process, terminal = _begun(words, faults.without)
        try:
            while data := _read(terminal):
                self._output(data)
            self._settle()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            os.close(terminal)
        self._close("")
        until = time.monotonic() + 10  # the other side has a last word, and then hangs up
        while time.monotonic() < until:
            self._heard(0.5)

    def _shake(self) -> None:
        actions = [{"ActionType": "SessionType", "ActionParameters":
                    {"SessionType": "InteractiveCommands", "Properties": {}}}]  # fmt: skip
        if self.agent.faults.key:
            actions.append({"ActionType": "KMSEncryption",
                            "ActionParameters": {"KMSKeyId": self.agent.faults.key}})  # fmt: skip
        asked = {"AgentVersion": "3.3.40.0", "RequestedClientActions": actions}
        self._send(json.dumps(asked).encode(), kind=5)
        while not self.agent.answers or 0 in self.waiting:
            self._heard(10)
        done = {"HandshakeTimeToComplete": 1000, "CustomerMessage": ""}
        self._send(json.dumps(done).encode(), kind=7)

    def _output(self, data: bytes) -> None:
        for at in range(0, len(data), PIECE):
            self._send(data[at : at + PIECE])
        self._heard(0)

    def _send(self, payload: bytes, kind: int = 1) -> None:
        faults, number = self.agent.faults, self.number
        self.number += 1
        sent = self.waiting[number] = message("output_stream_data", number, payload, kind)
        if number == faults.close_at:
            self.socket.close()
            raise ConnectionClosed(None, None)
        if number == faults.pause_at:
            time.sleep(faults.seconds)
        if number == faults.far_at:
            sent = message("output_stream_data", number + 10**12, payload, kind)
        if number == faults.long_at:
            sent = message("output_stream_data", number, bytes(1 << 20), kind)
        if number == faults.lie_at:
            sent = message("output_stream_data", number, payload, kind, size=2**31)
        if number == faults.spoil_at or (faults.always_spoiled and kind == 1):
            sent = message("output_stream_data", number, payload, kind, digest=b"x" * 32)
        if number == faults.swap_at:
            self.held = sent
            return
        self.socket.send(sent)
        if number == faults.twice_at:
            self.socket.send(sent)
        if self.held is not None:
            self.socket.send(self.held)
            self.held = None

    def _settle(self) -> None:
        """Send again what is not acknowledged, until all is."""
        if self.held is not None:
            self.socket.send(self.held)
        until = time.monotonic() + 20
        while self.waiting and time.monotonic() < until:
            self._heard(0.2)
            for number, sent in list(self.waiting.items()):
                if self.agent.faults.always_spoiled:
                    sent = sent[:80] + b"x" * 32 + sent[112:]
                self.socket.send(sent)
                assert number in self.waiting

    def _heard(self, seconds: float) -> None:
        """Take what the other side sent."""
        while True:
            try:
                data = self.socket.recv(timeout=seconds)
            except TimeoutError:
                return
            seconds = 0
            assert isinstance(data, bytes)
            head, payload = data[:120], data[120:]
            assert struct.unpack(">I", head[:4])[0] == 116
            assert struct.unpack(">I", head[116:120])[0] == len(payload)
            assert head[80:112] == hashlib.sha256(payload).digest()
            name, content = head[4:36].decode().strip(), struct.unpack(">I", head[112:116])[0]
            if name == "acknowledge":
                number = json.loads(payload)["AcknowledgedMessageSequenceNumber"]
                self.agent.acknowledged.append(number)
                self.waiting.pop(number, None)
            elif name == "input_stream_data" and content == 6:
                self.agent.answers.append(json.loads(payload))
            elif name == "input_stream_data" and content == 10:
                self.agent.ended.append(payload)

    def _close(self, text: str) -> None:
        said = {"MessageType": "channel_closed", "SessionId": "s", "Output": text,
                "SchemaVersion": 1, "MessageId": str(uuid.uuid4()), "DestinationId": "d",
                "CreatedDate": "1"}  # fmt: skip
        self.socket.send(message("channel_closed", 0, json.dumps(said).encode()))
        self._heard(2)


def message(
    name: str,
    number: int,
    payload: bytes,
    kind: int = 1,
    *,
    digest: bytes | None = None,
    size: int | None = None,
) -> bytes:
    """One message as the agent writes it."""
    number_of = uuid.uuid4().bytes
    parts = (
        struct.pack(">I", 116), name.encode().ljust(32, b" "), struct.pack(">I", 1),
        struct.pack(">Q", int(time.time() * 1000)), struct.pack(">q", number),
        struct.pack(">Q", 0), number_of[8:], number_of[:8],
        digest or hashlib.sha256(payload).digest(), struct.pack(">I", kind),
        struct.pack(">I", len(payload) if size is None else size), payload,
    )  # fmt: skip
    return b"".join(parts)


@cache
def apart() -> tuple[str, ...]:
    """What puts a command into namespaces of its own, where this machine allows it."""
    tried = subprocess.run([*APART, "true"], capture_output=True, check=False)
    return (*APART, *BESIDE) if tried.returncode == 0 else ()


def _begun(words: str, without: tuple[str, ...]) -> tuple[subprocess.Popen[bytes], int]:
    """The command at a terminal of its own, and our end of it."""
    command = shlex.split(words)
    assert command[0] == "/bin/sh" and command[1] == "-c", "nothing else is ever run"
    hidden = "".join(f"{one}() {{ return 127; }}\n" for one in without)
    if without:  # `command -v` does not find them
        names = "|".join(without)
        hidden += f'command() {{ case "$2" in {names}) return 1;; esac; type "$2"; }}\n'
    command[2] = hidden + command[2]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*apart(), *command], stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True, close_fds=True,
        env={"PATH": os.environ["PATH"], "API_TOKEN": "hunter2-hunter2", "LD_LIBRARY_PATH": "/x"},
    )  # fmt: skip
    os.close(theirs)
    return process, ours


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 16 * PIECE)
    except OSError:  # the last process at the terminal ended
        return b""
