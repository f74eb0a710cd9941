# SPDX-License-Identifier: Apache-2.0
"""Sealed bundles of a case: begin one, see those that lie ready, take one, remove one.

A bundle is written in a process of its own, whose progress stands with the case's other jobs.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field
from starlette.responses import StreamingResponse

from locard.api.allowed import MaySeal
from locard.api.door import TheDoor
from locard.api.places import TheCase
from locard.api.routes.evidence import attachment, chunks
from locard.api.times import iso

router = APIRouter(prefix="/api/cases/{case}/bundles", tags=["bundles"])

Name = Annotated[str, Path(max_length=200)]


class NewBundle(BaseModel):
    """What a bundle is to hold. Without `exhibit` it is the whole case."""

    exhibit: str = Field(default="", max_length=100)
    references: bool = False
    reason: str = Field(min_length=1, max_length=500)


class BundleBegun(BaseModel):
    """The name that the bundle will be kept under when its job has ended."""

    name: str


class BundleShown(BaseModel):
    """A bundle that lies ready."""

    name: str
    size: int
    made: str


class BundleList(BaseModel):
    """The bundles that lie ready, and the key that a receiver has to compare.

    `fingerprint` is of the key that the ledger was begun with, to be told by another way.
    """

    fingerprint: str
    bundles: list[BundleShown]


@router.get("")
def bundles(case: TheCase, _who: MaySeal, door: TheDoor) -> BundleList:
    """The bundles that lie ready, the newest first."""
    found = door.desk.bundles.kept(case)
    return BundleList(
        fingerprint=door.desk.bundles.fingerprint(),
        bundles=[BundleShown(name=one.name, size=one.size, made=iso(one.made)) for one in found],
    )


@router.post("", status_code=202)
def make_bundle(case: TheCase, new: NewBundle, who: MaySeal, door: TheDoor) -> BundleBegun:
    """Begin to write a sealed bundle; its progress is that of a job of the case."""
    name = door.desk.bundles.begin(
        case,
        exhibit=new.exhibit,
        references=new.references,
        reason=new.reason,
        who=who.hand,
    )
    return BundleBegun(name=name)


@router.get(
    "/{name}",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}, "description": "The bundle"}},
)
def bundle(case: TheCase, name: Name, who: MaySeal, door: TheDoor) -> StreamingResponse:
    """A bundle as a zip; the ledger says who took it."""
    file = door.desk.bundles.open(case, name, who=who.hand)
    size = file.seek(0, 2)
    file.seek(0)
    headers = {"content-disposition": attachment(name), "content-length": str(size)}
    return StreamingResponse(chunks(file), 200, headers, "application/zip")


@router.delete("/{name}", status_code=204)
def remove_bundle(case: TheCase, name: Name, _who: MaySeal, door: TheDoor) -> Response:
    """Remove a bundle that lies ready. It is a copy: evidence and ledger stay as they are."""
    door.desk.bundles.remove(case, name)
    return Response(status_code=204)
