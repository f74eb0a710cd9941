# SPDX-License-Identifier: Apache-2.0
"""Responding as doors ask for it: orders, runs in the background with their progress, releases."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from locard.actions.catalogue import catalogue
from locard.cases.progress import Progress
from locard.cases.response.accounts import Accounts
from locard.cases.response.connecting import connect
from locard.cases.response.orders import Begun, Order, Orders
from locard.cases.response.runner import Runner, Watch
from locard.model.action import Receipt, RunState
from locard.model.custody import Hand
from locard.model.errors import Error
from locard.state import runs

if TYPE_CHECKING:
    from locard.cases.desk import Desk

COLLECTING, ISOLATING, RELEASING = "Collecting", "Isolating", "Releasing"
RESPONDING = (COLLECTING, ISOLATING, RELEASING)
"""How the jobs of runs begin."""
LARGE = 1 << 20
"""Progress that counts to more than this counts bytes."""


class Response:
    """What acts in clouds, over one desk."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self.accounts = Accounts(desk.state, desk.vault)

    @cached_property
    def runner(self) -> Runner:
        """What carries plans out and puts them back."""
        desk = self._desk
        return Runner(desk.settings.home, desk.state, desk.vault, catalogue(), connect)

    @property
    def orders(self) -> Orders:
        """What people order."""
        return Orders(self.runner)

    def begin(
        self,
        order: Order,
        who: Hand,
        reason: str,
        *,
        exception: str = "",
        collecting: bool = False,
        seen: Collection[str] | None = None,
    ) -> Begun:
        """Write an order down as runs and carry them out in a process of its own."""
        begun = self.orders.begin(
            order, who, reason, exception=exception, collecting=collecting, seen=seen
        )
        self.later(begun.carry, who)
        return begun

    def later(self, found: Sequence[str], who: Hand) -> None:
        """Carry runs on in a process of its own, one after the other."""
        if found:
            self._desk.background.run(["runs", "resume", *found], who)

    def release_later(self, run: str, who: Hand, reason: str, leave: Collection[str] = ()) -> None:
        """Put back what a run changed, in a process of its own."""
        words = [f"--leave={one}" for one in leave]
        self._desk.background.run(["release", run, "--apply", f"--reason={reason}", *words], who)

    def resume_stopped(self, who: Hand) -> None:
        """Carry on the runs whose process ended before they did."""
        self.later(self.runner.stopped(), who)

    def carry(self, run: str, who: Hand, watch: Watch | None = None) -> Receipt:
        """Carry a run on with its progress in the case, then begin to parse what it collected."""
        with self._told(run, who, watch) as told:
            found = self.runner.again(run, who, told)
        self._desk.resume(found.case, who=who)
        return found

    def release(
        self,
        run: str,
        who: Hand,
        reason: str,
        leave: Collection[str] = (),
        watch: Watch | None = None,
    ) -> Receipt:
        """Put back what a run changed, with its progress in the case."""
        with self._told(run, who, watch, RELEASING) as told:
            return self.runner.release(run, who, reason, leave, told)

    @contextmanager
    def _told(
        self, run: str, who: Hand, watch: Watch | None, what: str = ""
    ) -> Iterator[Callable[[str, int, int], None]]:
        with self._desk.state.session() as session:
            row = runs.run(session, run)
        if not what:
            back = row.state in (RunState.RELEASING, RunState.RELEASE_FAILED)
            isolating = self.runner.catalogue.get(row.action).contains
            what = RELEASING if back else ISOLATING if isolating else COLLECTING
        name = f"{what} {row.target.rpartition('/')[2]}"
        progress = Progress(self._desk.state, row.case, name, who.name)
        told, state = _Told(progress, watch), "failed"
        try:
            yield told
            with self._desk.state.session() as session:
                ended = runs.run(session, run).state
            if ended in (RunState.DONE, RunState.RELEASED):
                state = "done"
        except Error as error:
            progress.log(error.message)
            raise
        finally:
            progress.finish(state)


class _Told:
    """Passes what a run says on to its progress, and to whoever else watches."""

    def __init__(self, progress: Progress, watch: Watch | None) -> None:
        self._progress, self._watch = progress, watch
        self._stage, self._done = "", 0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """`stage` is at `done` of `total`."""
        if stage != self._stage:
            self._progress.stage(stage, total, "bytes" if total > LARGE else "steps")
            self._stage, self._done = stage, 0
        self._progress.advance(done - self._done)
        self._done = done
        if self._watch is not None:
            self._watch(stage, done, total)
