# SPDX-License-Identifier: Apache-2.0
"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from locard.api.door import COOKIE, Door, InPerson, TheDoor, Who, address
from locard.api.problems import SignInNeeded
from locard.state import sessions, throttle, users

router = APIRouter(prefix="/api/session", tags=["session"])


class Credentials(BaseModel):
    """What a person types in."""

    username: Annotated[str, Field(max_length=200)]
    password: Annotated[str, Field(max_length=4096)]


class Link(BaseModel):
    """The secret of a one-time sign-in link."""

    token: Annotated[str, Field(max_length=200)]


class SignedIn(BaseModel):
    """Who is signed in."""

    username: str
    name: str
    roles: list[str]


@router.post("", status_code=204)
def sign_in(given: Credentials, request: Request, door: TheDoor) -> Response:
    """Start a session with name and password."""
    where = address(request)
    with door.state.session() as s:
        throttle.attempt(s, given.username, where)
    with door.state.session() as s:
        user = users.verified(s, given.username, given.password)
    if user is None:
        raise SignInNeeded("User name or password is wrong.", "Check both and try again.")
    with door.state.session() as s:
        throttle.succeeded(s, given.username, where)
        secret = sessions.start(s, user.username, where)
    return _with_cookie(door, secret)


@router.post("/link", status_code=204)
def sign_in_by_link(given: Link, request: Request, door: TheDoor) -> Response:
    """Start a session with a one-time link."""
    with door.state.session() as s:
        secret = sessions.redeem(s, given.token, address(request))
    if secret is None:
        raise SignInNeeded(
            "This sign-in link was used already or is too old.",
            "Run `locard serve` again for a new one, or sign in with your password.",
        )
    return _with_cookie(door, secret)


@router.get("")
def who_am_i(who: Who) -> SignedIn:
    """Who is signed in."""
    return SignedIn(username=who.user.username, name=who.user.name, roles=[who.user.role.value])


@router.delete("", status_code=204)
def sign_out(who: InPerson, door: TheDoor) -> Response:
    """End this session."""
    with door.state.session() as s:
        sessions.end(s, who.session)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", secure=door.secure, httponly=True, samesite="strict")
    return response


def _with_cookie(door: Door, secret: str) -> Response:
    response = Response(status_code=204)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=sessions.LONGEST // sessions.SECOND,
        path="/",
        secure=door.secure,
        httponly=True,
        samesite="strict",
    )
    return response
