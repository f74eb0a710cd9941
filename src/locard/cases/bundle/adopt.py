# SPDX-License-Identifier: Apache-2.0
"""What the sender's people said about events, taken over from a bundle: stars, tags, comments.

Whoever said it stays named together with the ledger that it came from, so that nobody here is taken
for somebody there. Events bear the same ids in both installations, because an id is made of
evidence and content. What will not do is passed over with the reason, and the whole file is kept
with the sender's record anyway.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from locard.cases.bundle.rows import MARKS
from locard.model.errors import Error
from locard.state import marks
from locard.state.database import State
from locard.state.remarks import Remark, adopt
from locard_verify.container import Container, whole

LARGEST = 256 << 20
"""Bytes of the marks of a bundle that are looked at."""
LONGEST_NAME = 120
NAMED = 20
"""Marks that were passed over and are named; all are counted."""
_EVENT = re.compile(r"[0-9a-f]{16,64}")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z")


@dataclass(slots=True)
class Adopted:
    """What came of the marks of a bundle."""

    stars: int = 0
    tags: int = 0
    comments: int = 0
    known: int = 0
    """Those that the case had already."""
    passed_over: int = 0
    reasons: list[str] = field(default_factory=list)
    """Why, of the first of them."""
    events: set[str] = field(default_factory=set)
    """The events that something new was said about."""

    @property
    def text(self) -> str:
        """In words, for a ledger and for people."""
        counts = ((self.stars, "star"), (self.tags, "tag"), (self.comments, "comment"))
        said = ", ".join(f"{count:,} {one}{'s' * (count != 1)}" for count, one in counts)
        said += f"; {self.known:,} were here already" if self.known else ""
        return said + (f"; {self.passed_over:,} were passed over" if self.passed_over else "")


def adopted(state: State, case: str, container: Container, origin: str) -> Adopted:
    """Take the marks of a bundle over into a case; `origin` is the name of the sender's ledger.

    A bundle without marks gives none. Raises `Refused` for a file of marks that is far too large.
    """
    found = Adopted()
    name = f"data/{MARKS}"
    if name not in container.members:
        return found
    try:
        said = json.loads(whole(container, name, LARGEST))
    except (ValueError, RecursionError) as error:
        said = None
        found.reasons.append(f"{MARKS} cannot be read: {type(error).__name__}")
    if not isinstance(said, list):
        found.passed_over = 1
        found.reasons = found.reasons or [f"{MARKS} holds no list"]
        return found
    with state.session() as session:
        for one, new in adopt(session, case, _clean(said, origin, found)):
            if not new:
                found.known += 1
                continue
            found.events.add(one.event)
            if one.kind == "star":
                found.stars += 1
            elif one.kind == "tag":
                found.tags += 1
            else:
                found.comments += 1
    return found


def _clean(said: list[Any], origin: str, found: Adopted) -> Iterator[Remark]:
    """The marks that will do; others are counted in `found`."""
    for number, one in enumerate(said, 1):
        try:
            yield _remark(one, origin)
        except (Error, ValueError, KeyError, TypeError, AttributeError) as error:
            found.passed_over += 1
            if len(found.reasons) < NAMED:
                why = error.message if isinstance(error, Error) else "it is not of the form"
                found.reasons.append(f"mark {number}: {why}")


def _remark(one: Any, origin: str) -> Remark:
    """One mark. Raises `Error` or `ValueError` for what none can be."""
    event, kind, text = str(one["event"]), one["kind"], str(one["text"])
    if not _EVENT.fullmatch(event):
        raise Error("it names no event.")
    if kind == "tag":
        text = marks.clean_tag(text)
    elif kind == "comment":
        text = marks.clean_comment(text)
    elif kind == "star":
        text = ""
    else:
        raise Error("it is neither star, tag nor comment.")
    name = "".join(letter for letter in str(one["who"]) if letter.isprintable())
    return Remark(event, kind, text, f"{name[:LONGEST_NAME] or '?'} ({origin})", _at(one["at"]))


def _at(text: str) -> int:
    """UTC nanoseconds. Raises `ValueError`."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise Error("it does not say when.")
    second = datetime.fromisoformat(f"{found[1]}+00:00")
    return int(second.timestamp()) * 1_000_000_000 + int((found[2] or "0").ljust(9, "0"))
