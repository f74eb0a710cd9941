# SPDX-License-Identifier: Apache-2.0
"""What `locard export` and `locard search --json` write, so that another case takes it in whole.

Each column is the one that it was. What belongs to the row as it stood there (its id, source,
evidence, locator, raw record, problem and tags) becomes an attribute of that name: this row stands
on the export, and it is the export that it is proved from. A row without a time had none there.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from locard.model.event import COLUMNS
from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.locard.export import table
from locard.parsers.mapping import compile_columns, fill
from locard.parsers.rows import Rows
from locard.parsers.structured import Found, beginning, form, found_batches, look

_MARK = b"locard.export"
"""The name of metadata in Parquet, which stands in its last bytes."""
_MARKS = ("time", "id", "source", "source_version", "evidence", "locator")
_OF_THE_ROW = (
    "id",
    "source",
    "source_version",
    "attributes",
    "raw",
    "evidence",
    "locator",
    "problem",
)
_COLUMNS = [column.name for column in COLUMNS if column.name not in _OF_THE_ROW]
_DATED = compile_columns({name: name for name in _COLUMNS})
_UNDATED = compile_columns({name: name for name in _COLUMNS if name != "time"})
_APOSTROPHE = re.compile("'(?='*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20])")
"""What an export puts before a cell of a CSV that a spreadsheet would take for a formula."""


def recognise(head: Head) -> Match:
    """By the columns that say where a row stood, or by the mark in Parquet."""
    if head.first.startswith(table.MAGIC):
        known = _MARK in head.last or _MARK in head.first
        return Match(95, "an export of Locard, Parquet") if known else NO
    kind, records = look(beginning(head))
    if not records or not all(name in record for record in records[:5] for name in _MARKS):
        return NO
    return Match(92, f"an export of Locard, {kind}")


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append one row for each event; see `contract`."""
    parquet = opened.first.startswith(table.MAGIC)
    cells = not parquet and form(opened.first) == "csv"
    for batch in table.found(opened, context) if parquet else found_batches(opened, context):
        shown = [item._replace(record=_whole(item.record, cells)) for item in batch]
        fill(_DATED, [item for item in shown if not _timeless(item)], rows, context)
        fill(_UNDATED, [item for item in shown if _timeless(item)], rows, context)


def _timeless(item: Found) -> bool:
    return "time" in item.record and item.record["time"] in (None, "")


def _whole(record: Mapping[str, Any], cells: bool) -> Mapping[str, Any]:
    """The record with attributes by their own names, where no column has the same."""
    if cells:
        record = {n: _APOSTROPHE.sub("", v, count=1) if _begun(v) else v for n, v in record.items()}
    further = record.get("attributes")
    if cells and isinstance(further, str):
        try:
            further = msgspec.json.decode(further)
        except (msgspec.DecodeError, RecursionError):
            return record
    if not isinstance(further, dict):
        return record
    rest = {name: value for name, value in further.items() if name not in record}
    kept = {f"attributes.{name}": value for name, value in further.items() if name in record}
    return {name: v for name, v in record.items() if name != "attributes"} | rest | kept


def _begun(value: Any) -> bool:
    return isinstance(value, str) and _APOSTROPHE.match(value) is not None
