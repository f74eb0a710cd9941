# SPDX-License-Identifier: Apache-2.0
"""Which evidence of a run is parsed while it comes in: images, also inside a compression.

Other evidence is in the vault nearly as soon as its first rows could be seen, or (an image in
several files) cannot be read before all of it is there.
"""

import os
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlalchemy import select

from locard.cases import segments
from locard.cases.arriving import sizes
from locard.cases.preview import Preview
from locard.cases.scout import Scout
from locard.cases.segments import Whole
from locard.evidence import Arrival, Vault
from locard.evidence.spool import Readable
from locard.model.errors import Error
from locard.model.evidence import Origin, printable
from locard.parsers.contract import Limits
from locard.parsers.decode import layer_of
from locard.parsers.disk.image.companions import companions
from locard.parsers.pool import Pool, Task
from locard.parsers.rename import renamed
from locard.settings import limited
from locard.state.database import State
from locard.state.investigations import Holding
from locard.timeline import Timeline

if TYPE_CHECKING:
    from locard.cases.intake import Wish

SMALLEST = 64 << 20
"""Smaller evidence is in the vault before a worker would have read much of it."""
SMALLEST_PACKED = 1 << 20
"""The same for what is compressed: an image of zeros becomes a thousandth."""
SECONDS = 10.0
"""How long the end of a run waits for what it dropped."""


class Ahead:
    """The scouts of one run in a case."""

    def __init__(
        self,
        home: Path,
        state: State,
        vault: Vault,
        case: str,
        pool: Callable[[], Pool],
        timeline: Callable[[], Timeline],
        scratch: Path,
        limits: Limits,
        mappings: Mapping[str, dict[str, object]],
    ) -> None:
        self.home, self.state, self.vault, self.case = home, state, vault, case
        self.scratch, self._pool, self._timeline = scratch, pool, timeline
        self._limits, self._mappings = limits, mappings
        self._sent: list[Scout] = []
        self._waiting: dict[str, Scout] = {}

    @property
    def pool(self) -> Pool:
        """The workers of the run."""
        return self._pool()

    def length(self, stream: Readable, name: str, beside: Collection[Whole]) -> int | None:
        """How many bytes this file has, when it is worth parsing ahead.

        `beside` are the images of which further segments are taken in with it.
        """
        try:
            descriptor: int = stream.fileno()  # type: ignore[attr-defined]
            size = os.lseek(descriptor, 0, os.SEEK_END)
            os.lseek(descriptor, 0, os.SEEK_SET)
            first = os.pread(descriptor, 64, 0)
            packed = layer_of(first) is not None
            if size < (SMALLEST_PACKED if packed else SMALLEST):
                return None
            if companions(lambda offset, count: os.pread(descriptor, count, offset)):
                return None
        except (AttributeError, OSError):
            return None
        return None if self._in_several(name, beside) else size

    def worth(self, first: bytes, size: int, name: str) -> bool:
        """Whether what is sent here, and begins like this, is worth parsing ahead.

        Not what is compressed: mostly its end says how large its content is.
        """
        if size < SMALLEST or layer_of(first[:64]) is not None:
            return False
        named = companions(lambda offset, count: first[offset : offset + count])
        return not named and not self._in_several(name, ())

    def _in_several(self, name: str, beside: Collection[Whole]) -> bool:
        """Whether the file is, or may be, one of several of an image."""
        if segments.later(name) or segments.several(name, beside):
            return True
        with self.state.session() as session:
            return bool(segments.segments(session, self.case, name))

    def task(self, origin: Origin, wish: "Wish") -> Task:
        """What a worker will be told of a file that a person adds (`reading.opened`)."""
        return Task(
            evidence="",
            name=printable(origin.name),
            fd=-1,
            size=0,
            parser=wish.parser or None,
            modified=origin.modified,
            zone=wish.zone or "UTC",
            host=wish.host,
            learned=wish.learned,
            accounts=wish.accounts,
            mapping=self._mappings.get(wish.mapping),
            limits=limited(self._limits, wish.limits),
        )

    def send(self, arrival: Arrival, task: Task) -> Scout | None:
        """Begin to parse what comes in; None where there is no room for what is told."""
        self._prepare()
        try:
            self.scratch.mkdir(parents=True, exist_ok=True)
            scout = Scout(self, arrival, task)
        except OSError:
            return None
        self._sent.append(scout)
        return scout

    def _prepare(self) -> None:
        """Start at once what takes a second to start: the store, and workers.

        Two of them, one for a compression and one for the image in it.
        """
        if self._sent:
            return
        self.pool.prepare(2)

        def connect() -> None:
            with suppress(Error):  # whoever writes rows hears of it
                self._timeline()

        Thread(target=connect, name="connect", daemon=True).start()

    def follow(self, arrival: Arrival, task: Task) -> Scout | None:
        """Begin to parse what comes out of a compression, when it is large enough."""
        large = arrival.size is not None and arrival.size >= SMALLEST
        return self.send(arrival, task) if large else None

    def inside(self, stream: Readable, size: int | None) -> Arrival:
        """The content of a compression begins to come in."""
        return self.vault.arriving(stream, size=size)

    def preview(self, size: int, name: str) -> Preview:
        """Begin to show rows; none when evidence of the same size is coming in already.

        That may be the same evidence once more.
        """
        held = self._held(size)
        twice = size in sizes(self.home, self.case)

        def unheld(batch: pa.RecordBatch) -> pa.RecordBatch:
            if twice:
                return batch.slice(0, 0)
            for evidence in held:
                ids = renamed(batch, name, evidence).column("id")
                batch = self._timeline().unheld(self.case, batch, ids)
            return batch

        return Preview(self.home, self.case, size, self._timeline, unheld)

    def keep(self, evidence: str, scout: Scout) -> None:
        """What was parsed ahead is this evidence."""
        if evidence in self._waiting:
            scout.drop()
        else:
            self._waiting[evidence] = scout

    def take(self, evidence: str) -> Scout | None:
        """What was parsed of this evidence; the taker drops it."""
        return self._waiting.pop(evidence, None)

    def close(self) -> None:
        """Drop all that is left."""
        for scout in self._sent:
            scout.drop()
        for scout in self._sent:
            scout.thread.join(SECONDS)

    def _held(self, size: int) -> list[str]:
        """Evidence of the same size that the case has: it may be the same."""
        with self.state.session() as session:
            return list(
                session.scalars(
                    select(Holding.evidence).where(Holding.case == self.case, Holding.size == size)
                )
            )
