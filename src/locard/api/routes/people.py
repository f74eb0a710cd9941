# SPDX-License-Identifier: Apache-2.0
"""Users, one's own password and preferences, and API tokens."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from locard.api.door import Administrator, InPerson, TheDoor, Who
from locard.api.times import iso, iso_or_none
from locard.model.errors import Error
from locard.state import sessions, throttle, tokens, users
from locard.state.users import Role, User

router = APIRouter(prefix="/api", tags=["people"])

PREFERENCES_BYTES = 64 << 10

RoleName = Literal["admin", "analyst"]
Password = Annotated[str, Field(max_length=4096)]


class UserShown(BaseModel):
    """A user, never with anything of the password."""

    username: str
    name: str
    roles: list[str]
    disabled: bool
    created: str
    has_password: bool


class NewUser(BaseModel):
    """A user to be made. Without a password only a sign-in link lets the person in."""

    username: Annotated[str, Field(max_length=200)]
    name: Annotated[str, Field(max_length=200)] = ""
    roles: Annotated[list[RoleName], Field(max_length=2)] = ["analyst"]
    password: Password = ""


class UserChange(BaseModel):
    """What is to be different about a user; what is left out stays."""

    name: Annotated[str, Field(max_length=200)] | None = None
    roles: Annotated[list[RoleName], Field(min_length=1, max_length=2)] | None = None
    disabled: bool | None = None


class SignInLink(BaseModel):
    """A one-time link: the page's address for it is `/sign-in#TOKEN`."""

    token: str
    seconds: int


class PasswordChange(BaseModel):
    """The old password (empty when there was none) and the new one."""

    current: Password = ""
    new: Password


class TokenShown(BaseModel):
    """An API token, without its secret."""

    id: int
    name: str
    created: str
    expires: str
    used: str | None


class NewToken(BaseModel):
    """An API token to be made."""

    name: Annotated[str, Field(max_length=100)] = ""
    days: Annotated[int, Field(ge=1, le=tokens.LONGEST_DAYS)] = 90


class TokenMade(TokenShown):
    """A new token; `token` is the secret, shown this once."""

    token: str


@router.get("/users")
def list_users(_who: Administrator, door: TheDoor) -> list[UserShown]:
    """All users."""
    with door.state.session() as s:
        return [_user(user) for user in users.every(s)]


@router.post("/users", status_code=201)
def add_user(new: NewUser, _who: Administrator, door: TheDoor) -> UserShown:
    """Add a user."""
    with door.state.session() as s:
        made = users.create(
            s, new.username, name=new.name, role=_role(new.roles), password=new.password
        )
    return _user(made)


@router.put("/users/me/password", status_code=204)
def change_my_password(change: PasswordChange, who: InPerson, door: TheDoor) -> Response:
    """Change one's own password; every other session of this person ends."""
    if who.user.has_password:
        where = f"session {sessions.digest(who.session)[:16]}"
        with door.state.session() as s:
            throttle.attempt(s, who.name, where)
        with door.state.session() as s:
            if users.verified(s, who.name, change.current) is None:
                raise Error("The current password is wrong.", "Nothing was changed.")
            throttle.succeeded(s, who.name, where)
    with door.state.session() as s:
        users.change_password(s, who.name, change.new)
        sessions.end_all(s, who.name, keep=who.session)
    return Response(status_code=204)


@router.get("/users/me/preferences")
def my_preferences(who: Who, door: TheDoor) -> dict[str, Any]:
    """What this person set in the page."""
    with door.state.session() as s:
        return users.preferences(s, who.name)


@router.put("/users/me/preferences", status_code=204)
def set_my_preferences(values: dict[str, Any], who: Who, door: TheDoor) -> Response:
    """Keep what this person set in the page, replacing what was there."""
    if len(json.dumps(values)) > PREFERENCES_BYTES:
        raise Error(f"Preferences have at most {PREFERENCES_BYTES >> 10} KB.")
    with door.state.session() as s:
        users.set_preferences(s, who.name, values)
    return Response(status_code=204)


@router.put("/users/{username}")
def change_user(username: str, change: UserChange, _who: Administrator, door: TheDoor) -> UserShown:
    """Change a user's name, role or standing; a disabled user is signed out everywhere."""
    with door.state.session() as s:
        role = None if change.roles is None else _role(change.roles)
        user = users.alter(s, username, name=change.name, role=role, disabled=change.disabled)
        if user.disabled:
            sessions.end_all(s, username)
    return _user(user)


@router.post("/users/{username}/link", status_code=201)
def make_link(username: str, _who: Administrator, door: TheDoor) -> SignInLink:
    """Make a one-time sign-in link for a user who is new or forgot the password."""
    with door.state.session() as s:
        token = sessions.make_link(s, username)
    return SignInLink(token=token, seconds=sessions.LINK_LIFE // sessions.SECOND)


@router.get("/tokens")
def my_tokens(who: Who, door: TheDoor) -> list[TokenShown]:
    """One's own API tokens."""
    with door.state.session() as s:
        return [_token(token) for token in tokens.of(s, who.name)]


@router.post("/tokens", status_code=201)
def make_token(new: NewToken, who: InPerson, door: TheDoor) -> TokenMade:
    """Make an API token; its secret is in this answer and nowhere else."""
    with door.state.session() as s:
        token, secret = tokens.make(s, who.name, new.name, new.days)
    return TokenMade(**_token(token).model_dump(), token=secret)


@router.delete("/tokens/{token}", status_code=204)
def revoke_token(token: int, who: Who, door: TheDoor) -> Response:
    """Revoke one of one's own API tokens."""
    with door.state.session() as s:
        tokens.revoke(s, who.name, token)
    return Response(status_code=204)


def _role(roles: list[RoleName]) -> Role:
    return Role.ADMIN if "admin" in roles else Role.ANALYST


def _user(user: User) -> UserShown:
    return UserShown(
        username=user.username,
        name=user.name,
        roles=[user.role.value],
        disabled=user.disabled,
        created=iso(user.created),
        has_password=user.has_password,
    )


def _token(token: tokens.Token) -> TokenShown:
    return TokenShown(
        id=token.id,
        name=token.name,
        created=iso(token.created),
        expires=iso(token.ends),
        used=iso_or_none(token.used),
    )
