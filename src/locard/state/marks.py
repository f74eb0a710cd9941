# SPDX-License-Identifier: Apache-2.0
"""What people say about events: stars, tags and comments. Events themselves never change.

Marks name events by id within a case. Every change answers the changes that take it back.
"""

import re
import time
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Delete, ForeignKey, Index, delete, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.model.errors import Denied, Error, Missing
from locard.state.database import Table

LONGEST_TAG = 64
LONGEST_COMMENT = 10_000
_CHUNK = 5_000
"""Ids bound in one statement; SQLite takes 32,766."""


class StarRow(Table):
    """A starred event."""

    __tablename__ = "stars"

    case: Mapped[str] = mapped_column(ForeignKey("cases.name"), primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)
    who: Mapped[str]
    at: Mapped[int]
    """UTC nanoseconds, like the other times."""


class TagRow(Table):
    """One tag of one event."""

    __tablename__ = "tags"
    __table_args__ = (Index("tags_by_tag", "case", "tag"),)

    case: Mapped[str] = mapped_column(ForeignKey("cases.name"), primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True)
    who: Mapped[str]
    at: Mapped[int]


class CommentRow(Table):
    """One comment on one event."""

    __tablename__ = "comments"
    __table_args__ = (Index("comments_by_event", "case", "event"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("cases.name"))
    event: Mapped[str]
    who: Mapped[str]
    at: Mapped[int]
    text: Mapped[str]


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be said about some events. `star` None leaves stars as they are."""

    ids: tuple[str, ...]
    star: bool | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()


@dataclass(slots=True)
class Marks:
    """What was said about one event."""

    starred: bool = False
    tags: list[str] = field(default_factory=list)
    comments: int = 0


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment as people read it; `at` is UTC nanoseconds."""

    id: int
    who: str
    at: int
    text: str


def change(
    session: Session, case: str, changes: Sequence[Change], who: str
) -> tuple[int, list[Change]]:
    """Make the changes in order; gives how many events changed and the changes that undo it all.

    Raises `Error` for a tag that will not do.
    """
    touched: set[str] = set()
    undo: list[Change] = []
    for one in changes:
        back: dict[str, tuple[bool | None, set[str], set[str]]] = {}
        ids = list(dict.fromkeys(one.ids))
        if one.star is not None:
            for event in _star(session, case, ids, one.star, who):
                back[event] = (not one.star, set(), set())
        for tag in dict.fromkeys(clean_tag(tag) for tag in one.add_tags):
            for event in _add_tag(session, case, ids, tag, who):
                back.setdefault(event, (None, set(), set()))[2].add(tag)
        for tag in dict.fromkeys(clean_tag(tag) for tag in one.remove_tags):
            for event in _remove_tag(session, case, ids, tag):
                _, add, remove = back.setdefault(event, (None, set(), set()))
                if tag in remove:
                    remove.discard(tag)
                else:
                    add.add(tag)
        touched.update(back)
        undo[:0] = _grouped(back)
    return len(touched), undo


def marks_of(session: Session, case: str, ids: Iterable[str]) -> dict[str, Marks]:
    """The marks of these events; an event without any is not in the answer."""
    found: dict[str, Marks] = defaultdict(Marks)
    for chunk in _chunks(list(ids)):
        for event in session.scalars(
            select(StarRow.event).where(StarRow.case == case, StarRow.event.in_(chunk))
        ):
            found[event].starred = True
        for event, tag in session.execute(
            select(TagRow.event, TagRow.tag)
            .where(TagRow.case == case, TagRow.event.in_(chunk))
            .order_by(TagRow.at, TagRow.tag)
        ):
            found[event].tags.append(tag)
        for event, count in session.execute(
            select(CommentRow.event, func.count())
            .where(CommentRow.case == case, CommentRow.event.in_(chunk))
            .group_by(CommentRow.event)
        ):
            found[event].comments = count
    return dict(found)


def marked(session: Session, case: str) -> set[str]:
    """The events of a case that somebody starred, tagged or commented on."""
    found: set[str] = set()
    for table in (StarRow, TagRow, CommentRow):
        found.update(session.scalars(select(table.event).where(table.case == case)))
    return found


def follow(session: Session, case: str, became: Mapping[str, str]) -> None:
    """What was said about some events is said about those that they became.

    Where both have the same star or tag, the older one stays.
    """
    for chunk in _chunks(list(became)):
        for star in session.scalars(
            select(StarRow).where(StarRow.case == case, StarRow.event.in_(chunk))
        ).all():
            _move(session, star, session.get(StarRow, (case, became[star.event])), became)
        for tag in session.scalars(
            select(TagRow).where(TagRow.case == case, TagRow.event.in_(chunk))
        ).all():
            _move(session, tag, session.get(TagRow, (case, became[tag.event], tag.tag)), became)
        for comment in session.scalars(
            select(CommentRow).where(CommentRow.case == case, CommentRow.event.in_(chunk))
        ).all():
            comment.event = became[comment.event]


def _move(
    session: Session,
    mark: StarRow | TagRow,
    there: StarRow | TagRow | None,
    became: Mapping[str, str],
) -> None:
    if there is None:
        mark.event = became[mark.event]
        return
    if mark.at < there.at:
        there.who, there.at = mark.who, mark.at
    session.delete(mark)


def tags(session: Session, case: str) -> list[tuple[str, int]]:
    """The tags of a case with how many events have each, most first."""
    count = func.count()
    rows = session.execute(
        select(TagRow.tag, count)
        .where(TagRow.case == case)
        .group_by(TagRow.tag)
        .order_by(count.desc(), TagRow.tag)
    )
    return [(tag, number) for tag, number in rows]


def matching(session: Session, case: str, kind: str, pattern: str) -> Collection[str]:
    """Ids of the events whose marks match, for the query's `tag:`, `starred:` and `comment:`.

    `pattern` may hold `*` and `?`, a backslash takes their meaning away; case is ignored. A tag
    matches as a whole, a comment anywhere. For `starred` the pattern is not looked at: the answer
    is the starred events, and the query negates it for `starred:false`.
    Raises `ValueError` for an unknown kind.
    """
    if kind == "starred":
        return set(session.scalars(select(StarRow.event).where(StarRow.case == case)))
    wanted = _regex(pattern)
    if kind == "tag":
        names = [tag for tag, _ in tags(session, case) if wanted.fullmatch(tag)]
        return set(
            session.scalars(select(TagRow.event).where(TagRow.case == case, TagRow.tag.in_(names)))
        )
    if kind == "comment":
        rows = session.execute(
            select(CommentRow.event, CommentRow.text).where(CommentRow.case == case)
        )
        return {event for event, text in rows if wanted.search(text)}
    raise ValueError(f"no marks of kind {kind!r}")


def comments(session: Session, case: str, event: str) -> list[Comment]:
    """The comments on an event, oldest first."""
    rows = session.scalars(
        select(CommentRow)
        .where(CommentRow.case == case, CommentRow.event == event)
        .order_by(CommentRow.id)
    )
    return [Comment(id=row.id, who=row.who, at=row.at, text=row.text) for row in rows]


def add_comment(session: Session, case: str, event: str, text: str, who: str) -> Comment:
    """Say something about an event. Raises `Error` when it is empty or too long."""
    text = clean_comment(text)
    row = CommentRow(case=case, event=event, who=who, at=time.time_ns(), text=text)
    session.add(row)
    session.flush()
    return Comment(id=row.id, who=row.who, at=row.at, text=row.text)


def remove_comment(session: Session, case: str, event: str, comment: int, who: str) -> None:
    """Take back one's own comment. Raises `Missing`, or `Denied` when somebody else wrote it."""
    row = session.get(CommentRow, comment)
    if row is None or row.case != case or row.event != event:
        raise Missing(f"There is no comment {comment} on this event.")
    if row.who != who:
        raise Denied("Only the person who wrote a comment can remove it.")
    session.delete(row)


def clean_comment(text: str) -> str:
    """The comment as it is kept. Raises `Error` when it is empty or too long."""
    text = text.strip()
    if not text:
        raise Error("A comment needs some text.")
    if len(text) > LONGEST_COMMENT:
        raise Error(f"A comment has at most {LONGEST_COMMENT} characters.")
    return text


def clean_tag(tag: str) -> str:
    """The tag as it is kept. Raises `Error` when it is empty, too long, or hides characters."""
    tag = unicodedata.normalize("NFC", tag).strip()
    if not tag or len(tag) > LONGEST_TAG:
        raise Error(f"A tag has 1 to {LONGEST_TAG} characters.")
    if any(unicodedata.category(letter)[0] in "CZ" and letter != " " for letter in tag):
        raise Error("A tag has no control or invisible characters.")
    return tag


def _star(session: Session, case: str, ids: list[str], star: bool, who: str) -> list[str]:
    """Star or unstar; gives the events for which that was a change."""
    changed: list[str] = []
    for chunk in _chunks(ids):
        there = StarRow.case == case, StarRow.event.in_(chunk)
        already = set(session.scalars(select(StarRow.event).where(*there)))
        if star:
            new = [event for event in chunk if event not in already]
            now = time.time_ns()
            rows = [{"case": case, "event": event, "who": who, "at": now} for event in new]
            if rows:
                session.execute(insert(StarRow).on_conflict_do_nothing(), rows)
            changed += new
        else:
            session.execute(delete(StarRow).where(*there))
            changed += [event for event in chunk if event in already]
    return changed


def _add_tag(session: Session, case: str, ids: list[str], tag: str, who: str) -> list[str]:
    changed: list[str] = []
    for chunk in _chunks(ids):
        already = set(
            session.scalars(
                select(TagRow.event).where(
                    TagRow.case == case, TagRow.tag == tag, TagRow.event.in_(chunk)
                )
            )
        )
        new = [event for event in chunk if event not in already]
        now = time.time_ns()
        rows = [{"case": case, "event": event, "tag": tag, "who": who, "at": now} for event in new]
        if rows:
            session.execute(insert(TagRow).on_conflict_do_nothing(), rows)
        changed += new
    return changed


def _remove_tag(session: Session, case: str, ids: list[str], tag: str) -> list[str]:
    changed: list[str] = []
    for chunk in _chunks(ids):
        there = TagRow.case == case, TagRow.tag == tag, TagRow.event.in_(chunk)
        changed += session.scalars(select(TagRow.event).where(*there))
        gone: Delete = delete(TagRow).where(*there)
        session.execute(gone)
    return changed


def _grouped(back: dict[str, tuple[bool | None, set[str], set[str]]]) -> list[Change]:
    """One change for all events that need the same to get back."""
    groups: dict[tuple[bool | None, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for event, (star, add, remove) in back.items():
        groups.setdefault((star, tuple(sorted(add)), tuple(sorted(remove))), []).append(event)
    return [
        Change(tuple(ids), star, add, remove)
        for (star, add, remove), ids in groups.items()
        if star is not None or add or remove
    ]


def _regex(pattern: str) -> re.Pattern[str]:
    parts = re.findall(r"\\(.)|(.)", pattern, re.DOTALL)
    meaning = {"*": ".*", "?": "."}
    text = "".join(re.escape(kept) or meaning.get(free) or re.escape(free) for kept, free in parts)
    return re.compile(text, re.IGNORECASE | re.DOTALL)


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
