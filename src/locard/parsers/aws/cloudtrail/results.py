# SPDX-License-Identifier: Apache-2.0
"""A table of CloudTrail events as Athena answers with it: `aws athena get-query-results`.

One JSON document: `ResultSet` holds `Rows`, each a list `Data` of `{"VarCharValue": text}` with an
empty object where there is nothing, and names its columns in `ResultSetMetadata`; the first row of
a first page repeats the names. Source: Athena API reference, "GetQueryResults".
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from locard.model.errors import Unreadable
from locard.parsers.contract import Opened
from locard.parsers.strict_json import BadRecord

MOST = 256 << 20
"""Bytes of a document; a page of the API is at most 1,000 rows, the tool joins pages."""
_MARK = re.compile(rb'\s*\{(?:\s*"UpdateCount"\s*:\s*\d+\s*,)?\s*"ResultSet"\s*:\s*\{')
_MARKED_LATE = re.compile(rb'"Data"\s*:\s*\[\s*\{\s*(?:"VarCharValue"\s*:|\})')


class Row(NamedTuple):
    """A row of the table; `cells` is empty where there is a `fault`."""

    number: int
    raw: bytes
    cells: dict[str, str]
    fault: str = ""

    @property
    def locator(self) -> str:
        """`row=NUMBER`, counted from 1 without the names, as in a CSV of the same table."""
        return f"row={self.number}"


class _Column(msgspec.Struct):
    Name: str


class _Meta(msgspec.Struct):
    ColumnInfo: list[_Column] = []


class _Set(msgspec.Struct):
    Rows: list[msgspec.Raw]
    ResultSetMetadata: _Meta = msgspec.field(default_factory=_Meta)


class _Answer(msgspec.Struct):
    ResultSet: _Set


class _Cell(msgspec.Struct):
    VarCharValue: str | None = None


class _Row(msgspec.Struct):
    Data: list[_Cell] = []


_ANSWER, _ROW = msgspec.json.Decoder(_Answer), msgspec.json.Decoder(_Row)


def recognised(first: bytes) -> bool:
    """Whether the first bytes are of such an answer, with CloudTrail's columns."""
    return (
        _MARK.match(first) is not None
        and _MARKED_LATE.search(first) is not None
        and re.search(rb'"eventname"', first, re.IGNORECASE) is not None
    )


def answered(opened: Opened) -> Iterator[Row]:
    """The rows of the table; raises `BadRecord` when the document cannot be read as a whole."""
    try:
        data = opened.whole(MOST)
    except (Unreadable, EOFError) as error:
        raise BadRecord(f"the answer of Athena breaks off: {error}") from error
    if data is None:
        raise BadRecord(
            f"an answer of Athena of more than {MOST >> 20} MiB; add the CSV that Athena left in S3"
        )
    try:
        table = _ANSWER.decode(data.removeprefix(b"\xef\xbb\xbf")).ResultSet
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadRecord(f"not a whole answer of Athena: {error}") from error
    names = [column.Name for column in table.ResultSetMetadata.ColumnInfo]
    number = 0
    for place, raw in enumerate(map(bytes, table.Rows)):
        try:
            cells = [cell.VarCharValue or "" for cell in _ROW.decode(raw).Data]
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            number += 1
            yield Row(number, raw, {}, f"not a row of Athena: {error}")
            continue
        if place == 0 and (cells == names or (not names and "eventname" in map(str.lower, cells))):
            names = cells
            continue
        number += 1
        fault = "" if len(cells) == len(names) else f"{len(cells)} cells for {len(names)} columns"
        yield Row(number, raw, {} if fault else dict(zip(names, cells, strict=True)), fault)
