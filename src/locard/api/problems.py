# SPDX-License-Identifier: Apache-2.0
"""Errors as RFC 9457 problems: a sentence, an advice, and the id under which the log has more."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from locard.model.errors import BadQuery, CodeNeeded, Error
from locard.state.throttle import TooMany

log = logging.getLogger("locard.api")

MEDIA_TYPE = "application/problem+json"


class Fault(BaseModel):
    """A part of the request that does not fit."""

    where: str
    message: str


class Problem(BaseModel):
    """An error. `message`, `position`, `length` and `suggestion` point at a mistake in a query;
    `errors` name the parts of a request that do not fit; `needs` is `code` when signing in takes
    a code of the second factor too."""

    type: str
    title: str
    status: int
    detail: str
    advice: str
    request_id: str
    message: str | None = None
    position: int | None = None
    length: int | None = None
    suggestion: str | None = None
    errors: list[Fault] | None = None
    needs: str | None = None


DESCRIBED: dict[int | str, dict[str, Any]] = {
    status: {
        "description": text,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, text in {
        "4XX": "What is wrong with the request, and what to do",
        "422": "The request does not fit",
        "5XX": "What went wrong here, and what to do",
    }.items()
}
"""What `openapi.json` says of every route: errors have one shape, that of `problem`."""


def handle_errors(app: FastAPI) -> None:
    """Answer every foreseen error as a problem. What is not foreseen is the `Guard`'s."""
    app.add_exception_handler(Error, _error)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)


def problem(
    status: int,
    detail: str,
    *,
    request_id: str,
    advice: str = "",
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    """The answer for an error; `more` are members that only this kind of problem has."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "advice": advice,
        "request_id": request_id,
        **more,
    }
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def request_id(request: Request) -> str:
    """The id that the `Guard` gave to this request."""
    return str(request.scope.get("state", {}).get("request_id", ""))


async def _error(request: Request, error: Exception) -> Response:
    assert isinstance(error, Error)
    return answered(request, error)


def answered(request: Request, error: Error) -> Response:
    """The answer for a foreseen error."""
    more: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if isinstance(error, BadQuery):
        more = bad_query(error)
    if isinstance(error, CodeNeeded):
        more = {"needs": "code"}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.seconds)
    if error.http_status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.http_status >= 500:
        log.error("%s: %s", request_id(request), error.message)
    return problem(
        error.http_status,
        error.message,
        advice=error.advice,
        request_id=request_id(request),
        headers=headers,
        **more,
    )


def bad_query(error: BadQuery) -> dict[str, Any]:
    """The members that point at the mistake in a query."""
    return {
        "message": error.message,
        "position": error.position,
        "length": error.length,
        "suggestion": error.suggestion,
    }


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(
        error.status_code,
        error.detail,
        request_id=request_id(request),
        headers=dict(error.headers or {}),
    )


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        {"where": ".".join(str(part) for part in fault["loc"]), "message": fault["msg"]}
        for fault in error.errors()
    ]
    first = faults[0]
    return problem(
        422,
        f"The request does not fit: {first['where']}: {first['message']}",
        request_id=request_id(request),
        errors=faults,
    )
