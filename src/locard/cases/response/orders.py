# SPDX-License-Identifier: Apache-2.0
"""Orders: what a person asks to be done to a target, as plans to look at, then as runs.

Every door orders in the same way: name the target, look at the plans, begin what was seen.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from locard.actions.catalogue import Named
from locard.actions.contract import Action
from locard.cases.response.runner import Asked, Runner
from locard.cases.response.stepping import said
from locard.model.action import Json, Plan, Target
from locard.model.custody import Hand
from locard.model.errors import Conflict, Error
from locard.state import accounts
from locard.state.accounts import Account

ISOLATE, COLLECT = "isolate", "collect"
MOST_SAID = 1000
"""Characters of why no plan could be made."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for."""

    case: str
    verb: str
    """`collect` or `isolate`."""
    target: str
    """By its id or ARN."""
    account: str = ""
    """The name of the account; empty: the only one that fits."""
    region: str = ""
    """Empty: the account's first."""
    only: Collection[str] = ()
    """Only these actions, by id or by the last word of it; all that fit when empty."""
    options: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One plan of an order, as it is shown before anything is done."""

    action: Action
    account: Account
    plan: Plan
    uncollected: tuple[str, ...]
    """Collections that have to come before, by action."""
    failed: str = ""
    """Why no plan could be made, where others of the same order could; its refusal says it too."""

    @property
    def digest(self) -> str:
        """What tells this plan from one that would do something else."""
        return self.plan.digest


@dataclass(frozen=True, slots=True)
class Begun:
    """Runs that were written down and are to be carried out."""

    runs: tuple[str, ...]
    """All of them, in their order."""
    carry: tuple[str, ...]
    """Those to carry on; an isolation carries on itself the collections that it waits for."""


class Orders:
    """The orders of one installation."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner

    def account(self, name: str, number: str = "") -> Account:
        """The account that is meant: by name, by the number in an ARN, or the only one there is."""
        with self.runner.state.session() as session:
            if name:
                return accounts.get(session, name)
            known = [one for one in accounts.every(session) if number in ("", one.number)]
        if len(known) == 1:
            return known[0]
        raise Error(
            f"There are {len(known)} accounts that could be meant."
            if known
            else "No account fits.",
            "Name one with --account; see: locard account list. Add one: locard account add",
        )

    def propose(self, order: Order) -> list[Proposal]:
        """The plans of an order, the most volatile first. Reads only."""
        named = self.runner.catalogue.meant(order.verb, order.target)
        chosen = [one for one in named if _chosen(one, order.only)]
        if not chosen:
            raise Error(
                f"Nothing called {', '.join(order.only)} can be done to {order.target[:120]}.",
                f"There are: {', '.join(one.action.id for one in named)}.",
            )
        account = self.account(order.account, chosen[0].account)
        fitting = [one for one in chosen if one.action.provider == account.provider]
        if not fitting:
            raise Error(f"{account.name} is an account of {account.provider}: nothing fits.")
        strange = set(order.options) - {o.name for one in fitting for o in one.action.options}
        if strange:
            names = sorted({o.name for one in fitting for o in one.action.options})
            raise Error(
                f"There is no option {', '.join(sorted(strange))} for {order.target[:120]}.",
                f"There are: {', '.join(names) or 'none'}.",
            )
        found = [self._propose(order, account, one, len(fitting) == 1) for one in fitting]
        if all(one.failed for one in found):
            raise Error(found[0].failed, "Nothing was done.")
        if order.only:
            return found
        return [
            one for one in found if one.failed or not (one.action.optional and one.plan.refusals)
        ]

    def begin(
        self,
        order: Order,
        who: Hand,
        reason: str,
        *,
        exception: str = "",
        collecting: bool = False,
        seen: Collection[str] | None = None,
        proposals: Sequence[Proposal] | None = None,
    ) -> Begun:
        """Write the order down as runs. Collections that have to come before come too, if asked.

        `seen` are the digests of the plans that the person looked at: when what would be done now
        is something else, nothing is begun. What no plan could be made of is left out, for the rest
        may vanish meanwhile. Raises `Error` with what stands against it.
        """
        found = list(proposals) if proposals is not None else self.propose(order)
        if seen is not None and {one.digest for one in found} - set(seen):
            raise Conflict(
                "What would be done has changed since you looked at the plan.",
                "Look at the new plan, then confirm it.",
            )
        runs, carry = [], []
        for one in found:
            if one.failed:
                continue
            if one.uncollected and collecting and not one.plan.refusals:
                runs += self._collections(one, order.case, who, reason)
            asked = Asked(order.case, who, reason, exception, collecting)
            carry.append(self.runner.begin(one.plan, one.account.name, asked))
            runs.append(carry[-1])
        return Begun(tuple(runs), tuple(carry))

    def _collections(self, before: Proposal, case: str, who: Hand, reason: str) -> list[str]:
        """Runs that collect what an isolation would lose, those that wait already left out."""
        target, account = before.plan.target, before.account.name
        coming = self.runner.coming(before.uncollected, target, case)
        plans = [
            self.runner.plan(one, account, target, case, {})
            for one in before.uncollected
            if one not in coming
        ]
        plans.sort(key=lambda one: one.volatility)
        return [self.runner.begin(one, account, Asked(case, who, reason)) for one in plans]

    def _propose(self, order: Order, account: Account, named: Named, alone: bool) -> Proposal:
        target = target_of(account, named, order.region)
        known = {one.name for one in named.action.options}
        options = {name: value for name, value in order.options.items() if name in known}
        try:
            plan = self.runner.plan(named.action.id, account.name, target, order.case, options)
        except Error as error:
            if alone:
                raise
            why = said(error)[:MOST_SAID]
            action = named.action
            plan = Plan(action.id, action.version, target, options, (), refusals=(why,),
                        volatility=action.volatility)  # fmt: skip
            return Proposal(action, account, plan, (), why)
        missing = self.runner.uncollected(plan, order.case)
        return Proposal(named.action, account, plan, tuple(missing))


def target_of(account: Account, named: Named, region: str) -> Target:
    """The target that a name means in an account. Raises `Error` without a region."""
    action = named.action
    if named.account and named.account != account.number:
        raise Error(
            f"The target is in account {named.account}, and {account.name} is {account.number}.",
            "Name the account that it is in: --account NAME.",
        )
    place = named.region or region or (account.regions[0] if account.regions else "")
    if action.regional and not place:
        raise Error(f"In which region is {named.id}?", "Say it: --region eu-central-1")
    where = place if action.regional else ""
    return Target(account.provider, account.number, where, action.kind, named.id)


def _chosen(one: Named, only: Collection[str]) -> bool:
    """Whether it is named; without any name, all are that are no part of another."""
    if not only:
        return not one.action.within
    return one.action.id in only or one.action.id.rpartition(".")[2] in only
