# SPDX-License-Identifier: Apache-2.0
"""What a confined worker does, one order after the other."""

import contextlib
import gc
import os
import shutil
import socket
import time as clock
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from locard.model.errors import Error, Unreadable
from locard.parsers.archive import unpack
from locard.parsers.asking import Asking
from locard.parsers.catalogue import Source, code, load
from locard.parsers.confinement import Confinement
from locard.parsers.contract import Context
from locard.parsers.frames import (
    ARCHIVE,
    NOTHING,
    Done,
    Failed,
    Hello,
    Order,
    Passed,
    Problem,
    Progress,
)
from locard.parsers.memory import Memory
from locard.parsers.opened import Evidence, Positions
from locard.parsers.recognise import Recogniser
from locard.parsers.rows import Rows
from locard.parsers.wire import Out, receive_order

PROGRESS_SECONDS = 0.2


class Run:
    """One order at work: its counts, and the frames it tells."""

    def __init__(self, out: Out, order: Order) -> None:
        self.out = out
        self.order = order
        self.read = 0
        self.rows: Rows | None = None
        self.members = 0
        self.problems = 0
        self.sent = 0
        self._next = clock.monotonic() + PROGRESS_SECONDS

    def moved(self, count: int) -> None:
        """Stored bytes were read: a sign of life that also feeds the progress bar."""
        self.read += count
        now = clock.monotonic()
        if now >= self._next:
            self._next = now + PROGRESS_SECONDS
            records = self.rows.seen if self.rows is not None else self.members
            done = min(self.read, self.order.size)
            self.out.tell(Progress(done, self.order.size, records))
            self.out.flush()

    def leave(self) -> None:
        """Have rows not wait together with who made them, for bytes that are not there yet."""
        if self.rows is not None:
            self.rows.leave()

    def problem(self, text: str, path: str = "") -> None:
        """Count something that could not be read and is no row."""
        self.problems += 1
        self.out.tell(Problem(text, path))

    def passed(self, text: str, path: str, target: str = "") -> None:
        """Name an entry that has no bytes of its own; `target`: where a link leads."""
        self.out.tell(Passed(text, path, target))


class Server:
    """A worker's whole life after its confinement."""

    def __init__(
        self, connection: socket.socket, scratch: Path, more: Sequence[Path], memory: Memory
    ) -> None:
        self.connection = connection
        self.out = Out(connection)
        self.scratch = scratch
        self.memory = memory
        self.recogniser = Recogniser(load(*more))

    def greet(self, confinement: Confinement) -> None:
        """Say that the worker is ready, and within which walls."""
        self.recogniser.load()
        self.out.tell(Hello(confinement))
        self.out.flush()

    def serve(self) -> None:
        """Take orders until the parent hangs up or memory asks for a fresh worker."""
        while (got := receive_order(self.connection)) is not None:
            order, fds = got
            try:
                done = self._fulfil(order, fds)
            finally:
                for fd in fds:
                    os.close(fd)
            self._tidy()
            retire = done.retire or self.memory.is_swollen()
            self.out.tell(
                Done(done.seen, done.written, done.problems, done.facts, done.decoded_bytes, retire)
            )
            self.out.flush()
            if retire:
                return

    def _fulfil(self, order: Order, fds: list[int]) -> Done:
        run = Run(self.out, order)
        opened: Evidence | None = None
        retire = False
        try:
            opened = self._open(run, order, fds)
            self._handle(run, order, opened)
        except MemoryError:
            gc.collect()
            limit = order.limits.memory_bytes >> 20
            self.out.tell(Failed(f"It needs more memory than the limit of {limit:,} MiB."))
            retire = True
        except Error as error:
            run.problem(_sentence(error))
        except Exception as error:  # noqa: BLE001  (job boundary: whatever a parser breaks on)
            self.out.tell(Failed(_reason(error), _trace(error)))
        rows = run.rows
        decoded = opened.decoded if opened is not None else 0
        if rows is None:
            return Done(run.members + run.problems, 0, run.problems, {}, decoded, retire)
        seen, problems = rows.seen + run.problems, rows.problems + run.problems
        return Done(seen, run.sent, problems, rows.facts, decoded, retire)

    def _open(self, run: Run, order: Order, fds: list[int]) -> Evidence:
        before = run.leave if order.onward else lambda: None
        asking = Asking(fds[-1], order.block, order.size, before) if order.block else None
        others = fds[1:-1] if asking else fds[1:]
        siblings = {
            name: (fd, os.fstat(fd).st_size)
            for name, fd in zip(order.siblings, others, strict=True)
        }
        source = Positions(fds[0], asking)
        return Evidence(
            source,
            order.size,
            order.name,
            order.limits,
            siblings,
            run.moved,
            ends=not order.onward,
        )

    def _handle(self, run: Run, order: Order, opened: Evidence) -> None:
        head = replace(opened.head, mapping=order.mapping)
        verdict = self.recogniser.judge(head, order.parser)
        self.out.tell(verdict.told)
        if order.identify:
            return
        told = verdict.told
        if order.version is not None and order.version != told.version:
            text = f"{told.parser} is version {told.version} now, not {order.version}."
            self.out.tell(Failed(text))
            return
        if told.kind == NOTHING:
            for fault in verdict.faults:
                run.problem(fault)
            if (damage := opened.damage or _damage(opened)) is not None:
                run.problem(_sentence(damage))
            return
        if told.kind == ARCHIVE:
            unpack(told.parser, opened, order, run)
            return
        assert verdict.source is not None
        self._parse(run, verdict.source, opened, order)

    def _parse(self, run: Run, source: Source, opened: Evidence, order: Order) -> None:
        def sink(batch: pa.RecordBatch) -> None:
            if order.only is not None:
                batch = batch.filter(pc.equal(batch.column("locator"), order.only))
            if batch.num_rows:
                run.sent += batch.num_rows
                self.out.batch(batch)
                self.out.flush()

        often = bool(order.block)
        rows = run.rows = Rows(sink, order.evidence, source.id, source.version, often=often)
        context = Context(
            evidence=order.evidence,
            modified=order.modified,
            zone=order.zone,
            host=order.host,
            learned=order.learned,
            accounts=order.accounts,
            only=order.only,
            mapping=order.mapping,
            limits=order.limits,
            triage=order.triage,
            scratch=self.scratch,
        )
        parse = getattr(code(source), "parse", None)
        broke: BaseException | None = None
        try:
            if parse is not None:
                parse(opened, rows, context)
            else:
                from locard.parsers import mapping

                mapping.parse(dict(source.data), opened, rows, context)
            if opened.untold is not None:
                rows.problem(_sentence(opened.untold), b"", "end")
        except Unreadable as error:
            rows.problem(_sentence(error), b"", "end")
        except Exception as error:  # noqa: BLE001  (job boundary: rows so far are kept)
            broke = error
        _close(rows, broke)

    def _tidy(self) -> None:
        """Empty the scratch folder."""
        with os.scandir(self.scratch) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    with contextlib.suppress(OSError):
                        os.unlink(entry.path)  # noqa: PTH108


def _close(rows: Rows, broke: BaseException | None) -> None:
    """Hand over the rows so far, whatever happened; then let what happened go on."""
    try:
        rows.close()
    except Exception as error:
        raise broke or error from error
    if broke is not None:
        raise broke


def _damage(opened: Evidence) -> Unreadable | None:
    """What is wrong in the compression around content that nobody reads: broken, cut, or a bomb."""
    try:
        for _ in opened.chunks() if opened.layers else ():
            pass
    except Unreadable as error:
        return error
    return None


def _sentence(error: Error) -> str:
    return f"{error.message} {error.advice}".strip()


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())[:500]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error, limit=-8))[-4000:]
