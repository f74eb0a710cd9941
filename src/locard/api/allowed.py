# SPDX-License-Identifier: Apache-2.0
"""What each route needs: one dependency for each permission, and a route declares one of them.

    def upload(case: TheCase, who: MayAcquire) -> ...

`TheCase` (places.py) declares `view` of the case that the address names. A route without a case
takes whoever may do it in at least one; what it answers is then narrowed to the cases that the
person sees (`visible`). `declare` puts what was declared into `openapi.json` as `x-permission`,
and a contract test refuses a route that declares nothing.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from locard.api.door import Door, Person, door, signed_in
from locard.model.access import MEANINGS, Permission
from locard.model.errors import Denied, Missing

OPEN = "open"
"""What a route says that strangers may ask."""
SIGNED_IN = "signed-in"
"""What a route says that everybody who is signed in may ask, about themselves."""
IN_PERSON = "in-person"
"""The same, but not with an API token."""


UNSEEN = "If somebody sent you here, ask them for a role in the case."
"""Said of cases that do not exist too: the answer tells nobody which ones there are."""


class Hidden(Missing):
    """A case that exists, but not for this person: the answer is that of a case that does not."""

    def __init__(self, case: str) -> None:
        super().__init__(f"There is no case called {case!r}.", UNSEEN)
        self.case = case


class Declared:
    """A dependency that says who may ask, so that the contract can be judged."""

    def __init__(self, declared: str) -> None:
        self.declared = declared


class Anybody(Declared):
    """Strangers may ask."""

    def __call__(self) -> None:
        """Nothing is looked at."""


class SignedIn(Declared):
    """Everybody who is signed in may ask; declared `IN_PERSON`, not with an API token."""

    def __call__(self, who: Annotated[Person, Depends(signed_in)]) -> Person:
        """The person."""
        if self.declared == IN_PERSON and not who.session:
            raise Denied("This cannot be done with an API token.", "Sign in and do it in the page.")
        return who


class Requires(Declared):
    """Whoever holds this permission may ask: in the case that the address names, or in any."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(permission.value)
        self.permission = permission

    def __call__(
        self,
        request: Request,
        who: Annotated[Person, Depends(signed_in)],
        at: Annotated[Door, Depends(door)],
    ) -> Person:
        """The person. Raises `Denied`, which says whom to ask, or `Hidden` for an unseen case."""
        case = str(request.path_params.get("case", ""))
        if case:
            if not who.access.sees(case):
                raise Hidden(case)
            if who.access.may(self.permission, case):
                return who
        elif who.access.anywhere(self.permission):
            return who
        raise refusal(at, who, self.permission, case)


def require(at: Door, who: Person, permission: Permission, case: str) -> None:
    """The same for a case that the body of a request names."""
    if not who.access.sees(case):
        raise Hidden(case)
    if not who.access.may(permission, case):
        raise refusal(at, who, permission, case)


def refusal(at: Door, who: Person, permission: Permission, case: str = "") -> Denied:
    """Why this person may not do this, and whom to ask."""
    full = at.desk.people.access(who.name)
    if full.may(permission, case) if case else full.anywhere(permission):
        scope = MEANINGS[permission].scope.value
        return Denied(
            "This API token does not reach that far, though you do.",
            f"Make a token of the scope {scope!r} that is not for another case.",
        )
    return at.desk.people.denied(permission, case)


def visible(who: Person, cases: Iterable[str]) -> list[str]:
    """Those of these cases that exist for this person."""
    return [case for case in cases if who.access.sees(case)]


def seen(who: Person) -> list[str] | None:
    """The cases that exist for this person, for a question that is bounded; None: all of them."""
    return None if who.access.may(Permission.VIEW) else visible(who, who.access.cases)


def declared(route: APIRoute) -> list[str]:
    """What a route declares; `view` is left out where it declares more."""

    def below(one: Dependant) -> Iterator[str]:
        if isinstance(one.call, Declared):
            yield one.call.declared
        for inner in one.dependencies:
            yield from below(inner)

    found = sorted(set(below(route.dependant)))
    return [one for one in found if one != Permission.VIEW.value or len(found) == 1]


def declare(document: dict[str, Any], routes: list[Any]) -> None:
    """Put what each route declares into its description."""
    for route in routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                operation = document["paths"][route.path_format][method.lower()]
                operation["x-permission"] = declared(route)


Open = Depends(Anybody(OPEN))
Who = Annotated[Person, Depends(SignedIn(SIGNED_IN))]
InPerson = Annotated[Person, Depends(SignedIn(IN_PERSON))]
MayView = Annotated[Person, Depends(Requires(Permission.VIEW))]
MayDownload = Annotated[Person, Depends(Requires(Permission.DOWNLOAD))]
MayExport = Annotated[Person, Depends(Requires(Permission.EXPORT))]
MaySeal = Annotated[Person, Depends(Requires(Permission.SEAL))]
MayMark = Annotated[Person, Depends(Requires(Permission.MARK))]
MayAcquire = Annotated[Person, Depends(Requires(Permission.ACQUIRE))]
MayMakeCase = Annotated[Person, Depends(Requires(Permission.MAKE_CASE))]
MayRespond = Annotated[Person, Depends(Requires(Permission.RESPOND))]
MayHold = Annotated[Person, Depends(Requires(Permission.HOLD))]
MayDispose = Annotated[Person, Depends(Requires(Permission.DISPOSE))]
MayGrant = Annotated[Person, Depends(Requires(Permission.GRANT))]
MayManagePeople = Annotated[Person, Depends(Requires(Permission.PEOPLE))]
MayManageSettings = Annotated[Person, Depends(Requires(Permission.SETTINGS))]
