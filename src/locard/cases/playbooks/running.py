# SPDX-License-Identifier: Apache-2.0
"""Runs of playbooks: begun by alerts, carried on step by step, after a crash from where they stand.

What is going to be done is written down first. The run of an action has an id before it is begun,
so that whoever carries on after a crash finds it, or knows that it was not begun; a notice is
written down as being sent, and is not sent again.
"""

import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import select

from locard.cases.notices.sending import Notices
from locard.cases.playbooks import reading
from locard.cases.playbooks.approvals import Approvals, again, lacking, must_ask
from locard.cases.playbooks.matching import Matching
from locard.cases.playbooks.shelf import Shelf
from locard.cases.progress import birth
from locard.cases.response.runner import Asked, Runner, Watch, new_run
from locard.cases.response.stepping import said
from locard.evidence import Draft, Vault
from locard.model.action import Receipt, RunState
from locard.model.alert import Alert
from locard.model.custody import Hand, Verb
from locard.model.errors import Conflict, Error
from locard.model.playbook import (
    Doing,
    Part,
    PartState,
    PlaybookRun,
    PlaybookState,
    Trial,
)
from locard.state import alerts, playbooks
from locard.state.alerts import AlertRow
from locard.state.database import State
from locard.state.playbooks import PlaybookRunRow
from locard.state.runs import RunRow

ATTEMPTS = 3
"""How many processes are begun for a run that gets no further."""
AT_ONCE = 100


def _silent(_stage: str, _done: int, _total: int) -> None:
    return


class Playbooks:
    """Runs of playbooks of one installation."""

    def __init__(
        self,
        state: State,
        vault: Vault,
        shelf: Shelf,
        runner: Runner,
        matching: Matching,
        notices: Notices,
        carry: Callable[[str, Hand, Watch], Receipt],
        analyse: Callable[[str, Hand], object],
    ) -> None:
        self.state, self.vault, self.shelf, self.runner = state, vault, shelf, runner
        self.matching, self.notices = matching, notices
        self.carry, self.analyse = carry, analyse
        self.approvals = Approvals(state, vault)

    # What there is

    def runs(
        self,
        case: str = "",
        *,
        state: PlaybookState | None = None,
        limit: int = 200,
        among: Collection[str] | None = None,
    ) -> list[PlaybookRun]:
        """Runs of a case, of those `among`, or of all, the newest first."""
        with self.state.session() as session:
            return playbooks.every(session, case, state=state, limit=limit, among=among)

    def run(self, run: str) -> PlaybookRun:
        """The run of that id, or of an id that begins so. Raises `Missing`."""
        with self.state.session() as session:
            return playbooks.run(session, playbooks.row(session, run))

    def trials(self, name: str, past: Sequence[Alert], *, plans: bool = False) -> list[Trial]:
        """What a playbook, on or off, would do about these alerts. Reads, and changes nothing."""
        return self.trials_of(self.shelf.written(name), past, plans=plans)

    def trials_of(
        self, written: reading.Written, past: Sequence[Alert], *, plans: bool = False
    ) -> list[Trial]:
        """The same for one that is on no shelf yet."""
        found = []
        for alert in past:
            match = self.matching.match(written, alert)
            parts = self.matching.parts(written, match) if match.fits else []
            made, errors = [], [match.unknown] if match.unknown else []
            for part in parts if plans else ():
                if part.target is None:
                    continue
                try:
                    account = self.matching.account(part.target).name
                    plan = self.runner.plan(
                        part.what, account, part.target, alert.case, part.options
                    )
                    made.append(plan.record())
                except Error as error:
                    errors.append(f"{part.what} of {part.target.id}: {said(error)}")
            found.append(
                Trial(alert.id, match.fits, match.why, tuple(parts), tuple(made), tuple(errors))
            )
        return found

    # Alerts set them off

    def judge(self) -> list[str]:
        """Hold the playbooks that are on against alerts that say something new; runs begun."""
        with self.state.session() as session:
            wanted = select(AlertRow).where(AlertRow.judged.is_(False))
            rows = session.scalars(wanted.order_by(AlertRow.last).limit(AT_ONCE)).all()
            waiting = [(alerts.alert(one), one.sightings == 1) for one in rows]
        begun: list[str] = []
        enabled = self.shelf.enabled() if waiting else []
        for alert, new in waiting:
            matches = [(one, self.matching.match(one, alert)) for one in enabled]
            with self.state.session(alone=True) as session:
                row = session.get_one(AlertRow, alert.id)
                if alerts.alert(row).content != alert.content:
                    continue  # it was said anew meanwhile: the next look takes it
                for written, match in matches:
                    if match.fits or match.unknown:
                        begun.append(self.matching.begin(session, written, alert, match))
                row.judged = True
            if new:
                self.notices.alert(alert)
        for run in filter(None, begun):
            self._announce(self.run(run))
        return [run for run in begun if run]

    def due(self) -> list[str]:
        """Runs that can go on and that nobody is at, the oldest first."""
        with self.state.session() as session:
            rows = session.scalars(
                select(PlaybookRunRow)
                .where(PlaybookRunRow.state == PlaybookState.DUE.value)
                .order_by(PlaybookRunRow.started)
            ).all()
        return [one.id for one in rows if not (one.pid and birth(one.pid) == one.birth)]

    def busy(self) -> int:
        """How many runs a process is at now."""
        with self.state.session() as session:
            rows = session.scalars(
                select(PlaybookRunRow).where(
                    PlaybookRunRow.state == PlaybookState.DUE.value, PlaybookRunRow.pid != 0
                )
            ).all()
        return sum(birth(one.pid) == one.birth for one in rows)

    def attempt(self, run: str) -> bool:
        """Count that a process is begun for a run; no more, and the run failed, after a few."""
        with self.state.session(alone=True) as session:
            row = playbooks.row(session, run)
            row.attempts += 1
            if row.attempts <= ATTEMPTS:
                return True
            row.state, row.ended = PlaybookState.FAILED.value, time.time_ns()
            row.error = (
                f"The process that carried it out ended {ATTEMPTS} times without getting further. "
                f"Look into resume.log, then: locard runs resume {row.id}"
            )
        self._announce(self.run(run))
        return False

    # People

    def approve(self, run: str, who: Hand, reason: str) -> PlaybookRun:
        """Agree to a run. Raises `Denied` for whoever set it off, `Conflict` for a second word."""
        self.approvals.agree(run, who, reason)
        return self.run(run)

    def refuse(self, run: str, who: Hand, reason: str) -> PlaybookRun:
        """Refuse a run, for good: what it has not done yet is not done any more."""
        self.approvals.refuse(run, who, reason)
        self._announce(self.run(run))
        return self.run(run)

    def retry(self, run: str, who: Hand) -> PlaybookRun:
        """Let the steps of a run that failed be tried again. Raises `Conflict` for another."""
        self.vault.prepare()
        with self.state.session(alone=True) as session:
            row = playbooks.row(session, run)
            parts = playbooks.parts(session, row.id)
            if row.state != PlaybookState.FAILED.value or not parts:
                raise Conflict(
                    f"Run {row.id} is {row.state}: there is nothing to try again.",
                    f"See: locard runs show {row.id}",
                )
            for part in parts:
                if part.state in (PartState.FAILED.value, PartState.REFUSED.value):
                    again(part)
            row.state, row.ended, row.error = PlaybookState.DUE.value, None, ""
            row.attempts = 0
            details = {"playbook run": row.id, "playbook": row.playbook, "alert": row.alert}
            draft = Draft(who, Verb.PLANNED, "", row.case, "what failed is tried again", details)
            self.vault.ledger.append([draft])
        return self.run(run)

    # Carrying on

    def carry_on(self, run: str, watch: Watch = _silent) -> PlaybookRun:
        """Carry a run on from where it stands, until it is done, or waits for people.

        Raises `Conflict` when another process is at it.
        """
        self.vault.prepare()
        run = self.run(run).id
        with self._at_work(run):
            while True:
                now = self.run(run)
                if now.state is not PlaybookState.DUE:
                    return now
                self._authorise(now)
                part = now.next
                if part is None:
                    self._end(now)
                elif must_ask(now, part):
                    self._state(run, PlaybookState.WAITING)
                    self._announce(self.run(run))
                else:
                    watch(f"{part.what} {part.target.id if part.target else ''}".strip(),
                          part.number, len(now.parts))  # fmt: skip
                    self._do(now, part, watch)

    def _do(self, run: PlaybookRun, part: Part, watch: Watch) -> None:
        try:
            if part.does is Doing.NOTIFY:
                self._notify(run, part)
            elif part.does is Doing.ANALYSE:
                self._part(run, part, PartState.BEGUN)
                self.analyse(run.case, _hand(run))
            else:
                self._act(run, part, watch)
        except _NotNow as error:
            self._part(run, part, PartState.REFUSED, error=str(error))
        except Error as error:
            self._part(run, part, PartState.FAILED, error=said(error))
        else:
            self._part(run, part, PartState.DONE)

    def _act(self, run: PlaybookRun, part: Part, watch: Watch) -> None:
        assert part.target is not None
        if part.does is Doing.ISOLATE and (missing := lacking(run, part)):
            raise _NotNow(
                f"{part.target.id} was not isolated, for collecting before did not succeed: "
                f"{', '.join(missing)}."
            )
        action = part.run or new_run()
        self._part(run, part, PartState.BEGUN, action=action)
        who = _hand(run)
        with self.state.session() as session:
            known = session.get(RunRow, action)
            most, text = playbooks.row(session, run.id).most, playbooks.row(session, run.id).text
            title = alerts.row(session, run.alert).title
        if part.does is Doing.COLLECT:
            most = self.shelf.check(text, run.playbook).playbook.collected_per_hour
        if known is None:
            account = self.matching.account(part.target).name
            plan = self.runner.plan(part.what, account, part.target, run.case, part.options)
            reason = f"playbook {run.playbook} ({run.id}), alert {run.alert}: {title}"
            self.runner.begin(
                plan, account,
                Asked(run.case, who, reason, rule=run.playbook, alert=run.alert, most=most,
                      run=action),
            )  # fmt: skip
        elif known.state == RunState.DONE.value:
            return
        receipt = self.carry(action, who, watch)
        if receipt.state is not RunState.DONE:
            failing = next((one.error for one in receipt.steps if one.error), "it failed")
            raise Error(failing, f"See: locard runs show {action}")

    def _notify(self, run: PlaybookRun, part: Part) -> None:
        if part.state is PartState.BEGUN:
            self._part(run, part, PartState.DONE,
                       error="It may have been sent: the process ended in between.")  # fmt: skip
            return
        self._part(run, part, PartState.BEGUN)
        with self.state.session() as session:
            alert = alerts.alert(alerts.row(session, run.alert))
        self.notices.playbook(part.what, run, alert, part.text)

    # What is written down

    def _part(
        self, run: PlaybookRun, part: Part, state: PartState, error: str = "", action: str = ""
    ) -> None:
        with self.state.session(alone=True) as session:
            row = playbooks.parts(session, run.id)[part.number]
            row.state = state.value
            row.error = error or (row.error if state is PartState.DONE else "")
            row.run = action or row.run
            if state is PartState.BEGUN:
                row.started = row.started or time.time_ns()
            else:
                row.ended = time.time_ns()
                playbooks.row(session, run.id).attempts = 0

    def _state(self, run: str, state: PlaybookState, error: str = "") -> None:
        with self.state.session(alone=True) as session:
            row = playbooks.row(session, run)
            if row.state == PlaybookState.REFUSED.value:
                return  # a person was faster
            if state is PlaybookState.WAITING:
                words = playbooks.approvals(session, row.id)
                if sum(one.agrees for one in words) >= row.approvers:
                    return
            row.state, row.error = state.value, error
            if state in (PlaybookState.DONE, PlaybookState.FAILED):
                row.ended = time.time_ns()

    def _end(self, run: PlaybookRun) -> None:
        bad = [one for one in run.parts if one.state is not PartState.DONE]
        state = PlaybookState.FAILED if bad else PlaybookState.DONE
        told = "; ".join(f"{one.what}: {one.error}" for one in bad)[:2_000]
        self._state(run.id, state, told or run.error)
        self._announce(self.run(run.id))

    def _authorise(self, run: PlaybookRun) -> None:
        """The entry of the ledger that says on what ground the run acts; twice rather than not."""
        with self.state.session() as session:
            if playbooks.row(session, run.id).authorised:
                return
            alert = alerts.alert(alerts.row(session, run.alert))
        details = {
            "playbook run": run.id, "playbook": run.playbook, "sha256": run.digest,
            "alert": alert.id, "source": alert.source, "original": alert.original[:200],
            "severity": alert.severity.value, "asks": run.asking.value, "set off by": run.asker,
        }  # fmt: skip
        reason = f"playbook {run.playbook} on alert {alert.id}: {alert.title}"
        draft = Draft(_hand(run), Verb.AUTHORISED, "", run.case, reason, details)
        self.vault.ledger.append([draft])
        with self.state.session(alone=True) as session:
            playbooks.row(session, run.id).authorised = True

    def _announce(self, run: PlaybookRun) -> None:
        with self.state.session() as session:
            alert = alerts.alert(alerts.row(session, run.alert))
        self.notices.run(run, alert)

    @contextmanager
    def _at_work(self, run: str) -> Iterator[None]:
        pid = os.getpid()
        with self.state.session(alone=True) as session:
            row = playbooks.row(session, run)
            if row.pid and birth(row.pid) == row.birth:
                raise Conflict(
                    f"Another process is at run {run} already.", f"See: locard runs show {run}"
                )
            row.pid, row.birth = pid, birth(pid)
        try:
            yield
        finally:
            with self.state.session(alone=True) as session:
                row = playbooks.row(session, run)
                row.pid, row.birth = 0, ""


class _NotNow(Exception):
    """A step that is not done, for one before it was not."""


def _hand(run: PlaybookRun) -> Hand:
    return Hand(f"playbook {run.playbook}", "automation")
