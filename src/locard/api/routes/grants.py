# SPDX-License-Identifier: Apache-2.0
"""Grants and groups: who is what in which case."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from locard.api.allowed import MayGrant, MayManagePeople, Who
from locard.api.door import TheDoor
from locard.api.places import TheCase
from locard.api.times import iso
from locard.model.access import MEANINGS, ROLES, TITLES, Permission, Role, Scope
from locard.state import grants, groups, users

router = APIRouter(prefix="/api", tags=["people"])

Name = Annotated[str, Field(max_length=200)]
Reason = Annotated[str, Field(max_length=500)]


class RoleShown(BaseModel):
    """A role and what it may do."""

    role: Role
    title: str
    may: list[Permission]


class PermissionShown(BaseModel):
    """A permission: what it allows, the smallest token that carries it, the roles that have it.
    Those about the installation are given by a role for all cases only."""

    permission: Permission
    allows: str
    scope: Scope
    roles: list[Role]
    installation: bool


class RoleTable(BaseModel):
    """Everything that says who may do what."""

    roles: list[RoleShown]
    permissions: list[PermissionShown]


class GrantShown(BaseModel):
    """A role of a user or a group, one of which is empty; `case` is empty for all cases."""

    id: int
    user: str
    group: str
    role: Role
    case: str
    granted: str
    by: str
    reason: str


class NewGrant(BaseModel):
    """A role to be granted, to a user or to a group."""

    role: Role
    user: Name = ""
    group: Name = ""
    reason: Reason = ""


class NewGrantAnywhere(NewGrant):
    """The same; `case` is empty for all cases."""

    case: Annotated[str, Field(max_length=64)] = ""


class CaseGrants(BaseModel):
    """The grants that reach a case, those for all cases included, and whom more can be given to."""

    grants: list[GrantShown]
    users: list[str]
    groups: list[str]


class GroupShown(BaseModel):
    """A group; `claim` is what the single sign-on provider calls it, empty when it has no say."""

    name: str
    title: str
    claim: str
    members: list[str]


class NewGroup(BaseModel):
    """A group to be made."""

    name: Annotated[str, Field(max_length=64)]
    title: Name = ""
    claim: Annotated[str, Field(max_length=300)] = ""


class GroupChange(BaseModel):
    """What is to be different about a group; what is left out stays."""

    title: Name | None = None
    claim: Annotated[str, Field(max_length=300)] | None = None


class NewMember(BaseModel):
    """Who is to be put into a group."""

    username: Name


@router.get("/roles")
def roles(_who: Who) -> RoleTable:
    """The roles and what each of them may do."""
    return RoleTable(
        roles=[RoleShown(role=one, title=TITLES[one], may=sorted(ROLES[one])) for one in Role],
        permissions=[
            PermissionShown(
                permission=one,
                allows=means.allows,
                scope=means.scope,
                roles=[role for role in Role if role in means.roles],
                installation=means.everywhere,
            )
            for one, means in MEANINGS.items()
        ],
    )


@router.get("/grants")
def list_grants(_who: MayManagePeople, door: TheDoor) -> list[GrantShown]:
    """All grants, those for all cases first."""
    with door.state.session() as s:
        return [_grant(one) for one in grants.every(s)]


@router.post("/grants", status_code=201)
def grant(new: NewGrantAnywhere, who: MayManagePeople, door: TheDoor) -> GrantShown:
    """Grant a role, in one case or in all."""
    made = door.desk.people.grant(
        new.role, user=new.user, group=new.group, case=new.case, reason=new.reason, by=who.hand
    )
    return _grant(made)


@router.delete("/grants/{grant}", status_code=204)
def revoke(
    grant: int,
    who: MayManagePeople,
    door: TheDoor,
    reason: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """Take a grant back."""
    door.desk.people.revoke(grant, reason=reason, by=who.hand)
    return Response(status_code=204)


@router.get("/cases/{case}/grants")
def case_grants(case: TheCase, _who: MayGrant, door: TheDoor) -> CaseGrants:
    """Who may do what in the case."""
    with door.state.session() as s:
        return CaseGrants(
            grants=[_grant(one) for one in grants.every(s, case)],
            users=[one.username for one in users.every(s) if not one.disabled],
            groups=[one.name for one in groups.every(s)],
        )


@router.post("/cases/{case}/grants", status_code=201)
def grant_in_case(case: TheCase, new: NewGrant, who: MayGrant, door: TheDoor) -> GrantShown:
    """Grant a role in the case."""
    made = door.desk.people.grant(
        new.role, user=new.user, group=new.group, case=case, reason=new.reason, by=who.hand
    )
    return _grant(made)


@router.delete("/cases/{case}/grants/{grant}", status_code=204)
def revoke_in_case(
    case: TheCase,
    grant: int,
    who: MayGrant,
    door: TheDoor,
    reason: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """Take a grant back that is for this case alone."""
    door.desk.people.revoke(grant, case=case, reason=reason, by=who.hand)
    return Response(status_code=204)


@router.get("/groups")
def list_groups(_who: MayManagePeople, door: TheDoor) -> list[GroupShown]:
    """All groups with their members."""
    with door.state.session() as s:
        return [_group(one) for one in groups.every(s)]


@router.post("/groups", status_code=201)
def add_group(new: NewGroup, who: MayManagePeople, door: TheDoor) -> GroupShown:
    """Add a group."""
    return _group(door.desk.people.add_group(new.name, new.title, new.claim, by=who.hand))


@router.put("/groups/{group}")
def change_group(
    group: str, change: GroupChange, who: MayManagePeople, door: TheDoor
) -> GroupShown:
    """Change a group's title, or what the single sign-on provider calls it."""
    changed = door.desk.people.change_group(
        group, title=change.title, claim=change.claim, by=who.hand
    )
    return _group(changed)


@router.delete("/groups/{group}", status_code=204)
def remove_group(group: str, who: MayManagePeople, door: TheDoor) -> Response:
    """Remove a group with its grants; the people stay."""
    door.desk.people.remove_group(group, by=who.hand)
    return Response(status_code=204)


@router.post("/groups/{group}/members", status_code=201)
def join(group: str, new: NewMember, who: MayManagePeople, door: TheDoor) -> GroupShown:
    """Put a person into a group."""
    door.desk.people.join(group, new.username, by=who.hand)
    with door.state.session() as s:
        return _group(groups.find(s, group))


@router.delete("/groups/{group}/members/{username}", status_code=204)
def leave(group: str, username: str, who: MayManagePeople, door: TheDoor) -> Response:
    """Take a person out of a group."""
    door.desk.people.leave(group, username, by=who.hand)
    return Response(status_code=204)


def _grant(one: grants.Grant) -> GrantShown:
    return GrantShown(
        id=one.id,
        user=one.user,
        group=one.group,
        role=one.role,
        case=one.case,
        granted=iso(one.granted),
        by=one.by,
        reason=one.reason,
    )


def _group(one: groups.Group) -> GroupShown:
    return GroupShown(name=one.name, title=one.title, claim=one.claim, members=list(one.members))
