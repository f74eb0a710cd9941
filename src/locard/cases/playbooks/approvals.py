# SPDX-License-Identifier: Apache-2.0
"""People agree to a run of a playbook, or refuse it.

Nobody agrees to what they set off, nor to what a playbook does that they switched on themselves.
"""

import time

from sqlalchemy.orm import Session

from locard.cases.playbooks.waiting import stale
from locard.evidence import Draft, Vault
from locard.model.custody import Hand, Verb, same_person
from locard.model.errors import Conflict, Denied, Error
from locard.model.playbook import Asking, Doing, Part, PartState, PlaybookRun, PlaybookState
from locard.state import playbooks
from locard.state.database import State
from locard.state.playbooks import ApprovalRow, PartRow, PlaybookRunRow

LONGEST_REASON = 2_000
OPEN = (PlaybookState.DUE.value, PlaybookState.WAITING.value)


class Approvals:
    """What people say about runs of playbooks."""

    def __init__(self, state: State, vault: Vault) -> None:
        self.state, self.vault = state, vault

    def may(self, run: str, who: Hand, reason: str) -> PlaybookRun:
        """The run, if that person may agree to it now. Raises what stands against it."""
        _judged(reason)
        with self.state.session() as session:
            return _asked(session, run, who)[1]

    def agree(self, run: str, who: Hand, reason: str, plan: str) -> bool:
        """Agree to a run and to the plan of that digest, which is the one that it asks about.

        Says whether enough people have, so that it goes on.
        """
        _judged(reason)
        self.vault.prepare()
        with self.state.session(alone=True) as session:
            row, found = _asked(session, run, who)
            if row.plan != plan:
                raise stale(found)
            self._add(session, row, who, True, reason)
            agreed = found.agreed + 1
            enough = agreed >= row.approvers
            if enough:
                row.state, row.lapses, row.reminds = PlaybookState.DUE.value, None, None
            self._say(row, who, Verb.APPROVED, reason, f"{agreed} of {row.approvers}")
        return enough

    def refuse(self, run: str, who: Hand, reason: str) -> None:
        """Refuse a run: what it has not done yet is not done any more. One person is enough."""
        _judged(reason)
        self.vault.prepare()
        with self.state.session(alone=True) as session:
            row = _open(session, run)
            known = session.get(ApprovalRow, (row.id, row.round, who.name))
            if known is not None:
                session.delete(known)
                session.flush()
            self._add(session, row, who, False, reason)
            for part in playbooks.parts(session, row.id):
                if part.state == PartState.PENDING.value:
                    part.state = PartState.REFUSED.value
                    part.error = f"{who.name} refused it: {reason}"
            row.state, row.ended = PlaybookState.REFUSED.value, time.time_ns()
            row.error = f"{who.name} refused it: {reason}"
            self._say(row, who, Verb.REFUSED, reason, "")

    def _add(
        self, session: Session, row: PlaybookRunRow, who: Hand, agrees: bool, reason: str
    ) -> None:
        session.add(
            ApprovalRow(playbook_run=row.id, round=row.round, who=who.name, agrees=agrees,
                        reason=reason, time=time.time_ns(), door=who.door, plan=row.plan)
        )  # fmt: skip
        session.flush()

    def _say(self, row: PlaybookRunRow, who: Hand, verb: Verb, reason: str, agreed: str) -> None:
        details = {"playbook run": row.id, "playbook": row.playbook, "sha256": row.digest,
                   "alert": row.alert, "set off by": row.asker, "plan": row.plan,
                   "switched on by": row.enabled_by}  # fmt: skip
        if agreed:
            details["agreed"] = agreed
        self.vault.ledger.append([Draft(who, verb, "", row.case, reason, details)])


def _open(session: Session, run: str) -> PlaybookRunRow:
    row = playbooks.row(session, run)
    state = PlaybookState.LAPSED.value if playbooks.overdue(row) else row.state
    if state == PlaybookState.LAPSED.value:
        raise Conflict(
            f"Run {row.id} has lapsed: nobody can agree to it any more.",
            f"Ask again: locard runs resume {row.id}",
        )
    if state not in OPEN:
        raise Conflict(
            f"Run {row.id} is {state}: there is nothing left to decide.",
            f"See: locard runs show {row.id}",
        )
    return row


def _asked(session: Session, run: str, who: Hand) -> tuple[PlaybookRunRow, PlaybookRun]:
    """A run that waits for that person's word."""
    row = _open(session, run)
    found = playbooks.run(session, row)
    if found.asking is Asking.NEVER:
        raise Conflict(f"Run {row.id} asks nobody.", "It can be refused all the same.")
    if why := barred(found, who.name):
        raise Denied(why, "Ask somebody else who may respond.")
    if has_agreed(found, who.name):
        raise Conflict(
            f"{who.name} has agreed to run {row.id} already.",
            f"It takes {row.approvers} different people.",
        )
    if found.state is not PlaybookState.WAITING:
        raise Conflict(
            f"Run {row.id} does not wait for anybody now.",
            "It asks, and shows the plan, when it comes to what people have a word about.",
        )
    return row, found


def barred(run: PlaybookRun, name: str) -> str:
    """Why a person does not count as an approver of a run; empty when they do."""
    if same_person(run.asker, name):
        return f"{name} brought in the alert that set off run {run.id}, and cannot agree to it."
    if run.enabled_by and same_person(run.enabled_by, name):
        return (
            f"{name} switched the playbook {run.playbook} on, and does not count as an approver "
            "of its runs."
        )
    return ""


def has_agreed(run: PlaybookRun, name: str) -> bool:
    """Whether a person has agreed to what a run asks now."""
    return any(
        one.agrees and one.round == run.round and same_person(one.who, name)
        for one in run.approvals
    )


def waits_for(run: PlaybookRun, name: str) -> bool:
    """Whether a run waits for this person's word, if they may respond in its case."""
    waits = run.state is PlaybookState.WAITING
    return waits and not barred(run, name) and not has_agreed(run, name)


def _judged(reason: str) -> None:
    if not reason.strip():
        raise Error("It needs a reason.", "Say why: --reason 'beacon confirmed, ticket 12'")
    if len(reason) > LONGEST_REASON:
        raise Error(f"The reason has {len(reason):,} characters.", "Keep it below 2,000.")


def again(part: PartRow) -> None:
    """Let a step that failed be tried again; what it had begun is carried on."""
    part.state = PartState.BEGUN.value if part.run else PartState.PENDING.value
    part.error, part.ended = "", None


def lacking(run: PlaybookRun, part: Part) -> list[str]:
    """Collections of the same target that come before a step, of which it could take something."""
    return [
        one.what
        for one in run.parts[: part.number]
        if one.does is Doing.COLLECT
        and not one.kept
        and one.target is not None
        and part.target is not None
        and one.target.id == part.target.id
    ]


def must_ask(run: PlaybookRun, part: Part) -> bool:
    """Whether people have to agree before this step, and have not.

    Nobody is asked about an isolation that is not done anyway.
    """
    if run.asking is Asking.NEVER or run.agreed >= run.approvers:
        return False
    contains = part.does is Doing.ISOLATE and not lacking(run, part)
    return run.asking is Asking.ALWAYS or contains
