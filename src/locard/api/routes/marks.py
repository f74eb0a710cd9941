# SPDX-License-Identifier: Apache-2.0
"""Stars, tags and comments on events."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from locard.api.allowed import MayMark, MayView
from locard.api.door import TheDoor
from locard.api.places import TheCase, TheEvent
from locard.api.times import iso
from locard.model.errors import Error, Missing
from locard.state import marks

router = APIRouter(prefix="/api/cases/{case}", tags=["marks"])

MOST_IDS = 50_000

EventId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Tag = Annotated[str, Field(max_length=200)]


class MarkChange(BaseModel):
    """What is to be said about some events; `star` null leaves the stars as they are."""

    ids: Annotated[list[EventId], Field(max_length=MOST_IDS)] = []
    star: bool | None = None
    add_tags: Annotated[list[Tag], Field(max_length=100)] = []
    remove_tags: Annotated[list[Tag], Field(max_length=100)] = []


class MarkRequest(MarkChange):
    """One change, and further ones made together with it, such as an undo gives them."""

    changes: Annotated[list[MarkChange], Field(max_length=1000)] = []
    takes_back: Annotated[
        str,
        Field(
            max_length=64,
            description="names what an undo takes back; as long as the server remembers it, "
            "that is taken back exactly and what others marked meanwhile stays",
        ),
    ] = ""


class Marked(BaseModel):
    """How many events changed, and what to post to the same address to take it back."""

    changed: int
    undo: MarkRequest


class TagCount(BaseModel):
    """A tag and how many events have it."""

    tag: str
    count: int


class NewComment(BaseModel):
    """What somebody says about an event."""

    text: Annotated[str, Field(max_length=marks.LONGEST_COMMENT)]


class CommentShown(BaseModel):
    """A comment; `own` says whether whoever asks may remove it."""

    n: int
    author: str
    time: str
    text: str
    own: bool


@router.post("/marks")
def mark(case: TheCase, asked: MarkRequest, who: MayMark, door: TheDoor) -> Marked:
    """Star, unstar, tag and untag events."""
    changes = [
        marks.Change(tuple(one.ids), one.star, tuple(one.add_tags), tuple(one.remove_tags))
        for one in (asked, *asked.changes)
        if one.ids
    ]
    ids = list(dict.fromkeys(event for one in changes for event in one.ids))
    if len(ids) > MOST_IDS:
        raise Error(f"At most {MOST_IDS:,} events can be marked at once.")
    strangers = set(ids) - door.desk.known(case, ids)
    if strangers:
        raise Missing(
            f"The case has no event {min(strangers)}.", "Nothing was marked. Reload the timeline."
        )
    if asked.takes_back:
        changed = door.marking.take_back(case, asked.takes_back, who.name)
        if changed is not None:
            return Marked(changed=changed, undo=MarkRequest())
    made = door.marking.change(case, changes, who.name)
    back = [
        MarkChange(
            ids=list(one.ids),
            star=one.star,
            add_tags=list(one.add_tags),
            remove_tags=list(one.remove_tags),
        )
        for one in made.undo
    ]
    return Marked(changed=made.changed, undo=_one(back, made.token))


@router.get("/tags")
def tags(case: TheCase, door: TheDoor) -> list[TagCount]:
    """The tags of the case, the most frequent first."""
    with door.state.session() as s:
        return [TagCount(tag=tag, count=count) for tag, count in marks.tags(s, case)]


@router.get("/events/{event}/comments")
def comments(case: TheCase, event: TheEvent, who: MayView, door: TheDoor) -> list[CommentShown]:
    """The comments on an event, oldest first."""
    with door.state.session() as s:
        return [_comment(one, who.name) for one in marks.comments(s, case, event)]


@router.post("/events/{event}/comments", status_code=201)
def comment(
    case: TheCase, who: MayMark, event: TheEvent, new: NewComment, door: TheDoor
) -> CommentShown:
    """Comment on an event."""
    with door.state.session() as s:
        return _comment(marks.add_comment(s, case, event, new.text, who.name), who.name)


@router.delete("/events/{event}/comments/{comment}", status_code=204)
def remove_comment(
    case: TheCase, who: MayMark, event: TheEvent, comment: int, door: TheDoor
) -> Response:
    """Remove one's own comment."""
    with door.state.session() as s:
        marks.remove_comment(s, case, event, comment, who.name)
    return Response(status_code=204)


def _one(changes: list[MarkChange], token: str) -> MarkRequest:
    """The changes as one request: a single one keeps the plain shape."""
    if len(changes) == 1:
        return MarkRequest(**changes[0].model_dump(), takes_back=token)
    return MarkRequest(changes=changes, takes_back=token)


def _comment(one: marks.Comment, who: str) -> CommentShown:
    return CommentShown(
        n=one.id, author=one.who, time=iso(one.at), text=one.text, own=one.who == who
    )
