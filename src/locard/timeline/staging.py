# SPDX-License-Identifier: Apache-2.0
"""Sets of ids that are too large for a parameter, as tables in the memory of the store."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from locard.timeline import schema
from locard.timeline.client import Client


@contextmanager
def staged(client: Client, ids: pa.Array | pa.ChunkedArray) -> Iterator[str]:
    """A table in memory that holds the ids (16 bytes each) as `id`, for as long as it is needed.

    Used within `Client.in_one_life`: after a crash of the store the table would be there, empty.
    A deletion by these ids that is cut off ends with the table: it could never be finished without.
    """
    name = f"staged_{secrets.token_hex(8)}"
    client.command(f"CREATE TABLE {schema.DATABASE}.{name} (id FixedString(16)) ENGINE = Memory")
    try:
        client.insert(name, pa.Table.from_arrays([ids], names=["id"]))
        yield f"{schema.DATABASE}.{name}"
    finally:
        client.command(schema.end_mutations(name))
        client.command(f"DROP TABLE IF EXISTS {schema.DATABASE}.{name} SYNC")
