# SPDX-License-Identifier: Apache-2.0
"""Rows of evidence that is still coming in, made searchable in groups by a thread of their own.

They are a preview: what is kept are the same rows under the evidence's id, and a preview that
cannot be shown is no failure.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

import pyarrow as pa

from locard.cases.arriving import Announced
from locard.model.errors import Error
from locard.parsers.rows import BATCH_BYTES, BATCH_ROWS
from locard.timeline import Timeline

log = logging.getLogger("locard.cases")


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that were made searchable together: the number, and which items they came from."""

    number: int
    first: int
    last: int


class Preview:
    """The rows of one arrival as others see them meanwhile."""

    def __init__(
        self,
        home: Path,
        case: str,
        size: int,
        timeline: Callable[[], Timeline],
        unheld: Callable[[pa.RecordBatch], pa.RecordBatch],
    ) -> None:
        self.case, self.timeline, self._unheld = case, timeline, unheld
        """`unheld` leaves out the rows that the case holds already."""
        self._announced = Announced(home, case, size)
        self._queue: SimpleQueue[tuple[int, pa.RecordBatch] | None] = SimpleQueue()
        self._groups: list[Group] = []
        self._next: tuple[int, pa.RecordBatch] | None = None
        self._stopped = False
        self._hidden = -1
        self._thread = Thread(target=self._run, name="preview", daemon=True)
        self._thread.start()

    def put(self, index: int, batch: pa.RecordBatch) -> None:
        """Show these rows soon; `index` says where they stand among all."""
        if not self._stopped:
            self._queue.put((index, batch))

    def stop(self) -> list[Group]:
        """Show no more. The groups that are shown."""
        if not self._stopped:
            self._stopped = True
            self._queue.put(None)
        self._thread.join()
        return list(self._groups)

    def replacing(self, group: int, successor: tuple[int | None, str]) -> None:
        """The rows of this group are about to be written; the one of this time and id among them.

        So that nobody sees both: they are written at once, and the group is seen until then.
        """
        self._announced.show_from(group, successor)

    def replaced(self, group: int) -> None:
        """The rows of this group, and of those before, are in the case now."""
        self._announced.show_from(group + 1)
        self.timeline().hide(self.case, self._announced.name, group)
        self._hidden = group

    def end(self) -> None:
        """Nothing of it is seen any more, and its rows are removed as far as they are left."""
        groups = self.stop()
        self._announced.end()
        try:
            for group in groups[self._hidden + 1 :]:
                self.timeline().hide(self.case, self._announced.name, group.number)
        except Error as error:  # nobody sees them, and the next run removes them
            log.warning("rows of a preview are left: %s", error)

    def _run(self) -> None:
        try:
            self.timeline()  # its process starts while the first bytes are read
            while (some := self._some()) and not self._stopped:
                table = pa.Table.from_batches([batch for _, batch in some]).combine_chunks()
                (batch,) = table.to_batches()
                group = Group(len(self._groups), some[0][0], some[-1][0])
                self._groups.append(group)
                if (fresh := self._unheld(batch)).num_rows:
                    self.timeline().show(self.case, self._announced.name, group.number, fresh)
        except Error as error:
            log.warning("rows are not shown before their evidence is in the vault: %s", error)

    def _some(self) -> list[tuple[int, pa.RecordBatch]]:
        """What waits, as much as one block takes; none at the end."""
        found: list[tuple[int, pa.RecordBatch]] = []
        rows = size = 0
        while True:
            following, self._next = self._next, None
            try:
                following = following or self._queue.get(block=not found)
            except Empty:
                return found
            if following is None:
                self._queue.put(None)
                return found
            rows, size = rows + following[1].num_rows, size + int(following[1].nbytes)
            if found and (rows > BATCH_ROWS or size > BATCH_BYTES):
                self._next = following
                return found
            found.append(following)
