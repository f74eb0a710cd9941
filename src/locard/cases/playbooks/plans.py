# SPDX-License-Identifier: Apache-2.0
"""What people are asked about: the plans of a run's steps, and what is different in newer ones.

An approval is given to these plans and to no others: whoever agrees has seen the calls that are
going to be made.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

from locard.cases.playbooks.matching import Matching
from locard.cases.response.orders import Proposal
from locard.cases.response.runner import Runner
from locard.cases.response.stepping import differences, said
from locard.model.action import Plan, Step
from locard.model.errors import Error
from locard.model.playbook import Asking, Doing, Part, PartState, Planned, PlaybookRun
from locard.state.accounts import Account
from locard.state.runs import RunRow

MOST_TOLD = 40
"""Sentences about what changed; the rest is counted."""


class Plans:
    """Makes the plans that people are asked about. Reads only."""

    def __init__(self, runner: Runner, matching: Matching) -> None:
        self.runner, self.matching = runner, matching

    def ahead(self, run: PlaybookRun) -> tuple[Planned, ...]:
        """The plans of all steps ahead that people have a word about: as they are now, or, of a
        step that was begun, the plan that is to be carried on."""
        return tuple(
            self._planned(run, one)
            for one in run.parts
            if one.state in (PartState.PENDING, PartState.BEGUN) and has_word(run, one)
        )

    def one(self, run: PlaybookRun, part: Part) -> Plan:
        """What a step would do now. Raises what stands against it."""
        assert part.target is not None
        account = self.matching.account(part.target).name
        return self.runner.plan(part.what, account, part.target, run.case, part.options)

    def proposals(self, run: PlaybookRun) -> list[Proposal]:
        """What people are asked about, as plans are shown. Without an account there is none."""
        found = []
        targets = {one.number: one for one in run.parts}
        for one in run.planned:
            part = targets[one.number]
            assert part.target is not None
            action = self.runner.catalogue.get(part.what)
            plan = one.plan or Plan(
                action.id, action.version, part.target, part.options, (),
                refusals=(one.error,), volatility=action.volatility,
            )  # fmt: skip
            try:
                account = self.matching.account(part.target)
            except Error:
                account = Account(part.target.account, part.target.provider, part.target.account)
            found.append(Proposal(action, account, plan, (), one.error))
        return found

    def _planned(self, run: PlaybookRun, part: Part) -> Planned:
        with self.runner.state.session() as session:
            begun = session.get(RunRow, part.run) if part.run else None
        if begun is not None:
            return Planned(part.number, Plan.of(begun.plan))
        try:
            return Planned(part.number, self.one(run, part))
        except Error as error:
            return Planned(part.number, None, said(error)[:1_000])


def has_word(run: PlaybookRun, part: Part) -> bool:
    """Whether people have a word about a step: by `ask`, about what acts in a cloud."""
    if part.target is None or run.asking is Asking.NEVER:
        return False
    return run.asking is Asking.ALWAYS or part.does is Doing.ISOLATE


def agreed_to(run: PlaybookRun, part: Part, plan: Plan) -> bool:
    """Whether people agreed to exactly this plan, or have no word about it."""
    if not has_word(run, part):
        return True
    asked = {one.number: one.digest for one in run.planned}
    return run.agreed >= run.approvers and asked.get(part.number) == plan.digest


def digest(planned: Sequence[Planned]) -> str:
    """What tells these plans from those that would do something else."""
    told = [[one.number, one.digest] for one in planned]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def changes(before: Sequence[Planned], now: Sequence[Planned]) -> tuple[str, ...]:
    """What the plans say now and did not say before, one sentence each."""
    known = {one.number: one for one in before}
    found: list[str] = []
    for one in now:
        was = known.get(one.number)
        if was is None or was.digest == one.digest:
            continue
        if was.plan is None or one.plan is None:
            found.append(
                f"A plan can be made now of what had none: {was.error}"
                if one.plan is not None
                else f"No plan can be made any more: {one.error}"
            )
            continue
        found += [f"{one.plan.action}: {line}" for line in _steps(was.plan, one.plan)]
    if len(found) > MOST_TOLD:
        found[MOST_TOLD:] = [f"and {len(found) - MOST_TOLD} more."]
    return tuple(line[:600] for line in found)


def _steps(was: Plan, now: Plan) -> list[str]:
    before = {one.key: one for one in was.steps}
    after = {one.key: one for one in now.steps}
    found = [f"would now also: {one.title}" for key, one in after.items() if key not in before]
    found += [f"no longer: {one.title}" for key, one in before.items() if key not in after]
    for key in before.keys() & after.keys():
        lines = differences(_told(before[key]), _told(after[key]))
        found += [f"{after[key].title}: {line}" for line in lines]
    found += differences(
        {"options": dict(was.options), "version": was.version},
        {"options": dict(now.options), "version": now.version},
    )
    return found or ["the order of its steps is another"]


def _told(step: Step) -> dict[str, object]:
    return json.loads(json.dumps(asdict(step)))  # type: ignore[no-any-return]
