# SPDX-License-Identifier: Apache-2.0
"""The text indexes over `message` and `raw`: built behind the import, and what they cover.

Rows are inserted without them, since building them holds an import to a third of its speed. `build`
adds them to the parts of the store that lack them. A part without them is scanned, so a search is
right at any moment and only its speed differs.

While rows are written, parts are not merged (`importing`) unless they become many: both cores have
better to do, and a merge that comes afterwards builds the index of what it merges in the same go.
`build` lets merges happen, waits for them, and indexes what they left. A long import merges without
indexes, which may lose the index of another case; so `build` looks at all cases.
"""

import threading
import time
from collections.abc import Callable

from locard.timeline import schema
from locard.timeline.client import Client

_DB = schema.DATABASE
_WAIT_SECONDS = 0.25
_START_SECONDS = 0.05
"""In which merges that are wanted have begun."""
PARTS = 100
"""Batches of one run after which their parts are merged amid it: searching many is slow."""
_ACTIVE = f"database = '{_DB}' AND table = 'events' AND active"
_LACKS = "secondary_indices_compressed_bytes = 0"


def covered(client: Client, case: str) -> bool:
    """Whether every row of the case (of all cases when empty) is in the text indexes."""
    rows, indexed = _rows(client, case)
    return indexed >= rows


def importing(client: Client, on: bool, merged: bool = False) -> None:
    """Say whether rows are being written, and whether what was written is `merged` meanwhile."""
    most = schema.LARGEST_MERGE if merged or not on else 1
    client.command(
        f"ALTER TABLE {_DB}.events MODIFY SETTING {schema.MERGED_INDEX} = {0 if on else 1}, "
        f"max_bytes_to_merge_at_max_space_in_pool = {most}, "
        f"max_parts_to_merge_at_once = {schema.MERGED_AT_ONCE}, "
        f"min_bytes_for_wide_part = {schema.WIDE_PART}"
    )
    if most > 1:
        client.command(f"SYSTEM START MERGES {_DB}.events")  # wakes what would sleep for seconds


def build(
    client: Client,
    case: str,
    told: Callable[[int, int], None] | None,
    cancelled: threading.Event | None = None,
) -> None:
    """Build the indexes where they are missing; `told` hears rows indexed and rows in all."""
    importing(client, False)
    rows, indexed = _rows(client, case)
    done = indexed
    if indexed < rows:
        time.sleep(_START_SECONDS)
    while indexed < rows and not (cancelled and cancelled.is_set()):
        if not _at_work(client):
            for lacking in _lacking(client):
                _materialise(client, lacking)
        time.sleep(_WAIT_SECONDS)
        rows, indexed = _rows(client, case)
        if told is not None:
            done = min(rows, max(done, indexed + _part_way(client)))
            told(done, rows)
    if told is not None:
        told(indexed, rows)


def _materialise(client: Client, case: str) -> None:
    """Begin to build all indexes of a case; in one go, so that a part has all of them or none."""
    each = ", ".join(
        f"MATERIALIZE INDEX words_{name} IN PARTITION {{case:String}}" for name in schema.INDEXED
    )
    client.command(
        f"ALTER TABLE {_DB}.events {each}", {"case": case}, settings={"mutations_sync": 0}
    )


def _rows(client: Client, case: str) -> tuple[int, int]:
    """Rows, and rows in parts that have the indexes."""
    row = client.table(
        f"SELECT sum(rows) AS n, sumIf(rows, NOT ({_LACKS})) AS indexed FROM system.parts "
        f"WHERE {_ACTIVE} AND ({{case:String}} = '' OR partition = {{case:String}})",
        {"case": case},
    ).to_pylist()[0]
    return int(row["n"]), int(row["indexed"])


def _lacking(client: Client) -> list[str]:
    """Cases that have a part without the indexes; rows that stand apart do without."""
    table = client.table(
        f"SELECT DISTINCT partition FROM system.parts WHERE {_ACTIVE} AND {_LACKS} "
        f"AND position(partition, '{schema.APART}') = 0"
    )
    return [str(name) for name in table.column("partition").to_pylist()]


def _at_work(client: Client) -> bool:
    """Whether the engine is still building or merging what has no index yet."""
    row = client.table(
        "SELECT count() AS n FROM (SELECT 1 FROM system.mutations "
        f"WHERE database = '{_DB}' AND table = 'events' AND NOT is_done "
        f"UNION ALL SELECT 1 FROM system.merges WHERE database = '{_DB}' AND table = 'events' AND "
        f"hasAny(source_part_names, (SELECT groupArray(name) FROM system.parts WHERE {_ACTIVE} "
        f"AND {_LACKS})))"
    ).to_pylist()[0]
    return bool(row["n"])


def _part_way(client: Client) -> int:
    """Rows that the parts which are being worked on are through with."""
    row = client.table(
        "SELECT toUInt64(sum(m.progress * p.rows)) AS n FROM (SELECT progress, "
        "arrayJoin(source_part_names) AS name FROM system.merges) AS m INNER JOIN "
        f"(SELECT name, rows FROM system.parts WHERE {_ACTIVE} AND {_LACKS}) AS p "
        "ON m.name = p.name"
    ).to_pylist()[0]
    return int(row["n"] or 0)
