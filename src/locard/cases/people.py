# SPDX-License-Identifier: Apache-2.0
"""People, groups and grants: every change of who may do what, with its entry in the ledger.

The entry is written before the change is committed: what the ledger cannot tell does not happen.
"""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from locard.cases.factor import Proposed, SecondFactor
from locard.evidence import Draft, Ledger
from locard.model.access import ROLES, TITLES, Access, Permission, Role, Scope
from locard.model.custody import Hand, Verb
from locard.model.errors import Denied, Missing
from locard.state import factors, grants, groups, sessions, tokens, users
from locard.state.database import State
from locard.state.grants import Grant
from locard.state.groups import Group
from locard.state.tokens import Token
from locard.state.users import User


class People:
    """The people of one installation, and what they may do."""

    def __init__(self, state: State, ledger: Ledger, factor: SecondFactor) -> None:
        self._state = state
        self._ledger = ledger
        self._factor = factor

    # What somebody may do

    def access(self, username: str) -> Access:
        """What this person may do."""
        with self._state.session() as session:
            return grants.access(session, username)

    def may(self, username: str, permission: Permission, case: str = "") -> bool:
        """Whether this person may do this in the case; without one, in all cases."""
        return self.access(username).may(permission, case)

    def denied(self, permission: Permission, case: str = "") -> Denied:
        """The refusal of this permission, with the names of those who could grant it."""
        with self._state.session() as session:
            ask = grants.administrators(session, case)
        roles = [TITLES[one].lower() for one in Role if permission in ROLES[one]]
        where = f"in the case {case}" if case else "in all cases"
        return Denied(
            f"This takes the role of {_or(roles)} {where}.",
            f"Ask {_or(ask[:5])} for it."
            if ask
            else "The owner of the installation can grant it: locard grant add",
        )

    # Users

    def add_user(
        self,
        username: str,
        *,
        name: str = "",
        password: str = "",
        single_sign_on: bool = False,
        role: Role | None = None,
        case: str = "",
        by: Hand,
    ) -> User:
        """Add a person, and grant a first role when one is named."""
        with self._state.session() as session:
            made = users.create(
                session, username, name=name, password=password, single_sign_on=single_sign_on
            )
            granted = (
                grants.add(session, role, user=made.username, case=case, by=by.name)
                if role
                else None
            )
            self._tell(by, Verb.USER_CHANGED, f"user {made.username} added", user=made.username)
            if granted:
                self._granted(by, granted)
        return made

    def change_user(
        self,
        username: str,
        *,
        name: str | None = None,
        disabled: bool | None = None,
        single_sign_on: bool | None = None,
        by: Hand,
    ) -> User:
        """Change a person's name or standing; one who is disabled is signed out everywhere."""
        with self._state.session() as session:
            before = users.find(session, username)
            with grants.administered(session):
                user = users.alter(
                    session, username, name=name, disabled=disabled, single_sign_on=single_sign_on
                )
            if user.disabled:
                sessions.end_all(session, username)
            said = []
            if user.disabled != before.disabled:
                said.append("disabled" if user.disabled else "enabled")
            if user.name != before.name:
                said.append("renamed")
            if user.single_sign_on != before.single_sign_on:
                said.append(f"single sign-on {'allowed' if user.single_sign_on else 'ended'}")
            if said:
                self._tell(
                    by, Verb.USER_CHANGED, f"user {username} {', '.join(said)}", user=username
                )
        return user

    def change_password(self, username: str, password: str, *, by: Hand, keep: str = "") -> None:
        """Set a password; every session of the person ends but the one whose secret is `keep`."""
        with self._state.session() as session:
            users.change_password(session, username, password)
            sessions.end_all(session, username, keep=keep)
            self._tell(by, Verb.USER_CHANGED, f"password of {username} changed", user=username)

    def make_link(self, username: str, *, by: Hand) -> str:
        """The secret of a one-time link that signs this person in."""
        with self._state.session() as session:
            secret = sessions.make_link(session, username)
            self._tell(by, Verb.USER_CHANGED, f"sign-in link made for {username}", user=username)
        return secret

    # The second factor

    def propose_factor(self, username: str) -> Proposed:
        """A secret for an authenticator app, not asked for until it is confirmed."""
        with self._state.session() as session:
            return self._factor.propose(session, username)

    def confirm_factor(self, username: str, code: str | None, *, by: Hand) -> list[str]:
        """Turn the second factor on; the recovery codes, shown once."""
        with self._state.session() as session:
            codes = self._factor.confirm(session, username, code)
            said = f"second factor of {username} turned on"
            self._tell(by, Verb.USER_CHANGED, said, user=username)
        return codes

    def remove_factor(self, username: str, *, by: Hand) -> None:
        """Turn the second factor off. Raises `Missing` when there is none."""
        with self._state.session() as session:
            held = factors.of(session, username)
            if held is None or not factors.remove(session, username):
                raise Missing(f"{username} has no second factor.")
            if held.confirmed:
                said = f"second factor of {username} turned off"
                self._tell(by, Verb.USER_CHANGED, said, user=username)

    # Tokens

    def make_token(
        self, username: str, name: str, days: int, *, scope: Scope, case: str = "", by: Hand
    ) -> tuple[Token, str]:
        """A new API token and its secret. Raises `Missing` for a case its owner does not see."""
        with self._state.session() as session:
            if case and not grants.access(session, username).sees(case):
                raise Missing(f"There is no case called {case!r}.")
            token, secret = tokens.make(session, username, name, days, scope, case)
            self._tell(by, Verb.TOKEN_MADE, f"API token {token.name!r} made", **_said(token))
        return token, secret

    def revoke_token(self, username: str, token: int, *, by: Hand) -> None:
        """End a token of this person at once."""
        with self._state.session() as session:
            gone = tokens.revoke(session, username, token)
            said = f"API token {gone.name!r} of {username} revoked"
            self._tell(by, Verb.TOKEN_REVOKED, said, **_said(gone))

    # Groups

    def add_group(self, name: str, title: str = "", claim: str = "", *, by: Hand) -> Group:
        """Add a group."""
        with self._state.session() as session:
            made = groups.create(session, name, title, claim)
            said = f"group {made.name} added"
            self._tell(by, Verb.USER_CHANGED, said, group=made.name, claim=made.claim)
        return made

    def change_group(
        self, name: str, *, title: str | None = None, claim: str | None = None, by: Hand
    ) -> Group:
        """Change a group's title, or what the single sign-on provider calls it."""
        with self._state.session() as session:
            changed = groups.alter(session, name, title=title, claim=claim)
            said = f"group {name} changed"
            self._tell(by, Verb.USER_CHANGED, said, group=name, claim=changed.claim)
        return changed

    def remove_group(self, name: str, *, by: Hand) -> None:
        """Remove a group, its memberships and its grants."""
        with self._state.session() as session:
            groups.require(session, name)
            with grants.administered(session):
                gone = grants.remove_of_group(session, name)
                groups.remove(session, name)
            for grant in gone:
                self._revoked(by, grant, "the group was removed")
            self._tell(by, Verb.USER_CHANGED, f"group {name} removed", group=name)

    def join(self, group: str, username: str, *, by: Hand) -> None:
        """Put a person into a group."""
        with self._state.session() as session:
            groups.join(session, group, username)
            grants.require_apart(session, [username])
            said = f"{username} put into the group {group}"
            self._tell(by, Verb.USER_CHANGED, said, user=username, group=group)

    def leave(self, group: str, username: str, *, by: Hand) -> None:
        """Take a person out of a group."""
        with self._state.session() as session:
            with grants.administered(session):
                groups.leave(session, group, username)
            said = f"{username} taken out of the group {group}"
            self._tell(by, Verb.USER_CHANGED, said, user=username, group=group)

    # Grants

    def grant(
        self,
        role: Role,
        *,
        user: str = "",
        group: str = "",
        case: str = "",
        reason: str = "",
        by: Hand,
    ) -> Grant:
        """Grant a role in a case, or in all cases. Raises `Conflict` when somebody could then both
        acquire and dispose."""
        with self._state.session() as session:
            made = grants.add(
                session, role, user=user, group=group, case=case, by=by.name, reason=reason
            )
            self._granted(by, made)
        return made

    def revoke(self, grant: int, *, case: str | None = None, reason: str = "", by: Hand) -> Grant:
        """Take a grant back; when `case` is named, only one that is for that case."""
        with self._state.session() as session:
            with grants.administered(session):
                gone = grants.remove(session, grant)
                if case is not None and gone.case != case:
                    raise Missing(f"The case {case} has no grant {grant}.")
            self._revoked(by, gone, reason)
        return gone

    def made_case(self, session: Session, case: str, by: Hand) -> None:
        """Make the user who just made this case its administrator, in the same transaction.

        The command line acts for the owner of the files and names no user, so nothing is granted.
        """
        if by.door not in ("page", "api"):
            return
        grant = grants.add(
            session, Role.ADMINISTRATOR, user=by.name, case=case, by=by.name, reason="made the case"
        )
        self._granted(by, grant)

    def _granted(self, by: Hand, grant: Grant) -> None:
        said = f"{TITLES[grant.role]} {grant.where} granted to {grant.whom}"
        if grant.reason:
            said += f": {grant.reason}"
        self._tell(by, Verb.GRANTED, said, grant.case, **_grant(grant))

    def _revoked(self, by: Hand, grant: Grant, reason: str) -> None:
        said = f"{TITLES[grant.role]} {grant.where} taken back from {grant.whom}"
        if reason.strip():
            said += f": {reason.strip()[:500]}"
        self._tell(by, Verb.REVOKED, said, grant.case, **_grant(grant))

    def _tell(self, by: Hand, verb: Verb, reason: str, case: str = "", **details: str) -> None:
        kept = {name: value for name, value in details.items() if value}
        self._ledger.append([Draft(by, verb, "", case, reason, kept)])


def _said(token: Token) -> Mapping[str, str]:
    return {"token": str(token.id), "scope": token.scope.value, "only_case": token.case}


def _grant(grant: Grant) -> Mapping[str, str]:
    return {
        "grant": str(grant.id),
        "user": grant.user,
        "group": grant.group,
        "role": grant.role.value,
    }


def _or(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else "".join(names)
