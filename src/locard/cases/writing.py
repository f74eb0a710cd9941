# SPDX-License-Identifier: Apache-2.0
"""The one writer of a run: rows of many files become few atomic batches, then the counts commit.

A holding is final in the state only after the store acknowledged its last row. A run that was
killed therefore parses that holding again, and the store knows the rows it has by their ids.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from queue import Empty, SimpleQueue
from threading import Condition, Event, Thread
from typing import TypeAlias, cast

import pyarrow as pa
from sqlalchemy import Table, bindparam, select, update

from locard.parsers.rows import BATCH_BYTES, BATCH_ROWS
from locard.state.database import State
from locard.state.investigations import Holding, Stage
from locard.timeline import Timeline

PATIENCE = 0.4
"""Seconds that rows of small files wait for more."""
AHEAD = BATCH_BYTES
"""Bytes of rows that wait while others are written: parsing goes on for as long as writing takes,
and memory stays bounded."""
OUTCOME_BYTES = 1 << 10
"""What an outcome counts for."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one holding."""

    holding: int
    stage: Stage
    reason: str = ""
    kind: str = ""
    parser: str = ""
    parser_version: str = ""
    attempts: int = 1
    seen: int = 0
    rows: int = 0
    problems: int = 0
    facts: dict[str, str] = field(default_factory=dict)


_TOLD = tuple(one.name for one in fields(Outcome) if one.name != "holding")
"""Columns of a holding that an outcome says."""


@dataclass(slots=True)
class Tally:
    """What a run added to the timeline."""

    new: int = 0
    known: int = 0
    """Rows that were there already, from the same place."""
    sighted: int = 0
    """Records that the timeline held from another place."""
    seen: int = 0
    """Records of the files that were read to their end, also of those that were read anew."""
    problems: int = 0
    """Those of them with a problem."""


Item: TypeAlias = pa.RecordBatch | Outcome | Callable[[], None]


class Writer:
    """Takes batches and outcomes from the parsing threads, in the order of each holding."""

    def __init__(
        self,
        timeline: Timeline,
        state: State,
        case: str,
        told: Callable[[list[tuple[str, Outcome]]], None] = lambda _outcomes: None,
    ) -> None:
        self.timeline, self.state, self.case, self.told = timeline, state, case, told
        """`told` is handed evidence ids with their outcomes once their rows are written."""
        self.tally = Tally()
        self.error: Exception | None = None
        self._queue: SimpleQueue[Item | None] = SimpleQueue()
        self._ahead = 0
        """Bytes in the queue."""
        self._room = Condition()
        self._batches: list[pa.RecordBatch] = []
        self._outcomes: list[Outcome] = []
        self._rows = self._bytes = 0
        self._thread = Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Queue rows, an outcome, or what is to be done once the rows before it are written.

        Waits when the store is slower than the parsers.
        Raises the error that stopped the writer.
        """
        with self._room:
            self._room.wait_for(lambda: self._ahead < AHEAD)
            if self.error is not None:
                raise self.error
            self._ahead += _size(item)
        self._queue.put(item)

    def settle(self) -> None:
        """Wait until all that was put is written. Raises the error that stopped the writer."""
        written = Event()
        self.put(written.set)
        while not written.wait(0.1):
            if self.error is not None:
                raise self.error

    def close(self) -> None:
        """Write what is left and stop. Raises the error that stopped the writer."""
        self._queue.put(None)
        self._thread.join()
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        oldest: float | None = None
        while True:
            wait = PATIENCE if oldest is None else max(0.0, oldest + PATIENCE - time.monotonic())
            try:
                item = self._queue.get(timeout=wait or 0.001)
            except Empty:
                self._flush()
                oldest = None
                continue
            if item is None:
                self._flush()
                return
            with self._room:
                self._ahead -= _size(item)
                self._room.notify_all()
            if self.error is not None:
                continue
            oldest = oldest or time.monotonic()
            if isinstance(item, Outcome):
                self._outcomes.append(item)
            elif not isinstance(item, pa.RecordBatch):
                self._flush(item)
                oldest = None
            else:
                if self._rows and self._rows + item.num_rows > BATCH_ROWS:
                    self._flush()
                self._batches.append(item)
                self._rows += item.num_rows
                self._bytes += item.nbytes
            if self._rows >= BATCH_ROWS or self._bytes >= BATCH_BYTES:
                self._flush()
                oldest = None

    def _flush(self, then: Callable[[], None] = lambda: None) -> None:
        batches, self._batches = self._batches, []
        outcomes, self._outcomes = self._outcomes, []
        self._rows = self._bytes = 0
        if self.error is not None:
            return
        try:
            if batches:
                written = self.timeline.write(self.case, pa.Table.from_batches(batches))
                self.tally.new += written.new
                self.tally.known += written.known
                self.tally.sighted += written.sighted
            self._commit(outcomes)
            then()
        except Exception as error:  # noqa: BLE001  (raised again by put and close)
            self.error = error

    def _commit(self, outcomes: list[Outcome]) -> None:
        if not outcomes:
            return
        self._tell(outcomes)
        holdings = cast(Table, Holding.__table__)
        told = [
            {
                "one": outcome.holding,
                **{name: getattr(outcome, name) for name in _TOLD},
                "stage": outcome.stage.value,
            }
            for outcome in outcomes
        ]
        # Unless somebody wants it read in another way since: then it waits again.
        still = (holdings.c.id == bindparam("one")) & (holdings.c.stage == Stage.PARSING.value)
        values = {name: bindparam(name, type_=holdings.c[name].type) for name in _TOLD}
        with self.state.session() as session:
            session.connection().execute(update(holdings).where(still).values(values), told)
        self.tally.seen += sum(outcome.seen for outcome in outcomes)
        self.tally.problems += sum(outcome.problems for outcome in outcomes)

    def _tell(self, outcomes: list[Outcome]) -> None:
        """Hand on what was read by which parser, before it counts as read: none is left out."""
        with self.state.session() as session:
            ids = [outcome.holding for outcome in outcomes]
            rows = session.execute(
                select(Holding.id, Holding.evidence).where(Holding.id.in_(ids))
            ).all()
        evidence = {int(one): str(name) for one, name in rows}
        self.told([(evidence[one.holding], one) for one in outcomes if one.holding in evidence])


def _size(item: Item) -> int:
    return int(item.nbytes) if isinstance(item, pa.RecordBatch) else OUTCOME_BYTES
