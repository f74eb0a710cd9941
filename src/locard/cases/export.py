# SPDX-License-Identifier: Apache-2.0
"""Export of everything that matches, streamed, without a limit of rows: CSV, JSON lines, Parquet.

Columns carry the same words as the query language. A CSV cell that a spreadsheet would take for a
formula gets a leading apostrophe (OWASP, "CSV injection"), and so does one that begins so behind
apostrophes of its own: `parsers/locard/export` takes one off again.
"""

import base64
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from locard.model.event import COLUMNS, Format, Kind

FORMULA = "^'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
"""What a cell must not begin with; spreadsheets of some languages take the wide forms as well."""

_TYPES: dict[Kind, pa.DataType] = {
    Kind.TIME: pa.timestamp("ns", "UTC"),
    Kind.PORT: pa.uint16(),
    Kind.BYTES: pa.binary(),
    Kind.MAP: pa.map_(pa.string(), pa.string()),
}

Labels = Callable[[list[str]], dict[str, list[str]]]
"""Event ids to their tags, for one batch."""


def export(
    batches: Iterable[pa.RecordBatch], form: Format, columns: list[str], labels: Labels
) -> Iterator[bytes]:
    """The rows of `batches` in the form wanted, chunk by chunk, with tags from `labels`."""
    tagged = (_tagged(batch, labels) if "tag" in columns else batch for batch in batches)
    chosen = (batch.select(columns) for batch in tagged)
    writer = {Format.CSV: _csv, Format.JSONL: _jsonl, Format.PARQUET: _parquet}[form]
    yield from writer(chosen, columns)


def _tagged(batch: pa.RecordBatch, labels: Labels) -> pa.RecordBatch:
    ids = batch.column("id").to_pylist()
    known = labels(ids)
    return batch.append_column("tag", pa.array(["; ".join(known.get(one, ())) for one in ids]))


def _csv(batches: Iterable[pa.RecordBatch], columns: list[str]) -> Iterator[bytes]:
    schema = pa.schema([(name, pa.string()) for name in columns])
    drain = _Drain()
    with pacsv.CSVWriter(drain, schema) as writer:
        for batch in batches:
            arrays = [_safe(_text(batch.column(name))) for name in columns]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
            yield drain.take()
    yield drain.take()


def _jsonl(batches: Iterable[pa.RecordBatch], _columns: list[str]) -> Iterator[bytes]:
    encoder = msgspec.json.Encoder()
    for batch in batches:
        time = _text(batch.column("time")) if "time" in batch.schema.names else None
        rows = batch.drop_columns(["time"]).to_pylist() if time is not None else batch.to_pylist()
        if time is not None:
            times = time.to_pylist()
            rows = [{"time": at or None, **row} for at, row in zip(times, rows, strict=True)]
        yield encoder.encode_lines([_plain(row) for row in rows])


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    if "attributes" in row:
        row["attributes"] = dict(row["attributes"])
    raw = row.get("raw")
    if isinstance(raw, bytes):
        try:
            row["raw"] = raw.decode()
        except UnicodeDecodeError:
            row["raw"] = raw.decode("utf-8", "replace")
            row["raw_base64"] = base64.b64encode(raw).decode()
    return row


def _parquet(batches: Iterable[pa.RecordBatch], columns: list[str]) -> Iterator[bytes]:
    drain = _Drain()
    writer: pq.ParquetWriter | None = None
    for batch in batches:
        if writer is None:
            writer = pq.ParquetWriter(drain, batch.schema, compression="zstd")
        writer.write_batch(batch)
        yield drain.take()
    if writer is None:
        writer = pq.ParquetWriter(drain, _schema(columns), compression="zstd")
    writer.add_key_value_metadata({"locard.export": "1"})  # what it is known by when it is added
    writer.close()
    yield drain.take()


def _schema(columns: list[str]) -> pa.Schema:
    """The types of the columns, for a file in which no row shows them."""
    kinds = {column.name: column.kind for column in COLUMNS}
    return pa.schema(
        [(name, _TYPES.get(kinds.get(name, Kind.TEXT), pa.string())) for name in columns]
    )


def _text(array: pa.Array) -> pa.Array:
    """Any column as text: times as ISO 8601 in UTC with nanoseconds, maps as JSON."""
    kind = array.type
    if pa.types.is_timestamp(kind):
        text = pc.strftime(array, "%Y-%m-%dT%H:%M:%S")
        return pc.fill_null(pc.binary_join_element_wise(text, "Z", ""), "")
    if pa.types.is_map(kind):
        encode = msgspec.json.encode
        return pa.array([encode(dict(row)).decode() if row else "" for row in array.to_pylist()])
    if pa.types.is_binary(kind):
        try:
            return array.cast(pa.string())
        except pa.ArrowInvalid:
            return pa.array([raw.decode("utf-8", "replace") for raw in array.to_pylist()])
    return array.cast(pa.string())


def _safe(array: pa.Array) -> pa.Array:
    risky = pc.match_substring_regex(array, FORMULA)
    if not pc.any(risky).as_py():
        return array
    return pc.if_else(risky, pc.binary_join_element_wise("'", array, ""), array)


class _Drain(io.RawIOBase):
    """A file that keeps only what was not taken yet, and knows its position in the whole."""

    def __init__(self) -> None:
        super().__init__()
        self._chunks: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        chunk = bytes(data)
        self._chunks.append(chunk)
        self._position += len(chunk)
        return len(chunk)

    def take(self) -> bytes:
        """What was written since the last call."""
        chunks, self._chunks = self._chunks, []
        return b"".join(chunks)
