# SPDX-License-Identifier: Apache-2.0
"""Rows of evidence that is still coming in, made searchable in groups by a thread of their own.

They are a preview: what is kept are the same rows under the evidence's id, and a preview that
cannot be shown is no failure.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

import pyarrow as pa

from locard.cases.arriving import Announced
from locard.model.errors import Error
from locard.parsers.rows import BATCH_BYTES, BATCH_ROWS
from locard.timeline import Timeline

log = logging.getLogger("locard.cases")


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
        self._groups: list[tuple[int, int]] = []
        self._stopped = False
        self._thread = Thread(target=self._run, name="preview", daemon=True)
        self._thread.start()

    def put(self, index: int, batch: pa.RecordBatch) -> None:
        """Show these rows soon; `index` says where they stand among all."""
        if not self._stopped:
            self._queue.put((index, batch))

    def stop(self) -> list[tuple[int, int]]:
        """Show no more. The groups that are shown: number, and the index of the last rows."""
        if not self._stopped:
            self._stopped = True
            self._queue.put(None)
        self._thread.join()
        return list(self._groups)

    def replaced(self, group: int) -> None:
        """The rows of this group, and of those before, are in the case now."""
        self._announced.show_from(group + 1)
        self.timeline().hide(self.case, self._announced.name, group)

    def end(self) -> None:
        """Nothing of it is seen any more, and its rows are removed as far as they are left."""
        groups = self.stop()
        self._announced.end()
        try:
            for group, _ in groups:
                self.timeline().hide(self.case, self._announced.name, group)
        except Error as error:  # nobody sees them, and the next run removes them
            log.warning("rows of a preview are left: %s", error)

    def _run(self) -> None:
        try:
            self.timeline()  # its process starts while the first bytes are read
            while (some := self._some()) and not self._stopped:
                index, batches = some[-1][0], [batch for _, batch in some]
                table = pa.Table.from_batches(batches).combine_chunks()
                for batch in table.to_batches(max_chunksize=BATCH_ROWS):
                    number = len(self._groups)
                    self._groups.append((number, index))
                    if (fresh := self._unheld(batch)).num_rows:
                        self.timeline().show(self.case, self._announced.name, number, fresh)
        except Error as error:
            log.warning("rows are not shown before their evidence is in the vault: %s", error)

    def _some(self) -> list[tuple[int, pa.RecordBatch]]:
        """What waits, as much as one block takes; none at the end."""
        if (first := self._queue.get()) is None:
            return []
        found, size = [first], int(first[1].nbytes)
        while size < BATCH_BYTES:
            try:
                more = self._queue.get_nowait()
            except Empty:
                break
            if more is None:
                self._queue.put(None)
                break
            found.append(more)
            size += int(more[1].nbytes)
        return found
