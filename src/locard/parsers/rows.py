# SPDX-License-Identifier: Apache-2.0
"""Rows on their way out of a parser: columns are gathered and leave as Arrow batches.

A batch holds at most `BATCH_ROWS` rows and about `BATCH_BYTES` of raw record, so that one insert
is one atomic block of the store and memory stays bounded whatever the evidence is.
"""

import time as clock
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypeAlias, cast

import pyarrow as pa

from locard.model.event import COLUMNS, Kind

BATCH_ROWS = 100_000
BATCH_BYTES = 64 << 20
FIRST_SECONDS = 1.0
"""A batch that is this old leaves although it is small: the first rows must be seen soon."""

SMALL = 256
"""Rows up to which empty columns are kept for the next batch of the same length."""

ARROW: dict[Kind, pa.DataType] = {
    Kind.TIME: pa.timestamp("ns", "UTC"),
    Kind.WORD: pa.string(),
    Kind.TEXT: pa.string(),
    Kind.ADDRESS: pa.string(),
    Kind.PORT: pa.uint16(),
    Kind.BYTES: pa.binary(),
    Kind.MAP: pa.map_(pa.string(), pa.string()),
}

SCHEMA = pa.schema([pa.field(c.name, ARROW[c.kind]) for c in COLUMNS])
"""The Arrow schema that every parser writes. Only `time` may be null."""

_DEFAULTS: dict[Kind, Any] = {Kind.PORT: 0, Kind.BYTES: b"", Kind.MAP: (), Kind.TIME: None}
_KINDS = {c.name: c.kind for c in COLUMNS}

Values: TypeAlias = Sequence[Any] | pa.Array | str | int | None
"""A column of a batch: a sequence as long as the batch, or one value for all of its rows."""


def identify(source: str, identity: Iterable[str]) -> list[str]:
    """Event ids for `identity`, one text for each record: the same content gives the same id."""
    start = blake2b(source.encode() + b"\0", digest_size=16)
    ids = []
    for text in identity:
        digest = start.copy()
        digest.update(text.encode("utf-8", "surrogatepass"))
        ids.append(digest.hexdigest())
    return ids


class Rows:
    """Takes rows from a parser and hands Arrow batches to `sink`.

    Every row is a record, one that has a problem included: `seen` counts what a parser handed in,
    `written` what left for the parent. When they differ in the end rows were lost on the way.
    """

    def __init__(
        self,
        sink: Callable[[pa.RecordBatch], None],
        evidence: str,
        source: str,
        version: str,
        *,
        often: bool = False,
    ) -> None:
        """`often`: every batch leaves after `FIRST_SECONDS`, because reading takes long."""
        self._often = often
        self.sink = sink
        self.evidence = evidence
        self.source = source
        self.version = version
        self.seen = 0
        self.written = 0
        self.problems = 0
        self.facts: dict[str, str] = {}
        """Findings about the file as a whole, kept in the catalogue, such as a decoded digest."""
        self._batches: list[pa.RecordBatch] = []
        self._loose: list[dict[str, Any]] = []
        self._rows = 0
        self._bytes = 0
        self._since = clock.monotonic()

    def columns(
        self,
        count: int,
        values: Mapping[str, Values],
        *,
        identity: Sequence[str] | None = None,
    ) -> None:
        """Append `count` rows given as columns; a column that is not named stays empty.

        `identity` gives each record a natural identity (such as the CloudTrail event id with the
        content), so that two files with the same record give one event. Without it the identity is
        the place: evidence and locator, which must then be unique within the evidence.
        """
        if count == 0:
            return
        self._fold()
        self.seen += count
        self._append(count, values, identity)

    def row(self, *, identity: str | None = None, **values: Any) -> None:
        """Append one row. `columns` is many times faster for many rows of the same shape."""
        self._loose.append({"_identity": identity, **values})
        self.seen += 1
        self._rows += 1
        self._bytes += len(values.get("raw", b""))
        self._leave_when_full()

    def problem(self, problem: str, raw: bytes, locator: str, **values: Any) -> None:
        """Append a record that could not be read: nothing is lost, and nothing is silent."""
        self.row(problem=problem, raw=raw, locator=locator, **values)

    def leave(self) -> None:
        """Hand over what is there."""
        self._fold()
        self._leave()

    def close(self) -> None:
        """Hand over what is left."""
        self.leave()

    def _append(
        self,
        count: int,
        values: Mapping[str, Values],
        identity: Sequence[str] | None,
    ) -> None:
        source = values.get("source", self.source)
        filled: dict[str, Values] = {
            "source": self.source,
            "source_version": self.version,
            "evidence": self.evidence,
            **values,
        }
        if "id" not in filled:
            locators = filled["locator"]
            if identity is None:
                identity = [f"{self.evidence}\0{locator}" for locator in _each(locators, count)]
            filled["id"] = identify(source if isinstance(source, str) else self.source, identity)
        unknown = filled.keys() - _KINDS.keys()
        if unknown:
            raise ValueError(f"no such column: {', '.join(sorted(unknown))}")
        arrays = [_array(filled.get(c.name), c.kind, count) for c in COLUMNS]
        batch = pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)
        problem = filled.get("problem")
        if isinstance(problem, str):
            self.problems += count if problem else 0
        elif problem is not None:
            self.problems += sum(1 for text in _each(problem, count) if text)
        self._batches.append(batch)
        self._rows += count
        self._bytes += batch.column("raw").nbytes
        self._leave_when_full()

    def _fold(self) -> None:
        """Turn loose rows into a batch."""
        loose, self._loose = self._loose, []
        if not loose:
            return
        self._rows -= len(loose)
        self._bytes -= sum(len(row.get("raw", b"")) for row in loose)
        names = {name for row in loose for name in row if name != "_identity"}
        values: dict[str, Values] = {
            name: [row.get(name, self._default(name)) for row in loose] for name in names
        }
        sources = [row.get("source", self.source) for row in loose]
        identity = [
            row["_identity"]
            if row["_identity"] is not None
            else f"{self.evidence}\0{row.get('locator', '')}"
            for row in loose
        ]
        if "source" in names:
            values["id"] = [
                identify(source, [text])[0] for source, text in zip(sources, identity, strict=True)
            ]
        self._append(len(loose), values, identity)

    def _default(self, name: str) -> Any:
        if name == "source":
            return self.source
        if name == "source_version":
            return self.version
        return _DEFAULTS.get(_KINDS[name], "") if name in _KINDS else ""

    def _leave_when_full(self) -> None:
        waits = self._often or self.written == 0
        old = waits and clock.monotonic() - self._since > FIRST_SECONDS
        if self._rows >= BATCH_ROWS or self._bytes >= BATCH_BYTES or old:
            self._fold()
            self._leave()

    def _leave(self) -> None:
        batches, self._batches = self._batches, []
        self._since = clock.monotonic()
        if not batches:
            return
        table = pa.Table.from_batches(batches).combine_chunks()
        for batch in table.to_batches(max_chunksize=BATCH_ROWS):
            self.written += batch.num_rows
            self.sink(batch)
        self._rows = 0
        self._bytes = 0


def _each(values: Values, count: int) -> Iterable[Any]:
    if isinstance(values, str):
        return (values for _ in range(count))
    if isinstance(values, pa.Array):
        return cast(Iterable[Any], values.to_pylist())
    assert isinstance(values, Sequence)
    return values


def _array(values: Values, kind: Kind, count: int) -> pa.Array:
    if isinstance(values, pa.Array):
        array = values.cast(ARROW[kind]) if values.type != ARROW[kind] else values
    elif values is None or isinstance(values, (str, int, bytes)):
        if values is None and count <= SMALL:
            return _few_empty(kind, count)
        value = values if values is not None else _DEFAULTS.get(kind, "")
        if kind is Kind.TIME and value is None:
            return pa.nulls(count, ARROW[kind])
        return pa.repeat(pa.scalar([] if kind is Kind.MAP else value, ARROW[kind]), count)
    else:
        array = pa.array(values, ARROW[kind])
    if len(array) != count:
        raise ValueError(f"a column of {len(array)} values in a batch of {count} rows")
    return array


@lru_cache(maxsize=1024)
def _few_empty(kind: Kind, count: int) -> pa.Array:
    """An empty column, kept: for a file of a few records making them is most of the work."""
    return pa.array([_DEFAULTS.get(kind, "")] * count, ARROW[kind])
