# SPDX-License-Identifier: Apache-2.0
"""Signing in and out, and who one is."""

import secrets
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from locard.api.allowed import InPerson, Open, Who
from locard.api.door import COOKIE, Door, TheDoor, stranger
from locard.model.access import Permission
from locard.model.errors import Denied
from locard.state import factors, grants, groups, identities, sessions

router = APIRouter(prefix="/api/session", tags=["session"])

BROWSER = "locard_sign_on"
"""The cookie that ties a sign-in at the provider to the browser that began it."""
RETURN = "/sign-in/return"
"""The page that the provider sends the browser back to."""

Code = Annotated[str, Field(max_length=40)]


class Credentials(BaseModel):
    """What a person types in; `code` is that of the second factor, or a recovery code."""

    username: Annotated[str, Field(max_length=200)]
    password: Annotated[str, Field(max_length=4096)]
    code: Code = ""


class Link(BaseModel):
    """The secret of a one-time sign-in link, and a code where the person is asked for one."""

    token: Annotated[str, Field(max_length=200)]
    code: Code = ""


class Returned(BaseModel):
    """What the provider put into the address that it sent the browser back to."""

    state: Annotated[str, Field(max_length=200)]
    code: Annotated[str, Field(max_length=4096)]
    iss: Annotated[str, Field(max_length=500)] = ""


class Ways(BaseModel):
    """How one can sign in here; `single_sign_on` is the name of the provider, when there is one."""

    single_sign_on: str | None


class Away(BaseModel):
    """Where the browser goes to sign in."""

    address: str


class SignedIn(BaseModel):
    """Who is signed in. `may` is what they may do in all cases, `anywhere` in at least one; what
    they may do in one case is told with the case. `ask` are those who grant roles in all cases."""

    username: str
    name: str
    groups: list[str]
    may: list[Permission]
    anywhere: list[Permission]
    ask: list[str]
    second_factor: bool
    recovery_codes: int


@router.get("/ways", dependencies=[Open])
def ways(door: TheDoor) -> Ways:
    """How one can sign in here."""
    provider = door.desk.entrance.provider
    return Ways(single_sign_on=provider.settings.name if provider else None)


@router.post("", status_code=204, dependencies=[Open])
def sign_in(given: Credentials, request: Request, door: TheDoor) -> Response:
    """Start a session with name and password, and a code where the person is asked for one."""
    secret = door.desk.entrance.by_password(
        given.username, given.password, given.code, by=stranger(request)
    )
    return _with_cookie(door, secret)


@router.post("/link", status_code=204, dependencies=[Open])
def sign_in_by_link(given: Link, request: Request, door: TheDoor) -> Response:
    """Start a session with a one-time link."""
    secret = door.desk.entrance.by_link(given.token, given.code, by=stranger(request))
    return _with_cookie(door, secret)


@router.post("/single-sign-on", dependencies=[Open])
def sign_in_elsewhere(request: Request, response: Response, door: TheDoor) -> Away:
    """Begin to sign in at the provider."""
    browser = secrets.token_urlsafe(32)
    address = door.desk.entrance.sent_away(_origin(request) + RETURN, browser)
    _set(response, door, BROWSER, browser, identities.LIFE // identities.SECOND)
    return Away(address=address)


@router.post("/single-sign-on/return", status_code=204, dependencies=[Open])
def sign_in_returned(given: Returned, request: Request, door: TheDoor) -> Response:
    """Start a session for whom the provider sent back to this browser."""
    secret = door.desk.entrance.by_provider(
        given.state,
        given.code,
        given.iss,
        request.cookies.get(BROWSER, ""),
        by=stranger(request),
    )
    response = _with_cookie(door, secret)
    _forget(response, door, BROWSER)
    return response


@router.get("")
def who_am_i(who: Who, door: TheDoor) -> SignedIn:
    """Who is signed in, and what they may do."""
    with door.state.session() as s:
        factor = factors.of(s, who.name)
        ask = grants.administrators(s)
        member = groups.of(s, who.name)
    asked = factor is not None and factor.confirmed
    return SignedIn(
        username=who.user.username,
        name=who.user.name,
        groups=member,
        may=sorted(who.access.of("")),
        anywhere=sorted(one for one in Permission if who.access.anywhere(one)),
        ask=ask,
        second_factor=asked,
        recovery_codes=factor.recovery if factor and asked else 0,
    )


@router.delete("", status_code=204)
def sign_out(who: InPerson, door: TheDoor) -> Response:
    """End this session."""
    door.desk.entrance.leave(who.session, by=who.hand)
    response = Response(status_code=204)
    _forget(response, door, COOKIE)
    return response


def _origin(request: Request) -> str:
    """The address under which the browser has the page; a known host, as `Guard` saw to it."""
    host = request.headers.get("host", "")
    origin = urlsplit(request.headers.get("origin", ""))
    if origin.scheme not in ("http", "https") or origin.netloc != host:
        raise Denied("The request does not come from this page.", "Begin at the sign-in page.")
    return f"{origin.scheme}://{origin.netloc}"


def _with_cookie(door: Door, secret: str) -> Response:
    response = Response(status_code=204)
    _set(response, door, COOKIE, secret, sessions.LONGEST // sessions.SECOND)
    return response


def _set(response: Response, door: Door, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        secure=door.secure,
        httponly=True,
        samesite="strict",
    )


def _forget(response: Response, door: Door, name: str) -> None:
    response.delete_cookie(name, path="/", secure=door.secure, httponly=True, samesite="strict")
