# SPDX-License-Identifier: Apache-2.0
"""What everybody does for themselves: password, second factor, preferences and API tokens."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from locard.api.allowed import InPerson, Who
from locard.api.door import Person, TheDoor
from locard.api.times import iso, iso_or_none
from locard.model.access import Scope
from locard.model.errors import Error
from locard.state import sessions, throttle, tokens, users

router = APIRouter(prefix="/api", tags=["own"])

PREFERENCES_BYTES = 64 << 10

Password = Annotated[str, Field(max_length=4096)]
Code = Annotated[str, Field(max_length=40)]


class PasswordChange(BaseModel):
    """The old password (empty when there was none) and the new one."""

    current: Password = ""
    new: Password


class SecondFactorProposed(BaseModel):
    """A secret for an authenticator app: as text, as the address that apps read, and as a picture
    of it. It is asked for as soon as a code of it was confirmed."""

    secret: str
    address: str
    svg: str


class Confirmation(BaseModel):
    """A code that the authenticator app shows now; to turn it off, a recovery code will do too."""

    code: Code


class RecoveryCodes(BaseModel):
    """Codes that each stand for one code of the app, shown this once."""

    codes: list[str]


class TokenShown(BaseModel):
    """An API token, without its secret; `case` is empty when it reaches all that its owner sees."""

    id: int
    name: str
    scope: Scope
    case: str
    created: str
    expires: str
    used: str | None


class NewToken(BaseModel):
    """An API token to be made."""

    name: Annotated[str, Field(max_length=100)] = ""
    days: Annotated[int, Field(ge=1, le=tokens.LONGEST_DAYS)] = 90
    scope: Scope = Scope.READ
    case: Annotated[str, Field(max_length=64)] = ""


class TokenMade(TokenShown):
    """A new token; `token` is the secret, shown this once."""

    token: str


@router.put("/users/me/password", status_code=204)
def change_my_password(change: PasswordChange, who: InPerson, door: TheDoor) -> Response:
    """Change one's own password; every other session of this person ends."""
    if who.user.has_password:
        _password(door, who, change.current)
    door.desk.people.change_password(who.name, change.new, by=who.hand, keep=who.session)
    return Response(status_code=204)


@router.post("/users/me/second-factor", status_code=201)
def propose_second_factor(who: InPerson, door: TheDoor) -> SecondFactorProposed:
    """Make a secret for an authenticator app."""
    made = door.desk.people.propose_factor(who.name)
    return SecondFactorProposed(secret=made.secret, address=made.address, svg=made.svg())


@router.put("/users/me/second-factor")
def confirm_second_factor(given: Confirmation, who: InPerson, door: TheDoor) -> RecoveryCodes:
    """Turn the second factor on, by a code that the app shows."""
    where = f"confirming the second factor of {who.name}"
    with door.state.session() as s:
        throttle.attempt(s, who.name, where)
    codes = door.desk.people.confirm_factor(who.name, given.code, by=who.hand)
    with door.state.session() as s:
        throttle.succeeded(s, who.name, where)
    return RecoveryCodes(codes=codes)


@router.post("/users/me/second-factor/off", status_code=204)
def turn_off_second_factor(given: Confirmation, who: InPerson, door: TheDoor) -> Response:
    """Turn one's own second factor off; it takes a code, so that a stolen session cannot."""
    if not door.desk.entrance.shown(who.user, given.code, by=who.hand):
        raise Error("This code is wrong or was used already.", "Nothing was changed.")
    door.desk.people.remove_factor(who.name, by=who.hand)
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
        raise Error(f"Preferences have at most {PREFERENCES_BYTES >> 10} KiB.")
    with door.state.session() as s:
        users.set_preferences(s, who.name, values)
    return Response(status_code=204)


@router.get("/tokens")
def my_tokens(who: Who, door: TheDoor) -> list[TokenShown]:
    """One's own API tokens."""
    with door.state.session() as s:
        return [_token(token) for token in tokens.of(s, who.name)]


@router.post("/tokens", status_code=201)
def make_token(new: NewToken, who: InPerson, door: TheDoor) -> TokenMade:
    """Make an API token; its secret is in this answer and nowhere else."""
    token, secret = door.desk.people.make_token(
        who.name, new.name, new.days, scope=new.scope, case=new.case, by=who.hand
    )
    return TokenMade(**_token(token).model_dump(), token=secret)


@router.delete("/tokens/{token}", status_code=204)
def revoke_token(token: int, who: Who, door: TheDoor) -> Response:
    """Revoke one of one's own API tokens."""
    door.desk.people.revoke_token(who.name, token, by=who.hand)
    return Response(status_code=204)


def _password(door: TheDoor, who: Person, password: str) -> None:
    """Raise `Error` unless it is the person's password; guessing is slowed here too."""
    where = f"session {sessions.digest(who.session)[:16]}"
    with door.state.session() as s:
        throttle.attempt(s, who.name, where)
    with door.state.session() as s:
        if users.verified(s, who.name, password) is None:
            raise Error("The current password is wrong.", "Nothing was changed.")
        throttle.succeeded(s, who.name, where)


def _token(token: tokens.Token) -> TokenShown:
    return TokenShown(
        id=token.id,
        name=token.name,
        scope=token.scope,
        case=token.case,
        created=iso(token.created),
        expires=iso(token.ends),
        used=iso_or_none(token.used),
    )
