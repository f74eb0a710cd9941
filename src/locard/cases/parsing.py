# SPDX-License-Identifier: Apache-2.0
"""Parsing what a case holds: threads that each drive one confined worker, and one writer.

A worker that dies takes one file's attempt with it, never the run: the file is tried once more and
then listed as failed, with its reason. Members of archives become holdings of their own and join
the queue while it is worked on.
"""

from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import islice
from threading import Condition

import pyarrow.compute as pc
from sqlalchemy import func, select

from locard.cases import copies, segments
from locard.cases.ahead import Ahead
from locard.cases.attempt import Attempt, Members
from locard.cases.claims import AT_ONCE, Claims
from locard.cases.descent import Descent, NestedBomb
from locard.cases.feed import Feed
from locard.cases.hosts import Hosts
from locard.cases.intake import Intake, inside
from locard.cases.progress import Behind
from locard.cases.reading import opened
from locard.cases.scout import Arrived, Told, Written
from locard.cases.unfinished import outermost, waiting
from locard.cases.writing import Outcome, Writer
from locard.evidence import Vault
from locard.model.custody import Acquisition, Hand, Method
from locard.model.errors import Error, Missing, Storage
from locard.model.evidence import Origin
from locard.parsers import frames as f
from locard.parsers.contract import Limits
from locard.parsers.pool import Pool, Task, WorkerLost
from locard.settings import limited
from locard.state.database import State
from locard.state.investigations import ACCOUNTS, LEARNED, REPLACE, Holding, Place, Stage

ATTEMPTS = 2
GONE = "Its bytes are no longer in the vault. Add the file again, and see what locard verify says."
CHUNK = 5_000
"""Ids bound in one statement; SQLite takes 32,766."""
PASSED_KEPT = 1_000
"""Entries of one archive that were passed over and are kept word for word."""
PASSED_LONGEST = 500


class Parsing:
    """One run over everything in a case that still has to be parsed."""

    def __init__(
        self,
        state: State,
        vault: Vault,
        pool: Pool,
        writer: Writer,
        progress: Behind,
        case: str,
        who: Hand,
        limits: Limits,
        mappings: Mapping[str, dict[str, object]],
        ahead: Ahead | None = None,
    ) -> None:
        self.ahead = ahead
        self.state, self.vault, self.pool, self.writer = state, vault, pool, writer
        self.progress, self.case, self.who, self.limits = progress, case, who, limits
        self.mappings = mappings
        self.descent = Descent(state, case)
        self._waiting: deque[int] = deque()
        self._later: deque[int] = deque()
        """What looks like a further segment waits until the first was recognised."""
        self._claims = Claims(state)
        self._known: set[int] = set()
        self._busy = 0
        self._fed = False
        """Whether more is being taken in."""
        self._changed = Condition()
        self._error: BaseException | None = None

    def run(self, threads: int, left: Sequence[int], feed: Feed | None = None) -> None:
        """Parse the holdings that were `left`, what is fed, and what is taken out of them.

        Raises what stopped the run, if anything did: then nothing more is begun, and what workers
        are at is broken off, to be done again by the next run.
        """
        if feed is None:
            self.progress.show()
        while left or feed is not None:
            self._enqueue(outermost(self.state, self.case, left))
            self._work_off(threads, feed)
            feed = None
            left = [one for one in waiting(self.state, self.case) if one not in self._known]

    def _work_off(self, threads: int, feed: Feed | None) -> None:
        """Work until nothing waits any more, and nothing more comes."""
        self._fed = feed is not None
        work = [self._work] * threads
        if feed is not None:
            work.append(partial(self._follow_feed, feed))
        with ThreadPoolExecutor(len(work), thread_name_prefix="parsing") as executor:
            futures = [executor.submit(one) for one in work]
            try:
                for future in as_completed(futures):
                    future.result()
            except BaseException as error:
                self._stop(error)
                self.pool.end()
                if feed is not None:
                    feed.stop()
                raise

    def _follow_feed(self, feed: Feed) -> None:
        """Enqueue what is taken in, until all of it was."""
        try:
            for ids in feed:
                self._enqueue(ids)
            self.progress.show()
        except BaseException as error:
            self._stop(error)
            raise
        finally:
            with self._changed:
                self._fed = False
                self._changed.notify_all()

    def _await_feed(self) -> None:
        """Wait until everything was taken in: what comes out of an archive comes after that."""
        with self._changed:
            self._changed.wait_for(lambda: not self._fed or self._error is not None)
            if self._error is not None:
                raise Error("The run has ended.")

    def _stop(self, error: BaseException) -> None:
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    def note(self, frame: Told, attempt: Attempt) -> None:
        """Take in a frame that is not a member's."""
        match frame:
            case f.Recognised():
                attempt.known = frame
            case f.Batch(batch):
                attempt.rows += batch.num_rows
                clean = pc.equal(batch.column("problem"), "").sum().as_py() or 0
                attempt.problem_rows += batch.num_rows - clean
                self.writer.put(batch)
            case f.Progress(done=done):
                self.progress.advance(max(0, done - attempt.advanced))
                attempt.advanced = max(done, attempt.advanced)
            case f.Problem(text=text, path=path):
                attempt.told += 1
                attempt.troubles.append(f"{path}: {text}" if path else text)
            case f.Passed(text=text, path=path, target=target):
                attempt.passed_over += 1
                attempt.links |= {path: target} if Hosts.says(path, target) else {}
                if len(attempt.passed) < PASSED_KEPT:
                    attempt.passed.append(f"{path[:PASSED_LONGEST]}: {text[:PASSED_LONGEST]}")
            case f.Failed(reason=reason):
                attempt.lost = reason
            case f.Done():
                attempt.done = frame
            case Written(then=then):
                self.writer.put(then)

    def _enqueue(self, ids: list[int]) -> None:
        rows: list[tuple[int, int, str]] = []
        with self.state.session() as session:
            for start in range(0, len(ids), CHUNK):
                found = session.execute(
                    select(Holding.id, Holding.size, func.min(Place.name))
                    .join(Place, Place.holding == Holding.id)
                    .where(Holding.id.in_(ids[start : start + CHUNK]))
                    .group_by(Holding.id)
                    .order_by(Holding.id)
                )
                rows += [(one, size, name) for one, size, name in found]
        with self._changed:
            for one, size, name in rows:
                if one not in self._known:
                    self._known.add(one)
                    (self._later if segments.later(name) else self._waiting).append(one)
                    self.progress.expect(size)
            self._changed.notify_all()

    def _next(self) -> int | None:
        with self._changed:
            while not self._waiting and self._error is None:
                if self._busy or self._fed:
                    self._changed.wait()
                elif self._later:
                    self._waiting, self._later = self._later, deque()
                else:
                    self._changed.notify_all()
                    return None
            if self._error is not None:
                return None
            self._busy += 1
            return self._waiting.popleft()

    def _work(self) -> None:
        while (one := self._next()) is not None:
            try:
                self._parse(one)
            except BaseException as error:
                self._stop(error)
                raise
            finally:
                with self._changed:
                    self._busy -= 1
                    self._changed.notify_all()

    def _parse(self, one: int) -> None:
        holding, name, waits = self._claims.take(one, self._coming)
        if not waits:
            return
        if segments.later(name) and (first := self._first(name)):
            reason = f"a further segment of {first}, read together with it"
            self.progress.advance(holding.size)
            self.writer.put(Outcome(one, Stage.PART, reason, kind="segment"))
            return
        if REPLACE in holding.facts:
            timeline = self.writer.timeline
            self._enqueue(copies.separate(self.state, timeline, self.case, holding.evidence))
            timeline.forget(self.case, holding.evidence)
        before = 0
        for attempt in range(1, ATTEMPTS + 1):
            try:
                found = self._attempt(holding, name, before)
            except Missing:
                found = Attempt(advanced=before, lost=GONE, bomb=True)
            before = found.advanced
            if not found.lost or found.bomb:
                break
            if attempt < ATTEMPTS:
                self.progress.log(f"{name}: {found.lost}; trying once more")
        self.progress.advance(max(0, holding.size - found.advanced))
        outcome = found.outcome(one, attempt)
        kept = {name: holding.facts[name] for name in (ACCOUNTS, LEARNED) if name in holding.facts}
        self.writer.put(replace(outcome, facts={**outcome.facts, **kept}))
        for trouble in [*found.troubles, *found.notes][:10]:
            self.progress.log(f"{name}: {trouble}")
        if found.lost:
            self.progress.log(f"{name}: failed: {found.lost}")

    def _coming(self) -> list[int]:
        with self._changed:
            return list(islice(self._waiting, AT_ONCE - 1))

    def _first(self, name: str) -> str:
        self.writer.settle()  # what became of the first stands there only then
        with self.state.session() as session:
            return segments.first(session, self.case, name)

    def _attempt(self, holding: Holding, name: str, advanced: int) -> Attempt:
        attempt = Attempt(advanced=advanced)
        wish, hosts = inside(holding)
        intake = Intake(
            self.state,
            self.vault,
            self.case,
            self.who,
            wish,
            self._enqueue,
            hosts=hosts,
            unlisted=True,
        )
        with opened(
            self.state,
            self.vault,
            holding,
            name,
            who=self.who,
            reason="parsed",
            limits=self.limits,
            mappings=self.mappings,
            parser=holding.wanted or None,
        ) as task:
            try:
                with closing(self._run(task)) as told:  # an error must not keep the worker
                    self._follow(told, holding, name, attempt, intake)
            except WorkerLost as lost:
                if self._error is not None:
                    raise  # it was ended with the run
                attempt.lost = str(lost)
            except NestedBomb as bomb:
                attempt.lost, attempt.bomb = f"{bomb.message} {bomb.advice}", True
            except Error as error:
                stopped = self._error or self.writer.error
                if isinstance(error, Storage) or stopped is not None:
                    raise  # no fault of this file: the run stops here and goes on later
                attempt.lost = error.message
            finally:
                for path, target in attempt.links.items():
                    intake.hosts.link(f"{name}/{path}", target)
                intake.finish()
        return attempt

    def _run(self, task: Task) -> Generator[Told, None, None]:
        """What a worker tells of this task: one that began while it came in, or one that begins."""
        scout = self.ahead.take(task.evidence) if self.ahead is not None else None
        if scout is not None and scout.fits(task):
            try:
                yield from scout.frames(task.evidence)
            except BaseException:
                scout.drop()
                raise
            return
        if scout is not None:
            scout.drop()
        yield from self.pool.run(task)

    def _follow(
        self,
        run: Iterator[Told],
        holding: Holding,
        name: str,
        attempt: Attempt,
        intake: Intake,
    ) -> None:
        limits = limited(self.limits, holding.limits)
        root, around = "", set[str]()

        def admit(length: int) -> None:
            if holding.depth:
                self.descent.require(root, length, limits)

        for frame in run:
            if not isinstance(frame, f.MemberBegin | Arrived):
                self.note(frame, attempt)
                continue
            self._await_feed()
            if not root:
                root, around = self.descent.of(holding), self.descent.around(holding)
            begin = frame.begin if isinstance(frame, Arrived) else frame
            origin = Origin(
                name=f"{name}/{begin.path}",
                parent=holding.evidence,
                member=begin.path,
                modified=begin.modified,
                acquisition=_unpacked(attempt.known),
            )
            reason = f"taken out of {name}"
            if isinstance(frame, Arrived):
                end = frame.end
                with frame.arrival:
                    put = intake.keep(frame.arrival, origin, reason)
                if self.ahead is not None and frame.scout is not None:
                    self.ahead.keep(put.evidence.id, frame.scout)
            else:
                member = Members(run, partial(self.note, attempt=attempt), admit)
                put = intake.put(intake.hosts.tapped(origin.name, member), origin, reason)
                end = member.end
            self.descent.count(root, put.evidence.id, put.evidence.size)
            if put.evidence.id in around:
                attempt.notes.append(f"{begin.path}: {_IN_ITSELF}")
            if begin.note:
                attempt.notes.append(f"{begin.path}: {begin.note}")
            attempt.members += end is not None and not end.problem
            intake.register(put, origin, holding.depth + 1)


_IN_ITSELF = (
    "It has the same bytes as the archive that it is in, or as one around that; it is held once, "
    "and what is in it is not taken out again."
)


def _unpacked(known: f.Recognised | None) -> Acquisition:
    """How a member of an archive or image was made from it."""
    if known is None:
        return Acquisition(how="unpacked")
    return Acquisition(method=Method(known.parser, known.version), how=f"unpacked: {known.kind}")
