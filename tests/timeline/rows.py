# SPDX-License-Identifier: Apache-2.0
"""Batches for the tests, as parsers make them."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from locard.parsers.rows import SCHEMA, Rows

EVIDENCE = "e" * 64
OTHER = "f" * 64
HOUR = 3600 * 1_000_000_000
START = 1_688_947_200_000_000_000  # 2023-07-10T00:00:00Z


def batch(*rows: Mapping[str, Any], evidence: str = EVIDENCE) -> pa.RecordBatch:
    """One batch of rows; `identity` of a row is its natural identity."""
    batches: list[pa.RecordBatch] = []
    made = Rows(batches.append, evidence, "test.rows", "1")
    for number, row in enumerate(rows):
        values = dict(row)
        values.setdefault("locator", f"line:{number}")
        values.setdefault("time", START + number * 1_000_000_000)
        made.row(**values)
    made.close()
    assert len(batches) <= 1
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=SCHEMA)


def many(count: int, first: int = 0) -> pa.RecordBatch:
    """Rows a second apart, numbered from `first`, each with a message of its own."""
    return batch(
        *(
            {
                "locator": f"line:{n}",
                "time": START + n * 1_000_000_000,
                "action": "Get" if n % 2 else "Put",
                "message": f"number{n} of many",
                "raw": f'{{"n": "number{n}"}}'.encode(),
            }
            for n in range(first, first + count)
        )
    )
