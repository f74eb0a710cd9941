# SPDX-License-Identifier: Apache-2.0
"""What the engine itself says against a plan, whatever the provider: protection, order, limits."""

import time
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from locard.actions import policy
from locard.actions.contract import Action, Cloud
from locard.cases.response import targets
from locard.model.action import Plan, RunState, Target
from locard.model.errors import Denied
from locard.state import runs
from locard.state.accounts import Account
from locard.state.runs import RunRow

HOUR = 3_600_000_000_000


def against(
    session: Session, action: Action, account: Account, target: Target, case: str
) -> list[str]:
    """Why this may not be done, one sentence each; nothing when it may."""
    found = []
    if action.contains and target.id in account.protected:
        found.append(
            f"{target.id} is on the list of protected targets of {account.name}: "
            f"locard account protect {account.name} {target.id} --off takes it off."
        )
    if action.contains and (held := targets.holder(session, targets.scope(action, target))):
        found.append(f"{held.message} {held.advice}")
    return found


def permitted(cloud: Cloud, action: Action, plan: Plan) -> Plan:
    """The plan with the permissions that the provider says are missing, the release's among them.

    A dry run's word, which the plan has already, goes before a simulation's.
    """
    known = policy.filled(plan.target, plan.names)
    tried = {one.call for one in plan.steps} - set(plan.unknown)
    wanted = [
        (one.action, one.on(known))
        for one in action.permissions
        if not one.reads and not one.optional and one.action not in tried
    ]
    lacks = cloud.lacks(wanted)
    missing = {name for name, lacking in lacks.items() if lacking}
    return replace(
        plan,
        missing=tuple(sorted({*plan.missing, *missing})),
        unknown=tuple(one for one in plan.unknown if one not in lacks),
    )


def uncollected(session: Session, action: Action, target: Target, case: str) -> list[str]:
    """What the action would destroy and nobody has kept in this case yet: action ids.

    A run that still reads from a copy, or failed at that, has kept what isolating could take.
    """
    found = session.execute(
        select(RunRow.id, RunRow.action, RunRow.state).where(
            RunRow.case == case,
            RunRow.target == target.key,
            RunRow.action.in_(action.loses),
        )
    ).all()
    done = {
        one.action for one in found
        if one.state == RunState.DONE.value or runs.kept(session, one.id)
    }  # fmt: skip
    return [one for one in action.loses if one not in done]


def coming(session: Session, missing: Sequence[str], target: Target, case: str) -> dict[str, str]:
    """The runs that are to collect what is missing, by action: the newest of each."""
    wanted = select(RunRow).where(
        RunRow.case == case,
        RunRow.target == target.key,
        RunRow.action.in_(missing),
        RunRow.state.in_((RunState.APPLYING.value, RunState.FAILED.value)),
    )
    return {one.action: one.id for one in session.scalars(wanted.order_by(RunRow.started))}


def before(missing: Sequence[str], target: Target) -> str:
    """The refusal to isolate before what would be lost is collected."""
    return (
        f"{', '.join(missing)} of {target.id} was not collected into this case yet, and isolating "
        "may lose it. Collect first (locard isolate --collect does both), or say why not: "
        "--without-collecting REASON."
    )


def capped(session: Session, rule: str, most: int, target: Target, verb: str) -> None:
    """Raise `Denied` when the rule has done it to as many targets within an hour as it may."""
    since = time.time_ns() - HOUR
    others = session.scalar(
        select(func.count(func.distinct(RunRow.target))).where(
            RunRow.rule == rule,
            RunRow.action.startswith(f"{verb}."),
            RunRow.started >= since,
            RunRow.target != target.key,
        )
    )
    if (others or 0) >= most:
        raise Denied(
            f"{rule} has {verb.rstrip('e')}ed {others} targets within an hour, and may {verb} "
            f"{most}.",
            f"Look whether the rule is right; then raise its limit, or {verb} by hand.",
        )
