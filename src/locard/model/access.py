# SPDX-License-Identifier: Apache-2.0
"""Who may do what: the permissions, the roles that carry them, and what one person may do.

A role is granted to a user or to a group, for one case or for all cases. `MEANINGS` is the whole
table; documentation, page, API and command line follow from it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What somebody is in a case."""

    VIEWER = "viewer"
    ANALYST = "analyst"
    RESPONDER = "responder"
    CUSTODIAN = "custodian"
    ADMINISTRATOR = "administrator"


class Scope(StrEnum):
    """How much of what its owner may do an API token carries; each contains the one before."""

    READ = "read"
    WRITE = "write"
    MANAGE = "manage"


class Permission(StrEnum):
    """One thing that somebody may do."""

    VIEW = "view"
    DOWNLOAD = "download"
    EXPORT = "export"
    MARK = "mark"
    ACQUIRE = "acquire"
    MAKE_CASE = "make-case"
    RESPOND = "respond"
    HOLD = "hold"
    TRANSFER = "transfer"
    SEAL = "seal"
    DISPOSE = "dispose"
    GRANT = "grant"
    PEOPLE = "people"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a permission allows, the smallest token that carries it, and the roles that have it."""

    allows: str
    scope: Scope
    roles: frozenset[Role]
    everywhere: bool = False
    """Whether it is about the installation, so that only a role for all cases gives it."""


_V, _A, _R, _C, _M = Role
_WORKING = frozenset((_A, _R, _M))
_KEEPING = frozenset((_C, _M))
_TRUSTED = frozenset((_A, _R, _C, _M))

MEANINGS: Mapping[Permission, Meaning] = {
    Permission.VIEW: Meaning(
        "see the case: timeline, evidence and custody; search, prove and verify",
        Scope.READ,
        frozenset(Role),
    ),
    Permission.DOWNLOAD: Meaning("take the bytes of evidence out", Scope.READ, _TRUSTED),
    Permission.EXPORT: Meaning("take rows of the timeline out", Scope.READ, _TRUSTED),
    Permission.SEAL: Meaning("export the case as a sealed bundle", Scope.WRITE, _TRUSTED),
    Permission.MARK: Meaning("star, tag, comment and save searches", Scope.WRITE, _WORKING),
    Permission.ACQUIRE: Meaning(
        "take evidence into the case, and save mappings to read it with", Scope.WRITE, _WORKING
    ),
    Permission.MAKE_CASE: Meaning(
        "make a case, and be its administrator from then on", Scope.WRITE, _WORKING
    ),
    Permission.RESPOND: Meaning(
        "act in clouds: collect, isolate, and release again", Scope.MANAGE, frozenset((_R, _M))
    ),
    Permission.HOLD: Meaning(
        "put and release legal holds, set retention and authority", Scope.MANAGE, _KEEPING
    ),
    Permission.TRANSFER: Meaning("hand exhibits over and accept them", Scope.MANAGE, _KEEPING),
    Permission.DISPOSE: Meaning(
        "ask for disposal and agree to it, never of what one acquired oneself",
        Scope.MANAGE,
        frozenset((_C,)),
    ),
    Permission.GRANT: Meaning("say who may do what in the case", Scope.MANAGE, frozenset((_M,))),
    Permission.PEOPLE: Meaning(
        "manage users, groups and grants of all cases",
        Scope.MANAGE,
        frozenset((_M,)),
        everywhere=True,
    ),
    Permission.SETTINGS: Meaning(
        "change what holds for the whole installation",
        Scope.MANAGE,
        frozenset((_M,)),
        everywhere=True,
    ),
}
"""Every permission, with the roles that have it. Nothing else says who may do what."""

ROLES: Mapping[Role, frozenset[Permission]] = {
    role: frozenset(one for one, means in MEANINGS.items() if role in means.roles) for role in Role
}
"""What each role may do in the cases that it is granted for."""

TITLES: Mapping[Role, str] = {
    Role.VIEWER: "Viewer",
    Role.ANALYST: "Analyst",
    Role.RESPONDER: "Responder",
    Role.CUSTODIAN: "Evidence custodian",
    Role.ADMINISTRATOR: "Administrator",
}

APART = (Permission.ACQUIRE, Permission.DISPOSE)
"""What nobody may hold together in one case: whoever brings evidence in must not remove it."""

_SCOPES = tuple(Scope)


def carries(scope: Scope, permission: Permission) -> bool:
    """Whether a token of this scope carries the permission, when its owner has it."""
    return _SCOPES.index(MEANINGS[permission].scope) <= _SCOPES.index(scope)


def clash(permissions: Collection[Permission]) -> bool:
    """Whether these hold together what must be apart."""
    return all(one in permissions for one in APART)


@dataclass(frozen=True, slots=True)
class Access:
    """What one person may do: in all cases, and beyond that in single ones."""

    username: str
    everywhere: frozenset[Permission] = frozenset()
    cases: Mapping[str, frozenset[Permission]] = field(default_factory=dict)

    def of(self, case: str) -> frozenset[Permission]:
        """What the person may do in this case.

        Should grants have come to hold together what must be apart, disposal is what falls away.
        """
        held = self.everywhere | self.cases.get(case, frozenset())
        return held - {Permission.DISPOSE} if clash(held) else held

    def may(self, permission: Permission, case: str = "") -> bool:
        """Whether the person may do this in the case; without one, whether in all of them."""
        return permission in self.of(case)

    def anywhere(self, permission: Permission) -> bool:
        """Whether the person may do this in at least one case, or in those still to be made."""
        if MEANINGS[permission].everywhere:
            return self.may(permission)
        return self.may(permission) or any(self.may(permission, case) for case in self.cases)

    def sees(self, case: str) -> bool:
        """Whether the case exists for this person at all."""
        return self.may(Permission.VIEW, case)

    def narrowed(self, scope: Scope, case: str = "") -> "Access":
        """What is left of it in the hand of a token of this scope, for one case when one is named.

        A token for one case reaches nothing of the installation and makes no further cases.
        """

        def kept(held: frozenset[Permission]) -> frozenset[Permission]:
            return frozenset(one for one in held if carries(scope, one))

        if not case:
            cases = {name: kept(self.of(name)) for name in self.cases}
            return Access(self.username, kept(self.of("")), cases)
        held = frozenset(
            one
            for one in kept(self.of(case))
            if one is not Permission.MAKE_CASE and not MEANINGS[one].everywhere
        )
        return Access(self.username, frozenset(), {case: held})
