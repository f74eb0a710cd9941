# SPDX-License-Identifier: Apache-2.0
"""Putting back: what a run changed is undone from its receipt alone, the newest first.

Nothing here knows how the run came about: it may have been carried out by another machine, days
ago, or have failed half-way.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from locard.actions.catalogue import Catalogue
from locard.actions.contract import Action, Cloud
from locard.cases import holdings
from locard.cases.response import stepping, targets
from locard.cases.response.record import Record
from locard.cases.response.stepping import is_change, said
from locard.evidence import Vault
from locard.model.action import STANDS, Receipt, RunState, StepState, Taken, Target
from locard.model.custody import Hand, Verb
from locard.model.errors import Conflict, Error
from locard.state import accounts, runs
from locard.state.accounts import Account
from locard.state.database import State
from locard.state.runs import RunRow, StepRow

Connect = Callable[[Account, Action, Target, Mapping[str, tuple[str, ...]], str], Cloud]
"""Opens a session for one run of one action on one target, narrowed to what its plan found."""
Watch = Callable[[str, int, int], None]
"""Told what is being done, and how much of how much."""


def silent(_stage: str, _done: int, _total: int) -> None:
    """Nobody watches."""


class Releases:
    """What stands of the runs of one installation, and how it is put back."""

    def __init__(
        self,
        home: Path,
        state: State,
        vault: Vault,
        catalogue: Catalogue,
        connect: Connect,
    ) -> None:
        self.home, self.state, self.vault = home, state, vault
        self.catalogue, self.connect = catalogue, connect

    def standing(self, run: str) -> list[Taken]:
        """The changes of a run that may stand in the cloud, the newest first."""
        with self.state.session() as session:
            receipt = runs.receipt(session, run)
        action = self.catalogue.get(receipt.plan.action)
        return [
            one for one in reversed(receipt.steps)
            if one.state in STANDS and one.step.changes and is_change(action.steps[one.step.kind])
        ]  # fmt: skip

    def release(
        self,
        run: str,
        who: Hand,
        reason: str,
        leave: Collection[str] = (),
        watch: Watch = silent,
    ) -> Receipt:
        """Put back what the run changed, the newest first, also after a failure half-way.

        A step whose resource others have changed since is not overwritten: it is named, and the
        release stops there until a person says that it is to be left as it is (`leave`).
        """
        record, action = self._record(run, who)
        if record.receipt().state == RunState.RELEASED:
            raise Conflict(f"Run {record.run} was released already.", "There is nothing to undo.")
        if not reason.strip():
            raise Error("A release needs a reason.", "Say why: --reason 'false alarm, see ticket'.")
        plan, undo = record.plan, self.standing(record.run)
        if strange := set(leave) - {one.step.key for one in undo}:
            raise Error(f"Nothing stands of {', '.join(sorted(strange))} in run {record.run}.")
        with self._at_work(record, action) as account:
            record.going(RunState.RELEASING)
            with self.state.session() as session:
                runs.run(session, record.run).released_reason = reason
            cloud = self.connect(account, action, plan.target, plan.names, record.run)
            numbers = {step.key: number for number, step in enumerate(plan.steps)}
            for done, taken in enumerate(undo):
                number = numbers[taken.step.key]
                watch(taken.step.undo_title or taken.step.title, done, len(undo))
                if taken.step.key in leave:
                    record.step(number, StepState.LEFT)
                    record.say(Verb.RELEASED, reason, taken, left="as others have made it")
                    continue
                try:
                    stepping.undo(record, action, cloud, number, taken, reason)
                except Error as error:
                    clash = isinstance(error, Conflict)
                    state = StepState.CONFLICT if clash else StepState.RELEASING
                    record.step(number, state, error=said(error))
                    record.say(Verb.RELEASE_FAILED, error.message, taken, advice=error.advice)
                    record.ended(RunState.RELEASE_FAILED, said(error))
                    return record.receipt()
            watch("Comparing with the state before", len(undo), len(undo))
            same = stepping.compare(record, action, cloud, sorted(numbers.values()))
            with self.state.session() as session:
                row = runs.run(session, record.run)
                row.released, row.released_by = time.time_ns(), who.name
            undone = sum(one.state == StepState.UNDONE for one in record.steps())
            record.say(Verb.RELEASED, reason, steps=[one.step.key for one in undo],
                       compared=f"{same} of {undone} are as they were before")  # fmt: skip
            record.ended(RunState.RELEASED)
        return record.receipt()

    def adopt(self, receipt: Receipt, account: str, case: str, who: Hand) -> str:
        """Take up a run that was carried out elsewhere, from its receipt, so as to release it."""
        action = self.catalogue.get(receipt.plan.action)
        with self.state.session(alone=True) as session:
            holdings.find_case(session, case)
            found = accounts.get(session, account)
            if found.number != receipt.plan.target.account:
                raise Error(
                    f"The receipt is about account {receipt.plan.target.account}, and {account} "
                    f"is {found.number}.",
                    "Name the account it is about: --account NAME.",
                )
            if session.get(RunRow, receipt.run) is None:
                state = receipt.state
                session.add(
                    RunRow(
                        id=receipt.run, case=case, action=receipt.plan.action, account=account,
                        target=receipt.plan.target.key, plan=receipt.plan.record(),
                        state=state.value, who=receipt.who, reason=receipt.reason,
                        started=receipt.started, ended=receipt.ended, foreign=True,
                    )
                )  # fmt: skip
                session.flush()
                for number, one in enumerate(receipt.steps):
                    session.add(
                        StepRow(
                            run=receipt.run, number=number, state=one.state.value,
                            step=asdict(one.step), prior=one.prior, outcome=one.outcome,
                            verdict=asdict(one.verdict) if one.verdict else None, error=one.error,
                            evidence=list(one.evidence), started=one.started, ended=one.ended,
                        )
                    )  # fmt: skip
                if state != RunState.RELEASED:
                    key = targets.scope(action, receipt.plan.target)
                    targets.take(session, key, receipt.run, receipt.who)
                    targets.rest(session, key, receipt.run)
        return receipt.run

    # How it is done

    def _record(self, run: str, who: Hand) -> tuple[Record, Action]:
        with self.state.session() as session:
            row = runs.run(session, run)
        self.vault.prepare()
        return Record(self.state, self.vault, row.id, who), self.catalogue.get(row.action)

    @contextmanager
    def _at_work(self, record: Record, action: Action) -> Iterator[Account]:
        """Hold the target while working; keep it afterwards as long as something stands."""
        key = targets.scope(action, record.plan.target)
        with self.state.session(alone=True) as session:
            account = accounts.get(session, record.account)
            targets.take(session, key, record.run, record.hand.name)
        try:
            yield account
        finally:
            stands = action.contains and bool(self.standing(record.run))
            with self.state.session(alone=True) as session:
                (targets.rest if stands else targets.free)(session, key, record.run)
