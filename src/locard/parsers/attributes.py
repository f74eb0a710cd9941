# SPDX-License-Identifier: Apache-2.0
"""Further names and values of many records at once, packed into one Arrow map column."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
import pyarrow as pa

_MAP = pa.map_(pa.string(), pa.string())


def pack(count: int, columns: Mapping[str, Sequence[str | None] | pa.Array]) -> pa.Array:
    """A map column of `count` rows; each name is present where its value is neither null nor "".

    Names are in order in each row, whatever else is in the batch: a row parsed again is the same.
    Works by columns because building one list of pairs for each row costs ten times as much.
    """
    if not count or not columns:
        return pa.repeat(pa.scalar([], _MAP), count)
    lists = {name: v for name, v in columns.items() if not isinstance(v, pa.Array)}
    arrays = {name: v for name, v in columns.items() if isinstance(v, pa.Array)}
    whole = pa.concat_arrays([
        pa.array(list(chain.from_iterable(lists.values())), pa.string()),
        *(v.cast(pa.string()) if v.type != pa.string() else v for v in arrays.values()),
    ])  # fmt: skip
    names = [*lists, *arrays]
    order = sorted(range(len(names)), key=names.__getitem__)
    offsets = np.frombuffer(whole.buffers()[1], np.int32)[whole.offset :][: len(whole) + 1]
    there = np.diff(offsets) > 0
    if whole.null_count:
        there &= ~np.asarray(whole.is_null())
    row, column = np.nonzero(there.reshape(len(names), count)[order].T)
    if not len(row):
        return pa.repeat(pa.scalar([], _MAP), count)
    values = whole.take(pa.array(np.array(order)[column] * count + row))
    keys = pa.array([names[n] for n in order], pa.string()).take(pa.array(column))
    ends = np.zeros(count + 1, np.int32)
    np.cumsum(np.bincount(row, minlength=count), out=ends[1:])
    return pa.MapArray.from_arrays(pa.array(ends, pa.int32()), keys, values)
