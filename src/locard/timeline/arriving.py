# SPDX-License-Identifier: Apache-2.0
"""Rows of evidence that is still coming in: searchable, and no part of the case yet.

Their evidence has no id before its last byte was hashed, and an event's id is made from it. So
they stand apart, in partitions named after the case and an arrival, `CASE/ARRIVAL/000001`, where
nothing that is kept, exported, counted or proved looks; only a search that names the arrival finds
them. When the evidence is in the vault, the same rows are written under its id and the partitions
are dropped; that is also all there is to do after a failure or a crash.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import pyarrow as pa

from locard.timeline import schema
from locard.timeline.client import Client
from locard.timeline.packing import packed_ids, stored
from locard.timeline.search import Arriving
from locard.timeline.staging import staged

_DB = schema.DATABASE
MARK = schema.APART
APART = f"position(`case`, '{MARK}') > 0"
"""The SQL of rows that stand apart."""
STILL_COMING = "still being taken in"
"""What such rows have in place of an evidence id."""
NOTE = "Some evidence is still being taken in: its rows are searched and not yet exported."


def scope(case: str, arriving: Sequence[Arriving], parameters: dict[str, Any]) -> str:
    """The SQL of the rows of a case, and of arrivals in it; binds what it needs."""
    parameters["case"] = case
    sides = ["`case` = {case:String}"]
    for number, one in enumerate(arriving):
        first = one.first
        if one.successor is not None:
            time, key = one.successor
            parameters[f"replacing{number}"] = partition(case, one.name, first)
            parameters[f"time{number}"] = schema.UNDATED if time is None else time
            parameters[f"id{number}"] = key
            sides.append(
                f"(`case` = {{replacing{number}:String}} AND 0 = (SELECT count() FROM {_DB}.events "
                f"WHERE `case` = {{case:String}} AND id = unhex({{id{number}:String}}) "
                f"AND time = fromUnixTimestamp64Nano({{time{number}:Int64}}, 'UTC')))"
            )
            first += 1
        parameters[f"arriving{number}"] = partition(case, one.name, first)
        parameters[f"arrived{number}"] = f"{case}{MARK}{one.name}{chr(ord(MARK) + 1)}"
        sides.append(
            f"(`case` >= {{arriving{number}:String}} AND `case` < {{arrived{number}:String}})"
        )
    return sides[0] if len(sides) == 1 else f"({' OR '.join(sides)})"


def partition(case: str, name: str, group: int) -> str:
    """The partition of one group of an arrival's rows."""
    return f"{case}{MARK}{name}{MARK}{group:06}"


def show(client: Client, case: str, name: str, group: int, batch: pa.RecordBatch) -> None:
    """Insert rows as one group of an arrival."""
    client.require_room()
    index = batch.schema.get_field_index("evidence")
    told = pa.repeat(pa.scalar(STILL_COMING, pa.string()), batch.num_rows)
    batch = batch.set_column(index, batch.schema.field(index), told)
    rows = stored(partition(case, name, group), batch)
    client.insert("events", pa.Table.from_batches([rows]))


def hide(client: Client, case: str, name: str, group: int) -> None:
    """Remove one group of an arrival's rows."""
    _drop(client, partition(case, name, group))


def clear(client: Client, case: str, alive: Callable[[], Collection[str]]) -> None:
    """Remove the rows of all arrivals in a case that are not `alive`.

    Who is alive is asked after their rows were looked for: an arrival is made before its rows are.
    """
    table = client.table(
        f"SELECT DISTINCT partition FROM system.parts WHERE database = '{_DB}' "
        "AND table = 'events' AND active AND startsWith(partition, {start:String})",
        {"start": f"{case}{MARK}"},
    )
    living = alive()
    for name in table.column("partition").to_pylist():
        if str(name).split(MARK)[1] not in living:
            _drop(client, str(name))


def unheld(client: Client, case: str, batch: pa.RecordBatch, ids: pa.Array) -> pa.RecordBatch:
    """The rows of a batch that the case does not hold under `ids` in the same words.

    So evidence that the case has already is not seen twice while it comes in once more.
    """

    def find() -> pa.Table:
        with staged(client, packed) as table:
            return client.table(
                f"SELECT id, toUnixTimestamp64Nano(time) AS time_ns, message FROM {_DB}.events "
                f"WHERE `case` = {{case:String}} AND id IN (SELECT id FROM {table})",
                {"case": case},
            )

    packed = packed_ids(ids)
    found = client.in_one_life(find)
    held = {
        key: (time, message)
        for key, time, message in zip(
            *(found.column(name).to_pylist() for name in ("id", "time_ns", "message")), strict=True
        )
    }
    if not held:
        return batch
    times = batch.column("time").cast(pa.int64()).fill_null(schema.UNDATED).to_pylist()
    rows = zip(packed.to_pylist(), times, batch.column("message").to_pylist(), strict=True)
    return batch.filter(pa.array([held.get(key) != (time, text) for key, time, text in rows]))


def _drop(client: Client, name: str) -> None:
    client.command(f"ALTER TABLE {_DB}.events DROP PARTITION {{name:String}}", {"name": name})
