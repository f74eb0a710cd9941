# SPDX-License-Identifier: Apache-2.0
"""Lists of CloudTrail records inside of what looks like one record: pages, rows, lists of lists."""

import json
import re
from io import BytesIO

from locard.parsers.aws.cloudtrail.exports import LISTS, is_cell, is_record
from locard.parsers.elements import elements
from locard.parsers.records import Piece
from locard.parsers.strict_json import BadRecord, strictly

LIST_KEY = re.compile(rb'"(?:' + "|".join(LISTS).encode() + rb')"\s*:\s*\[')
_QUOTED = b'\\"eventTime\\"'
"""What a record has that stands as a text in another."""
_DEPTH = 4
"""Lists inside each other that are cut: deeper ones are a problem."""


def nested(raw: bytes) -> bool:
    """Whether a list of records may stand inside: a record itself begins with other names."""
    key = LIST_KEY.search(raw)
    return key is not None and b'"eventVersion"' not in raw[: key.start()]


def lists(piece: Piece, limit: int) -> list[Piece]:
    """The elements of lists in a page of results, which may stand one deeper (OpenSearch)."""
    found = inside(piece, limit)
    key = LIST_KEY.search(piece.raw)
    if found != [piece] or key is None:
        return found
    at = key.end() - 1
    try:
        _, end = json.JSONDecoder(strict=False).raw_decode(piece.raw.decode("latin-1"), at)
    except (ValueError, RecursionError):
        return [piece]
    inner = inside(piece._replace(offset=piece.offset + at, raw=piece.raw[at:end]), limit)
    return inner if any(is_record(one.raw) or _QUOTED in one.raw for one in inner) else [piece]


def inside(piece: Piece, limit: int) -> list[Piece]:
    """The elements of the lists in a piece; the piece itself where it holds none."""
    found = [
        inner._replace(offset=piece.offset + inner.offset)
        for batch in elements(BytesIO(piece.raw), limit, LISTS, is_record)
        for inner in batch
    ]
    listed = piece.raw.startswith(b"[") or any(inner.where for inner in found)
    return found if listed else [piece]


def of_list(piece: Piece, limit: int, depth: int = _DEPTH) -> list[Piece]:
    """The records of a list, as `jq -c .Records` writes one a line; the piece itself where it is

    none, stands in a list that has a name, or is the row of a query, whose cells it holds.
    """
    if piece.fault or piece.where or not depth or not piece.raw.startswith(b"["):
        return [piece]
    found = inside(piece, limit)
    if found and all(map(_is_cell, found)):
        return [piece]
    return [inner for one in found for inner in of_list(one, limit, depth - 1)]


def _is_cell(piece: Piece) -> bool:
    try:
        return not piece.fault and is_cell(strictly(piece.raw.decode(errors="replace"), []))
    except BadRecord:
        return False
