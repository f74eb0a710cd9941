# SPDX-License-Identifier: Apache-2.0
"""Stars and tags, and the way back: undoing gives what would be, had this person not done it.

Several people mark the same events at the same time. What each of them said last is remembered for
a while, also that somebody starred what was starred already: whoever undoes then takes only their
own word back, and the star stays the other's.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock

from locard.state import marks
from locard.state.database import State
from locard.state.given import STAR, Given, Mark, given, put
from locard.state.marks import Change, clean_tag

REMEMBERED = 100_000
"""Words on single marks that are remembered for all people together; the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class _Word:
    """That somebody wants a mark to be there, or not to be there."""

    token: str
    by: Given
    there: bool


@dataclass(slots=True)
class _Story:
    """How a mark became what it is: as it was, and each word on it since."""

    was: Given | None
    words: list[_Word] = field(default_factory=list)

    def now(self) -> Given | None:
        """What it is: a word changes something only where it is not so already."""
        found = self.was
        for word in self.words:
            if (found is not None) != word.there:
                found = word.by if word.there else None
        return found


@dataclass(frozen=True, slots=True)
class _Said:
    case: str
    who: str
    marks: list[Mark]


@dataclass(frozen=True, slots=True)
class Marked:
    """What came of marking."""

    changed: int
    """Events that are marked in another way than before."""
    undo: list[Change]
    """Changes that take it back where nobody remembers any more."""
    token: str
    """What `take_back` knows it by."""


class Marking:
    """Marks events for everybody of one server, and takes back."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._lock = Lock()
        self._stories: dict[tuple[str, Mark], _Story] = {}
        self._said: OrderedDict[str, _Said] = OrderedDict()
        self._words = 0

    def change(self, case: str, changes: Sequence[Change], who: str) -> Marked:
        """Make the changes. Raises `Error` for a tag that will not do."""
        with self._lock:
            with self._state.session() as session:
                meant = list(dict.fromkeys(_meant(changes)))
                before = given(session, case, meant)
                changed, undo = marks.change(session, case, changes, who)
                after = given(session, case, meant)
            token = secrets.token_hex(16)
            self._remember(token, _Said(case, who, meant), before, after)
        return Marked(changed, undo, token)

    def take_back(self, case: str, token: str, who: str) -> int | None:
        """Take a person's own changes back; how many events changed, None when they are forgotten.

        A mark that somebody changed without our knowledge stays as it is.
        """
        with self._lock:
            said = self._said.get(token)
            if said is None or (said.case, said.who) != (case, who):
                return None
            with self._state.session() as session:
                there = given(session, case, said.marks)
                back: dict[Mark, Given | None] = {}
                for mark in said.marks:
                    story = self._stories.get((case, mark))
                    known = story is not None and story.now() == there.get(mark)
                    self._forget(case, mark, token, into_past=False)
                    if story is not None and known and story.now() != there.get(mark):
                        back[mark] = story.now()
                put(session, case, back)
            del self._said[token]
            shown = [mark for mark, now in back.items() if (mark in there) != (now is not None)]
            return len({mark.event for mark in shown})

    def _remember(
        self, token: str, said: _Said, before: dict[Mark, Given], after: dict[Mark, Given]
    ) -> None:
        self._said[token] = said
        now = time.time_ns()
        for mark in said.marks:
            key, was = (said.case, mark), before.get(mark)
            story = self._stories.get(key)
            if story is None or story.now() != was:
                self._words -= len(story.words) if story else 0
                story = self._stories[key] = _Story(was)
            is_now = after.get(mark)
            changed = is_now is not None and is_now != was
            by = is_now if changed and is_now else Given(said.who, now)
            story.words.append(_Word(token, by, is_now is not None))
            self._words += 1
        while self._words > REMEMBERED:
            oldest, old = self._said.popitem(last=False)
            for mark in old.marks:
                self._forget(old.case, mark, oldest, into_past=True)

    def _forget(self, case: str, mark: Mark, token: str, *, into_past: bool) -> None:
        """Drop a word; what it did stays done where it is the past that nobody takes back."""
        story = self._stories.get((case, mark))
        if story is None:
            return
        kept = [word for word in story.words if word.token != token]
        if into_past and len(kept) < len(story.words):
            story.was = _Story(story.was, [w for w in story.words if w.token == token]).now()
        self._words -= len(story.words) - len(kept)
        story.words = kept
        if not kept:
            del self._stories[case, mark]


def _meant(changes: Iterable[Change]) -> Iterable[Mark]:
    """The marks that the changes are about."""
    for one in changes:
        tags = [clean_tag(tag) for tag in (*one.add_tags, *one.remove_tags)]
        for event in one.ids:
            if one.star is not None:
                yield Mark(event, STAR)
            for tag in tags:
                yield Mark(event, tag)
