# SPDX-License-Identifier: Apache-2.0
"""Which ids a case has, and where in evidence: asked about events that a caller names."""

from collections.abc import Collection

import pyarrow as pa

from locard.timeline import schema
from locard.timeline.client import Client
from locard.timeline.packing import packed_ids
from locard.timeline.staging import staged

FEW = 1000
"""Ids that travel as a parameter; more become a table in memory, and the first takes seconds."""
_HEX = frozenset("0123456789abcdef")


def known(client: Client, case: str, ids: Collection[str]) -> set[str]:
    """Which of these ids are events of the case; what is not an id is not one."""
    wanted = sorted({one for one in ids if len(one) == 32 and set(one) <= _HEX})
    if not wanted:
        return set()
    if len(wanted) <= FEW:
        table = client.table(
            f"SELECT id FROM {schema.DATABASE}.events WHERE `case` = {{case:String}} AND id IN "
            "(SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16))",
            {"case": case, "ids": wanted},
        )
        return {key.hex() for key in table.column("id").to_pylist()}
    packed = packed_ids(pa.array(wanted, pa.string()))

    def find() -> pa.Table:
        with staged(client, packed) as table:
            return client.table(
                f"SELECT id FROM {schema.DATABASE}.events "
                f"WHERE `case` = {{case:String}} AND id IN (SELECT id FROM {table})",
                {"case": case},
            )

    return {key.hex() for key in client.in_one_life(find).column("id").to_pylist()}


def places_within(client: Client, case: str, evidence: str, ids: pa.Array) -> dict[str, str]:
    """The further places in this evidence of those of the events that have one there.

    Of several places of one event the first by its text.
    """
    packed = packed_ids(ids)

    def find() -> pa.Table:
        with staged(client, packed) as table:
            return client.table(
                f"SELECT id, min(locator) AS place FROM {schema.DATABASE}.sightings "
                "WHERE `case` = {case:String} AND evidence = {evidence:String} "
                f"AND id IN (SELECT id FROM {table}) GROUP BY id",
                {"case": case, "evidence": evidence},
            )

    found = client.in_one_life(find)
    columns = (found.column(name).to_pylist() for name in ("id", "place"))
    return {key.hex(): place for key, place in zip(*columns, strict=True)}
