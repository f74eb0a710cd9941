# SPDX-License-Identifier: Apache-2.0
"""Users: those who may sign in, their standing and their sign-in links."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from locard.api.allowed import MayManagePeople
from locard.api.door import TheDoor
from locard.api.routes.cases import Entry, shown_entries
from locard.api.times import iso
from locard.model.access import Role
from locard.state import factors, grants, groups, sessions, users
from locard.state.grants import Grant
from locard.state.users import User

router = APIRouter(prefix="/api", tags=["people"])

Password = Annotated[str, Field(max_length=4096)]


class RoleHeld(BaseModel):
    """A role that a person has; `group` is the group through which, `case` is empty for all."""

    role: Role
    case: str
    group: str


class UserShown(BaseModel):
    """A user, never with anything of the password."""

    username: str
    name: str
    roles: list[RoleHeld]
    groups: list[str]
    disabled: bool
    created: str
    has_password: bool
    second_factor: bool
    single_sign_on: bool


class NewUser(BaseModel):
    """A user to be made. Without a password only a link or single sign-on lets the person in;
    without a role they may do nothing yet."""

    username: Annotated[str, Field(max_length=200)]
    name: Annotated[str, Field(max_length=200)] = ""
    password: Password = ""
    single_sign_on: bool = False
    role: Role | None = None
    case: Annotated[str, Field(max_length=64)] = ""


class UserChange(BaseModel):
    """What is to be different about a user; what is left out stays."""

    name: Annotated[str, Field(max_length=200)] | None = None
    disabled: bool | None = None
    single_sign_on: bool | None = None


class SignInLink(BaseModel):
    """A one-time link: the page's address for it is `/sign-in#TOKEN`."""

    token: str
    seconds: int


@router.get("/users")
def list_users(_who: MayManagePeople, door: TheDoor) -> list[UserShown]:
    """All users."""
    with door.state.session() as s:
        people = users.every(s)
        asked, granted = factors.asked(s), grants.every(s)
        member = {one.name: one.members for one in groups.every(s)}
    return [_user(user, asked, granted, member) for user in people]


@router.post("/users", status_code=201)
def add_user(new: NewUser, who: MayManagePeople, door: TheDoor) -> UserShown:
    """Add a user, with a first role when one is named."""
    made = door.desk.people.add_user(
        new.username,
        name=new.name,
        password=new.password,
        single_sign_on=new.single_sign_on,
        role=new.role,
        case=new.case,
        by=who.hand,
    )
    return _shown(door, made.username)


@router.put("/users/{username}")
def change_user(
    username: str, change: UserChange, who: MayManagePeople, door: TheDoor
) -> UserShown:
    """Change a user's name or standing; a disabled user is signed out everywhere."""
    door.desk.people.change_user(
        username,
        name=change.name,
        disabled=change.disabled,
        single_sign_on=change.single_sign_on,
        by=who.hand,
    )
    return _shown(door, username)


@router.post("/users/{username}/link", status_code=201)
def make_link(username: str, who: MayManagePeople, door: TheDoor) -> SignInLink:
    """Make a one-time sign-in link for a user who is new or forgot the password."""
    token = door.desk.people.make_link(username, by=who.hand)
    return SignInLink(token=token, seconds=sessions.LINK_LIFE // sessions.SECOND)


@router.delete("/users/{username}/second-factor", status_code=204)
def remove_second_factor(username: str, who: MayManagePeople, door: TheDoor) -> Response:
    """Turn a user's second factor off, for somebody who lost phone and recovery codes."""
    door.desk.people.remove_factor(username, by=who.hand)
    return Response(status_code=204)


@router.get("/people/custody")
def people_custody(_who: MayManagePeople, door: TheDoor) -> list[Entry]:
    """The latest entries of the ledger about the installation: sign-ins, refusals, changes."""
    return shown_entries(door, "", door.desk.installation_custody())


def _shown(door: TheDoor, username: str) -> UserShown:
    with door.state.session() as s:
        user, asked, granted = users.find(s, username), factors.asked(s), grants.every(s)
        member = {one.name: one.members for one in groups.every(s)}
    return _user(user, asked, granted, member)


def _user(
    user: User, asked: set[str], granted: list[Grant], member: dict[str, tuple[str, ...]]
) -> UserShown:
    own = {name for name, members in member.items() if user.username in members}
    return UserShown(
        username=user.username,
        name=user.name,
        roles=[
            RoleHeld(role=one.role, case=one.case, group=one.group)
            for one in granted
            if one.user == user.username or one.group in own
        ],
        groups=sorted(own),
        disabled=user.disabled,
        created=iso(user.created),
        has_password=user.has_password,
        second_factor=user.username in asked,
        single_sign_on=user.single_sign_on,
    )
