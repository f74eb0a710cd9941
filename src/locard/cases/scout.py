# SPDX-License-Identifier: Apache-2.0
"""One piece of evidence that is parsed while its bytes still come into the vault.

The worker reads the very file that the vault will keep. What it tells is written down until the
evidence has its id; then the run of the case takes it up in the place of a worker of its own, so
that holdings, entries and rows come to be in one way only. Until then nothing of it counts: when
the source breaks, changes, or turns out to be something else, it is dropped, and the evidence is
parsed as if nobody had looked before.
"""

import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from secrets import token_hex
from threading import Condition, Thread
from typing import Protocol

import pyarrow as pa

from locard.cases.attempt import Members
from locard.cases.preview import Preview
from locard.evidence import Arrival, Broken
from locard.evidence.spool import Readable
from locard.model.errors import Error
from locard.model.evidence import printable
from locard.parsers import frames as f
from locard.parsers.archive.layer import content_size
from locard.parsers.pool import Pool, Task, WorkerLost
from locard.parsers.recognise import LAYER
from locard.parsers.rename import renamed
from locard.parsers.rows import SCHEMA

log = logging.getLogger("locard.cases")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A member that is all here, in the place of its frames."""

    begin: f.MemberBegin
    end: f.MemberEnd | None
    arrival: Arrival
    scout: "Scout | None"


@dataclass(frozen=True, slots=True)
class Written:
    """To be done when the rows before it are written."""

    then: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where a batch of rows was written down."""

    start: int
    length: int


Told = f.Frame | Arrived | Written


class Site(Protocol):
    """What a scout needs of the run that sends it."""

    @property
    def pool(self) -> Pool:
        """The workers."""

    @property
    def scratch(self) -> Path:
        """Where is room for what it writes down."""

    def preview(self, size: int, name: str) -> Preview:
        """Begin to show rows of evidence of this size and provisional name."""

    def inside(self, stream: Readable, size: int | None) -> Arrival:
        """The content of a compression begins to come in."""

    def follow(self, arrival: Arrival, task: Task) -> "Scout | None":
        """Send a scout into it, when that is worth while."""


class Scout:
    """Parses one arrival in a thread of its own, from the moment that it is made."""

    def __init__(self, site: Site, arrival: Arrival, task: Task) -> None:
        self.site, self.arrival = site, arrival
        self._file = arrival.reader()
        self.task = replace(
            task,
            evidence=token_hex(32),
            fd=self._file.fileno(),
            size=arrival.size or 0,
            blocks=arrival,
            onward=not arrival.anywhere,
        )
        self._slots = tempfile.TemporaryFile(dir=site.scratch)  # noqa: SIM115  (`_let_go`)
        self._items: list[f.Frame | Arrived | _Slot] = []
        self._changed = Condition()
        self._known: f.Recognised | None = None
        self._preview: Preview | None = None
        self._over = self._dropped = False
        self._fault = ""
        self.thread = Thread(target=self._run, name="scout", daemon=True)
        self.thread.start()

    def fits(self, task: Task) -> bool:
        """Whether a worker that is given this task now would tell what is told here.

        Evidence whose end was not there to be recognised by is recognised once more.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._over)
            if self._dropped or self._fault or not self._items:
                return False
        same = replace(self.task, evidence=task.evidence, fd=task.fd, blocks=None, onward=False)
        if not self.arrival.sound or same != task:
            return False
        return self.arrival.anywhere or _recognised(self.site.pool, task) == self._known

    def frames(self, evidence: str) -> Iterator[Told]:
        """What the worker tells, as of this evidence. Raises `WorkerLost` when it does not end."""
        preview = self._preview
        groups = preview.stop() if preview is not None else []
        index = 0
        while (item := self._item(index)) is not None:
            if not isinstance(item, _Slot):
                yield item
            else:
                batch = renamed(self._batch(item), self.task.evidence, evidence)
                if preview is not None and groups and groups[0].first == index:
                    yield Written(partial(preview.replacing, groups[0].number, _place(batch)))
                yield f.Batch(batch)
                if preview is not None and groups and groups[0].last == index:
                    yield Written(partial(preview.replaced, groups.pop(0).number))
            self._items[index] = f.Progress(0, 0, 0)  # it is the taker's now
            index += 1
        if self._fault:
            raise WorkerLost(self._fault)
        yield Written(self.drop)

    def drop(self) -> None:
        """Nothing of it is seen any longer, and what it holds is let go."""
        with self._changed:
            if self._dropped:
                return
            self._dropped = True
            over = self._over
        if over:
            self._let_go()

    def _run(self) -> None:
        try:
            self._known = known = _recognised(self.site.pool, self.task)
            inside = None
            if known.parser == LAYER:
                inside = content_size(known.layers, self.task.size, self._bytes)
            if known.kind == f.IMAGE or inside:
                self._parse(known, inside)
        except Exception as error:
            self._fault = str(error) or type(error).__name__
            if not isinstance(error, Error | OSError):
                log.warning("reading ahead broke off", exc_info=True)
        finally:
            with self._changed:
                self._over = True
                dropped = self._dropped
                self._changed.notify_all()
            if dropped:
                self._let_go()

    def _parse(self, known: f.Recognised, inside: int | None) -> None:
        if known.kind == f.IMAGE:
            self._preview = self.site.preview(self.task.size, self.task.evidence)
        with closing(self.site.pool.run(self.task)) as frames:
            run = self._watched(frames)
            for frame in run:
                if isinstance(frame, f.MemberBegin):
                    self._take_in(frame, run, inside)
                else:
                    self._note(frame)

    def _watched(self, run: Iterator[f.Frame]) -> Iterator[f.Frame]:
        for frame in run:
            if self._dropped:
                raise Broken("Nobody wants it any more.")
            yield frame

    def _take_in(self, begin: f.MemberBegin, run: Iterator[f.Frame], size: int | None) -> None:
        """The content of a compression comes in, and is parsed ahead in its turn."""
        member = Members(run, self._note)
        arrival = self.site.inside(member, size)
        scout = None
        try:
            task = replace(
                self.task,
                name=printable(f"{self.task.name}/{begin.path}"),
                parser=None,
                modified=begin.modified,
                depth=self.task.depth + 1,
            )
            scout = self.site.follow(arrival, task)
            arrival.fill()
        except BaseException:
            arrival.close()
            if scout is not None:
                scout.drop()
            raise
        self._add(Arrived(begin, member.end, arrival, scout))

    def _note(self, frame: f.Frame) -> None:
        if not isinstance(frame, f.Batch):
            self._add(frame)
            return
        data = frame.batch.serialize()
        with self._changed:
            start = self._slots.seek(0, os.SEEK_END)
            self._slots.write(data)
        index = self._add(_Slot(start, data.size))
        if self._preview is not None:
            self._preview.put(index, frame.batch)

    def _add(self, item: f.Frame | Arrived | _Slot) -> int:
        with self._changed:
            self._items.append(item)
            self._changed.notify_all()
            return len(self._items) - 1

    def _item(self, index: int) -> f.Frame | Arrived | _Slot | None:
        with self._changed:
            self._changed.wait_for(lambda: self._over or len(self._items) > index)
            return self._items[index] if index < len(self._items) else None

    def _batch(self, slot: _Slot) -> pa.RecordBatch:
        with self._changed:
            self._slots.seek(slot.start)
            data = self._slots.read(slot.length)
        return pa.ipc.read_record_batch(pa.py_buffer(data), SCHEMA)

    def _bytes(self, offset: int, count: int) -> bytes:
        self.arrival.reach(offset, count)
        return os.pread(self._file.fileno(), count, offset)

    def _let_go(self) -> None:
        if self._preview is not None:
            self._preview.end()
        for item in self._items:
            if isinstance(item, Arrived):
                item.arrival.close()
                if item.scout is not None:
                    item.scout.drop()
        self._slots.close()
        self._file.close()


def _place(batch: pa.RecordBatch) -> tuple[int | None, str]:
    """Time and id of the first row."""
    return batch.column("time").cast(pa.int64())[0].as_py(), batch.column("id")[0].as_py()


def _recognised(pool: Pool, task: Task) -> f.Recognised:
    """What a worker says that it is."""
    frames = list(pool.run(replace(task, identify=True)))
    for frame in frames:
        if isinstance(frame, f.Recognised):
            return frame
    raise Broken("It was not recognised.")
