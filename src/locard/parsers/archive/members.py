# SPDX-License-Identifier: Apache-2.0
"""Members on their way out of an archive: named for people, counted, bounded."""

from collections.abc import Iterable
from typing import BinaryIO, Protocol

from locard.model.errors import Error, Unreadable
from locard.parsers.decode import CHUNK, Meter
from locard.parsers.frames import MemberBegin, MemberEnd, Order
from locard.parsers.wire import Out

NAME_MOST = 4096
"""Characters of a member's name that are kept."""
TARGET_MOST = 1024
"""Characters of a link's target that are told."""


class Run(Protocol):
    """What an archive tells the run that unpacks it."""

    out: Out
    members: int

    def moved(self, count: int) -> None:
        """Stored bytes were read."""

    def problem(self, text: str, path: str = "") -> None:
        """Something could not be read."""

    def passed(self, text: str, path: str, target: str = "") -> None:
        """Something has no bytes of its own; `target`: where a link leads."""


class Members:
    """Hands members to the parent one after the other."""

    def __init__(self, run: Run, order: Order) -> None:
        self.run = run
        self.limits = order.limits
        self.meter = Meter(order.limits, order.size)
        self._index = 0
        self._path = ""

    def admit(self) -> None:
        """Count one more entry. Raises `Unreadable` beyond the limit of members."""
        if self._index >= self.limits.members:
            raise Unreadable(
                f"The archive has more than {self.limits.members:,} members.",
                "Raise the limit 'members' if you trust this file.",
            )
        self._index += 1

    def refuse(self, name: str, why: str) -> None:
        """An entry whose bytes cannot be given: an encrypted member, one of unknown kind."""
        self.admit()
        self.run.problem(why, legible(name))

    def pass_over(self, name: str, what: str, target: str = "") -> None:
        """An entry that never had bytes of its own: a link, a device. Nothing of it is lost."""
        self.admit()
        self.run.passed(what, legible(name), target)

    def pass_link(self, name: str, target: str, kind: str = "link") -> None:
        """A link, which is not followed: it may point anywhere."""
        target = target[:TARGET_MOST]
        self.pass_over(name, f"a {kind} to {target!r}, not followed", legible(target))

    def member(
        self, name: str, chunks: Iterable[bytes], size: int | None, modified: int | None
    ) -> None:
        """One member. Damage ends the member, not the archive; a bomb ends both."""
        self.begin(name, size, modified)
        try:
            for chunk in chunks:
                self.data(chunk)
        except Bomb:
            raise
        except Error as error:
            self.end(f"{error.message} {error.advice}".strip())
            return
        except BaseException:
            self.end("Unpacking broke off here.")
            raise
        self.end()

    def begin(self, name: str, size: int | None, modified: int | None) -> None:
        """A member begins."""
        self.admit()
        path = legible(name)
        self._path = path
        self.run.out.tell(MemberBegin(self._index - 1, path, size, modified, oddity(name)))

    def data(self, chunk: bytes) -> None:
        """The next bytes of the member, counted against the limits."""
        try:
            self.meter.add(len(chunk))
        except Unreadable as error:
            self.end(error.message)
            raise Bomb(error.message, error.advice) from None
        if chunk:
            self.run.out.data(chunk)
            self.run.moved(0)

    def end(self, problem: str = "") -> None:
        """The member is over; `problem` says why it is not whole."""
        if problem:
            self.run.problem(problem, self._path)
        else:
            self.run.members += 1
        self.run.out.tell(MemberEnd(self._index - 1, self._path, problem))


class Bomb(Unreadable):
    """The archive as a whole passed a limit: no further member is read."""


def legible(name: str) -> str:
    """A member's name as text: no control characters, no broken characters, bounded."""
    text = "".join(
        character if character.isprintable() else _spelled(character)
        for character in name[:NAME_MOST]
    )
    return text if len(name) <= NAME_MOST else text + "..."


def _spelled(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode()


def oddity(name: str) -> str:
    """What is odd about a member's name, for the record; the name is not used as a path anyway."""
    parts = name.replace("\\", "/").split("/")
    if ".." in parts:
        return "the name points outside the archive"
    if name.startswith(("/", "\\")) or name[1:2] == ":":
        return "the name is absolute"
    if any(not character.isprintable() for character in name):
        return "the name holds control or broken characters"
    return ""


def first_byte(reader: BinaryIO, start: int, end: int) -> int | None:
    """Where the first byte that is not zero stands between these places."""
    while start < end:
        reader.seek(start)
        data = reader.read(min(CHUNK, end - start))
        rest = data.lstrip(b"\0")
        if rest or not data:
            return start + len(data) - len(rest) if rest else None
        start += len(data)
    return None
