# SPDX-License-Identifier: Apache-2.0
"""The runner: carries plans out so that a crash anywhere leaves a record, and puts them back.

Each step: the prior state is captured and committed, the intent is committed in the ledger, the
change is made, the outcome is committed, the change is verified. Killed anywhere and carried on, it
asks the provider what stands, and does nothing twice. A release follows from the receipt alone.
"""

import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from locard.actions.contract import Action, Cloud, Room
from locard.cases import holdings
from locard.cases.response import defaults, rules, stepping, targets
from locard.cases.response.connecting import PLANNING
from locard.cases.response.record import Record
from locard.cases.response.releasing import Releases, Watch, silent
from locard.cases.response.stepping import failed, is_change, is_check, said
from locard.model.action import (
    Json,
    Plan,
    Receipt,
    RunState,
    StepState,
    Target,
)
from locard.model.custody import Hand, Verb
from locard.model.errors import Conflict, Error
from locard.state import accounts, runs
from locard.state.accounts import Account
from locard.state.runs import RunRow, StepRow


@dataclass(frozen=True, slots=True)
class Asked:
    """By whose hand a plan is carried out, in which case, and why."""

    case: str
    who: Hand
    reason: str
    exception: str = ""
    """Why it isolates without collecting before; empty when it does not."""
    collecting: bool = False
    """Whether what would be lost is collected by runs that were begun before: it waits for them."""
    rule: str = ""
    alert: str = ""
    most: int = 0
    """To how many targets the rule may do this within an hour; 0: not limited."""
    run: str = ""
    """The id of the run, by those who have to know it before it is begun; empty: a new one."""


def new_run(letter: str = "r") -> str:
    """An id for a run."""
    return f"{letter}{time.strftime('%y%m%d', time.gmtime())}-{secrets.token_hex(4)}"


LOOKED_AT = (StepState.APPLIED, StepState.VERIFIED)
"""States in which a step can be looked at again."""


class Runner(Releases):
    """Plans, runs and releases of one installation."""

    def plan(
        self, action: str, account: str, target: Target, case: str, options: Mapping[str, Json]
    ) -> Plan:
        """What the action would do to the target now; nothing is changed anywhere.

        The engine's own refusals are in it; `uncollected` is not, since a person may overrule it.
        """
        chosen = self.catalogue.get(action)
        known = defaults.of(self.home, chosen)
        if strange := set(options) - set(known):
            raise Error(
                f"{action} has no option {', '.join(sorted(strange))}.",
                f"It has: {', '.join(known) or 'none'}.",
            )
        with self.state.session() as session:
            found = accounts.get(session, account)
            said = rules.against(session, chosen, found, target, case)
        cloud = self.connect(found, chosen, target, {}, f"{PLANNING}{secrets.token_hex(4)}")
        plan = rules.permitted(cloud, chosen, chosen.plan(cloud, target, known | dict(options)))
        return replace(plan, refusals=(*said, *plan.refusals))

    def uncollected(self, plan: Plan, case: str) -> list[str]:
        """Collections that have to come before this plan, by action."""
        with self.state.session() as session:
            return rules.uncollected(session, self.catalogue.get(plan.action), plan.target, case)

    def coming(self, missing: Sequence[str], target: Target, case: str) -> dict[str, str]:
        """The runs that are to collect what is missing, by action."""
        with self.state.session() as session:
            return rules.coming(session, missing, target, case)

    def begin(self, plan: Plan, account: str, asked: Asked) -> str:
        """Write a plan down as a run that is to be carried out; its id.

        Raises `Error` with the refusals of the plan, and `Conflict` when somebody else is at the
        target.
        """
        action = self.catalogue.get(plan.action)
        if plan.refusals:
            raise Error(" ".join(plan.refusals), "Nothing was changed.")
        missing = self.uncollected(plan, asked.case)
        coming = self.coming(missing, plan.target, asked.case)
        if (
            not (asked.exception or (asked.collecting and coming.keys() >= set(missing)))
            and missing
        ):
            raise Error(rules.before(missing, plan.target), "Nothing was changed.")
        if not asked.reason.strip():
            raise Error("A run needs a reason.", "Say why: --reason 'GuardDuty finding 4711'.")
        run = asked.run or new_run()
        with self.state.session(alone=True) as session:
            holdings.find_case(session, asked.case)
            if asked.rule and asked.most:
                rules.capped(session, asked.rule, asked.most, plan.target, action.verb)
            session.add(
                RunRow(
                    id=run,
                    case=asked.case,
                    action=plan.action,
                    account=account,
                    target=plan.target.key,
                    plan=plan.record(),
                    who=asked.who.name,
                    door=asked.who.door,
                    reason=asked.reason,
                    exception=asked.exception if missing else "",
                    rule=asked.rule,
                    alert=asked.alert,
                    started=time.time_ns(),
                )
            )
            session.flush()
            for number, step in enumerate(plan.steps):
                session.add(StepRow(run=run, number=number, step=asdict(step)))
            key = targets.scope(action, plan.target)
            targets.take(session, key, run, asked.who.name)
            targets.rest(session, key, run)
        record = Record(self.state, self.vault, run, asked.who)
        told: dict[str, Json] = {"steps": [one.title for one in plan.steps]}
        if missing:
            told |= {"not collected before": missing, "because": asked.exception}
        record.say(Verb.PLANNED, asked.reason, **told)
        return run

    def again(
        self, run: str, who: Hand, watch: Watch = silent, *, until_kept: bool = False
    ) -> Receipt:
        """Carry a run on in the direction that it was going: forth, or back."""
        with self.state.session() as session:
            row = runs.run(session, run)
        if row.state in (RunState.RELEASING, RunState.RELEASE_FAILED):
            return self.release(row.id, who, row.released_reason or row.reason, watch=watch)
        return self.carry_on(row.id, who, watch, until_kept=until_kept)

    def stopped(self) -> list[str]:
        """Runs that were at work when their process ended, the oldest first.

        Those of a playbook that went forth are its own to carry on.
        """
        with self.state.session() as session:
            going = targets.stopped(session)
        ruled = RunState.APPLYING.value
        return [
            one.id for one in going
            if not one.foreign and not (one.rule and one.state == ruled)
        ]  # fmt: skip

    def carry_on(
        self, run: str, who: Hand, watch: Watch = silent, *, until_kept: bool = False
    ) -> Receipt:
        """Carry a run out from where it stands, once what it waits for is kept by others.

        A step that fails stops it: see its `error`. `until_kept`: it stops too where a collection
        needs its target no more, for whoever carries it on to read its copies.
        """
        record, action = self._record(run, who)
        if record.receipt().state not in (RunState.APPLYING, RunState.FAILED):
            raise Conflict(
                f"Run {record.run} is {record.receipt().state.value}: nothing is left to carry on.",
                f"See: locard runs show {record.run}",
            )
        lacking, copying = self._collect_before(record, action, who, watch)
        with self._at_work(record, action) as account:
            if lacking:
                record.say(Verb.CONTAIN_FAILED, lacking)
                record.ended(RunState.FAILED, lacking)
            else:
                record.going(RunState.APPLYING)
                self._carry(record, action, account, watch, until_kept=until_kept)
        for one in copying:
            self.carry_on(one, who, watch)
        return record.receipt()

    def verify(self, run: str, who: Hand) -> Receipt:
        """Look again whether every change of the run holds. Reads only."""
        record, action = self._record(run, who)
        plan = record.plan
        with self.state.session() as session:
            account = accounts.get(session, record.account)
        cloud = self.connect(account, action, plan.target, plan.names, record.run)
        for number, taken in enumerate(record.steps()):
            kind = action.steps[taken.step.kind]
            if taken.state in LOOKED_AT and (is_change(kind) or is_check(kind)):
                verdict = stepping.looked(kind, cloud, taken.step, taken.prior)
                stepping.seen(record, number, taken, verdict)
        return record.receipt()

    # How it is done

    def _carry(
        self, record: Record, action: Action, account: Account, watch: Watch, *, until_kept: bool
    ) -> None:
        """The steps of a run from where they stand, to their end or to the first that fails."""
        plan = record.plan
        cloud = self.connect(account, action, plan.target, plan.names, record.run)
        outcomes: dict[str, Json] = {}
        for number, taken in enumerate(record.steps()):
            kind = action.steps[taken.step.kind]
            if taken.step.from_copy and not action.contains:
                self._say_kept(record, number)
                if until_kept and record.receipt().kept:
                    return
            watch(taken.step.title, number, len(plan.steps))
            try:
                if is_change(kind):
                    stepping.change(record, action, cloud, number, taken)
                elif is_check(kind):
                    stepping.check(record, action, cloud, number, taken, outcomes)
                else:
                    room = self._room(record, action, outcomes, watch)
                    stepping.collect(record, action, cloud, number, taken, room)
            except Error as error:
                record.step(number, failed(record, number), error=said(error))
                record.say(Verb.CONTAIN_FAILED if action.contains else Verb.FAILED,
                           error.message, taken, advice=error.advice)  # fmt: skip
                record.ended(RunState.FAILED, said(error))
                return
            outcomes[taken.step.key] = record.steps()[number].outcome
        if not action.contains:
            record.say(Verb.COLLECTED, f"run {record.run} is done",
                       evidence=[t.evidence for t in record.steps()])  # fmt: skip
            shutil.rmtree(self._folder(record.run), ignore_errors=True)
        record.ended(RunState.DONE)

    def _say_kept(self, record: Record, number: int) -> None:
        """Say in the ledger, before the first step that reads a copy, that the rest is kept.

        From here on the target may be isolated: so it is said before anybody does. Twice rather
        than not, after a crash in between.
        """
        found = record.receipt()
        left = [one for one in found.steps if one.step.from_copy]
        if not found.kept or any(one.state is not StepState.PLANNED for one in left):
            return
        record.say(
            Verb.COLLECTED,
            f"what run {record.run} needs {record.plan.target.id} for is kept; it goes on from "
            "copies",
            left=[one.step.title for one in left],
        )
        record.step(number, StepState.CAPTURED)

    def _collect_before(
        self, record: Record, action: Action, who: Hand, watch: Watch
    ) -> tuple[str, list[str]]:
        """Carry on the collections that a run waits for, until what it could take is kept.

        Why it may not act, or nothing; and the runs that still read copies, for afterwards.
        """
        if any(one.state != StepState.PLANNED for one in record.steps()):
            return "", []
        target = record.plan.target
        with self.state.session() as session:
            if runs.run(session, record.run).exception:
                return "", []
            missing = rules.uncollected(session, action, target, record.case)
        coming = self.coming(missing, target, record.case)
        copying: list[str] = []
        for one in missing:
            if one not in coming:
                return rules.before([one], target), copying
            found = self.carry_on(coming[one], who, watch, until_kept=True)
            if found.state == RunState.APPLYING:
                copying.append(found.run)
            elif found.state != RunState.DONE:
                return (
                    f"It was not isolated, for {one} did not succeed (run {found.run}). Carry it "
                    "on, or isolate all the same and say why."
                ), copying
        return "", copying

    def _room(
        self, record: Record, action: Action, outcomes: Mapping[str, Json], watch: Watch
    ) -> Room:
        def elsewhere(name: str) -> Cloud:
            with self.state.session() as session:
                account = accounts.get(session, name)
            target = replace(record.plan.target, account=account.number)
            return self.connect(account, action, target, record.plan.names, record.run)

        folder = self._folder(record.run)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Room(str(folder), outcomes, watch, elsewhere)

    def _folder(self, run: str) -> Path:
        return self.home / "runs" / run
