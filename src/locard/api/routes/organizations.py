# SPDX-License-Identifier: Apache-2.0
"""An organization of a cloud: the roles that it takes, what adding it would come to, adding it.

As with single accounts, another address of the provider's API can be set on the command line only.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from locard import providers
from locard.actions import policy
from locard.actions.catalogue import catalogue
from locard.api.allowed import MayManageSettings
from locard.api.door import TheDoor
from locard.api.routes.accounts import PolicyShown
from locard.cases.response.organizations import ROLE, Found
from locard.cases.response.releasing import silent
from locard.model.errors import Error
from locard.state.accounts import Account

router = APIRouter(prefix="/api/organizations", tags=["accounts"])

Name = Annotated[str, Path(max_length=100)]
Word = Annotated[str, Field(min_length=1, max_length=300)]
_EXTERNAL = re.compile(r"[\w+=,.@:/-]{2,300}")
_PRINCIPAL = re.compile(r"arn:[\w-]{2,20}:(iam|sts)::\d{12}:[\w+=,.@/-]{1,200}")


class Organization(BaseModel):
    """How we come into an organization: by the role that lists its accounts, then by the role of
    the name `member_role` in each of them, all of which ask for the external id."""

    role: Word
    member_role: Word
    external_id: Annotated[str, Field(max_length=300)] = ""
    regions: Annotated[
        list[Annotated[str, Field(max_length=100)]], Field(min_length=1, max_length=50)
    ]
    provider: Annotated[str, Field(max_length=100)] = "aws"


class NewOrganization(Organization):
    """The same, to be added; `name` is what the account that lists is called here."""

    name: Word


class Refresh(BaseModel):
    """A new look. `member_role` is needed when no account came by it yet; `forget` forgets those
    that have left."""

    member_role: Annotated[str, Field(max_length=300)] = ""
    forget: bool = False


class MemberShown(BaseModel):
    """What becomes of one account: `open` (its role can be taken), `added`, `known`, `refused`,
    `inactive`, `gone`, `forgotten`; and why."""

    number: str
    name: str
    state: str
    reason: str


class MemberList(BaseModel):
    """The accounts of an organization, each with what became of it."""

    external_id: str
    members: list[MemberShown]


@router.post("/look")
def look_at_organization(asked: Organization, _who: MayManageSettings, door: TheDoor) -> MemberList:
    """What adding would come to, account by account. Reads, and changes nothing."""
    found = door.desk.response.organizations.look(_account(asked), asked.member_role, told=silent)
    return MemberList(external_id=asked.external_id, members=_members(found))


@router.post("", status_code=201)
def add_organization(asked: NewOrganization, who: MayManageSettings, door: TheDoor) -> MemberList:
    """Add every account of an organization whose role can be taken; tell those whose cannot."""
    at = door.desk.response
    wanted = _account(asked, asked.name)
    found = at.organizations.add(wanted, asked.member_role, who=who.hand, told=silent)
    made = at.accounts.get(asked.name)
    return MemberList(external_id=made.external_id, members=_members(found))


@router.post("/{name}/refresh")
def refresh_organization(
    name: Name, asked: Refresh, who: MayManageSettings, door: TheDoor
) -> MemberList:
    """Add what has come since, try again what was refused, and tell what is gone."""
    at = door.desk.response
    found = at.organizations.refresh(
        name, asked.member_role, forget=asked.forget, who=who.hand, told=silent
    )
    return MemberList(external_id=at.accounts.get(name).external_id, members=_members(found))


@router.get("/role")
def organization_role(
    _who: MayManageSettings,
    part: Literal["listing", "member"],
    name: Annotated[str, Query(min_length=1, max_length=200)],
    principal: Annotated[str, Query(min_length=1, max_length=300)],
    external_id: Annotated[str, Query(min_length=2, max_length=300)],
    action: Annotated[list[str] | None, Query(max_length=100)] = None,
    provider: Annotated[str, Query(max_length=100)] = "aws",
    form: Literal["json", "terraform", "cloudformation"] = "json",
) -> PolicyShown:
    """The role that lists accounts, or that each account has: what it may do, who may take it."""
    if not ROLE.fullmatch(name):
        raise Error(f"{name[:80]!r} is no name of a role.", "Letters, digits and +=,.@/-_ are.")
    if not _PRINCIPAL.fullmatch(principal):
        raise Error(
            f"{principal[:80]!r} is no principal that could take a role.",
            "Name what Locard runs as by its ARN: arn:aws:iam::123456789012:role/Responder",
        )
    if not _EXTERNAL.fullmatch(external_id):
        raise Error("This cannot be an external id.", "Letters, digits and +=,.@:/-_ are.")
    known = catalogue()
    every = [one for one in known.actions.values() if one.provider == provider]
    chosen = [known.get(one) for one in action or ()] or every
    allowed = (
        providers.named(provider, "organization").POLICY
        if part == "listing"
        else policy.enabled(chosen)
    )
    trusted = policy.trust(principal, external_id)
    return PolicyShown(text=policy.role(name, allowed, trusted, form))


def _account(asked: Organization, name: str = "organization") -> Account:
    regions = tuple(dict.fromkeys(asked.regions))
    return Account(name, asked.provider, "", asked.role, asked.external_id, regions)


def _members(found: Sequence[Found]) -> list[MemberShown]:
    return [
        MemberShown(number=one.number, name=one.name, state=one.state, reason=one.reason)
        for one in found
    ]
