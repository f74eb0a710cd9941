# SPDX-License-Identifier: Apache-2.0
"""The timeline of a case as it leaves: its rows with tags and comments, and who said them when."""

import json
import zlib
from collections.abc import Iterable, Iterator

import pyarrow as pa

from locard.cases.export import export
from locard.cases.exporting import columns_of
from locard.evidence.entries import rfc3339
from locard.model.event import Format
from locard.state.database import State
from locard.state.remarks import Remark, remarks
from locard.timeline import Search, Timeline

MEMBERS = {Format.PARQUET: "timeline/events.parquet", Format.CSV: "timeline/events.csv.gz"}
MARKS = "marks.json"


class Rows:
    """The rows of one search, to be written in several forms."""

    def __init__(self, timeline: Timeline, state: State, search: Search) -> None:
        self._timeline, self._state, self._search = timeline, state, search
        self.count = 0
        self._said: dict[str, list[Remark]] = {}

    def written(self, form: Format) -> Iterator[bytes]:
        """All rows, chunk by chunk; CSV is packed with gzip."""
        columns = [*columns_of(None), "comment"]
        self.count = 0
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
            self.count += batch.num_rows
            yield self._commented(batch)

    def _commented(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        ids = batch.column("id").to_pylist()
        with self._state.session() as session:
            for one in remarks(session, self._search.case, ids):
                said = self._said.setdefault(one.event, [])
                if one not in said:
                    said.append(one)
        texts = [
            "\n".join(f"{one.who}: {one.text}" for one in self._of(event, "comment"))
            for event in ids
        ]
        return batch.append_column("comment", pa.array(texts, pa.string()))

    def _tags(self, ids: list[str]) -> dict[str, list[str]]:
        return {event: [one.text for one in self._of(event, "tag")] for event in ids}

    def _of(self, event: str, kind: str) -> list[Remark]:
        return [one for one in self._said.get(event, ()) if one.kind == kind]


def _packed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(6, wbits=31)
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()
