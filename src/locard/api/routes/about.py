# SPDX-License-Identifier: Apache-2.0
"""What this installation is, and what an event consists of."""

from fastapi import APIRouter
from pydantic import BaseModel

from locard import __version__
from locard.api.allowed import Open, Who
from locard.api.door import TheDoor
from locard.model.event import COLUMNS, QUERY_FIELDS
from locard.parsers import catalogue

router = APIRouter(prefix="/api", tags=["about"])


class Health(BaseModel):
    """The server answers."""

    ok: bool


class About(BaseModel):
    """This installation; `confinement` says which walls stand around the parsing workers."""

    version: str
    confinement: str


class Field(BaseModel):
    """A field of events; `query` says whether documentation and completion show it first."""

    name: str
    kind: str
    title: str
    facet: bool
    query: bool


class ParserShown(BaseModel):
    """What evidence can be read as; the id is what `as` takes when evidence is added."""

    id: str
    title: str


_MARKS = {
    "tag": "a tag that somebody gave",
    "starred": "true when somebody starred it",
    "comment": "text of a comment that somebody wrote",
    "case": "the case it belongs to",
}


@router.get("/health", dependencies=[Open])
def health() -> Health:
    """Whether the server answers."""
    return Health(ok=True)


@router.get("/about")
def about(_who: Who, door: TheDoor) -> About:
    """What this installation is."""
    return About(version=__version__, confinement=door.desk.confinement)


@router.get("/fields")
def fields(_who: Who) -> list[Field]:
    """The fields that can be queried and shown, those that are used most first."""
    found = [
        Field(
            name=column.name,
            kind=column.kind.value,
            title=column.title,
            facet=column.facet,
            query=column.name in QUERY_FIELDS,
        )
        for column in COLUMNS
    ]
    found += [
        Field(name=name, kind="word", title=title, facet=False, query=name in QUERY_FIELDS)
        for name, title in _MARKS.items()
    ]
    order = {name: place for place, name in enumerate(QUERY_FIELDS)}
    return sorted(found, key=lambda field: order.get(field.name, len(order)))


@router.get("/parsers")
def parsers(_who: Who) -> list[ParserShown]:
    """What can be read."""
    return [ParserShown(id=one.id, title=one.title) for one in catalogue.load()]
