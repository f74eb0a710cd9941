# SPDX-License-Identifier: Apache-2.0
"""Timesketch's interchange CSV and JSON lines, and what Plaso's psort writes in the same spirit.

`datetime` (ISO 8601) is read first, since it may hold nanoseconds; `timestamp` (microseconds since
1970) is the fallback. What the time means is `timestamp_desc`. Sources: Timesketch guide, "Create
timeline from JSON/JSONL/CSV file"; Plaso, output modules `json_line`, `json`, `dynamic`, `l2tcsv`.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.mapping import compile_columns, fill
from locard.parsers.records import Piece, lines
from locard.parsers.rows import Rows
from locard.parsers.structured import Found, as_found, beginning, found_batches, look
from locard.parsers.times import NotATime, any_time, epoch
from locard.parsers.times import text as time_text

_PLAN = compile_columns(
    {
        "time": {"from": ["locard.time"], "as": "timestamp"},
        "time_meaning": "timestamp_desc",
        "message": {"from": ["message", "description"]},
        "host": {"from": ["hostname", "computer_name", "host"]},
        "actor": {"from": ["username", "user", "user_name", "account_name"]},
        "src_ip": {"from": ["src_ip", "source_ip", "ip_address", "ip", "client_ip", "address"]},
        "src_port": {"from": ["src_port", "source_port", "port"]},
        "dst_ip": {"from": ["dst_ip", "dest_ip", "destination_ip"]},
        "dst_port": {"from": ["dst_port", "dest_port", "destination_port"]},
        "process": {"from": ["process_name", "process", "executable", "reporter"]},
        "file": {"from": ["filename", "file_path", "path"]},
        "hash": {"from": ["sha256_hash", "sha256", "sha1_hash", "md5_hash"]},
        "domain": {"from": ["domain", "domain_name"]},
        "url": "url",
        "session": {"from": ["session_id", "login_id"]},
        "action": {"from": ["action", "event_name"]},
        "outcome": {"from": ["outcome", "result"]},
    }
)
_NUMBERED = re.compile(rb'(?:\xef\xbb\xbf)?[\s{,]*"event_\d+"\s*:\s*(?=\{)')
"""What stands in front of each event in the one object that psort writes as `json`."""
_NO_TIME = ("Not a time", "Not set", "0")


def recognise(head: Head) -> Match:
    """By the three names that Timesketch requires."""
    if _NUMBERED.match(head.first) and b'"timestamp_desc"' in head.first:
        return Match(94, "Plaso events as JSON")
    kind, records = look(beginning(head))
    for record in records[:5]:
        if "timestamp_desc" in record and ("datetime" in record or "timestamp" in record):
            if "__container_type__" in record:
                return Match(94, "Plaso events as JSON lines")
            if "message" in record:
                return Match(90, f"Timesketch interchange, {kind}")
    return NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append one row for each event; see `contract`."""
    numbered = _NUMBERED.match(opened.first) is not None
    for batch in _numbered(opened, context) if numbered else found_batches(opened, context):
        timed = [_timed(item, context.zone) for item in batch]
        fill(_PLAN, [item for item, has_time in timed if has_time], rows, context)
        fill(_TIMELESS, [item for item, has_time in timed if not has_time], rows, context)


def _numbered(opened: Opened, context: Context) -> Iterator[list[Found]]:
    """The events of an object that names each `event_N`, one a line."""
    for batch in lines(opened.stream(), context.limits.record_bytes):
        pieces = [_event(piece) for piece in batch if piece.fault or piece.raw.strip() != b"}"]
        yield [as_found(one) for one in pieces if context.only in (None, one.locator)]


def _event(piece: Piece) -> Piece:
    """A line without the name of the event and what closes it."""
    match = _NUMBERED.match(piece.raw)
    if piece.fault or match is None:
        return piece
    raw = piece.raw[match.end() :].rstrip(b" ,\t\r")
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        raw = raw.removesuffix(b"}").rstrip()  # the last of them closes the object too
    return Piece(piece.offset + match.end(), raw, len(raw))


_TIMELESS = compile_columns(
    {rule.column: {"from": list(rule.paths)} for rule in _PLAN.rules if rule.column != "time"}
)


def _timed(item: Found, zone: str) -> tuple[Found, bool]:
    """The record with its time as one text; False when Plaso says that it has none."""
    if item.fault and not item.record:
        return item, True
    record = dict(item.record)
    when, count = record.get("datetime"), record.get("timestamp")
    if _none(when) and (_none(count) or count == "") and (when or count is not None):
        return item, False
    try:
        time = _time(when, count, zone)
    except NotATime as error:
        faults = [item.fault, f"no time can be read from {repr(when or count)[:80]}: {error}"]
        return item._replace(fault="; ".join(filter(None, faults))), True
    record.pop("datetime", None)
    record.pop("timestamp", None)
    if record.get("__container_type__") == "event":
        for name in ("__container_type__", "__type__", "date_time"):
            record.pop(name, None)
    record["locard.time"] = time_text(time)
    return item._replace(record=record), True


def _none(value: Any) -> bool:
    return value is None or str(value) in _NO_TIME or str(value).startswith("0000-00-00")


def _time(when: Any, count: Any, zone: str) -> int:
    if when not in (None, "") and not _none(when):
        return any_time(when, zone)
    if count in (None, ""):
        raise NotATime("the event has neither datetime nor timestamp")
    text = str(count)
    if isinstance(count, (int, float)) or text.strip().lstrip("-").isdigit():
        return epoch(count if isinstance(count, (int, float)) else text, 1000)
    return any_time(text, zone)
