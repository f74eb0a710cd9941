# SPDX-License-Identifier: Apache-2.0
"""Rows that were made before their evidence had an id, as they are with it."""

import pyarrow as pa

from locard.parsers.rows import identify


def renamed(batch: pa.RecordBatch, before: str, after: str) -> pa.RecordBatch:
    """The rows of evidence `before` as rows of evidence `after`.

    An id that was made from the place changes with the evidence; one that was made from the record
    stays.
    """
    columns = (batch.column(name).to_pylist() for name in ("id", "source", "locator"))
    ids = []
    for key, source, locator in zip(*columns, strict=True):
        was, now = identify(source, [f"{before}\0{locator}", f"{after}\0{locator}"])
        ids.append(now if key == was else key)
    values = {"id": pa.array(ids, pa.string())}
    values["evidence"] = pa.repeat(pa.scalar(after, pa.string()), batch.num_rows)
    for name, column in values.items():
        index = batch.schema.get_field_index(name)
        batch = batch.set_column(index, batch.schema.field(index), column)
    return batch
