# SPDX-License-Identifier: Apache-2.0
"""Saved searches of a case, and saved mappings for logs in shapes of their own."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from locard.api.allowed import MayAcquire, MayMark, Who
from locard.api.door import TheDoor
from locard.api.places import TheCase
from locard.api.times import iso
from locard.model.errors import Error
from locard.state import mappings, searches

router = APIRouter(prefix="/api", tags=["searches"])

MAPPING_BYTES = 64 << 10

Name = Annotated[str, Field(max_length=64)]


class SearchBody(BaseModel):
    """A search to be saved. `from` and `to` stay as given, so that `now-1d` moves on."""

    model_config = ConfigDict(populate_by_name=True)

    name: Annotated[str, Field(min_length=1, max_length=200)]
    q: Annotated[str, Field(max_length=10_000)] = ""
    start: Annotated[str | None, Field(alias="from", max_length=64)] = None
    end: Annotated[str | None, Field(alias="to", max_length=64)] = None
    columns: Annotated[list[Name], Field(max_length=100)] = []
    facets: Annotated[list[Name], Field(max_length=100)] = []


class SearchShown(SearchBody):
    """A saved search."""

    n: int
    author: str
    time: str


class MappingBody(BaseModel):
    """A mapping to be saved."""

    name: Annotated[str, Field(max_length=64)]
    mapping: dict[str, Any]


class MappingShown(MappingBody):
    """A saved mapping."""

    author: str
    time: str


@router.get("/cases/{case}/searches")
def saved_searches(case: TheCase, door: TheDoor) -> list[SearchShown]:
    """The saved searches of the case."""
    with door.state.session() as s:
        return [_search(one) for one in searches.of(s, case)]


@router.post("/cases/{case}/searches", status_code=201)
def save_search(case: TheCase, body: SearchBody, who: MayMark, door: TheDoor) -> SearchShown:
    """Save a search."""
    with door.state.session() as s:
        return _search(searches.save(s, case, _saved(body), who.name))


@router.put("/cases/{case}/searches/{search}")
def replace_search(
    case: TheCase, search: int, body: SearchBody, who: MayMark, door: TheDoor
) -> SearchShown:
    """Change a saved search."""
    with door.state.session() as s:
        return _search(searches.replace(s, case, search, _saved(body), who.name))


@router.delete("/cases/{case}/searches/{search}", status_code=204)
def remove_search(case: TheCase, search: int, _who: MayMark, door: TheDoor) -> Response:
    """Forget a saved search."""
    with door.state.session() as s:
        searches.remove(s, case, search)
    return Response(status_code=204)


@router.get("/mappings")
def saved_mappings(_who: Who, door: TheDoor) -> list[MappingShown]:
    """The saved mappings."""
    with door.state.session() as s:
        return [_mapping(one) for one in mappings.every(s)]


@router.post("/mappings", status_code=201)
def save_mapping(body: MappingBody, who: MayAcquire, door: TheDoor) -> MappingShown:
    """Save a mapping; one of the same name is replaced."""
    if len(json.dumps(body.mapping)) > MAPPING_BYTES:
        raise Error(f"A mapping has at most {MAPPING_BYTES >> 10} KiB.")
    door.desk.save_mapping(body.name, body.mapping, who=who.hand)
    with door.state.session() as s:
        return _mapping(mappings.find(s, body.name))


@router.delete("/mappings/{name}", status_code=204)
def remove_mapping(name: str, _who: MayAcquire, door: TheDoor) -> Response:
    """Forget a mapping."""
    with door.state.session() as s:
        mappings.remove(s, name)
    return Response(status_code=204)


def _saved(body: SearchBody) -> searches.Saved:
    return searches.Saved(
        body.name, body.q, body.start or "", body.end or "", list(body.columns), list(body.facets)
    )


def _search(one: searches.SavedSearch) -> SearchShown:
    saved = one.saved
    return SearchShown(
        n=one.id,
        name=saved.name,
        q=saved.query,
        start=saved.start or None,
        end=saved.end or None,
        columns=saved.columns,
        facets=saved.facets,
        author=one.who,
        time=iso(one.at),
    )


def _mapping(one: mappings.Mapping) -> MappingShown:
    return MappingShown(name=one.name, mapping=one.mapping, author=one.who, time=iso(one.at))
