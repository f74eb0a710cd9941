# SPDX-License-Identifier: Apache-2.0
"""The entrance: every sign-in, sign-out and refusal, with its entry in the custody ledger.

A session is begun in the same transaction that writes the entry: nobody is let in whom the ledger
does not name. Names that nobody here has are not written down: people type passwords into the
wrong field, and strangers would choose what the ledger says.
"""

from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from locard.cases.factor import SecondFactor
from locard.evidence import Draft, Ledger
from locard.model.custody import Hand, Verb
from locard.model.errors import CodeNeeded, Conflict, Denied, Error, Missing, SignInNeeded
from locard.state import grants, groups, identities, refusals, sessions, throttle, users
from locard.state.database import State
from locard.state.refusals import Counted, Refusal
from locard.state.users import User

if TYPE_CHECKING:
    from locard.cases.singlesignon import Claims, Provider

UNKNOWN = "unknown"
"""The actor of a refused sign-in under a name that nobody here has."""


class Entrance:
    """Who comes in, who leaves and who is turned away."""

    def __init__(
        self, state: State, ledger: Ledger, factor: SecondFactor, provider: "Provider | None"
    ) -> None:
        self._state = state
        self._ledger = ledger
        self._factor = factor
        self.provider = provider
        """The single sign-on provider, when there is one."""

    # Coming in

    def by_password(self, username: str, password: str, code: str, *, by: Hand) -> str:
        """The secret of a session. Raises `SignInNeeded`, `CodeNeeded`, or `TooMany`."""
        self.settle()
        self._attempt(username, by)
        with self._state.session() as session:
            user = users.verified(session, username, password)
        if user is None:
            self._turned_away(username, "wrong name or password", by)
            raise SignInNeeded("User name or password is wrong.", "Check both and try again.")
        way = self._second(user, code, "password", by)
        with self._state.session() as session:
            throttle.succeeded(session, username, by.address)
            secret = sessions.start(session, user.username, by.address)
            self._let_in(user, way, by)
        return secret

    def by_link(self, link: str, code: str, *, by: Hand) -> str:
        """The secret of a session begun by a one-time link, which stands for the password."""
        self.settle()
        with self._state.session() as session:
            user = sessions.invited(session, link)
        if user is not None:
            self._attempt(user.username, by)
            way = self._second(user, code, "one-time link", by)
            with self._state.session() as session:
                secret = sessions.redeem(session, link, by.address)
                if secret is not None:
                    throttle.succeeded(session, user.username, by.address)
                    self._let_in(user, way, by)
                    return secret
        self._turned_away("", "a one-time link that is used, old or unknown", by)
        raise SignInNeeded(
            "This sign-in link was used already or is too old.",
            "Run `locard serve` again for a new one, or sign in with your password.",
        )

    def sent_away(self, back: str, browser: str) -> str:
        """The address at the provider to which this browser goes to sign in there."""
        address, state, leaving = self._required().away(back)
        with self._state.session() as session:
            identities.leave(session, state, browser, leaving)
        return address

    def by_provider(self, state: str, code: str, issuer: str, browser: str, *, by: Hand) -> str:
        """The secret of a session for whom the provider sends back.

        Raises `SignInNeeded` when the answer is not for this browser, cannot be believed, or names
        somebody who may not come in.
        """
        self.settle()
        provider = self._required()
        with self._state.session() as session:
            leaving = identities.back(session, state, browser)
        if leaving is None:
            self._turned_away("", "an answer of the provider to nothing that was asked", by)
            raise SignInNeeded(
                "This sign-in was not begun in this browser, or too long ago.",
                "Go back to the sign-in page and begin anew.",
            )
        try:
            claims = provider.claims(code, issuer, leaving)
        except Error as error:
            self._turned_away("", error.message, by)
            raise
        try:
            with self._state.session() as session:
                user, changes = self._provided(session, claims, by)
                secret = sessions.start(session, user.username, by.address)
                self._ledger.append(changes)
                self._let_in(user, "single sign-on", by, subject=claims.subject)
        except (Conflict, Denied, Missing) as error:
            self._turned_away(claims.username, error.message, by)
            raise SignInNeeded(error.message, error.advice) from error
        return secret

    def shown(self, user: User, code: str, *, by: Hand) -> str:
        """What the code of the person's second factor was; empty when it is wrong.

        The attempt is counted for the person wherever it comes from: codes are short.
        """
        own = f"second factor of {user.username}"
        try:
            with self._state.session() as session:
                throttle.attempt(session, user.username, own)
        except throttle.TooMany:
            self._turned_away(user.username, "too many codes of the second factor", by)
            raise
        with self._state.session() as session:
            shown = self._factor.judge(session, user.username, code)
            if shown:
                throttle.succeeded(session, user.username, own)
        if not shown:
            self._turned_away(user.username, "wrong code of the second factor", by)
        return shown

    # Leaving, and being refused

    def leave(self, session_secret: str, *, by: Hand) -> None:
        """End a session."""
        with self._state.session() as session:
            sessions.end(session, session_secret)
            self._ledger.append([Draft(by, Verb.SIGNED_OUT, "", "", "signed out", {})])

    def refused(self, by: Hand, reason: str, case: str = "") -> None:
        """Tell the ledger that somebody who is signed in was refused something."""
        self.settle()
        self._note(
            Refusal(
                verb=Verb.REFUSED.value,
                actor=by.name,
                door=by.door,
                address=by.address,
                case=case,
                reason=reason,
                agent=by.agent,
            )
        )

    def refused_token(self, by: Hand) -> None:
        """Tell the ledger that somebody showed an API token that is none, or none any more."""
        self.settle()
        self._turned_away("", "an API token that is ended or unknown", by)

    def settle(self, *, everything: bool = False) -> None:
        """Write the counts of refusals whose time is over, or all of them."""
        with self._state.session() as session:
            self._write(refusals.due(session, everything=everything))

    # Inside

    def _attempt(self, username: str, by: Hand) -> None:
        try:
            with self._state.session() as session:
                throttle.attempt(session, username, by.address)
        except throttle.TooMany:
            self._turned_away(username, "too many attempts", by)
            raise

    def _second(self, user: User, code: str, way: str, by: Hand) -> str:
        """How the person came in, the second factor included. Raises when it is not shown."""
        with self._state.session() as session:
            asked = self._factor.asked(session, user.username)
        if not asked:
            return way
        if not code.strip():
            raise CodeNeeded
        shown = self.shown(user, code, by=by)
        if not shown:
            raise SignInNeeded(
                "This code is wrong or was used already.",
                "Wait for the next one, or use a recovery code.",
            )
        return f"{way} and {shown}"

    def _provided(self, session: Session, claims: "Claims", by: Hand) -> tuple[User, list[Draft]]:
        """The user whom these claims name, and what came to be different about them here."""
        changes: list[Draft] = []
        user = identities.person(session, claims.issuer, claims.subject)
        if user is None:
            user, said = self._joined(session, claims)
            details = {"user": user.username, "issuer": claims.issuer, "subject": claims.subject}
            changes.append(Draft(by, Verb.USER_CHANGED, "", "", said, details))
        if user.disabled:
            raise Denied("This user is disabled.", "Ask an administrator.")
        joined, left = groups.claimed(session, user.username, claims.groups)
        grants.require_apart(session, [user.username])
        for names, words in ((joined, "put into"), (left, "taken out of")):
            for name in names:
                said = f"{user.username} {words} the group {name} by the provider"
                details = {"user": user.username, "group": name}
                changes.append(Draft(by, Verb.USER_CHANGED, "", "", said, details))
        return user, changes

    def _joined(self, session: Session, claims: "Claims") -> tuple[User, str]:
        """A user for somebody whom the provider names for the first time, and what was done."""
        known = users.known(session, claims.username)
        if known is None:
            if not groups.known_claims(session, claims.groups):
                raise Denied(
                    "You are in no group that Locard knows.",
                    "Ask an administrator to add you, or to name your group: locard group add",
                )
            try:
                user = users.create(session, claims.username, name=claims.name, single_sign_on=True)
            except Error as error:
                raise Denied(error.message, "Ask your provider's administrator.") from error
            said = f"user {user.username} added by single sign-on"
        elif not known.single_sign_on or identities.has_identity(
            session, known.username, claims.issuer
        ):
            raise Denied(
                f"There is a user {known.username} here who is not joined to you.",
                f"Ask an administrator: locard user change {known.username} --single-sign-on",
            )
        else:
            user, said = known, f"user {known.username} joined to the provider's"
        identities.link(session, claims.issuer, claims.subject, user.username)
        return user, said

    def _let_in(self, user: User, way: str, by: Hand, **details: str) -> None:
        hand = Hand(user.username, by.door, by.address, by.agent)
        reason = f"signed in with {way}"
        self._ledger.append([Draft(hand, Verb.SIGNED_IN, "", "", reason, {"way": way, **details})])

    def _turned_away(self, username: str, reason: str, by: Hand) -> None:
        with self._state.session() as session:
            known = users.known(session, username) if username else None
        self._note(
            Refusal(
                verb=Verb.SIGN_IN_REFUSED.value,
                actor=known.username if known else UNKNOWN,
                door=by.door,
                address=by.address,
                case="",
                reason=reason,
                agent=by.agent,
            )
        )

    def _note(self, refusal: Refusal) -> None:
        with self._state.session() as session:
            told = refusals.note(session, refusal)
            self._write([told] if told else [])

    def _write(self, counted: list[Counted]) -> None:
        self._ledger.append([_draft(one) for one in counted])

    def _required(self) -> "Provider":
        if self.provider is None:
            raise Missing(
                "There is no single sign-on here.", "Sign in with your password or a link."
            )
        return self.provider


def _draft(counted: Counted) -> Draft:
    one = counted.refusal
    details = {"count": str(counted.count)}
    reason = one.reason
    if counted.count > 1:
        reason = f"{one.reason} ({counted.count:,} times more)"
        details |= {"first": str(counted.first), "last": str(counted.last)}
    hand = Hand(one.actor, one.door, one.address, one.agent)
    return Draft(hand, Verb(one.verb), "", one.case, reason, details)
