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
from dataclasses import replace

from sqlalchemy import select

from locard.cases.notices.sending import Notices
from locard.cases.playbooks.approvals import (
    Approvals,
    again,
    lacking,
    must_ask,
    waits_for,
)
from locard.cases.playbooks.copying import Carry, Copying, hand_of
from locard.cases.playbooks.matching import Matching
from locard.cases.playbooks.plans import Plans, agreed_to, changes, digest
from locard.cases.playbooks.shelf import Shelf
from locard.cases.playbooks.trials import Trials
from locard.cases.playbooks.waiting import Waiting
from locard.cases.progress import birth
from locard.cases.response.releasing import Watch, silent
from locard.cases.response.runner import Asked, Runner, new_run
from locard.cases.response.stepping import said
from locard.evidence import Draft, Vault
from locard.model.action import RunState
from locard.model.custody import Hand, Verb
from locard.model.errors import Conflict, Error
from locard.model.playbook import (
    Doing,
    Part,
    PartState,
    PlaybookRun,
    PlaybookState,
)
from locard.state import alerts, playbooks
from locard.state.alerts import AlertRow
from locard.state.database import State
from locard.state.pages import Place
from locard.state.playbooks import PlaybookRunRow, Wanted
from locard.state.runs import RunRow

ATTEMPTS = 3
"""How many processes are begun for a run that gets no further."""
AT_ONCE = 100
ALL = Wanted()


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
        carry: Carry,
        analyse: Callable[[str, Hand], object],
        apart: Callable[[Sequence[str], Hand], object],
    ) -> None:
        self.state, self.vault, self.shelf, self.runner = state, vault, shelf, runner
        self.matching, self.notices = matching, notices
        self.carry, self.analyse = carry, analyse
        self.approvals = Approvals(state, vault)
        self.plans, self.trials = Plans(runner, matching), Trials(runner, matching)
        self.waiting = Waiting(state, vault, self.plans, notices)
        self.copying = Copying(state, vault, notices, carry, apart)

    # What there is

    def runs(
        self, wanted: Wanted = ALL, *, limit: int = 200, before: Place | None = None
    ) -> list[PlaybookRun]:
        """Runs that are asked for, the newest first, those after a place in the list."""
        with self.state.session() as session:
            return playbooks.page(session, wanted, limit=limit, before=before)

    def counted(self, alerts: Collection[str]) -> dict[str, int]:
        """How many runs each of these alerts set off."""
        with self.state.session() as session:
            return playbooks.counted(session, alerts)

    def waiting_for(self, name: str, among: Collection[str] | None) -> list[PlaybookRun]:
        """The runs of these cases that wait for a person's word, the newest first."""
        found = self.runs(Wanted(among=among, states=(PlaybookState.WAITING,)), limit=1_000)
        return [one for one in found if waits_for(one, name)]

    def run(self, run: str) -> PlaybookRun:
        """The run of that id, or of an id that begins so. Raises `Missing`."""
        with self.state.session() as session:
            return playbooks.run(session, playbooks.row(session, run))

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
            self.waiting.announce(run)
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
        self.waiting.announce(run)
        return False

    # People

    def asked(self, run: str) -> PlaybookRun:
        """The run with the plan as it is now, as somebody sees it who has to decide. Reads only."""
        known = self.run(run)
        if known.state is not PlaybookState.WAITING:
            return known
        planned = self.plans.ahead(known)
        if (plan := digest(planned)) == known.plan:
            return known
        return replace(known, planned=planned, plan=plan, changed=changes(known.planned, planned))

    def approve(self, run: str, who: Hand, reason: str, plan: str) -> PlaybookRun:
        """Agree to a run and to the plan of that digest, and to no other.

        Raises `Denied` for whoever set it off or switched the playbook on, `Conflict` for a second
        word, and for a plan that is no more: then everybody is asked again.
        """
        known = self.approvals.may(run, who, reason)
        self.waiting.renew(known, self.plans.ahead(known))
        self.approvals.agree(known.id, who, reason, plan)
        return self.run(known.id)

    def refuse(self, run: str, who: Hand, reason: str) -> PlaybookRun:
        """Refuse a run, for good: what it has not done yet is not done any more."""
        self.approvals.refuse(run, who, reason)
        self.waiting.announce(self.run(run).id)
        return self.run(run)

    def retry(self, run: str, who: Hand) -> PlaybookRun:
        """Let what failed be tried again, and what lapsed be asked again; else `Conflict`."""
        self.vault.prepare()
        if self.run(run).state is PlaybookState.LAPSED:
            self.waiting.again(run, who)
            return self.run(run)
        with self.state.session(alone=True) as session:
            row = playbooks.row(session, run)
            parts = playbooks.parts(session, row.id)
            if row.state != PlaybookState.FAILED.value or not parts:
                raise Conflict(
                    f"Run {row.id} is {row.state}: there is nothing to try again.",
                    f"See: locard runs show {row.id}",
                )
            stands = playbooks.run(session, row).parts
            for part, one in zip(parts, stands, strict=True):
                if one.state in (PartState.FAILED, PartState.REFUSED):
                    again(part)
            row.state, row.ended, row.error = PlaybookState.DUE.value, None, ""
            row.attempts = 0
            if self.waiting.outdated(playbooks.run(session, row), row):
                row.round += 1  # people are asked again
            details = {"playbook run": row.id, "playbook": row.playbook, "alert": row.alert}
            draft = Draft(who, Verb.PLANNED, "", row.case, "what failed is tried again", details)
            self.vault.ledger.append([draft])
        return self.run(run)

    # Carrying on

    def carry_on(self, run: str, watch: Watch = silent) -> PlaybookRun:
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
                part = now.next
                if part is None or part.does is not Doing.COLLECT:
                    self.copying.hand_over(now)
                if now.copying and (part is None or part.does is Doing.ANALYSE):
                    self.copying.wait(now, now.copying[0], watch)
                elif part is None:
                    self._end(now)
                elif must_ask(now, part):
                    watch("Making the plan that people are asked about", part.number,
                          len(now.parts))  # fmt: skip
                    self.waiting.ask(now)
                    self.waiting.announce(run)
                else:
                    self._authorise(now)
                    watch(f"{part.what} {part.target.id if part.target else ''}".strip(),
                          part.number, len(now.parts))  # fmt: skip
                    self._do(now, part, watch)

    def _do(self, run: PlaybookRun, part: Part, watch: Watch) -> None:
        try:
            if part.does is Doing.NOTIFY:
                self._notify(run, part)
            elif part.does is Doing.ANALYSE:
                self._part(run, part, PartState.BEGUN)
                self.analyse(run.case, hand_of(run))
            elif self._act(run, part, watch) is not RunState.DONE:
                self._part(run, part, PartState.KEPT)
                return
        except _Changed:
            self._take_back(run, part)
        except _NotNow as error:
            self._part(run, part, PartState.REFUSED, error=str(error))
        except Error as error:
            self._part(run, part, PartState.FAILED, error=said(error))
        else:
            self._part(run, part, PartState.DONE)

    def _act(self, run: PlaybookRun, part: Part, watch: Watch) -> RunState:
        """Do it in a cloud; it is `applying` still where all that is left is read from copies."""
        assert part.target is not None
        if part.does is Doing.ISOLATE and (missing := lacking(run, part)):
            raise _NotNow(
                f"{part.target.id} was not isolated, for collecting before did not succeed: "
                f"{', '.join(missing)}."
            )
        action = part.run or new_run()
        self._part(run, part, PartState.BEGUN, action=action)
        who = hand_of(run)
        with self.state.session() as session:
            known = session.get(RunRow, action)
            most, text = playbooks.row(session, run.id).most, playbooks.row(session, run.id).text
            title = alerts.row(session, run.alert).title
        if part.does is Doing.COLLECT:
            most = self.shelf.check(text, run.playbook).playbook.collected_per_hour
        if known is None:
            plan = self.plans.one(run, part)
            if not agreed_to(run, part, plan):
                raise _Changed
            account = self.matching.account(part.target).name
            reason = f"playbook {run.playbook} ({run.id}), alert {run.alert}: {title}"
            self.runner.begin(
                plan, account,
                Asked(run.case, who, reason, rule=run.playbook, alert=run.alert, most=most,
                      run=action),
            )  # fmt: skip
        elif known.state == RunState.DONE.value or (
            part.kept and known.state == RunState.APPLYING.value
        ):
            return RunState(known.state)
        receipt = self.carry(action, who, watch, until_kept=True)
        if receipt.state not in (RunState.DONE, RunState.APPLYING):
            failing = next((one.error for one in receipt.steps if one.error), "it failed")
            raise Error(failing, f"See: locard runs show {action}")
        return receipt.state

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
                row.ended = None if state is PartState.KEPT else time.time_ns()
                playbooks.row(session, run.id).attempts = 0

    def _take_back(self, run: PlaybookRun, part: Part) -> None:
        """A step whose plan is not that which people agreed to was not begun: they are asked."""
        with self.state.session(alone=True) as session:
            step = playbooks.parts(session, run.id)[part.number]
            step.state, step.run, step.started = PartState.PENDING.value, "", None
            playbooks.row(session, run.id).round += 1

    def _end(self, run: PlaybookRun) -> None:
        bad = [one for one in run.parts if one.state is not PartState.DONE]
        state = PlaybookState.FAILED if bad else PlaybookState.DONE
        told = "; ".join(f"{one.what}: {one.error}" for one in bad)[:2_000]
        with self.state.session(alone=True) as session:
            row = playbooks.row(session, run.id)
            if row.state == PlaybookState.REFUSED.value:
                return  # a person was faster
            row.state, row.error, row.ended = state.value, told or run.error, time.time_ns()
            playbooks.settle(session, run)
        self.waiting.announce(run.id)

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
        draft = Draft(hand_of(run), Verb.AUTHORISED, "", run.case, reason, details)
        self.vault.ledger.append([draft])
        with self.state.session(alone=True) as session:
            playbooks.row(session, run.id).authorised = True

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


class _Changed(Exception):
    """A step that would do something else than what people agreed to."""


class _NotNow(Exception):
    """A step that is not done, for one before it was not."""
