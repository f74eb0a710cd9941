# SPDX-License-Identifier: Apache-2.0
"""Events of an export in Parquet. A row has no text of its own there: `raw` spells it as JSON,
as the export in JSON lines would have written it."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from locard.model.errors import Unreadable
from locard.parsers.contract import Context, Opened
from locard.parsers.records import wanted
from locard.parsers.structured import Found

MAGIC = b"PAR1"
_WHOLE = 1 << 30
"""Bytes of a compressed file that are held in memory, since Parquet is read from its end."""
_ROWS = 4096


def found(opened: Opened, context: Context) -> Iterator[list[Found]]:
    """The rows in batches; what cannot be read is one more, with its fault and without a record."""
    place = wanted(context.only, "row")
    number = 0
    try:
        for batch in pq.ParquetFile(_random(opened)).iter_batches(_ROWS, use_threads=False):
            first, number = number, number + batch.num_rows
            if place is None:
                yield _batch(batch, first)
            elif first < place[0] <= number:
                yield _batch(batch.slice(place[0] - first - 1, 1), place[0] - 1)
    except (pa.ArrowException, OSError, ValueError, Unreadable) as error:
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        if context.only in (None, f"row={number + 1}"):
            fault = f"Parquet cannot be read further: {reason}"
            yield [Found({}, b"", f"row={number + 1}", fault)]


def _random(opened: Opened) -> Any:
    if not opened.layers:
        return pa.PythonFile(opened.seekable(), mode="r")
    data = opened.whole(_WHOLE)
    if data is None:
        raise OSError("a compressed Parquet file of more than 1 GiB")
    return BytesIO(data)


def _batch(batch: pa.RecordBatch, first: int) -> list[Found]:
    columns = {
        name: [_moment(one) for one in _nanoseconds(array)]
        if pa.types.is_timestamp(array.type)
        else array.to_pylist(maps_as_pydicts="lossy")
        for name, array in zip(batch.schema.names, batch.columns, strict=True)
    }
    rows = []
    for number in range(batch.num_rows):
        record = {name: values[number] for name, values in columns.items()}
        raw = record.get("raw")
        if isinstance(raw, bytes):
            text = record["raw"] = raw.decode("utf-8", "replace")
            if text.encode() != raw:
                record["raw_base64"] = base64.b64encode(raw).decode()
        spelled = msgspec.json.encode(record, enc_hook=str)
        rows.append(Found(msgspec.json.decode(spelled), spelled, f"row={first + number + 1}"))
    return rows


def _nanoseconds(array: pa.Array) -> list[int | None]:
    moments: list[int | None] = (
        array.cast(pa.timestamp("ns", array.type.tz)).cast("int64").to_pylist()
    )
    return moments


def _moment(nanoseconds: int | None) -> str | None:
    if nanoseconds is None:
        return None
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
