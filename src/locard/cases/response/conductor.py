# SPDX-License-Identifier: Apache-2.0
"""Responding as doors ask for it: orders, runs in the background with their progress, releases."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from locard.actions.catalogue import catalogue
from locard.cases.alerts.inflow import Alerts
from locard.cases.alerts.sources import sources
from locard.cases.alerts.watching import Watcher
from locard.cases.notices.sending import Notices
from locard.cases.playbooks.matching import Matching
from locard.cases.playbooks.running import Playbooks
from locard.cases.playbooks.shelf import Shelf
from locard.cases.progress import Progress
from locard.cases.response import targets
from locard.cases.response.accounts import Accounts
from locard.cases.response.attending import Attending
from locard.cases.response.connecting import connect, queue, tags, warm
from locard.cases.response.orders import COLLECT, Begun, Order, Orders
from locard.cases.response.organizations import Organizations
from locard.cases.response.releasing import Watch
from locard.cases.response.runner import Runner
from locard.cases.response.settings import Responding, load
from locard.cases.response.works import Works
from locard.model.action import STANDS, Receipt, RunState, StepState
from locard.model.custody import Hand
from locard.model.errors import Conflict, Error, Missing
from locard.model.playbook import Doing
from locard.state import runs
from locard.state.accounts import AccountRow
from locard.state.pages import Place
from locard.state.runs import RunRow, Wanted

if TYPE_CHECKING:
    from locard.cases.desk import Desk

COLLECTING, ISOLATING, RELEASING = "Collecting", "Isolating", "Releasing"
RESPONDING = (COLLECTING, ISOLATING, RELEASING)
"""How the jobs of runs begin."""
THROUGH = (StepState.APPLIED, StepState.VERIFIED, StepState.UNDONE, StepState.LEFT)
LARGE = 1 << 20
"""Progress that counts to more than this counts bytes."""


@dataclass(frozen=True, slots=True)
class Going:
    """A run as it stands now."""

    row: RunRow
    receipt: Receipt
    working: bool
    """Whether a process is at it."""
    simulated: bool
    """Whether its account is: no cloud was touched."""

    @property
    def done(self) -> int:
        """How many of its steps are through, forth or back."""
        return sum(one.state in THROUGH for one in self.receipt.steps)

    @property
    def standing(self) -> int:
        """How many of its changes may stand in the cloud."""
        if self.receipt.plan.action.startswith(COLLECT):
            return 0
        return sum(one.state in STANDS and one.step.changes for one in self.receipt.steps)


class Response:
    """What acts in clouds, over one desk."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self.accounts = Accounts(desk.state, desk.vault)
        self.organizations, self.works = Organizations(self.accounts), Works()

    @cached_property
    def runner(self) -> Runner:
        """What carries plans out and puts them back."""
        desk = self._desk
        return Runner(desk.settings.home, desk.state, desk.vault, catalogue(), connect)

    def settings(self) -> Responding:
        """What `response.yaml` says now. Raises `BadDocument` that names its faults."""
        return load(self._desk.settings.home, sources().by_id)

    @cached_property
    def alerts(self) -> Alerts:
        """Alerts: those that came, and the way in for more."""
        desk = self._desk
        return Alerts(desk.settings.home, desk.state, desk.vault, sources(), self.settings)

    @cached_property
    def shelf(self) -> Shelf:
        """The playbooks there are, on and off."""
        desk = self._desk
        return Shelf(desk.settings.home, desk.state, desk.vault, catalogue())

    @cached_property
    def notices(self) -> Notices:
        """What was told to whom."""
        return Notices(self._desk.settings.home, self._desk.state, self.settings)

    @cached_property
    def playbooks(self) -> Playbooks:
        """Runs of playbooks: begun by alerts, agreed to or refused by people."""
        desk = self._desk
        matching = Matching(desk.state, catalogue(), tags)
        return Playbooks(
            desk.state, desk.vault, self.shelf, self.runner, matching, self.notices, self.carry,
            lambda case, who: desk.resume(case, who=who), self.later,
        )  # fmt: skip

    @cached_property
    def attending(self) -> Attending:
        """What the server does by itself: it reads queues, and lets runs of playbooks go on."""
        background = self._desk.background
        hand = Hand("locard", "automation")
        return Attending(
            self.playbooks, self.settings, Watcher(self.alerts, queue),
            lambda run: background.run(["runs", "resume", run], hand, soon=True),
            background.stand_by,
        )  # fmt: skip

    def warm(self) -> None:
        """Load what the playbooks that are on would need, so that their runs begin sooner."""
        known = self.runner.catalogue
        wanted = [known.get(measure.what)
                  for one in self.playbooks.shelf.enabled() for measure in one.playbook.then
                  if measure.does in (Doing.COLLECT, Doing.ISOLATE)]  # fmt: skip
        for provider in {one.provider for one in wanted}:
            services = {permission.action.partition(":")[0]
                        for one in wanted if one.provider == provider
                        for permission in one.permissions}  # fmt: skip
            warm(provider, services)

    def close(self) -> None:
        """Attend to nothing any more; what was begun goes on."""
        if "attending" in vars(self):
            self.attending.close()

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
            self._desk.background.run(["runs", "resume", *found], who, soon=True)

    def runs(self, wanted: Wanted, *, limit: int = 200, before: Place | None = None) -> list[Going]:
        """Runs that are asked for, the newest first, those after a place in the list."""
        with self._desk.state.session() as session:
            rows = runs.page(session, wanted, limit=limit, before=before)
            return [self._going(session, one) for one in rows]

    def held(self, case: str) -> int:
        """How many targets of the case are isolated now."""
        with self._desk.state.session() as session:
            return runs.held(session, case)

    def run(self, case: str, run: str) -> Going:
        """A run of a case. Raises `Missing`, also when it is another case's."""
        with self._desk.state.session() as session:
            row = runs.run(session, run)
            if row.case != case:
                raise Missing(f"The case has no run {run[:40]!r}.", "See the runs of the case.")
            return self._going(session, row)

    def resume(self, case: str, run: str, who: Hand) -> str:
        """Carry a run on in a process of its own. Raises `Conflict` while one is at it."""
        found = self._idle(case, run)
        if found.row.state in (RunState.DONE, RunState.RELEASED):
            raise Conflict(f"Run {found.row.id} is {found.row.state}: nothing is left to carry on.")
        self.later([found.row.id], who)
        return found.row.id

    def release_later(
        self, case: str, run: str, who: Hand, reason: str, leave: Collection[str] = ()
    ) -> str:
        """Put back what a run changed, in a process of its own. Raises `Conflict` for no use."""
        found = self._idle(case, run)
        if not found.standing:
            raise Conflict(f"Nothing stands of run {found.row.id}.", "There is nothing to undo.")
        keys = {one.step.key for one in self.runner.standing(found.row.id)}
        if strange := set(leave) - keys:
            raise Error(f"Nothing stands of {', '.join(sorted(strange))[:200]}.")
        words = [f"--leave={one}" for one in leave]
        words += ["--apply", f"--reason={reason}"]
        self._desk.background.run(["release", found.row.id, *words], who)
        return found.row.id

    def _idle(self, case: str, run: str) -> Going:
        found = self.run(case, run)
        if found.working:
            raise Conflict(f"Run {found.row.id} is at work now.", "Wait until it has ended.")
        return found

    def _going(self, session: Session, row: RunRow) -> Going:
        account = session.get(AccountRow, row.account)
        return Going(
            row,
            runs.receipt(session, row.id),
            targets.working(session, row.id),
            bool(account and account.endpoint),
        )

    def resume_stopped(self, who: Hand) -> None:
        """Carry on the runs whose process ended before they did."""
        self.later(self.runner.stopped(), who)

    def carry(
        self, run: str, who: Hand, watch: Watch | None = None, *, until_kept: bool = False
    ) -> Receipt:
        """Carry a run on with its progress in the case, then begin to parse what it collected."""
        with self._told(run, who, watch) as told:
            found = self.runner.again(run, who, told, until_kept=until_kept)
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
            if (held := targets.at_work(session, row.id)) is not None:
                raise held
        if not what:
            back = row.state in (RunState.RELEASING, RunState.RELEASE_FAILED)
            isolating = self.runner.catalogue.get(row.action).contains
            what = RELEASING if back else ISOLATING if isolating else COLLECTING
        name = f"{what} {row.target.rpartition('/')[2]}"
        progress = Progress(self._desk.state, row.case, name, who.name)

        def analyse() -> None:
            self._desk.resume(row.case, who=who)

        told, state = _Told(progress, watch, analyse), "failed"
        try:
            yield told
            with self._desk.state.session() as session:
                ended = runs.run(session, run).state
            if ended in (RunState.DONE, RunState.RELEASED, RunState.APPLYING):
                state = "done"  # what is applying still goes on in another process
        except Error as error:
            progress.log(error.message)
            raise
        finally:
            progress.finish(state)


class _Told:
    """Passes what a run says on to its progress, and to whoever else watches."""

    def __init__(
        self, progress: Progress, watch: Watch | None, analyse: Callable[[], None]
    ) -> None:
        self._progress, self._watch, self._analyse = progress, watch, analyse
        self._stage, self._done = "", 0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """`stage` is at `done` of `total`."""
        if stage != self._stage:
            self._progress.stage(stage, total, "bytes" if total > LARGE else "steps", done)
            self._stage, self._done = stage, done
            self._analyse()  # what the steps before took, while the next ones go on
        self._progress.advance(done - self._done)
        self._done = done
        if self._watch is not None:
            self._watch(stage, done, total)
