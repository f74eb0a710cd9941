# SPDX-License-Identifier: Apache-2.0
"""Writing: what is known already is not written again, and further places become sightings."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from locard.timeline import schema
from locard.timeline.client import Client
from locard.timeline.packing import stored
from locard.timeline.results import Written
from locard.timeline.staging import staged

_DB = schema.DATABASE


def write(client: Client, case: str, rows: pa.RecordBatch | pa.Table) -> Written:
    """Write rows of parsers into a case as one atomic block."""
    if rows.num_rows == 0:
        return Written(0, 0, 0)
    batches = [rows] if isinstance(rows, pa.RecordBatch) else rows.to_batches()
    table = pa.Table.from_batches([stored(case, batch) for batch in batches])
    return client.in_one_life(lambda: _write(client, case, table))


def _write(client: Client, case: str, rows: pa.Table) -> Written:
    there = _places(client, case, rows.column("id"))
    if not there and _distinct(rows.column("id")):
        client.insert("events", rows)
        return Written(rows.num_rows, 0, 0)
    ids = rows.column("id").to_pylist()
    evidence, locators = rows.column("evidence").to_pylist(), rows.column("locator").to_pylist()
    fresh: list[bool] = []
    seen: list[int] = []
    for index, key in enumerate(ids):
        place = (evidence[index], locators[index])
        places = there.get(key)
        fresh.append(places is None)
        if places is None:
            there[key] = {place}
        elif place not in places:
            places.add(place)
            seen.append(index)
    new = sum(fresh)
    if new:
        client.insert("events", _rows(rows, pc.indices_nonzero(pa.array(fresh))))
    if seen:
        taken = rows.select(["case", "id", "evidence", "locator"])
        client.insert("sightings", _rows(taken, pa.array(seen, pa.int64())))
    return Written(new, len(ids) - new - len(seen), len(seen))


def _distinct(ids: pa.ChunkedArray) -> bool:
    """Whether no id is there twice, for sure: ids that begin alike count as the same."""
    one = ids.combine_chunks()
    data = np.frombuffer(one.buffers()[1], np.uint64)[2 * one.offset :][: 2 * len(one) : 2]
    return len(np.unique(data)) == len(data)


def _rows(rows: pa.Table, indices: pa.Array) -> pa.Table:
    if len(indices) == rows.num_rows:
        return rows
    return rows.take(indices)


def _places(client: Client, case: str, ids: pa.ChunkedArray) -> dict[bytes, set[tuple[str, str]]]:
    """Where the store knows these ids from."""
    some = client.table(
        f"SELECT 1 AS one FROM {_DB}.events WHERE `case` = {{case:String}} LIMIT 1", {"case": case}
    )
    if some.num_rows == 0:
        return {}
    with staged(client, ids) as table:
        found = client.table(
            f"""SELECT id, evidence, locator FROM {_DB}.events
WHERE `case` = {{case:String}} AND id IN (SELECT id FROM {table})
UNION ALL SELECT id, evidence, locator FROM {_DB}.sightings
WHERE `case` = {{case:String}} AND id IN (SELECT id FROM {table})""",
            {"case": case},
            seconds=600,
        )
    places: dict[bytes, set[tuple[str, str]]] = {}
    columns = (found.column(name).to_pylist() for name in ("id", "evidence", "locator"))
    for key, evidence, locator in zip(*columns, strict=True):
        places.setdefault(key, set()).add((evidence, locator))
    return places
