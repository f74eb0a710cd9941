# SPDX-License-Identifier: Apache-2.0
"""All accounts of an organization at once: added as far as we get into them, and looked at again.

An organization is an account like others, whose role may list its members. Its members are the
accounts here that ask for the same external id; there is no second list that could differ.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from locard import providers
from locard.cases.response.accounts import NAME, Accounts
from locard.cases.response.connecting import listed
from locard.cases.response.releasing import Watch
from locard.model.custody import Hand
from locard.model.errors import Conflict, Error
from locard.state.accounts import Account

AT_ONCE = 8
OPEN = "open"
ROLE = re.compile(r"[\w+=,.@/-]{1,200}")


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one account of the organization."""

    number: str
    name: str
    """What it is called here; its name in the organization while it is not added."""
    state: str
    """`open` (its role can be taken), `added`, `known`, `refused` (its role cannot be taken),
    `inactive`, `gone`, `forgotten`."""
    reason: str = ""


Seen = Callable[[Found], None]
"""Is told of each account as soon as it is known what becomes of it, in the order of the list."""


def unseen(_found: Found) -> None:
    """Nobody looks."""


class Organizations:
    """Adding an organization, and looking which accounts have come and gone."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts

    def look(self, wanted: Account, role: str, *, told: Watch, seen: Seen = unseen) -> list[Found]:
        """What adding would come to, account by account. Reads, and changes nothing."""
        wanted, members = self._listed(wanted, role)
        return _each((found for _, found in self._judged(wanted, members, told)), seen)

    def add(
        self, wanted: Account, role: str, *, who: Hand, told: Watch, seen: Seen = unseen
    ) -> list[Found]:
        """Add the account whose role lists the members, then each member by its role `role`.

        Nothing is added when the members cannot be listed.
        """
        external_id = wanted.external_id or secrets.token_urlsafe(24)
        _, members = self._listed(replace(wanted, external_id=external_id), role)
        made = self.accounts.add(replace(wanted, external_id=external_id), who=who)
        return _each(self._take(made, members, who, told), seen)

    def _listed(self, wanted: Account, role: str) -> tuple[Account, Sequence[Any]]:
        """The account with its number, and the members that its role lists."""
        self.named(role)
        number = providers.session(wanted.provider).number_of(
            wanted.role, wanted.regions[0] if wanted.regions else "", wanted.endpoint
        )
        known = replace(wanted, number=number)
        return known, listed(known, role)

    def refresh(
        self, name: str, role: str = "", *, forget: bool, who: Hand,
        told: Watch, seen: Seen = unseen,
    ) -> list[Found]:  # fmt: skip
        """Add what has come, try again what was refused, and tell what is gone.

        What is gone is forgotten when `forget` says so; what was done there stays recorded.
        """
        organization = self.accounts.get(name)
        ours = self._members(organization)
        role = role or next((one.role.partition(":role/")[2] for one in ours), "")
        if not role:
            raise Error(
                f"No account came by {name} yet, so the name of their role is not known.",
                "Say it: --member-role Locard",
            )
        self.named(role)
        members = listed(organization, role)
        found = _each(self._take(organization, members, who, told), seen)
        there = {one.number for one in members}
        for one in ours:
            if one.number not in there:
                if forget:
                    self.accounts.remove(one.name, who=who)
                state = "forgotten" if forget else "gone"
                left = Found(one.number, one.name, state, f"It is no account of {name} any more.")
                found += _each([left], seen)
        return found

    def _take(
        self, organization: Account, members: Sequence[Any], who: Hand,
        told: Watch,
    ) -> Iterator[Found]:  # fmt: skip
        for member, found in self._judged(organization, members, told):
            yield self._added(organization, member, who) if found.state == OPEN else found

    def _judged(
        self, organization: Account, members: Sequence[Any], told: Watch
    ) -> Iterator[tuple[Any, Found]]:
        """Whether we get into each of them, or why not."""
        module = providers.named(organization.provider, "organization")
        known = {(one.provider, one.number): one for one in self.accounts.every()}
        provider, region = organization.provider, organization.regions[0]

        def reason(member: Any) -> str:
            if not member.active or (provider, member.number) in known:
                return ""
            given = (region, organization.external_id, organization.endpoint)
            return str(module.refusal(member, *given))

        with ThreadPoolExecutor(AT_ONCE) as pool:
            for done, (one, said) in enumerate(
                zip(members, pool.map(reason, members), strict=True)
            ):
                told(f"Account {done + 1} of {len(members)}: {one.name}"[:120], done, len(members))
                if ours := known.get((provider, one.number)):
                    yield one, Found(one.number, ours.name, "known")
                elif not one.active:
                    why = f"It is {one.state.lower() or 'not active'}."
                    yield one, Found(one.number, one.name, "inactive", why)
                else:
                    yield one, Found(one.number, one.name, "refused" if said else OPEN, said)

    def _added(self, organization: Account, member: Any, who: Hand) -> Found:
        for name in _names(member.name, member.number):
            made = replace(
                organization, name=name, number=member.number, role=member.role, protected=()
            )
            try:
                self.accounts.add(made, who=who)
            except Conflict:
                continue
            return Found(member.number, name, "added")
        return Found(member.number, member.name, "refused", "Its number is taken as a name here.")

    def _members(self, organization: Account) -> list[Account]:
        return [
            one for one in self.accounts.every()
            if one.name != organization.name and one.external_id
            and (one.provider, one.external_id) == (organization.provider, organization.external_id)
        ]  # fmt: skip

    def named(self, role: str) -> None:
        """Raises `Error` for what cannot be the name of a role."""
        if not ROLE.fullmatch(role):
            raise Error(
                f"{role[:80]!r} is no name of a role.",
                "Name the role that is there in every account: --member-role Locard",
            )


def _each(found: Iterable[Found], seen: Seen) -> list[Found]:
    every: list[Found] = []
    for one in found:
        every.append(one)
        seen(one)
    return every


def _names(name: str, number: str) -> Iterator[str]:
    """What a member may be called here: its own name, as far as it will do, else its number."""
    plain = re.sub(r"[^a-zA-Z0-9._-]+", "-", name).strip("-._")[:50]
    for one in (plain, f"{plain}-{number}" if plain else number, number):
        if NAME.fullmatch(one):
            yield one
