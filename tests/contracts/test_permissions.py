# SPDX-License-Identifier: Apache-2.0
"""Every route of the API says who may ask, and a route about a case asks for a permission in it."""

import pytest
from fastapi import APIRouter

from locard.api import app
from locard.api.allowed import IN_PERSON, OPEN, SIGNED_IN, declare
from locard.model.access import APART, MEANINGS, ROLES, Permission, Role, Scope, carries, clash

DESCRIBED = app.description(app.assemble())
ROUTES = [
    pytest.param(path, operation, id=f"{method.upper()} {path}")
    for path, methods in DESCRIBED["paths"].items()
    for method, operation in methods.items()
]
STRANGERS = {
    "/api/alerts/in/{source}",  # its signature says who it is
    "/api/health",
    "/api/session",
    "/api/session/link",
    "/api/session/ways",
    "/api/session/single-sign-on",
    "/api/session/single-sign-on/return",
}


@pytest.mark.parametrize("path,operation", ROUTES)
def test_a_route_declares_who_may_ask(path: str, operation: dict[str, list[str]]) -> None:
    declared = operation["x-permission"]
    words = {OPEN, SIGNED_IN, IN_PERSON, *(one.value for one in Permission)}
    assert declared, "give it a dependency of locard.api.allowed, such as `who: MayAcquire`"
    assert set(declared) <= words
    if OPEN in declared:
        assert declared == [OPEN] and path in STRANGERS
    if "{case}" in path:
        assert set(declared) & {one.value for one in Permission}, "take `case: TheCase`"


def test_a_route_that_declares_nothing_is_found() -> None:
    router = APIRouter()

    @router.get("/api/forgotten")
    def forgotten() -> None:
        """Nobody said who may ask."""

    document = {"paths": {"/api/forgotten": {"get": {}}}}
    declare(document, router.routes)
    assert document["paths"]["/api/forgotten"]["get"] == {"x-permission": []}


def test_no_role_holds_what_must_be_apart() -> None:
    for role in Role:
        assert not clash(ROLES[role]), role
    for one in APART:
        assert MEANINGS[one].roles, f"somebody must be able to {one}"


def test_every_permission_is_explained_and_every_role_sees() -> None:
    assert set(MEANINGS) == set(Permission)
    for role in Role:
        assert Permission.VIEW in ROLES[role]
    for one in Permission:
        assert carries(Scope.MANAGE, one)
        assert carries(Scope.READ, one) <= carries(Scope.WRITE, one)
