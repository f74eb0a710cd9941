# SPDX-License-Identifier: Apache-2.0
"""What of a timeline reaches a person: all of it leaves an entry, so this is the only way to it."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from locard.cases import copies, holdings
from locard.cases.arriving import arriving, receiving
from locard.cases.exporting import columns_of, exported
from locard.cases.trail import Trail
from locard.cases.unfinished import lacking
from locard.evidence import Vault
from locard.model.custody import Hand
from locard.model.errors import Conflict, Missing
from locard.model.event import Event, Format
from locard.settings import Settings
from locard.state import marks
from locard.state.database import State
from locard.timeline import STILL_COMING, Search, Surroundings, Timeline

FEW = 100
"""Unknown events of which it is asked whether their evidence is still being taken in."""
NO_CASE = "-"
"""A name that no case can have: a search in it is understood in full and reads nothing."""


def require_settled(event: Event) -> None:
    """Raises `Conflict` for a row of evidence that is still being taken in."""
    if event.values["evidence"] == STILL_COMING:
        raise Conflict(
            f"The evidence of event {event.id} is still being taken in: it has no id yet, and the "
            "event will get another one.",
            "Search again when adding is done; then the event can be marked and proved.",
        )


class Reading:
    """The part of the desk that reads timelines."""

    settings: Settings
    state: State
    vault: Vault
    trail: Trail

    @property
    def timeline(self) -> Timeline:
        """The timeline store."""
        raise NotImplementedError

    def require_case(self, name: str) -> None:
        """Raises `Missing`, naming the cases there are."""
        with self.state.session() as session:
            holdings.find_case(session, name)

    def lacking(self, case: str | None = None) -> dict[str, int]:
        """The cases of which the timeline has lost all rows, and of how many files each."""
        return lacking(self.state, self.timeline, case)

    def require_rows(self, case: str | None = None) -> None:
        """Raises `Conflict` when the timeline has lost the rows of a case, of this one or of any:
        nothing would be found in it, which is not what it holds."""
        for name, files in self.lacking(case).items():
            those = f"{files:,} files" if files > 1 else "its one file"
            raise Conflict(
                f"The timeline has lost all rows of case {name}, those of {those}.",
                f"Have them read again: locard resume {name}",
            )

    def search(
        self,
        case: str,
        query: str = "",
        *,
        start: int | None = None,
        end: int | None = None,
        zone: str = "UTC",
        who: Hand | str,
    ) -> Search:
        """A search in one case that knows its tags, stars and comments; the ledger says who asks.

        Raises `Missing`.
        """
        self.require_case(case)

        def matching(kind: str, pattern: str) -> Collection[str]:
            with self.state.session() as session:
                return marks.matching(session, case, kind, pattern)

        asked = Search(
            case=case,
            query=query,
            start=start,
            end=end,
            zone=zone,
            marks=matching,
            arriving=arriving(self.settings.home, case),
        )
        self.trail.searched(asked, Hand.of(who))
        return asked

    def check(self, query: str, zone: str = "UTC") -> None:
        """Whether a query can be understood. Raises `BadQuery`, which points at the mistake."""
        nobody = Search(case=NO_CASE, query=query, zone=zone, marks=lambda _kind, _pattern: ())
        self.timeline.count(nobody)

    def values(
        self, case: str, field: str, prefix: str = "", size: int = 20, *, who: Hand | str
    ) -> list[tuple[str, int]]:
        """Values of a field that begin with `prefix`, most frequent first, tags included."""
        if field != "tag":
            self.trail.completed(case, field, Hand.of(who))
            return self.timeline.values(case, field, prefix, size)
        with self.state.session() as session:
            found = marks.tags(session, case)
        start = prefix.casefold()
        return [(tag, n) for tag, n in found if tag.casefold().startswith(start)][:size]

    def event(self, case: str | None, event: str, *, who: Hand | str) -> Event:
        """One event for a person to see, or the one that it became a further place of.

        Raises `Missing` when no case, or not this one, has it.
        """
        coming = arriving(self.settings.home, case) if case else []
        try:
            found = self.timeline.event(event, case, coming)
        except Missing:
            if not (event := copies.successor(self.state, self.timeline, case, event)):
                self.require_rows(case)
                raise
            found = self.timeline.event(event, case)
        evidence, locator = str(found.values["evidence"]), str(found.values["locator"])
        if evidence == STILL_COMING:
            evidence = ""
        self.trail.viewed(found.case, evidence, event, locator, Hand.of(who))
        return found

    def context(
        self, case: str, event: str, minutes: float, rows: int, *, who: Hand | str
    ) -> Surroundings:
        """The events around one event, at most `rows` on each side. Raises `Missing`."""
        coming = arriving(self.settings.home, case)
        found = self.timeline.context(case, event, minutes, rows, coming)
        self.trail.around(case, event, minutes, Hand.of(who))
        return found

    def settled(self, event: str, case: str | None) -> Event:
        """One event, of any case or of this one. Raises as `known` does, and `Missing`."""
        if case:
            self.require_case(case)
        try:
            return self.timeline.event(event, case)
        except Missing:
            if became := copies.successor(self.state, self.timeline, case, event):
                return self.timeline.event(became, case)
            for name in [case] if case else receiving(self.settings.home):
                self.known(name, [event])
            self.require_rows(case)
            raise

    def known(self, case: str, ids: Collection[str]) -> set[str]:
        """Which of these ids are events of this case.

        Raises `Conflict` for one whose evidence is still being taken in: its id will be another.
        """
        found = self.timeline.known(case, ids)
        if (coming := arriving(self.settings.home, case)) and (others := set(ids) - found):
            for event in sorted(others)[:FEW]:
                with suppress(Missing):
                    require_settled(self.timeline.event(event, case, coming))
        return found

    def export(
        self, search: Search, form: Format, columns: Sequence[str] | None = None, *, who: Hand | str
    ) -> Iterator[bytes]:
        """Everything that matches, as a stream of bytes. Raises `Missing` for an unknown column,
        and as `require_rows` does.

        The ledger says who took what, as soon as the stream ends.
        """

        def labels(ids: list[str]) -> dict[str, list[str]]:
            with self.state.session() as session:
                found = marks.marks_of(session, search.case, ids)
            return {one: mark.tags for one, mark in found.items()}

        self.require_rows(search.case)
        chosen, search = columns_of(columns), replace(search, arriving=())
        return exported(self.timeline, self.vault, search, form, chosen, labels, who)
