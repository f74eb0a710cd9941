# SPDX-License-Identifier: Apache-2.0
"""Further names and values of many records at once, packed into one Arrow map column."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

_MAP = pa.map_(pa.string(), pa.string())


def pack(count: int, columns: Mapping[str, Sequence[str | None] | pa.Array]) -> pa.Array:
    """A map column of `count` rows; each name is present where its value is neither null nor "".

    Names are in order in each row, whatever else is in the batch: a row parsed again is the same.
    Works by columns because building one list of pairs for each row costs ten times as much.
    """
    names: list[str] = []
    arrays: list[pa.Array] = []
    present: list[np.ndarray] = []
    for name, values in sorted(columns.items()):
        array = values if isinstance(values, pa.Array) else pa.array(values, pa.string())
        if array.type != pa.string():
            array = array.cast(pa.string())
        offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset :][: count + 1]
        there = np.diff(offsets) > 0
        if array.null_count:
            there &= ~np.asarray(array.is_null())
        if there.any():
            names.append(name)
            arrays.append(array)
            present.append(there)
    if not names:
        return pa.repeat(pa.scalar([], _MAP), count)
    matrix = np.stack(present, axis=1)
    row, column = np.nonzero(matrix)
    values = pa.concat_arrays(arrays).take(pa.array(column * count + row))
    keys = pa.array(names, pa.string()).take(pa.array(column))
    ends = np.zeros(count + 1, np.int32)
    np.cumsum(matrix.sum(axis=1), out=ends[1:])
    return pa.MapArray.from_arrays(pa.array(ends, pa.int32()), keys, values)
