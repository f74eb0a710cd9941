# SPDX-License-Identifier: Apache-2.0
"""Who makes a request, and what the routes hand it on to.

A person shows either the cookie of a session or an API token. A request by cookie that changes
something must carry the header `X-Locard: 1`, which a page of another origin cannot send.
"""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from locard.cases.desk import Desk
from locard.cases.marking import Marking
from locard.model.access import Access
from locard.model.custody import Hand
from locard.model.errors import Denied, SignInNeeded
from locard.state import grants, sessions, tokens
from locard.state.database import State
from locard.state.users import User

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
    marking: Marking = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "marking", Marking(self.state))


@dataclass(frozen=True, slots=True)
class Person:
    """Who makes the request, and what they may do with what they showed."""

    user: User
    session: str
    """The secret of the session; empty when an API token was shown."""
    access: Access
    """What the person may do; with a token, what of it the token carries."""
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


def stranger(request: Request) -> Hand:
    """The hand of somebody who is not signed in yet: from where, and with what."""
    return Hand("", "page", address(request), agent(request))


def signed_in(request: Request) -> Person:
    """The person who makes the request. Raises `SignInNeeded`, or `Denied` for a forged request."""
    person = _known(request)
    request.state.person = person
    by_cookie = person.session != ""
    if by_cookie and request.method not in _SAFE and request.headers.get("x-locard") != "1":
        raise Denied("The request lacks the header X-Locard: 1.", "Requests by cookie need it.")
    return person


def _known(request: Request) -> Person:
    state = door(request).state
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        with state.session() as session:
            found = tokens.shown_by(session, secret.strip())
            if found is not None:
                user, token = found
                access = grants.access(session, user.username).narrowed(token.scope, token.case)
        if found is None:
            by = Hand("", "api", address(request), agent(request))
            door(request).desk.entrance.refused_token(by)
            raise SignInNeeded("This API token is not valid.", "Make a new one in the settings.")
        return Person(user, "", access, address(request), agent(request))
    secret = request.cookies.get(COOKIE, "")
    with state.session() as session:
        known = sessions.signed_in(session, secret) if secret else None
        if known is None:
            raise SignInNeeded("Sign in first.", "The session has ended or there was none.")
        access = grants.access(session, known.username)
    return Person(known, secret, access, address(request), agent(request))


TheDoor = Annotated[Door, Depends(door)]
