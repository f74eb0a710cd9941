# SPDX-License-Identifier: Apache-2.0
"""An organization of a cloud: the roles that it takes, what adding it would come to, adding it.

As with single accounts, another address of the provider's API can be set on the command line only.
"""

import re
import secrets
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from locard import providers
from locard.actions import policy
from locard.actions.catalogue import catalogue
from locard.api.allowed import MayManageSettings
from locard.api.door import TheDoor
from locard.api.routes.accounts import PolicyShown
from locard.api.routes.cases import Progress, shown_progress
from locard.cases.response.organizations import ROLE, Found, Seen
from locard.cases.response.releasing import Watch
from locard.cases.response.works import Work
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


class OrganizationWork(BaseModel):
    """A look at an organization, or its adding, while it runs and when it has ended: the accounts
    so far, each with what became of it, and why it failed as a whole."""

    progress: Progress
    external_id: str
    members: list[MemberShown]
    error: str
    advice: str


@router.post("/look", status_code=202)
def look_at_organization(
    asked: Organization, who: MayManageSettings, door: TheDoor
) -> OrganizationWork:
    """Begin to look what adding would come to, account by account. Changes nothing."""
    at, wanted = door.desk.response, _account(asked)
    at.organizations.named(asked.member_role)

    def do(told: Watch, seen: Seen) -> list[Found]:
        return at.organizations.look(wanted, asked.member_role, told=told, seen=seen)

    what = "Looking what would be entered"
    return _shown(at.works.begin(what, who.hand, wanted.external_id, do))


@router.post("", status_code=202)
def add_organization(
    asked: NewOrganization, who: MayManageSettings, door: TheDoor
) -> OrganizationWork:
    """Begin to add every account of an organization whose role can be taken; those whose cannot
    are told with the reason."""
    at = door.desk.response
    external_id = asked.external_id or secrets.token_urlsafe(24)
    wanted = replace(_account(asked, asked.name), external_id=external_id)
    at.organizations.named(asked.member_role)

    def do(told: Watch, seen: Seen) -> list[Found]:
        return at.organizations.add(wanted, asked.member_role, who=who.hand, told=told, seen=seen)

    what = f"Adding the organization of {asked.name}"
    return _shown(at.works.begin(what, who.hand, external_id, do))


@router.post("/{name}/refresh", status_code=202)
def refresh_organization(
    name: Name, asked: Refresh, who: MayManageSettings, door: TheDoor
) -> OrganizationWork:
    """Begin to add what has come since, to try again what was refused, and to tell what is gone."""
    at = door.desk.response
    known = at.accounts.get(name)

    def do(told: Watch, seen: Seen) -> list[Found]:
        return at.organizations.refresh(
            name, asked.member_role, forget=asked.forget, who=who.hand, told=told, seen=seen
        )

    what = f"Looking at the organization of {name} again"
    return _shown(at.works.begin(what, who.hand, known.external_id, do))


@router.get("/work")
def organization_works(_who: MayManageSettings, door: TheDoor) -> list[OrganizationWork]:
    """What runs, and the last that ended, the newest first."""
    return [_shown(one) for one in door.desk.response.works.every()]


@router.get("/work/{work}")
def organization_work(
    _who: MayManageSettings, door: TheDoor, work: Annotated[int, Path(ge=1, le=1 << 31)]
) -> OrganizationWork:
    """How far it is, account by account, or how it ended."""
    return _shown(door.desk.response.works.get(work))


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


def _shown(one: Work) -> OrganizationWork:
    return OrganizationWork(
        progress=shown_progress(one.progress),
        external_id=one.external_id,
        members=[
            MemberShown(number=each.number, name=each.name, state=each.state, reason=each.reason)
            for each in one.found
        ],
        error=one.error,
        advice=one.advice,
    )
