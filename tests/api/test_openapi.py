# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import httpx

from locard.api.openapi import description
from locard.api.problems import Problem

COMMITTED = Path(__file__).parent.parent.parent / "openapi.json"


def test_every_route_tells_of_errors_in_the_shape_that_they_have(ada: httpx.Client) -> None:
    described = json.loads(description())
    told = [
        operation["responses"]["422"]["content"]
        for methods in described["paths"].values()
        for operation in methods.values()
    ]
    shape = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert told and all(one == shape for one in told)
    assert "HTTPValidationError" not in described["components"]["schemas"]
    for where in ("/api/cases/one/events?limit=no", "/api/cases/one/events?q=actin:x"):
        answer = ada.get(where)
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json()) <= set(Problem.model_fields)
        Problem.model_validate_json(answer.content, strict=True)


def test_the_committed_description_is_that_of_the_routes() -> None:
    assert COMMITTED.read_text() == description(), (
        "run: python -m locard.api.openapi > openapi.json"
    )
