# SPDX-License-Identifier: Apache-2.0
"""Rows that tell of a record which another row tells of become further places of that row."""

from collections.abc import Mapping

import pyarrow as pa

from locard.model.event import COLUMNS
from locard.timeline import schema
from locard.timeline.client import Client
from locard.timeline.packing import packed_ids
from locard.timeline.staging import staged

_DB = schema.DATABASE
_SAME = tuple(one.name for one in COLUMNS if one.name not in ("id", "evidence"))


def alike(client: Client, case: str, part: str, whole: str) -> dict[str, str]:
    """The rows of evidence `part` that `whole` has too: same place in it, same in every column.

    Each by its id, with the id of the other.
    """
    columns = ", ".join(f"`{name}`" for name in ("id", *_SAME))
    same = " AND ".join(f"few.`{name}` = one.`{name}`" for name in _SAME)
    mine = "`case` = {case:String} AND evidence = "
    found = client.table(
        f"""SELECT few.id AS few_id, min(one.id) AS one_id
FROM (SELECT {columns} FROM {_DB}.events WHERE {mine} {{part:String}}) AS few
INNER JOIN (SELECT {columns} FROM {_DB}.events WHERE {mine} {{whole:String}}
    AND (source, locator) IN (SELECT source, locator FROM {_DB}.events
        WHERE {mine} {{part:String}})) AS one
ON few.source = one.source AND few.locator = one.locator
WHERE {same} GROUP BY few.id""",
        {"case": case, "part": part, "whole": whole},
        seconds=600,
    )
    ids = (found.column(name).to_pylist() for name in ("few_id", "one_id"))
    return {few.hex(): one.hex() for few, one in zip(*ids, strict=True)}


def fold(client: Client, case: str, into: Mapping[str, str]) -> None:
    """Each row, with all its places, becomes places of the row that it is mapped to.

    Cut off in between, the same again ends it.
    """
    if into:
        client.in_one_life(lambda: _fold(client, case, into))


def _fold(client: Client, case: str, into: Mapping[str, str]) -> None:
    values = {"case": case}
    whole = {bytes.fromhex(few): bytes.fromhex(one) for few, one in into.items()}
    with staged(client, packed_ids(pa.array(list(into), pa.string()))) as table:
        among = f"`case` = {{case:String}} AND id IN (SELECT id FROM {table})"
        places = client.table(
            f"SELECT id, evidence, locator FROM {_DB}.events WHERE {among} UNION ALL "
            f"SELECT id, evidence, locator FROM {_DB}.sightings WHERE {among}",
            values,
            seconds=600,
        ).to_pydict()
        arrays = [
            pa.repeat(pa.scalar(case, pa.string()), len(places["id"])),
            pa.array([whole[one] for one in places["id"]], pa.binary(16)),
            pa.array(places["evidence"], pa.string()),
            pa.array(places["locator"], pa.string()),
        ]
        client.insert(
            "sightings",
            pa.Table.from_arrays(arrays, names=["case", "id", "evidence", "locator"]),
        )
        for name in ("sightings", "events"):
            client.command(
                f"ALTER TABLE {_DB}.{name} DELETE WHERE {among} SETTINGS mutations_sync = 2", values
            )


def places(client: Client, case: str, part: str, whole: str) -> list[tuple[str, str, str]]:
    """Id, source and place of the rows of `whole` that have a further place in `part`."""
    found = client.table(
        f"""SELECT e.id AS id, e.source AS source, s.locator AS locator
FROM (SELECT id, source FROM {_DB}.events WHERE `case` = {{case:String}}
    AND evidence = {{whole:String}} AND id IN (SELECT id FROM {_DB}.sightings
        WHERE `case` = {{case:String}} AND evidence = {{part:String}})) AS e
INNER JOIN (SELECT DISTINCT id, locator FROM {_DB}.sightings
    WHERE `case` = {{case:String}} AND evidence = {{part:String}}) AS s ON e.id = s.id""",
        {"case": case, "part": part, "whole": whole},
        seconds=600,
    )
    columns = (found.column(name).to_pylist() for name in ("id", "source", "locator"))
    return [(one.hex(), source, where) for one, source, where in zip(*columns, strict=True)]


def separate(client: Client, case: str, part: str, whole: str) -> None:
    """The rows of `whole` have no further places in `part` any more."""
    client.command(
        f"""ALTER TABLE {_DB}.sightings DELETE WHERE `case` = {{case:String}}
AND evidence = {{part:String}} AND id IN (SELECT id FROM {_DB}.events
    WHERE `case` = {{case:String}} AND evidence = {{whole:String}})
SETTINGS mutations_sync = 2""",
        {"case": case, "part": part, "whole": whole},
    )
