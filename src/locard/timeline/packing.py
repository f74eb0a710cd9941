# SPDX-License-Identifier: Apache-2.0
"""How a batch of rows becomes what the tables of the store take.

Apart from `schema`, because the process that owns the store needs the tables and no Arrow.
"""

from binascii import unhexlify

import pyarrow as pa
import pyarrow.compute as pc

from locard.model.event import COLUMNS, Kind
from locard.timeline.schema import UNDATED


def packed_ids(ids: pa.Array) -> pa.Array:
    """Ids of 32 hex digits as 16 bytes each.

    Raises ValueError for an id of another form: that is a defect of whoever made it.
    """
    count = len(ids)
    lengths = pc.unique(pc.binary_length(ids))
    if count and (ids.null_count or lengths.to_pylist() != [32]):
        raise ValueError("an event's id has 32 hex digits")
    _, offsets, data = ids.buffers()
    first = memoryview(offsets).cast("i")[ids.offset] if count else 0
    packed = unhexlify(memoryview(data)[first : first + 32 * count]) if count else b""
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), count, [None, pa.py_buffer(packed)])


def stored(case: str, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch of a parser as the table `events` takes it."""
    arrays, names = [pa.repeat(pa.scalar(case, pa.string()), batch.num_rows)], ["case"]
    for column in COLUMNS:
        array = batch.column(column.name)
        if column.kind is Kind.TIME:
            array = pc.fill_null(array.cast(pa.int64()), UNDATED).cast(pa.timestamp("ns", "UTC"))
        elif column.name == "id":
            array = packed_ids(array)
        arrays.append(array)
        names.append(column.name)
    return pa.RecordBatch.from_arrays(arrays, names=names)
