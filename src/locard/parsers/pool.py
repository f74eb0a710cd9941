# SPDX-License-Identifier: Apache-2.0
"""The parent's side of parsing: a pool of confined workers that outlives any one of them.

    with Pool(2, scratch, limits) as pool:
        for frame in pool.run(task):
            ...

`run` blocks and may be called from as many threads as there are workers. What a worker says is
checked before it is handed on, and a worker that dies, hangs or lies is killed and replaced.
"""

import fcntl
import os
import queue
import shutil
import tempfile
import threading
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from locard.evidence.own import lives, named
from locard.model.errors import Error
from locard.parsers.asking import Blocks, Serving
from locard.parsers.confinement import Confinement
from locard.parsers.contract import Limits
from locard.parsers.frames import Done, Frame, Order
from locard.parsers.intake import Intake, Lie
from locard.parsers.process import Process, WorkerLost, unserved

__all__ = ["Pool", "Task", "WorkerLost"]


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of evidence to parse.

    `fd` and the siblings' descriptors must be open for reading only, and stay the caller's: it
    closes them after the run.
    """

    evidence: str
    """SHA-256 of the stored bytes: every row will carry it."""
    name: str
    fd: int
    size: int
    siblings: Mapping[str, int] = field(default_factory=dict)
    """Name to descriptor of files that belong to this one (segments of a split image)."""
    parser: str | None = None
    """Parse as this, whatever recognition would say; `archive.zip`, `.tar`, `.7z` included."""
    version: str | None = None
    """With `parser`: fail when the parser has another version (a proof needs the same)."""
    only: str | None = None
    """Give only the row with this locator."""
    modified: int | None = None
    zone: str = "UTC"
    host: str = ""
    learned: tuple[str, ...] = ()
    """Which of `host` and `zone` no person said, but files beside this one."""
    accounts: Mapping[str, str] = field(default_factory=dict)
    """What a passwd beside this one says, as a `Context` has it."""
    mapping: Mapping[str, object] | None = None
    limits: Limits | None = None
    """None means the pool's. Memory is the pool's always."""
    depth: int = 0
    """How many archives this came out of."""
    identify: bool = False
    """Only say what it is."""
    blocks: Blocks | None = None
    """Puts bytes behind `fd` when the worker asks for them; None: they are all there."""
    onward: bool = False
    """Whether they come from the first to the last: the end is not to be waited for."""
    triage: bool = False


class Pool:
    """At most `size` workers, started when needed, each with a folder of its own in `scratch`.

    `more` names further folders of parsers, such as a user's own.
    """

    def __init__(
        self, size: int, scratch: Path, limits: Limits | None = None, more: tuple[Path, ...] = ()
    ) -> None:
        self.size = max(size, 1)
        self.limits = limits or Limits()
        self._more = more
        scratch.mkdir(parents=True, exist_ok=True)
        _tidy(scratch)
        self._scratch = Path(tempfile.mkdtemp(prefix=f"workers-{named('')}", dir=scratch))
        self._idle: queue.LifoQueue[Process | None] = queue.LifoQueue()
        for _ in range(self.size):
            self._idle.put(None)
        # A worker dies with the thread that started it (PR_SET_PDEATHSIG): one thread, kept.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="locard-starter")
        self._lock = threading.Lock()
        self._closed = self._ended = False
        self._at_work: set[Process] = set()
        self._confinement: Confinement | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def confinement(self) -> Confinement:
        """The walls around the workers; starts one when none ran yet."""
        if self._confinement is None:
            self._release(self._ready(self._lease()))
        assert self._confinement is not None
        return self._confinement

    def prepare(self, count: int) -> None:
        """Have so many workers start now, at the same time, and do not wait for them."""

        def start() -> None:
            # Whoever needs a worker hears why there is none.
            with suppress(Error, OSError, RuntimeError):
                self._release(self._ready(self._lease()))

        for _ in range(min(count, self.size)):
            threading.Thread(target=start, name="locard-prepare", daemon=True).start()

    def run(self, task: Task) -> Generator[Frame, None, None]:
        """The frames of one task, `Recognised` first and `Done` last; blocks for a free worker.

        Raises `WorkerLost` when the worker died, hung, ran out of time or broke the rules; rows
        that were handed over before stand. Raises `Error` for a task that is no good.
        """
        order, fds = self._order(task)
        if task.blocks is None:
            yield from self._run(task, order, fds, unserved)
            return
        with Serving(task.blocks, task.size) as serving:
            yield from self._run(
                task, order, [*fds, serving.theirs.fileno()], serving.served_seconds
            )

    def _run(
        self, task: Task, order: Order, fds: list[int], served: Callable[[], float]
    ) -> Generator[Frame, None, None]:
        worker = self._ready(self._lease())
        with self._lock:
            self._at_work.add(worker)
            if self._ended:
                worker.end()
        limits = task.limits or self.limits
        done = False
        keep: Process | None = worker
        try:
            intake = Intake(order, limits)
            worker.send(order, fds)
            while not done:
                frame = _judged(intake, worker, limits, served)
                if isinstance(frame, Done):
                    done = True
                    if frame.retire:
                        worker.retire()
                        keep = None
                yield frame
        finally:
            with self._lock:
                self._at_work.discard(worker)
            if not done:
                worker.kill()
                keep = None
            self._release(keep)

    def end(self) -> None:
        """End the workers that are at work, with what they do, and start no others."""
        with self._lock:
            self._ended = True
            for worker in self._at_work:
                worker.end()

    def close(self) -> None:
        """End all workers and remove their folders. Runs that are at work are lost."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        while True:
            try:
                worker = self._idle.get_nowait()
            except queue.Empty:
                break
            if worker is not None:
                worker.retire()
        self._starter.shutdown()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _lease(self) -> Process | None:
        if self._closed:
            raise Error("The pool of workers is closed.")
        worker = self._idle.get()
        if self._ended:
            self._idle.put(worker)
            raise Error("The run has ended.")
        return worker

    def _ready(self, worker: Process | None) -> Process:
        """The leased worker, alive; a fresh one when there was none."""
        try:
            if worker is not None and not worker.is_alive():
                worker.kill()
                worker = None
            if worker is None:
                worker = self._starter.submit(
                    Process.start, self._scratch, self.limits, self._more
                ).result()
                worker.greet()
        except BaseException:
            self._idle.put(None)
            raise
        self._confinement = worker.confinement
        return worker

    def _release(self, worker: Process | None) -> None:
        if self._closed and worker is not None:
            worker.retire()
            worker = None
        self._idle.put(worker)

    def _order(self, task: Task) -> tuple[Order, list[int]]:
        fds = [task.fd, *task.siblings.values()]
        for fd in fds:
            if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY:
                raise ValueError("evidence must be opened for reading only")
        order = Order(
            evidence=task.evidence,
            name=task.name.encode("utf-8", "replace").decode("utf-8"),
            size=task.size,
            siblings=tuple(task.siblings),
            parser=task.parser,
            version=task.version,
            only=task.only,
            modified=task.modified,
            zone=task.zone,
            host=task.host,
            learned=task.learned,
            accounts=dict(task.accounts),
            mapping=dict(task.mapping) if task.mapping is not None else None,
            limits=task.limits or self.limits,
            depth=task.depth,
            identify=task.identify,
            block=task.blocks.block if task.blocks is not None else 0,
            onward=task.onward,
            triage=task.triage,
        )
        return order, fds


def _tidy(scratch: Path) -> None:
    """Remove what the workers of a process that was killed left: it may hold parts of evidence."""
    for left in scratch.glob("workers-*"):
        if not lives(left.name.removeprefix("workers-")):
            shutil.rmtree(left, ignore_errors=True)


def _judged(intake: Intake, worker: Process, limits: Limits, served: Callable[[], float]) -> Frame:
    try:
        return intake.judge(*worker.receive(intake.waited, limits, served))
    except Lie as lie:
        raise worker.distrust(str(lie)) from None
