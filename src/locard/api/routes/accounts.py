# SPDX-License-Identifier: Apache-2.0
"""Accounts of clouds, what can be done in them, and the least that it takes to be allowed.

Another address of a provider's API can be set on the command line only: who may change settings
through the page must not have requests signed and sent to a place of their choice.
"""

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from locard.actions import policy
from locard.actions.catalogue import catalogue
from locard.actions.contract import Action
from locard.api.allowed import MayManageSettings, MayRespond
from locard.api.door import TheDoor
from locard.api.times import iso
from locard.model.access import Permission
from locard.model.errors import Missing
from locard.state.accounts import Account

router = APIRouter(prefix="/api", tags=["accounts"])

Name = Annotated[str, Path(max_length=100)]
Word = Annotated[str, Field(max_length=100)]


class AccountShown(BaseModel):
    """An account. `external_id` is told to those only who may change settings; `simulated` says
    that its API is not the provider's own."""

    name: str
    provider: str
    number: str
    role: str
    external_id: str
    regions: list[str]
    protected: list[str]
    simulated: bool
    added: str
    added_by: str


class NewAccount(BaseModel):
    """An account to be added. Without a role the credentials of the server's machine are used; an
    external id is made when none is given."""

    name: Word
    provider: Word = "aws"
    role: Annotated[str, Field(max_length=300)] = ""
    external_id: Annotated[str, Field(max_length=300)] = ""
    regions: Annotated[list[Word], Field(min_length=1, max_length=50)]


class Protection(BaseModel):
    """Whether a target may never be isolated, whoever asks."""

    target: Annotated[str, Field(min_length=1, max_length=300)]
    protected: bool = True


class OptionShown(BaseModel):
    """Something that whoever orders may choose."""

    name: str
    title: str
    default: bool | str


class ActionShown(BaseModel):
    """What can be done to targets of a kind. `names` is a regular expression of their names, with a
    group `id`; `loses` are the collections that have to come before."""

    id: str
    verb: str
    provider: str
    title: str
    about: str
    kind: str
    names: str
    regional: bool
    volatility: int
    harm: str
    loses: list[str]
    options: list[OptionShown]


class PolicyShown(BaseModel):
    """A policy as it is handed in."""

    text: str


@router.get("/accounts")
def accounts(who: MayRespond, door: TheDoor) -> list[AccountShown]:
    """The accounts that Locard may act in."""
    manages = who.access.may(Permission.SETTINGS)
    return [_account(one, manages) for one in door.desk.response.accounts.every()]


@router.post("/accounts", status_code=201)
def add_account(new: NewAccount, who: MayManageSettings, door: TheDoor) -> AccountShown:
    """Add an account by the role that Locard takes there."""
    wanted = Account(
        new.name, new.provider, "", new.role, new.external_id, tuple(dict.fromkeys(new.regions))
    )
    return _account(door.desk.response.accounts.add(wanted, who=who.hand), True)


@router.delete("/accounts/{name}", status_code=204)
def remove_account(name: Name, who: MayManageSettings, door: TheDoor) -> Response:
    """Forget an account. What was done there stays recorded; what is isolated stays so."""
    door.desk.response.accounts.remove(name, who=who.hand)
    return Response(status_code=204)


@router.put("/accounts/{name}/protection")
def protect_target(
    name: Name, asked: Protection, who: MayManageSettings, door: TheDoor
) -> AccountShown:
    """Say that a target may never be isolated, or that it may again."""
    at = door.desk.response.accounts
    return _account(at.protect(name, asked.target, asked.protected, who=who.hand), True)


@router.get("/accounts/{name}/trust")
def account_trust(
    name: Name,
    _who: MayManageSettings,
    door: TheDoor,
    principal: Annotated[str, Query(min_length=1, max_length=300)],
) -> PolicyShown:
    """Who may take the role of an account: the trust policy that the role needs."""
    for one in door.desk.response.accounts.every():
        if one.name == name:
            return PolicyShown(text=json.dumps(policy.trust(principal, one.external_id), indent=2))
    raise Missing(f"There is no account called {name!r}.")


@router.get("/actions")
def actions(_who: MayRespond) -> list[ActionShown]:
    """What can be done in clouds, by id."""
    return [_action(one) for one in catalogue().actions.values()]


@router.get("/actions/policy")
def actions_policy(
    _who: MayManageSettings,
    action: Annotated[list[str] | None, Query(max_length=100)] = None,
    provider: Annotated[str, Query(max_length=100)] = "aws",
    form: Literal["json", "terraform", "cloudformation"] = "json",
) -> PolicyShown:
    """The least that Locard has to be allowed for these actions; for all of the provider if none
    is named."""
    known = catalogue()
    every = [one for one in known.actions.values() if one.provider == provider]
    chosen = [known.get(one) for one in action or ()] or every
    return PolicyShown(text=policy.written(policy.enabled(chosen), form))


def _account(one: Account, manages: bool) -> AccountShown:
    return AccountShown(
        name=one.name,
        provider=one.provider,
        number=one.number,
        role=one.role,
        external_id=one.external_id if manages else "",
        regions=list(one.regions),
        protected=list(one.protected),
        simulated=bool(one.endpoint),
        added=iso(one.added),
        added_by=one.added_by,
    )


def _action(one: Action) -> ActionShown:
    return ActionShown(
        id=one.id,
        verb=one.verb,
        provider=one.provider,
        title=one.title,
        about=one.about,
        kind=one.kind,
        names=one.names,
        regional=one.regional,
        volatility=one.volatility,
        harm=one.harm,
        loses=list(one.loses),
        options=[
            OptionShown(name=each.name, title=each.title, default=each.default)
            for each in one.options
        ],
    )
