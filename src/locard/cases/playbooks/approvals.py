# SPDX-License-Identifier: Apache-2.0
"""People agree to a run of a playbook, or refuse it; nobody agrees to what they set off."""

import time

from sqlalchemy.orm import Session

from locard.evidence import Draft, Vault
from locard.model.custody import Hand, Verb
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

    def agree(self, run: str, who: Hand, reason: str) -> bool:
        """Agree to a run. Says whether enough people have, so that it goes on."""
        _judged(reason)
        self.vault.prepare()
        with self.state.session(alone=True) as session:
            row = _open(session, run)
            if row.asking == Asking.NEVER.value:
                raise Conflict(f"Run {row.id} asks nobody.", "It can be refused all the same.")
            if who.name == row.asker:
                raise Denied(
                    f"{who.name} brought in the alert that set off run {row.id}, and cannot agree "
                    "to it.",
                    "Ask somebody else who may respond.",
                )
            if session.get(ApprovalRow, (row.id, who.name)) is not None:
                raise Conflict(
                    f"{who.name} has agreed to run {row.id} already.",
                    f"It takes {row.approvers} different people.",
                )
            self._add(session, row, who, True, reason)
            agreed = sum(one.agrees for one in playbooks.approvals(session, row.id))
            enough = agreed >= row.approvers
            if enough:
                row.state = PlaybookState.DUE.value
            self._say(row, who, Verb.APPROVED, reason, f"{agreed} of {row.approvers}")
        return enough

    def refuse(self, run: str, who: Hand, reason: str) -> None:
        """Refuse a run: what it has not done yet is not done any more. One person is enough."""
        _judged(reason)
        self.vault.prepare()
        with self.state.session(alone=True) as session:
            row = _open(session, run)
            known = session.get(ApprovalRow, (row.id, who.name))
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
            ApprovalRow(playbook_run=row.id, who=who.name, agrees=agrees, reason=reason,
                        time=time.time_ns(), door=who.door)
        )  # fmt: skip
        session.flush()

    def _say(self, row: PlaybookRunRow, who: Hand, verb: Verb, reason: str, agreed: str) -> None:
        details = {"playbook run": row.id, "playbook": row.playbook, "sha256": row.digest,
                   "alert": row.alert, "set off by": row.asker}  # fmt: skip
        if agreed:
            details["agreed"] = agreed
        self.vault.ledger.append([Draft(who, verb, "", row.case, reason, details)])


def _open(session: Session, run: str) -> PlaybookRunRow:
    row = playbooks.row(session, run)
    if row.state not in OPEN:
        raise Conflict(
            f"Run {row.id} is {row.state}: there is nothing left to decide.",
            f"See: locard runs show {row.id}",
        )
    return row


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
    """Collections of the same target that come before a step and did not succeed."""
    return [
        one.what
        for one in run.parts[: part.number]
        if one.does is Doing.COLLECT
        and one.state is not PartState.DONE
        and one.target is not None
        and part.target is not None
        and one.target.id == part.target.id
    ]


def must_ask(run: PlaybookRun, part: Part) -> bool:
    """Whether people have to agree before this step, and have not.

    Nobody is asked about an isolation that is not done anyway.
    """
    agreed = sum(one.agrees for one in run.approvals)
    if run.asking is Asking.NEVER or agreed >= run.approvers:
        return False
    contains = part.does is Doing.ISOLATE and not lacking(run, part)
    return run.asking is Asking.ALWAYS or contains
