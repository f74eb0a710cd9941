# SPDX-License-Identifier: Apache-2.0
"""The data channel of Systems Manager: what a terminal on the other side shows, as bytes.

ECS Exec answers with an address and a token. Behind it messages come over a WebSocket, each with a
fixed head, a number in its sequence and the SHA-256 of what it carries; each is acknowledged, or it
comes again. The other side is a suspect host: whatever it claims of lengths, numbers and times is
held against limits, and bytes are given out in their order only, each once, whole or not at all.
The format is that of AWS's open agent and plugin (amazon-ssm-agent, session-manager-plugin).
"""

import json
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.sync.client import ClientConnection, connect

from locard.model.errors import Error, Storage, Tampered

HEAD = struct.Struct(">I32sIQqQ16s32sII")
"""Length of the head without its last field, kind, version, created (ms since 1970), number, flags,
id, SHA-256 of the payload, what the payload is, length of the payload."""
_BEFORE_LENGTH = HEAD.size - 4
LONGEST = 64 << 10
"""Bytes of one message. AWS's agent sends 1 KiB of output in each."""
AHEAD = 1024
"""Messages that may come before one that is missing."""
SPOILED = 50
"""Messages with a wrong digest until the channel is given up; each is asked for again."""
QUIET = 60.0
"""Seconds without any message until the other side is given up."""
OPENING = 20.0
AT = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn")
"""Where AWS's own addresses end."""
CLIENT = "1.2.0.0"
"""The version of AWS's plugin whose ways these are; the agent asks."""

OUTPUT, FAULT, HANDSHAKE, ANSWERED, CHALLENGE, FLAG, FAULTS = 1, 2, 5, 6, 8, 10, 11
"""What a payload is. 6 and 10 are ours to send."""
DONE, UNSUPPORTED = 1, 3
_END = struct.pack(">I", 2)


@dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    kind: str
    number: int
    payload: bytes
    content: int = OUTPUT
    id: bytes = field(default_factory=lambda: uuid4().bytes)
    flags: int = 0
    whole: bool = True
    """False when the payload is not what its digest says."""


def packed(message: Message) -> bytes:
    """The message as it goes over the wire."""
    head = HEAD.pack(
        _BEFORE_LENGTH, message.kind.encode().ljust(32), 1, time.time_ns() // 1_000_000,
        message.number, message.flags, message.id[8:] + message.id[:8],
        sha256(message.payload).digest(), message.content, len(message.payload),
    )  # fmt: skip
    return head + message.payload


def unpacked(data: bytes) -> Message:
    """The message that came. Raises `Tampered` for what is none."""
    if len(data) < HEAD.size:
        raise _strange(f"a message of {len(data)} bytes, shorter than its head")
    length, kind, _, _, number, flags, half, digest, content, size = HEAD.unpack_from(data)
    if not _BEFORE_LENGTH <= length <= len(data) - 4:
        raise _strange(f"a message of {len(data):,} bytes whose head has {length:,}")
    payload = data[length + 4 :]
    if size != len(payload):
        raise _strange(f"a message that claims {size:,} bytes and has {len(payload):,}")
    name = kind.strip(b"\0 ").decode("ascii", "replace")
    whole = not size or sha256(payload).digest() == digest
    return Message(name, number, payload, content, half[8:] + half[:8], flags, whole)


class Channel:
    """What the terminal of one command shows, until it ends."""

    def __init__(self, address: str, token: str, *, guarded: bool = True) -> None:
        """`guarded`: only where AWS itself is, and encrypted; False for what stands in for it."""
        place = urlsplit(address)
        if guarded and not (place.scheme == "wss" and f"{place.hostname}".endswith(AT)):
            raise Error(f"AWS names an address that is not safe: {address[:60]}", "Nothing is run.")
        self._address, self._token = address, token
        self._near = place.hostname in ("127.0.0.1", "localhost", "::1")
        self.farewell = ""
        """What the other side said when it closed."""
        self._expected, self._sent = 0, 0
        self._early: dict[int, Message] = {}
        self._spoiled = 0
        self._answer: bytes = b""

    def output(
        self, *, seconds: float, most: int, told: Callable[[int], None] = lambda _count: None
    ) -> Iterator[bytes]:
        """The bytes in their order, until the other side closes or the caller has enough.

        At most `most` bytes and `seconds`. `told` hears how many came, also while none do. Raises
        `Storage` when the connection is lost, `Tampered` for what breaks the rules.
        """
        until, count, quiet = time.monotonic() + seconds, 0, time.monotonic() + QUIET
        with self._opened() as socket:
            while True:
                message = self._next(socket, min(until, quiet))
                if message is None:
                    if time.monotonic() >= min(until, quiet):
                        raise self._silent(seconds if time.monotonic() >= until else QUIET)
                    told(count)
                    continue
                quiet = time.monotonic() + QUIET
                if message.kind == "channel_closed":
                    self.farewell = _text(_json(message.payload).get("Output"))
                    return
                for one in self._in_order(socket, message):
                    count += len(one)
                    if count > most:
                        raise Error(
                            f"More than {most:,} bytes came, and that is the limit.",
                            "Ask for less, or allow more, then carry the run on.",
                        )
                    yield one
                told(count)

    @contextmanager
    def _opened(self) -> Iterator[ClientConnection]:
        """The open channel; at the end the other side is told to end what it runs."""
        hello = {
            "MessageSchemaVersion": "1.0", "RequestId": str(uuid4()), "TokenValue": self._token,
            "ClientId": str(uuid4()), "ClientVersion": CLIENT,
        }  # fmt: skip
        proxy: Any = None if self._near else True
        with ExitStack() as stack:
            try:
                opening = connect(
                    self._address, open_timeout=OPENING, close_timeout=2, max_size=LONGEST,
                    compression=None, proxy=proxy,
                )  # fmt: skip
                socket = stack.enter_context(opening)
                socket.send(json.dumps(hello))
            except (InvalidHandshake, InvalidURI, ConnectionClosed, OSError) as error:
                raise Storage(
                    f"The session cannot be opened: {type(error).__name__}.",
                    "This machine has to reach ssmmessages of the region by HTTPS. Check the "
                    "network, then carry the run on.",
                ) from error
            try:
                yield socket
            finally:
                self._send(socket, packed(self._input(FLAG, _END)))

    def _next(self, socket: ClientConnection, until: float) -> Message | None:
        """The next message that is whole; None when none came within a second."""
        wait = max(0.0, min(1.0, until - time.monotonic()))
        try:
            data = socket.recv(timeout=wait)
        except TimeoutError:
            return None
        except ConnectionClosed as error:
            if error.sent is not None and error.sent.code == 1009:
                raise _strange(f"a message of more than {LONGEST:,} bytes") from error
            raise Storage(
                "The session ended before the command did.",
                "The task or its agent may have stopped. Look at the task, then carry the run on.",
            ) from error
        if isinstance(data, str):
            return None
        message = unpacked(data)
        if message.kind in ("start_publication", "pause_publication", "acknowledge"):
            return None
        if message.whole:
            return message
        self._spoiled += 1
        if self._spoiled > SPOILED:
            raise _strange(f"{SPOILED} messages whose SHA-256 is wrong")
        return None  # not acknowledged, so it comes again

    def _in_order(self, socket: ClientConnection, message: Message) -> Iterator[bytes]:
        """What this message lets out: nothing, itself, or itself and those that came before it."""
        if message.kind != "output_stream_data":
            return
        if message.number > self._expected + AHEAD:
            raise _strange(f"message {message.number:,} where {self._expected:,} was due")
        self._acknowledge(socket, message)
        if message.number < self._expected:
            if message.content == HANDSHAKE and self._answer:
                self._send(socket, self._answer)  # it had not arrived
            return
        self._early.setdefault(message.number, message)
        while (one := self._early.pop(self._expected, None)) is not None:
            self._expected += 1
            if one.content == HANDSHAKE:
                self._shake(socket, one)
            elif one.content == CHALLENGE:
                raise _encrypted("a key of KMS")
            elif one.content in (OUTPUT, FAULTS, FAULT) and one.payload:
                yield one.payload

    def _acknowledge(self, socket: ClientConnection, message: Message) -> None:
        plain = message.id.hex()
        name = "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))
        said = {
            "AcknowledgedMessageType": message.kind,
            "AcknowledgedMessageId": name,
            "AcknowledgedMessageSequenceNumber": message.number,
            "IsSequentialMessage": True,
        }
        self._send(socket, packed(Message("acknowledge", 0, json.dumps(said).encode(), 0, flags=3)))

    def _shake(self, socket: ClientConnection, message: Message) -> None:
        """Answer what the agent wants to agree on. Encryption by a key of KMS is refused."""
        asked = _json(message.payload).get("RequestedClientActions")
        done = []
        for one in asked[:20] if isinstance(asked, list) else ():
            kind = _text(one.get("ActionType")) if isinstance(one, dict) else ""
            if kind == "KMSEncryption":
                key = one.get("ActionParameters")
                raise _encrypted(_text(key.get("KMSKeyId") if isinstance(key, dict) else key))
            known = kind == "SessionType"
            status = DONE if known else UNSUPPORTED
            done.append({"ActionType": kind, "ActionStatus": status, "ActionResult": None,
                         "Error": "" if known else "unsupported"})  # fmt: skip
        said = {"ClientVersion": CLIENT, "ProcessedClientActions": done, "Errors": []}
        self._answer = packed(self._input(ANSWERED, json.dumps(said).encode()))
        self._send(socket, self._answer)

    def _input(self, content: int, payload: bytes) -> Message:
        self._sent += 1
        return Message("input_stream_data", self._sent - 1, payload, content)

    def _send(self, socket: ClientConnection, data: bytes) -> None:
        try:
            socket.send(data)
        except ConnectionClosed:
            return  # the next look at what came says so

    def _silent(self, seconds: float) -> Error:
        return Storage(
            f"The other side did not come to an end within {seconds:,.0f} seconds.",
            "It is slow, or stopped, or does not want to. Carry the run on, or allow it more time.",
        )


def _json(payload: bytes) -> dict[str, Any]:
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise _strange("a message that should be JSON and is not") from error
    if not isinstance(found, dict):
        raise _strange("a message that should be an object and is not")
    return found


def _text(value: object) -> str:
    """A text of the other side, short and on one line."""
    words = " ".join(str(value or "").split())
    return "".join(one for one in words if one.isprintable())[:300]


def _encrypted(key: str) -> Error:
    return Error(
        f"The sessions of this cluster are encrypted with {key or 'a key of KMS'}, which Locard "
        "does not do.",
        "Take kmsKeyId out of the cluster's executeCommandConfiguration for as long (what is sent "
        "is encrypted by TLS all the same), then carry the run on.",
    )


def _strange(what: str) -> Tampered:
    return Tampered(
        f"The other side of the session sent {what}.",
        "Suspect what runs there. Nothing of it was kept; carry the run on, or leave it out.",
    )
