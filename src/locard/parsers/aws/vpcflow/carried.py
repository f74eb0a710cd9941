# SPDX-License-Identifier: Apache-2.0
"""Flow records that others carry: in JSON or in a table, as text or with a name for each field.

As text: events of CloudWatch Logs (`filter-log-events`, subscriptions, Insights), Splunk's `_raw`.
By names: Athena, Insights and OpenSearch, which spell the fields each in a way of their own.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from locard.parsers.aws.vpcflow.flows import DEFAULT, FIELDS, NUMBERS, TRANSIT, put
from locard.parsers.contract import NO, Context, Match, Opened
from locard.parsers.rows import Rows
from locard.parsers.structured import Found, found_batches, look
from locard.parsers.times import SECOND, NotATime, any_time

LISTS = ("events", "logEvents", "results", "Records", "hits", "rows")
"""Lists inside of a JSON document that hold its records."""
_STAMPS = ("@timestamp", "timestamp", "_time", "time", "ingestionTime", "@ingestionTime")
"""Names of times that whoever carries a record puts beside it."""
_CARRIERS = ("message", "@message", "_raw", "body", "event.original")
_ATHENA = {
    "sourceaddress": "srcaddr", "destinationaddress": "dstaddr", "sourceport": "srcport",
    "destinationport": "dstport", "numpackets": "packets", "numbytes": "bytes",
    "starttime": "start", "endtime": "end", "account": "account-id",
}  # fmt: skip
"""Names of columns in AWS's examples for Athena."""
_NAMES = {name.replace("-", ""): name for name in FIELDS} | _ATHENA
_TEXT = re.compile(r"\d{1,2} (?:\d{12}|unknown|-) (?:\S+ ){10}(?:ACCEPT|REJECT|-) [A-Z]+\s*")
_TRANSIT_TEXT = re.compile(r"\d{1,2} TransitGateway (?:\d{12}|unknown|-) tgw-\S+(?: \S+){32}\s*")
_ENOUGH = 5
"""Fields of a flow that must have a name."""


def recognise(first: bytes) -> Match:
    """By most of the records in the first bytes."""
    if not any(word in first for word in (b"ACCEPT", b"REJECT", b"NODATA", b"TransitGateway")):
        return NO
    kind, records = look(first, LISTS)
    if not records:
        return NO
    texts = sum(_text(record) is not None for record in records)
    if 2 * texts > len(records):
        return Match(86, f"flow records as text in {kind.upper()}")
    named = sum(_fields(record) is not None for record in records)
    if 2 * named > len(records):
        return Match(84, f"{kind.upper()} with the fields of flow records")
    return NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append one row for each record of a JSON document or a table."""
    for batch in found_batches(opened, context, LISTS):
        good: list[tuple[Found, dict[str, str]]] = []
        for found in batch:
            if context.only is not None and found.locator != context.only:
                continue
            flow = None if found.fault else _flow(found.record)
            if flow is None:
                fault = found.fault or "no flow record in it"
                rows.problem(fault, found.raw, found.locator, provider="aws")
            else:
                good.append((found, flow))
        _put(rows, good)


def _put(rows: Rows, good: Sequence[tuple[Found, dict[str, str]]]) -> None:
    names = {name: None for _, flow in good for name in flow}
    columns = {
        name: pa.array([flow.get(name, "-") for _, flow in good], pa.string()) for name in names
    }
    stamps = [
        next((str(f.record[name]) for name in _STAMPS if f.record.get(name)), "") for f, _ in good
    ]
    raws, locators = [found.raw for found, _ in good], [found.locator for found, _ in good]
    put(rows, columns, raws, locators, stamps)


def _flow(record: Mapping[str, Any]) -> dict[str, str] | None:
    text = _text(record)
    if text is not None:
        words = text.split()
        return dict(zip(DEFAULT if len(words) == len(DEFAULT) else TRANSIT, words, strict=True))
    return _fields(record)


def _text(record: Mapping[str, Any]) -> str | None:
    """A record in a default format that one of the values is."""
    for name in _CARRIERS:
        value = record.get(name)
        if isinstance(value, str) and (_TEXT.fullmatch(value) or _TRANSIT_TEXT.fullmatch(value)):
            return value
    return None


def _fields(record: Mapping[str, Any]) -> dict[str, str] | None:
    """Fields by the names of the user guide, at the top or in an object up to three deep."""
    for candidate in _objects(record, 3):
        flow: dict[str, str] = {}
        for name, value in candidate.items():
            known = field(name)
            if known and value not in (None, "") and not isinstance(value, (dict, list)):
                flow[known] = _value(known, value)
        if len(flow) >= _ENOUGH and flow.keys() & {"srcaddr", "interface-id"}:
            return flow
    return None


def field(name: str) -> str | None:
    """The field of the user guide that a column or key is named after, however that spells it."""
    return _NAMES.get(re.sub(r"[^a-z0-9]", "", name.lower()))


def _value(name: str, value: Any) -> str:
    """A field as text: whole numbers without the `.0` of who holds them as fractions (pandas)."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value)
    whole = text.removesuffix(".0")
    if name in NUMBERS and whole.isdigit():
        text = whole
    return _second(text) if name in ("start", "end") else text


def _objects(record: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    yield record
    if depth > 1:
        for value in record.values():
            if isinstance(value, dict):
                yield from _objects(value, depth - 1)


def _second(text: str) -> str:
    """Epoch seconds; what is no time stays as it is and becomes a problem."""
    if text.isdigit() and len(text) <= 10:
        return text
    try:
        return str(any_time(text) // SECOND)
    except NotATime:
        return text
