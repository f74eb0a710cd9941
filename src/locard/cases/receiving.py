# SPDX-License-Identifier: Apache-2.0
"""A large upload is handed over to a run of its own, which parses it while it comes in.

The server gives the bytes on as they come. First goes a line that says what they are; back comes a
line with the evidence id, or with the error. Whoever sends less than was said has broken off,
which includes a server that died: then nothing of it is kept.
"""

import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from locard.cases.background import Background, Child
from locard.cases.intake import Wish
from locard.evidence.spool import guarded
from locard.model import errors
from locard.model.custody import Hand
from locard.model.errors import Error

PIECE = 1 << 20
MOST = 4
"""Uploads that are handed over at the same time; further ones are parsed when they are here."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An upload, as the server knows it before its first byte."""

    case: str
    name: str
    size: int
    wish: Wish
    modified: int | None
    """When its file was changed where it was, in UTC nanoseconds."""


def handed_over(background: Background, stream: io.BufferedReader, sent: Sent, who: Hand) -> str:
    """Give an upload to a run of its own; the evidence id, or empty when there are enough of them.

    Raises what the run says, and `Unreadable` when the sender breaks off.
    """
    child = background.receiving(who, MOST)
    if child is None:
        return ""
    assert child.stdin is not None and child.stdout is not None
    with child.stdout as answers:
        try:
            with child.stdin as body:
                body.write(json.dumps(asdict(sent)).encode() + b"\n")
                while piece := guarded(lambda: stream.read1(PIECE)):
                    body.write(piece)
                    body.flush()
        except BrokenPipeError:  # it takes no more, and says why
            pass
        return _answer(child, answers.readline())


def _answer(child: Child, line: bytes) -> str:
    if not line:
        child.wait()
        raise errors.Storage(
            "The run that took the upload in has ended before all of it was kept.",
            "Send it again; why it ended stands in resume.log.",
        )
    told = json.loads(line)
    if "evidence" in told:
        return str(told["evidence"])
    kind = getattr(errors, told["kind"], Error)
    raise (kind if isinstance(kind, type) else Error)(told["message"], told["advice"])


def take(
    run: Callable[[Sent, io.BufferedReader, Callable[[str], None]], object],
    source: io.BufferedReader,
    answers: BinaryIO,
) -> None:
    """The other side: take in what comes from `source`, and answer."""
    told = json.loads(source.readline())
    sent = Sent(**{**told, "wish": Wish(**told["wish"])})

    def answer(**said: Any) -> None:
        answers.write(json.dumps(said).encode() + b"\n")
        answers.close()

    try:
        run(sent, io.BufferedReader(_Body(source, sent.size), PIECE), lambda e: answer(evidence=e))
    except Error as error:
        if answers.closed:
            raise
        answer(kind=type(error).__name__, message=error.message, advice=error.advice)


class _Body(io.RawIOBase):
    """So many bytes of a source that goes on. Raises `ConnectionResetError` when there are less."""

    def __init__(self, source: io.BufferedReader, size: int) -> None:
        super().__init__()
        self._source, self._left = source, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = self._source.read1(min(len(view), self._left))
        if not data and self._left:
            raise ConnectionResetError("the sender went away before the end")
        view[: len(data)] = data
        self._left -= len(data)
        return len(data)
