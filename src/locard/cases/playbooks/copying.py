# SPDX-License-Identifier: Apache-2.0
"""What a run of a playbook has read from copies while it goes on: snapshots that stand.

Once what isolating could take is kept, the copies of a run are read by a process of their own, one
after the other. It outlives the run of the playbook, which may wait for people, be refused, or
lapse: the evidence is collected to its end all the same.
"""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from locard.cases.notices.sending import Notices
from locard.cases.response import targets
from locard.cases.response.record import Record
from locard.cases.response.releasing import Watch
from locard.evidence import Vault
from locard.model.action import Receipt, RunState
from locard.model.custody import Hand, Verb
from locard.model.errors import Conflict
from locard.model.playbook import Part, PartState, PlaybookRun, PlaybookState
from locard.state import alerts, playbooks
from locard.state.database import State
from locard.state.playbooks import PlaybookRunRow

PAUSE = 1.0
"""Seconds between two looks whether somebody else has read a copy to its end."""
PATIENCE = 10.0
"""Seconds for which nobody is at a copy until it is begun again: a process may be on its way."""
ATTEMPTS = 3
"""How many processes are begun for copies that get no further."""


class Carry(Protocol):
    """Carries a run of an action on, to its end or until what it collects is kept."""

    def __call__(
        self, run: str, who: Hand, watch: Watch, *, until_kept: bool = False
    ) -> Receipt: ...


class Copying:
    """The copies that runs of playbooks in one installation still have read."""

    def __init__(
        self,
        state: State,
        vault: Vault,
        notices: Notices,
        carry: Carry,
        apart: Callable[[Sequence[str], Hand], object],
    ) -> None:
        self.state, self.vault, self.notices = state, vault, notices
        self.carry, self.apart = carry, apart
        """`apart` begins to carry runs on in a process of its own, one after the other."""
        self._handed: set[str] = set()
        self._alone: dict[str, float] = {}
        self._begun: dict[str, tuple[int, int]] = {}

    def hand_over(self, run: PlaybookRun) -> None:
        """Have what a run left to be read from copies read, unless a process is at it already."""
        copying = [one.run for one in run.copying if one.run not in self._handed]
        self._handed.update(copying)
        if copying and not self._busy(copying):
            self.apart(copying, hand_of(run))

    def wait(self, run: PlaybookRun, part: Part, watch: Watch) -> None:
        """Wait a moment for a copy that another process reads; read it where none does."""
        if not self._busy([part.run]):
            try:
                self.carry(part.run, hand_of(run), watch)
                return
            except Conflict:
                pass  # another process was faster, or at its end
        time.sleep(PAUSE)

    def look(self) -> None:
        """Have read on what was being read when its process ended; tell of what failed.

        A run of a playbook that goes on tells of that itself, at its end.
        """
        now = time.monotonic()
        with self.state.session() as session:
            going = playbooks.copying(session)
            stopped = [(book, one.id) for book, one in going
                       if not targets.working(session, one.id)]  # fmt: skip
        busy = {book for book, one in going} - {book for book, one in stopped}
        alone = {one: self._alone.get(one, now) for book, one in stopped if book not in busy}
        self._alone = alone
        for book in {book for book, one in stopped if now - alone.get(one, now) >= PATIENCE}:
            run = self._run(book)
            again = [one for one in (part.run for part in run.copying) if self._attempt(one, run)]
            self._alone = {one: at for one, at in self._alone.items() if one not in again}
            if again:
                self.apart(again, hand_of(run))
        self._tell()

    def _busy(self, copying: Sequence[str]) -> bool:
        with self.state.session() as session:
            return any(targets.working(session, one) for one in copying)

    def _run(self, run: str) -> PlaybookRun:
        with self.state.session() as session:
            return playbooks.run(session, playbooks.row(session, run))

    def _attempt(self, copying: str, run: PlaybookRun) -> bool:
        """Count that a process is begun for a copy; after a few that got no further it failed."""
        record = Record(self.state, self.vault, copying, hand_of(run))
        through = sum(bool(one.ended) for one in record.steps())
        before, times = self._begun.get(copying, (through, 0))
        times = times + 1 if before == through else 1
        self._begun[copying] = through, times
        if times <= ATTEMPTS:
            return True
        why = (
            f"The process that read its copies ended {ATTEMPTS} times without getting further. "
            f"Look into resume.log, then: locard runs resume {copying}"
        )
        del self._begun[copying]
        self.vault.prepare()
        record.say(Verb.FAILED, why)
        record.ended(RunState.FAILED, why)
        return False

    def _tell(self) -> None:
        """Tell people of copies that failed while a run of a playbook waits, or after its end."""
        with self.state.session() as session:
            failed = playbooks.failed_copies(session)
        for book, number in failed:
            with self.state.session(alone=True) as session:
                row = session.get_one(PlaybookRunRow, book)
                part = playbooks.parts(session, book)[number]
                if row.state == PlaybookState.DUE.value or part.state != PartState.KEPT.value:
                    continue
                part.state = PartState.FAILED.value  # written down first, so that it is told once
                run = playbooks.run(session, row)
                alert = alerts.alert(alerts.row(session, run.alert))
            self.notices.copy_failed(run, run.parts[number], alert)


def hand_of(run: PlaybookRun) -> Hand:
    """By whose hand a run of a playbook acts."""
    return Hand(f"playbook {run.playbook}", "automation")
