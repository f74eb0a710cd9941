# SPDX-License-Identifier: Apache-2.0
"""The application: the API below `/api`, the page everywhere else."""

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from locard import __version__
from locard.api import routes
from locard.api.allowed import Hidden, Who, declare
from locard.api.door import Door, Person
from locard.api.guard import LOOPBACK, Guard
from locard.api.page import FOLDER, Page
from locard.api.problems import DESCRIBED, Problem, answered, handle_errors, problem, request_id
from locard.api.waiting import Waiting
from locard.cases.desk import Desk
from locard.model.errors import Denied, Error
from locard.state.database import State

BODY_LIMIT = 4 << 20
"""Bytes of a request that is JSON. Evidence is streamed and has no limit."""


def create(
    desk: Desk,
    state: State,
    *,
    hosts: Iterable[str] = LOOPBACK,
    secure: bool = False,
    page: Page | None = None,
) -> FastAPI:
    """The application over this desk.

    `hosts` are the names under which it is reached (loopback names unless told otherwise);
    `secure` says that it is served over TLS, so the cookie is marked accordingly.
    """
    app = assemble()
    app.state.door = Door(desk=desk, state=state, secure=secure)
    app.state.page = Page(FOLDER) if page is None else page
    app.add_middleware(Waiting)
    app.add_middleware(Guard, hosts=hosts, secure=secure)
    return app


def assemble() -> FastAPI:
    """The routes alone, which is what `openapi.json` describes."""
    app = FastAPI(
        title="Locard",
        version=__version__,
        summary="Cloud forensics: evidence in custody, one provable timeline.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation,
        max_body_size=BODY_LIMIT,
        responses=DESCRIBED,
    )
    handle_errors(app)
    app.add_exception_handler(Denied, _refused)
    app.add_exception_handler(Hidden, _refused)
    for router in routers():
        app.include_router(router)
    app.add_api_route("/api/openapi.json", _openapi, methods=["GET"], include_in_schema=False)
    app.add_api_route(
        "/api/{rest:path}",
        _nothing,
        methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        include_in_schema=False,
    )
    app.add_api_route("/{rest:path}", _page, methods=["GET", "HEAD"], include_in_schema=False)
    return app


def routers() -> list[APIRouter]:
    """The router of every module below `routes/`."""
    found = []
    for module in sorted(iter_modules(routes.__path__), key=lambda one: one.name):
        router = import_module(f"{routes.__name__}.{module.name}").router
        assert isinstance(router, APIRouter)
        found.append(router)
    return found


async def _refused(request: Request, error: Exception) -> Response:
    """The answer to somebody who may not; the ledger gets who, from where and what."""
    assert isinstance(error, Error)
    person = getattr(request.state, "person", None)
    if isinstance(person, Person):
        await run_in_threadpool(_told, request.app.state.door, person, request, error)
    return answered(request, error)


def _told(at: Door, person: Person, request: Request, error: Error) -> None:
    case = str(request.path_params.get("case", ""))
    exists = at.desk.has_case(case) if case else False
    if isinstance(error, Hidden) and not exists:
        return
    route = request.scope.get("route")
    path = getattr(route, "path_format", "") or request.url.path[:200]
    reason = f"{request.method} {path}: {error.message}"
    at.desk.entrance.refused(person.hand, reason, case if exists else "")


def _operation(route: APIRoute) -> str:
    return route.name


def _openapi(request: Request, _who: Who) -> JSONResponse:
    app = request.app
    assert isinstance(app, FastAPI)
    return JSONResponse(description(app))


def description(app: FastAPI) -> dict[str, Any]:
    """What `openapi.json` says: the routes, and the one shape that all their errors have."""
    described = dict(app.openapi())
    schemas = described["components"]["schemas"]
    more = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {**more.pop("$defs", {}), Problem.__name__: more}
    described["components"]["schemas"] = dict(sorted(schemas.items()))
    declare(described, [route for router in routers() for route in router.routes])
    return described


def _nothing(request: Request, _who: Who) -> Response:
    return problem(404, "There is nothing at this address.", request_id=request_id(request))


def _page(request: Request) -> Response:
    page = request.app.state.page
    assert isinstance(page, Page)
    return page.answer(request)
