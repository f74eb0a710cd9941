# SPDX-License-Identifier: Apache-2.0
"""Who makes a request, and what the routes hand it on to.

A person shows either the cookie of a session or an API token. A request by cookie that changes
something must carry the header `X-Locard: 1`, which a page of another origin cannot send.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from locard.api.problems import SignInNeeded
from locard.cases.desk import Desk
from locard.model.custody import Hand
from locard.model.errors import Denied
from locard.state import sessions, tokens
from locard.state.database import State
from locard.state.users import Role, User

COOKIE = "locard_session"
LONGEST_AGENT = 300
"""Characters of a `User-Agent` that the ledger keeps."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Door:
    """What every route needs, made once by `app.create`."""

    desk: Desk
    state: State
    secure: bool
    """Whether the page is served over TLS, so that the cookie may travel nowhere else."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who makes the request."""

    user: User
    session: str
    """The secret of the session; empty when an API token was shown."""
    address: str = ""
    agent: str = ""

    @property
    def name(self) -> str:
        """The user name, as marks record it."""
        return self.user.username

    @property
    def hand(self) -> Hand:
        """The person as custody records them: with door, address and what they asked with."""
        door = "page" if self.session else "api"
        return Hand(self.name, door, self.address, self.agent)


def door(request: Request) -> Door:
    """The application's door."""
    found = request.app.state.door
    assert isinstance(found, Door)
    return found


def address(request: Request) -> str:
    """The address that the request came from."""
    return request.client.host if request.client else ""


def agent(request: Request) -> str:
    """What the request says it was made with, bounded."""
    return request.headers.get("user-agent", "")[:LONGEST_AGENT]


def signed_in(request: Request) -> Person:
    """The person who makes the request. Raises `SignInNeeded`, or `Denied` for a forged request."""
    state = door(request).state
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        with state.session() as session:
            user = tokens.shown_by(session, secret.strip())
        if user is None:
            raise SignInNeeded("This API token is not valid.", "Make a new one in the settings.")
        return Person(user, "", address(request), agent(request))
    secret = request.cookies.get(COOKIE, "")
    with state.session() as session:
        user = sessions.signed_in(session, secret) if secret else None
    if user is None:
        raise SignInNeeded("Sign in first.", "The session has ended or there was none.")
    if request.method not in _SAFE and request.headers.get("x-locard") != "1":
        raise Denied("The request lacks the header X-Locard: 1.", "Requests by cookie need it.")
    return Person(user, secret, address(request), agent(request))


def in_person(request: Request) -> Person:
    """The person, signed in by session: an API token cannot make itself immortal."""
    person = signed_in(request)
    if not person.session:
        raise Denied("This cannot be done with an API token.", "Sign in and do it in the page.")
    return person


def administrator(request: Request) -> Person:
    """The person, who may manage users."""
    person = in_person(request)
    if person.user.role is not Role.ADMIN:
        raise Denied("Only an administrator may do this.")
    return person


TheDoor = Annotated[Door, Depends(door)]
Who = Annotated[Person, Depends(signed_in)]
InPerson = Annotated[Person, Depends(in_person)]
Administrator = Annotated[Person, Depends(administrator)]
