# SPDX-License-Identifier: Apache-2.0
"""The timeline of a case as it leaves: its rows with tags and comments, and who said them when."""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from locard.cases.export import export
from locard.cases.exporting import columns_of
from locard.evidence.entries import rfc3339
from locard.model.event import Format
from locard.parsers.rows import identify
from locard.state.database import State
from locard.state.remarks import Remark, remarks
from locard.timeline import Search, Timeline

MEMBERS = {Format.PARQUET: "timeline/events.parquet", Format.CSV: "timeline/events.csv.gz"}
MARKS = "marks.json"
_PLACE = ("source", "evidence", "locator")


class Rows:
    """The rows of a case, or those that one piece of evidence gives, written in several forms.

    A record that several pieces of evidence hold stands once in a case, at one of them. A bundle of
    another one of them has the row as that one gives it: at its place there, under the id of that.
    """

    def __init__(
        self,
        timeline: Timeline,
        state: State,
        case: str,
        evidence: str = "",
        excerpts: Sequence[tuple[str, str]] = (),
    ) -> None:
        """`excerpts`: source and beginning of the locators of rows that hold a record in part."""
        self._timeline, self._state, self._evidence = timeline, state, evidence
        query = f"evidence:{evidence}" if evidence else ""
        self._search, self._excerpts = Search(case=case, query=query), tuple(excerpts)
        self.count = 0
        self.in_part = 0
        """Rows that are left out: other evidence holds the record whole, this one a part of it."""
        self._said: dict[str, list[Remark]] = {}

    def written(self, form: Format) -> Iterator[bytes]:
        """All rows, chunk by chunk; CSV is packed with gzip."""
        columns = [*columns_of(None), "comment"]
        self.count = self.in_part = 0
        chunks = export(self._batches(), form, columns, self._tags)
        return _packed(chunks) if form is Format.CSV else chunks

    def marks(self) -> bytes:
        """What was said about the rows that were written, as JSON: who, when, what."""
        found = [one for said in self._said.values() for one in said]
        found.sort(key=lambda one: (one.at, one.event, one.kind, one.text))
        plain = [
            {
                "event": one.event,
                "kind": one.kind,
                "text": one.text,
                "who": one.who,
                "at": rfc3339(one.at),
            }
            for one in found
        ]
        return json.dumps(plain, ensure_ascii=False, indent=1).encode("utf-8", "replace") + b"\n"

    def _batches(self) -> Iterator[pa.RecordBatch]:
        needed = [name for name in columns_of(None) if name != "tag"]
        for batch in self._timeline.export(self._search, needed):
            shown, ids = self._own(batch)
            self.count += shown.num_rows
            yield self._commented(shown, ids)

    def _own(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, list[str]]:
        """The rows as this evidence gives them, and the ids that they have in the case."""
        ids = batch.column("id")
        other = pc.not_equal(batch.column("evidence"), self._evidence)
        if not self._evidence or not pc.any(other).as_py():
            return batch, ids.to_pylist()
        places = self._timeline.places_within(
            self._search.case, self._evidence, ids.filter(other).cast(pa.string())
        )
        shown = {name: batch.column(name).to_pylist() for name in ("id", *_PLACE)}
        keep = [True] * batch.num_rows
        for index in pc.indices_nonzero(other).to_pylist():
            source, evidence, locator = (shown[name][index] for name in _PLACE)
            place = places.get(shown["id"][index])
            keep[index] = place is not None and not self._is_excerpt(source, place)
            if place is not None and shown["id"][index] == _placed(source, evidence, locator):
                shown["id"][index] = _placed(source, self._evidence, place)
            shown["evidence"][index], shown["locator"][index] = self._evidence, place or ""
        for name, values in shown.items():
            at = batch.schema.get_field_index(name)
            batch = batch.set_column(at, name, pa.array(values, pa.string()))
        self.in_part += keep.count(False)
        mask = pa.array(keep)
        return batch.filter(mask), ids.filter(mask).to_pylist()

    def _is_excerpt(self, source: str, place: str) -> bool:
        return any(source == one and place.startswith(start) for one, start in self._excerpts)

    def _commented(self, batch: pa.RecordBatch, ids: list[str]) -> pa.RecordBatch:
        shown = batch.column("id").to_pylist()
        names = dict(zip(ids, shown, strict=True))
        with self._state.session() as session:
            for one in remarks(session, self._search.case, ids):
                own = replace(one, event=names[one.event])
                said = self._said.setdefault(own.event, [])
                if own not in said:
                    said.append(own)
        texts = [
            "\n".join(f"{one.who}: {one.text}" for one in self._of(event, "comment"))
            for event in shown
        ]
        return batch.append_column("comment", pa.array(texts, pa.string()))

    def _tags(self, ids: list[str]) -> dict[str, list[str]]:
        return {event: [one.text for one in self._of(event, "tag")] for event in ids}

    def _of(self, event: str, kind: str) -> list[Remark]:
        return [one for one in self._said.get(event, ()) if one.kind == kind]


def _placed(source: str, evidence: str, locator: str) -> str:
    """The id of a record that is known by its place."""
    return identify(source, [f"{evidence}\0{locator}"])[0]


def _packed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(6, wbits=31)
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()
