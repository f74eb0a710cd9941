# SPDX-License-Identifier: Apache-2.0
"""Progress of long work: what, how far, rate, time left. The worker writes it, every door reads it.

The numbers live in the state file, so that the page shows the progress of a command line run and
the other way round.
"""

import contextlib
import os
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread

from sqlalchemy import select, update

from locard.model.errors import Error
from locard.state.database import State
from locard.state.jobs import Job

TICK = 0.5
"""Seconds between two writes into the state file."""
ENOUGH = 1000
"""The part of all work, one in so many, before which a rate says nothing about the rest."""
LOG_LINES = 500


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A job's progress at one moment."""

    job: int
    what: str
    who: str
    stage: str
    done: int
    total: int
    """0 when nobody can know it."""
    unit: str
    """bytes, files, rows."""
    rate: float
    """Units a second over the last ten seconds."""
    left_seconds: float | None
    state: str
    """running, done, failed, stopped."""
    started: int
    ended: int | None
    log: Sequence[str] = field(default=())
    summary: dict[str, int] = field(default_factory=dict)


class Progress:
    """The progress of one job. Safe to advance from several threads."""

    def __init__(self, state: State, case: str, what: str, who: str) -> None:
        self._state = state
        self._lock = Lock()
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._samples: deque[tuple[float, int]] = deque(maxlen=24)
        self._stage, self._done, self._total, self._unit = "", 0, 0, ""
        self._stop = Event()
        pid = os.getpid()
        with state.session() as session:
            job = Job(
                case=case, what=what, who=who, started=time.time_ns(), pid=pid, boot=birth(pid)
            )
            session.add(job)
            session.flush()
            self.job = job.id
        self.summary: dict[str, int] = {}
        self._thread = Thread(target=self._tick, name="progress", daemon=True)
        self._thread.start()

    def stage(self, name: str, total: int = 0, unit: str = "", done: int = 0) -> None:
        """Begin another step of the work, of which `done` was done before and says no speed."""
        with self._lock:
            self._stage, self._done, self._total, self._unit = name, done, total, unit
            self._samples.clear()
            self._samples.append((time.monotonic(), done))

    def advance(self, amount: int) -> None:
        """`amount` more units of the stage are done."""
        with self._lock:
            self._done += amount

    def expect(self, amount: int) -> None:
        """`amount` more units were found that have to be done."""
        with self._lock:
            self._total += amount

    def log(self, line: str) -> None:
        """A line for the person who wants to know more."""
        with self._lock:
            self._log.append(line)

    def snapshot(self) -> tuple[str, int, int, str, float]:
        """Stage, done, total, unit and rate, now."""
        with self._lock:
            now = time.monotonic()
            self._samples.append((now, self._done))
            then, before = self._samples[0]
            rate = (self._done - before) / (now - then) if now > then else 0.0
            return self._stage, self._done, self._total, self._unit, rate

    def finish(self, state: str) -> None:
        """The work ended: done or failed."""
        self._stop.set()
        self._thread.join()
        self._write(state, time.time_ns())

    def _tick(self) -> None:
        while not self._stop.wait(TICK):
            # A full disk is told by the work that meets it; this goes on when there is room again.
            with contextlib.suppress(Error):
                self._write("running", None)

    def _write(self, state: str, ended: int | None) -> None:
        stage, done, total, unit, rate = self.snapshot()
        with self._lock:
            log = list(self._log)
        with self._state.session() as session:
            session.execute(
                update(Job)
                .where(Job.id == self.job)
                .values(
                    stage=stage,
                    done=done,
                    total=total,
                    unit=unit,
                    rate=rate,
                    state=state,
                    ended=ended,
                    beat=time.time_ns(),
                    log=log,
                    summary=self.summary,
                )
            )


class Behind:
    """Progress of a step that goes on behind the one that is shown, until it is shown itself."""

    def __init__(self, progress: Progress, name: str, unit: str) -> None:
        self._progress, self._name, self._unit = progress, name, unit
        self._lock = Lock()
        self._done = self._total = 0
        self._shown = False
        self.log = progress.log

    def show(self) -> None:
        """The step before is over."""
        with self._lock:
            self._shown = True
            self._progress.stage(self._name, self._total, self._unit, self._done)

    def advance(self, amount: int) -> None:
        """`amount` more units are done."""
        with self._lock:
            self._done += amount
            if self._shown:
                self._progress.advance(amount)

    def expect(self, amount: int) -> None:
        """`amount` more units were found that have to be done."""
        with self._lock:
            self._total += amount
            if self._shown:
                self._progress.expect(amount)


def jobs(state: State, case: str, *, limit: int = 50) -> list[Snapshot]:
    """The jobs of a case, newest first. A job whose process is gone is `stopped`."""
    with state.session() as session:
        rows = session.scalars(
            select(Job).where(Job.case == case).order_by(Job.id.desc()).limit(limit)
        ).all()
    return [_read(row) for row in rows]


def seconds_left(done: int, total: int, rate: float) -> float | None:
    """How long the rest takes at this rate; None when that is not known or too early to say."""
    known = rate > 0 and total > done >= total / ENOUGH
    return (total - done) / rate if known else None


def _read(row: Job) -> Snapshot:
    state = row.state
    if state == "running" and (not row.boot or birth(row.pid) != row.boot):
        state = "stopped"
    left = seconds_left(row.done, row.total, row.rate) if state == "running" else None
    return Snapshot(
        job=row.id,
        what=row.what,
        who=row.who,
        stage=row.stage,
        done=row.done,
        total=row.total,
        unit=row.unit,
        rate=row.rate if state == "running" else 0.0,
        left_seconds=left,
        state=state,
        started=row.started,
        ended=row.ended,
        log=tuple(row.log),
        summary=row.summary,
    )


def birth(pid: int) -> str:
    """What tells a process from a later one with the same number: boot id and start time.

    Empty for one that has ended, also while its parent has not asked yet how it did.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    state, *rest = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else f"{boot}/{rest[18]}"
