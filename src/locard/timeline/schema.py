# SPDX-License-Identifier: Apache-2.0
"""The tables of the store, made from `model.event.COLUMNS`; `packing` turns a batch into them.

`time` is never null inside the store: MergeTree sorts by it. A record without a time is kept under
`UNDATED`, the smallest number of 64 bits, which no clock can mean; on the way out it is null again.
So undated rows stand first in ascending and last in descending order, and no time range holds them.
"""

from locard.model.event import COLUMNS, Column, Kind

VERSION = 1
"""Raised whenever the tables change; a store of another version is refused, not guessed at."""

DATABASE = "locard"
UNDATED = -(1 << 63)
APART = "/"
"""Stands in the partitions of rows that are no part of a case yet; no name of a case holds it."""
INDEXED = ("message", "raw")
"""Columns with a text index, called `words_` and the column."""

MERGED_INDEX = "materialize_skip_indexes_on_merge"
"""Setting of the table: whether merging parts builds the text index of what they hold."""

LARGEST_MERGE = 384 << 20
"""Bytes of the parts that a merge may join: the memory for building an index grows with a part."""

MERGED_AT_ONCE = 12
"""Parts that one merge joins, so that several cores have one each."""

WIDE_PART = 200 << 20
"""Bytes of rows from which a part has files for each column. What is inserted is smaller: 12 files
are less work for the engine and the disk than 150."""

_LOW = "LowCardinality(String)"
_FEW = frozenset({"evidence"})
"""TEXT columns that hold few distinct values in each part all the same."""

_TYPES: dict[Kind, str] = {
    Kind.TIME: "DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1))",
    Kind.WORD: f"{_LOW} CODEC(ZSTD(1))",
    Kind.TEXT: "String CODEC(ZSTD(1))",
    Kind.ADDRESS: "String CODEC(ZSTD(1))",
    Kind.PORT: "UInt16 CODEC(ZSTD(1))",
    Kind.BYTES: "String CODEC(ZSTD(1))",
    Kind.MAP: f"Map({_LOW}, String) CODEC(ZSTD(1))",
}

NAMES: tuple[str, ...] = ("case", *(c.name for c in COLUMNS))
KINDS: dict[str, Kind] = {"case": Kind.WORD, **{c.name: c.kind for c in COLUMNS}}


def column_type(column: Column) -> str:
    """The type of a column in the store."""
    if column.name == "id":
        return "FixedString(16)"
    if column.name in _FEW:
        return _TYPES[Kind.WORD]
    return _TYPES[column.kind]


def statements() -> list[str]:
    """What makes an empty store: safe to run on one that is there."""
    columns = ",\n    ".join(f"`{c.name}` {column_type(c)}" for c in COLUMNS)
    indexes = ",\n    ".join(
        f"INDEX words_{name} {name} "
        f"TYPE text(tokenizer = splitByNonAlpha, preprocessor = lower({name}))"
        for name in INDEXED
    )
    return [
        f"CREATE DATABASE IF NOT EXISTS {DATABASE} ENGINE = Atomic",
        f"""CREATE TABLE IF NOT EXISTS {DATABASE}.events (
    `case` {_LOW},
    {columns},
    {indexes}
) ENGINE = MergeTree PARTITION BY `case` ORDER BY (time, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, {MERGED_INDEX} = 0,
    min_bytes_for_wide_part = {WIDE_PART}, max_parts_to_merge_at_once = {MERGED_AT_ONCE},
    text_index_max_memory_usage_before_flush = {128 << 20},
    max_bytes_to_merge_at_max_space_in_pool = {LARGEST_MERGE}""",
        f"""CREATE TABLE IF NOT EXISTS {DATABASE}.sightings (
    `case` {_LOW}, id FixedString(16), evidence {_LOW}, locator String CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree PARTITION BY `case` ORDER BY (id, evidence, locator)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1""",
    ]


def end_mutations(table: str) -> str:
    """What ends deletions that ask a table in memory, of which the name begins so.

    Whatever they had still to delete stays: whoever wanted it does the same again.
    """
    return (
        f"KILL MUTATION WHERE database = '{DATABASE}' AND NOT is_done "
        f"AND position(command, '{DATABASE}.{table}') > 0 SYNC"
    )


def presented(name: str) -> str:
    """The SQL that gives a column for the way out.

    No alias is the name of a column: inside a statement an alias would stand for the column.
    """
    return "toUnixTimestamp64Nano(time) AS time_ns" if name == "time" else f"`{name}`"
