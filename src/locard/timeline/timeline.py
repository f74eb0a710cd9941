# SPDX-License-Identifier: Apache-2.0
"""The timeline: everything above reads and writes events through this one class."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import pyarrow as pa

from locard.model.event import FACETS, Event
from locard.timeline import arriving, folding, measure, read, removal, schema, words
from locard.timeline.asking import Asking
from locard.timeline.client import Client
from locard.timeline.excerpts import Excerpts, fold
from locard.timeline.known import known, places_within
from locard.timeline.read import Place
from locard.timeline.results import (
    Count,
    Facets,
    Histogram,
    Page,
    Row,
    Summary,
    Surroundings,
    Written,
)
from locard.timeline.search import Arriving, Search
from locard.timeline.together import Together
from locard.timeline.write import write


def connect(folder: Path) -> "Timeline":
    """The timeline that lives in a folder; its store process is started when none answers.

    Raises `Storage` when the folder cannot be used.
    """
    timeline = Timeline(Client(folder))
    timeline.ping()
    return timeline


class Timeline:
    """Events of all cases. Used from several threads at once; writes are serialised per case.

    Every method raises `Storage` when the store cannot be reached or written, `TooSlow` when a
    query meets its time bound, and those that take a `Search` raise `BadQuery`.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._together = Together(client)
        self._importing = False
        self._written = 0
        """Batches since the last index."""

    def __enter__(self) -> "Timeline":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections. The store process stays for others and ends when idle."""
        self._client.close()

    def ping(self) -> None:
        """Make sure that the store answers."""
        self._client.table("SELECT 1 AS one")

    def end(self, asking: Asking) -> None:
        """End the queries of `asking()` that run, and let none of them begin any more."""
        self._client.end(asking)

    def write(self, case: str, rows: pa.RecordBatch | pa.Table) -> Written:
        """Write rows (schema `parsers.rows.SCHEMA`) into a case as one atomic block.

        Rows whose id the case has already are not written again; a further place of theirs becomes
        a sighting. When this returns, the rows are on the disk. Writing the same batch again adds
        nothing, so a write of unknown outcome is simply repeated.
        """
        self._client.require_room()
        if not self._importing:
            words.importing(self._client, True)
            self._importing, self._written = True, 0
        self._written += 1
        if self._written == words.PARTS:
            words.importing(self._client, True, merged=True)
        return write(self._client, case, rows)

    def show(self, case: str, arrival: str, group: int, batch: pa.RecordBatch) -> None:
        """Make rows of evidence that is still coming in searchable, apart from the case's own."""
        arriving.show(self._client, case, arrival, group, batch)

    def hide(self, case: str, arrival: str, group: int) -> None:
        """Remove one group of the rows of an arrival."""
        arriving.hide(self._client, case, arrival, group)

    def clear(self, case: str, alive: Callable[[], Collection[str]]) -> None:
        """Remove the rows of all arrivals in a case that are not `alive`."""
        arriving.clear(self._client, case, alive)

    def unheld(self, case: str, batch: pa.RecordBatch, ids: pa.Array) -> pa.RecordBatch:
        """The rows of a batch that the case does not hold under `ids` in the same words."""
        return arriving.unheld(self._client, case, batch, ids)

    def forget(self, case: str, evidence: str) -> None:
        """Remove the rows of a case that stand on this evidence, before it is read in another way.

        Rows that other evidence holds too stay: they are events by what they say, and not by where
        they were found, so that reading them in another way gives the same.
        """
        self._client.require_room()
        self._client.command(
            f"""DELETE FROM {schema.DATABASE}.events WHERE `case` = {{case:String}}
AND evidence = {{evidence:String}} AND id NOT IN
(SELECT id FROM {schema.DATABASE}.sightings WHERE `case` = {{case:String}})""",
            {"case": case, "evidence": evidence},
            {"lightweight_deletes_sync": 1},
        )

    def drop(self, case: str) -> None:
        """Remove all rows and sightings of a case."""
        for table in ("events", "sightings"):
            self._client.command(
                f"ALTER TABLE {schema.DATABASE}.{table} DROP PARTITION {{case:String}}",
                {"case": case},
            )

    def sharing(self, case: str, evidence: Collection[str]) -> list[str]:
        """Which other evidence holds some of the records whose rows stand on this evidence."""
        return removal.sharing(self._client, case, evidence)

    def remove(self, case: str, evidence: Collection[str]) -> None:
        """Remove all that stands on this evidence, rows that others hold too included, for good.

        What others hold (`sharing`) comes back when they are parsed again. Twice does no harm.
        """
        self._client.require_room()
        removal.remove(self._client, case, evidence)

    def fold(self, case: str, found: Excerpts, kept: Collection[str] = ()) -> int:
        """Rows that are excerpts of records in the case become sightings of these; how many.

        Rows whose ids are in `kept` stay: somebody marked them.
        """
        self._client.require_room()
        return fold(self._client, case, found, kept)

    def alike(self, case: str, part: str, whole: str) -> dict[str, str]:
        """The rows of evidence `part` that `whole` gives too, by id, with the ids of these.

        They have the same place in their evidence, and every column says the same.
        """
        return folding.alike(self._client, case, part, whole)

    def fold_into(self, case: str, into: Mapping[str, str]) -> None:
        """Rows become places of the rows that they are mapped to. Twice does no harm."""
        self._client.require_room()
        folding.fold(self._client, case, into)

    def places(self, case: str, part: str, whole: str) -> list[tuple[str, str, str]]:
        """Id, source and further place in `part` of the rows of `whole` that have one there."""
        return folding.places(self._client, case, part, whole)

    def separate(self, case: str, part: str, whole: str) -> None:
        """Take the further places in `part` from the rows of `whole`."""
        self._client.require_room()
        folding.separate(self._client, case, part, whole)

    def index(self, case: str, progress: Callable[[int, int], None] | None = None) -> None:
        """Build the text index of a case where it is missing; returns when it is there.

        `progress` is told rows that are indexed and rows in all. Searching goes on meanwhile.
        """
        self._client.require_room()
        self._importing = False
        words.build(self._client, case, progress)

    def count(self, search: Search) -> Count:
        """How many events match."""
        return self._together.count(search)

    def page(
        self,
        search: Search,
        limit: int = 200,
        cursor: str | None = None,
        offset: int = 0,
        order: str = "asc",
        columns: Sequence[str] | None = None,
    ) -> Page:
        """A page in order of time and id, `asc` or `desc`, of at most `limit` (10,000) rows.

        `cursor` is `next` or `previous` of another page of the same search and order, and costs the
        same at any depth. `offset` skips rows and costs more the deeper it goes.
        """
        return self._together.page(search, Place(limit, cursor, offset, order, columns))

    def event(self, id: str, case: str | None = None, coming: Sequence[Arriving] = ()) -> Event:
        """One event with its sightings. Raises `Missing`."""
        return read.event(self._client, id, case, coming)

    def known(self, case: str, ids: Collection[str]) -> set[str]:
        """Which of these ids are events of the case."""
        return known(self._client, case, ids)

    def places_within(self, case: str, evidence: str, ids: pa.Array) -> dict[str, str]:
        """Where in this evidence those of the events stand that have a further place there."""
        return places_within(self._client, case, evidence, ids)

    def sightings(self, case: str, id: str) -> list[tuple[str, str]]:
        """The further places, (evidence, locator), that hold the same record."""
        return read.sightings(self._client, case, id)

    def context(
        self,
        case: str,
        id: str,
        minutes: float = 5,
        most: int = read.CONTEXT_ROWS,
        coming: Sequence[Arriving] = (),
    ) -> Surroundings:
        """The events ±`minutes` around an event across all sources, `most` (500) a side."""
        return read.context(self._client, case, id, minutes, most, coming)

    def export(
        self, search: Search, columns: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Everything that matches, in order of time, streamed in batches of bounded size.

        `time` is a timestamp in UTC nanoseconds, null for undated rows.
        """
        return read.batches(self._client, search, columns)

    def histogram(
        self, search: Search, buckets: int = 120, by: str = "source", outliers: bool = True
    ) -> Histogram:
        """Events over time in at most `buckets` buckets of a width that people use.

        Without `outliers`, few events that are far away in time are counted and have no bucket.
        """
        return self._together.histogram(search, buckets, by, outliers)

    def facets(self, search: Search, fields: Sequence[str] = FACETS, size: int = 10) -> Facets:
        """The most frequent values of each field among the events that match."""
        return self._together.facets(search, fields, size)

    def values(
        self, case: str, field: str, prefix: str = "", size: int = 20
    ) -> list[tuple[str, int]]:
        """Values of a field that begin with `prefix` (any case), most frequent first."""
        return measure.values(self._client, case, field, prefix, size)

    def span(self, case: str) -> tuple[int, int] | None:
        """First and last time of a case; None when it has no dated event."""
        return measure.span(self._client, case)

    def cases(self) -> set[str]:
        """The cases that have rows, of which none is read."""
        return measure.cases(self._client)

    def summary(self, case: str) -> Summary:
        """A case in numbers."""
        return measure.summaries(self._client, case).get(case, Summary())

    def summaries(self) -> dict[str, Summary]:
        """Every case that has rows, in numbers: one reading for all of them."""
        return measure.summaries(self._client)

    def evidence_counts(self, case: str) -> dict[str, int]:
        """Rows by evidence, sightings not counted."""
        return measure.evidence_counts(self._client, case)

    def rows_of(self, case: str, evidence: str) -> int:
        """How many rows of a case stand on this evidence, sightings not counted."""
        return read.rows_of(self._client, case, evidence)


__all__ = ["Row", "Timeline", "connect"]
