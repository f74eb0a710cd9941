# SPDX-License-Identifier: Apache-2.0
"""Runs that wait for people: what they are asked, until when, the reminder, and the end of waiting.

What nobody agrees to in time lapses: it does nothing more, and can be asked again, about the plan
as it is then. So an approval is never given to an answer that the cloud gave days ago.
"""

import time
from collections.abc import Callable
from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from locard.cases.notices.sending import Notices
from locard.cases.playbooks.plans import Plans, changes, digest
from locard.evidence import Draft, Vault
from locard.evidence.entries import rfc3339
from locard.model.custody import Hand, Verb
from locard.model.errors import Conflict, Error
from locard.model.playbook import PartState, Planned, PlaybookRun, PlaybookState
from locard.state import alerts, playbooks
from locard.state.database import State
from locard.state.playbooks import PlaybookRunRow

SECOND = 1_000_000_000


class Waiting:
    """What waits for people in one installation."""

    def __init__(self, state: State, vault: Vault, plans: Plans, notices: Notices) -> None:
        self.state, self.vault, self.plans, self.notices = state, vault, plans, notices

    def ask(self, run: PlaybookRun) -> None:
        """Ask people about what is ahead, as it would be done now."""
        planned = self.plans.ahead(run)
        with self.state.session(alone=True) as session:
            row = playbooks.row(session, run.id)
            if row.state != PlaybookState.DUE.value:
                return  # a person was faster
            self._put(row, run.planned, planned)

    def renew(self, run: PlaybookRun, planned: tuple[Planned, ...]) -> None:
        """Ask again where the plan is another than that which was asked about.

        What people said to the plan before does not count for this one.
        """
        if digest(planned) == run.plan:
            return
        with self.state.session(alone=True) as session:
            row = playbooks.row(session, run.id)
            if row.state != PlaybookState.WAITING.value or row.plan != run.plan:
                return  # somebody else has asked again
            row.round += 1
            self._put(row, run.planned, planned)
            self._say(row, Verb.PLANNED, "the plan changed: asked again", changed=row.changed)
        self.announce(run.id)

    def again(self, run: str, who: Hand) -> None:
        """Let what lapsed be asked again. Raises `Conflict` for what did not lapse."""
        self.look()
        with self.state.session(alone=True) as session:
            row = playbooks.row(session, run)
            if row.state != PlaybookState.LAPSED.value:
                raise Conflict(f"Run {row.id} is {row.state}: it has not lapsed.")
            row.state, row.ended, row.error = PlaybookState.DUE.value, None, ""
            row.lapses, row.attempts = None, 0
            row.round += 1
            stands = playbooks.run(session, row).parts
            for part, one in zip(playbooks.parts(session, row.id), stands, strict=True):
                if one.kept and one.state is PartState.FAILED:
                    part.state = PartState.BEGUN.value  # what it read from stands
            self._say(row, Verb.PLANNED, "asked again after it had lapsed", who=who)

    def outdated(self, run: PlaybookRun, row: PlaybookRunRow) -> bool:
        """Whether people agreed so long ago that it would have lapsed: their word has too."""
        said = [one.time for one in run.approvals if one.agrees and one.round == run.round]
        within, _ = self._patience(row)
        return bool(said) and time.time_ns() - min(said) > within * SECOND

    def look(self) -> None:
        """Let lapse what nobody agreed to in time, and remind of what waits for long."""
        waits = PlaybookRunRow.state == PlaybookState.WAITING.value
        now = time.time_ns()
        with self.state.session() as session:
            wanted = select(PlaybookRunRow.id).where(waits)
            over = session.scalars(wanted.where(PlaybookRunRow.lapses <= now)).all()
            due = session.scalars(
                wanted.where(PlaybookRunRow.reminds <= now, PlaybookRunRow.lapses > now)
            ).all()
        for run in over:
            if self._mark(run, self._lapse):
                self.announce(run)
        for run in due:
            if self._mark(run, lambda _session, _row: None):
                self.announce(run, reminder=True)

    def announce(self, run: str, *, reminder: bool = False) -> None:
        """Tell people how a run stands, if there is something to tell."""
        with self.state.session() as session:
            found = playbooks.run(session, playbooks.row(session, run))
            alert = alerts.alert(alerts.row(session, found.alert))
        self.notices.run(found, alert, reminder=reminder)

    def _mark(self, run: str, what: Callable[[Session, PlaybookRunRow], None]) -> bool:
        """Write it down before it is told, so that it is told once; False when it is over."""
        self.vault.prepare()
        with self.state.session(alone=True) as session:
            row = playbooks.row(session, run)
            if row.state != PlaybookState.WAITING.value:
                return False
            row.reminds = None
            what(session, row)
        return True

    def _lapse(self, session: Session, row: PlaybookRunRow) -> None:
        agreed = playbooks.run(session, row).agreed
        until = rfc3339(row.lapses or 0)[:16].replace("T", " ")
        people = "Nobody" if not agreed else f"Only {agreed} of {row.approvers} people"
        row.error = (
            f"{people} agreed by {until} UTC, so it lapsed: what was not done yet is not done. "
            "It can be asked again."
        )
        row.state, row.ended = PlaybookState.LAPSED.value, time.time_ns()
        self._say(row, Verb.LAPSED, row.error)

    def _put(
        self, row: PlaybookRunRow, before: tuple[Planned, ...], now: tuple[Planned, ...]
    ) -> None:
        within, after = self._patience(row)
        row.planned = [
            {"number": one.number, "plan": asdict(one.plan) if one.plan else None,
             "error": one.error}
            for one in now
        ]  # fmt: skip
        row.plan, row.changed = digest(now), list(changes(before, now))
        row.state, row.error = PlaybookState.WAITING.value, ""
        row.lapses = time.time_ns() + within * SECOND
        row.reminds = time.time_ns() + after * SECOND

    def _patience(self, row: PlaybookRunRow) -> tuple[int, int]:
        if row.within:
            return row.within, row.remind_after
        settings = self.notices.settings()
        return settings.within, min(row.remind_after or settings.remind_after, settings.within)

    def _say(
        self, row: PlaybookRunRow, verb: Verb, reason: str, *, who: Hand | None = None,
        changed: list[str] | None = None,
    ) -> None:  # fmt: skip
        details = {"playbook run": row.id, "playbook": row.playbook, "sha256": row.digest,
                   "alert": row.alert, "plan": row.plan}  # fmt: skip
        if changed:
            details["changed"] = "; ".join(changed)[:10_000]
        by = who or Hand(f"playbook {row.playbook}", "automation")
        self.vault.ledger.append([Draft(by, verb, "", row.case, reason, details)])


def stale(run: PlaybookRun) -> Error:
    """What whoever agrees to a plan that is no more is told."""
    more = f" {' '.join(run.changed[:3])}" if run.changed else ""
    return Conflict(
        f"What would be done has changed since you looked at the plan.{more}"[:2_000],
        "Look at the new plan, then agree to it.",
    )
