# SPDX-License-Identifier: Apache-2.0
"""The application: the API below `/api`, the page everywhere else."""

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response

from locard import __version__
from locard.api import routes
from locard.api.door import Door, Who
from locard.api.guard import LOOPBACK, Guard
from locard.api.page import FOLDER, Page
from locard.api.problems import DESCRIBED, Problem, handle_errors, problem, request_id
from locard.api.waiting import Waiting
from locard.cases.desk import Desk
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
    app.add_middleware(Guard, hosts=hosts)
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
    for module in sorted(iter_modules(routes.__path__), key=lambda found: found.name):
        router = import_module(f"{routes.__name__}.{module.name}").router
        assert isinstance(router, APIRouter)
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
    return described


def _nothing(request: Request, _who: Who) -> Response:
    return problem(404, "There is nothing at this address.", request_id=request_id(request))


def _page(request: Request) -> Response:
    page = request.app.state.page
    assert isinstance(page, Page)
    return page.answer(request)
