# SPDX-License-Identifier: Apache-2.0
"""AWS CloudTrail in the form that S3 delivers: `{"Records": [...]}`."""

import re
from hashlib import sha256

import msgspec

from locard.model.errors import Unreadable
from locard.parsers.aws.cloudtrail.columns import put
from locard.parsers.aws.cloudtrail.record import Memory
from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.rows import Rows

_RECORDS = re.compile(rb'\s*\{\s*"Records"\s*:\s*\[')


class _File(msgspec.Struct):
    Records: list[msgspec.Raw]


def recognise(head: Head) -> Match:
    """Certain of the envelope with CloudTrail's field names in it."""
    if _RECORDS.match(head.first) and b'"eventSource"' in head.first:
        return Match(95, 'a "Records" list with CloudTrail fields')
    return NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append one row for each record."""
    data = opened.whole(256 << 20)
    if data is None:
        raise Unreadable("too large")
    rows.facts["decoded_sha256"] = sha256(data).hexdigest()
    records = msgspec.json.decode(data, type=_File).Records
    memory = Memory()
    raws: list[bytes] = []
    locators: list[str] = []
    position = _RECORDS.match(data).end()  # type: ignore[union-attr]
    for record in records:
        raw = bytes(record)
        while not data.startswith(raw, position):
            position += 1
        raws.append(raw)
        locators.append(f"byte={position}+{len(raw)}")
        position += len(raw)
    put(rows, raws, locators, memory)
