# SPDX-License-Identifier: Apache-2.0
"""One CloudTrail record: read, checked, and given its identity.

The fast way takes a record that is compact JSON with documented fields only, which is what AWS
delivers. Encoding it again in C gives as many bytes as were read exactly when nothing was dropped,
so duplicate keys and unknown fields are noticed for the price of a copy. Everything else goes the
careful way. Both give the same identity: the digest of the record with its keys in order.
`read_many` is the fast way for a whole batch, a step at a time over all of its records, because a
call of Python for each record and step costs more than the work in it.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Raw, UnsetType
from msgspec.structs import astuple

from locard.parsers.aws.cloudtrail.parts import NESTED, NOTHING, Memory, Part, PartFacts
from locard.parsers.strict_json import BadRecord, clean, in_order, kind_of, plain, strictly
from locard.parsers.times import NotATime, any_time
from locard.parsers.times import text as time_text

Text = str | None | UnsetType


class Record(msgspec.Struct, gc=False):
    """The documented fields, declared in the order of their names: see `canonical`.

    Source: CloudTrail user guide, "CloudTrail record contents".
    """

    addendum: Part = UNSET
    additionalEventData: Part = UNSET
    apiVersion: Text = UNSET
    awsRegion: Text = UNSET
    edgeDeviceDetails: Part = UNSET
    errorCode: Text = UNSET
    errorMessage: Text = UNSET
    eventCategory: Text = UNSET
    eventContext: Part = UNSET
    eventID: Text = UNSET
    eventName: Text = UNSET
    eventSource: Text = UNSET
    eventTime: Text = UNSET
    eventType: Text = UNSET
    eventVersion: Text = UNSET
    insightDetails: Part = UNSET
    managementEvent: Part = UNSET
    readOnly: Part = UNSET
    recipientAccountId: Text = UNSET
    requestID: Text = UNSET
    requestParameters: Part = UNSET
    resources: Part = UNSET
    responseElements: Part = UNSET
    serviceEventDetails: Part = UNSET
    sessionCredentialFromConsole: Part = UNSET
    sharedEventID: Text = UNSET
    sourceIPAddress: Text = UNSET
    tlsDetails: Part = UNSET
    userAgent: Text = UNSET
    userIdentity: Part = UNSET
    vpcEndpointAccountId: Text = UNSET
    vpcEndpointId: Text = UNSET


FIELDS = frozenset(Record.__struct_fields__)
PARTS = tuple(name for name, kind in Record.__annotations__.items() if kind == Part)
TEXTS = tuple(name for name in Record.__struct_fields__ if name not in PARTS)
FLAGS = ("readOnly", "managementEvent")

_FLAGS: dict[object, str] = {
    True: "true", False: "false", None: "", "": "", "true": "true", "false": "false",
}  # fmt: skip
_WRITTEN = {b"null": "", b'"true"': "true", b'"false"': "false"}
_ABSENT = Raw(b"")
_LINE_FEED = 10
_DELIVERED = msgspec.defstruct(
    "Delivered",
    [
        (name, bool | str | None, "")
        if name in FLAGS
        else (name, Raw, _ABSENT)
        if name in PARTS
        else (name, str | None, "")
        for name in Record.__struct_fields__
    ],
    omit_defaults=True,
    gc=False,
)
"""A record as AWS delivers it: its columns need no other look at what is not there. A text that is
there and empty is left out when it is encoded again, and noticed by that."""

_RECORD = msgspec.json.Decoder(Record)
_AS_DELIVERED: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_DELIVERED)
_COMPACT = msgspec.json.Encoder()


@dataclass(slots=True)
class Reading:
    """A record as read, with what the careful way found besides."""

    record: Record
    digest: bytes = b""
    """Bytes that are the same for the same record in any serialisation."""
    fault: str = ""
    extras: dict[str, str] = field(default_factory=dict)
    parts: dict[str, PartFacts] = field(default_factory=dict)
    """What the fields in `NESTED` say."""


@dataclass(slots=True)
class Readings:
    """Many records as read, by columns: the n-th of each list belongs to the n-th record."""

    start: bytes
    """What is digested before each record."""
    fields: dict[str, list[Any]]
    """Texts, empty or None where there is none, and `FLAGS` as `_flag` gives them."""
    digests: list[str]
    """What is in `Reading.digest` as 32 hex digits; empty where there is no record."""
    problems: list[str]
    parts: dict[str, list[PartFacts]]
    """What a field in `NESTED` says; a field that no record has may be absent."""
    extras: dict[int, dict[str, str]] = field(default_factory=dict)
    """By number of the record."""

    def put(self, number: int, reading: Reading) -> None:
        """Take in one record that was read by itself."""
        for name in TEXTS:
            self.fields[name][number] = getattr(reading.record, name) or ""
        for name in FLAGS:
            self.fields[name][number] = _flag(getattr(reading.record, name))
        self.digests[number] = sha256(self.start + reading.digest).hexdigest()[:32]
        self.problems[number] = reading.fault
        if reading.extras:
            self.extras[number] = reading.extras
        for name in self.parts.keys() | reading.parts.keys():
            if name not in self.parts:
                self.parts[name] = [NOTHING] * len(self.digests)
            self.parts[name][number] = reading.parts.get(name, NOTHING)

    @classmethod
    def of(cls, readings: Sequence[Reading | BadRecord], start: bytes) -> "Readings":
        """Records that were read one by one, and what is none with its reason."""
        nothing = [""] * len(readings)
        fields = {name: [*nothing] for name in (*TEXTS, *FLAGS)}
        found = cls(start, fields, [*nothing], [*nothing], {})
        for number, reading in enumerate(readings):
            if isinstance(reading, BadRecord):
                found.problems[number] = str(reading)
            else:
                found.put(number, reading)
        return found


def read_many(
    raws: Sequence[bytes], start: bytes, memory: Memory, one: Callable[[bytes, Memory], Reading]
) -> Readings:
    """The records in `raws`; `one` reads what is not as AWS delivers it."""
    records, odd = _decoded(raws)
    turned = zip(*map(astuple, records), strict=True)
    fields: dict[str, list[Any]] = dict(
        zip(Record.__struct_fields__, map(list, turned), strict=True)
    )
    parts: dict[str, list[PartFacts]] = {}
    for name in NESTED:
        column = fields[name]
        if column.count(_ABSENT) == len(column):
            continue
        parts[name] = found = memory.many(name, list(map(bytes, column)))
        for number, facts in enumerate(found):
            if (canonical := facts.canonical) is not None:
                setattr(records[number], name, canonical)
                if not facts.plain:
                    odd.add(number)
    for name in FLAGS:
        fields[name] = flags = list(map(_FLAGS.get, fields[name]))
        if None in flags:
            odd.update(number for number, flag in enumerate(flags) if flag is None)
    digests = _digests(records, raws, start, odd)
    readings = Readings(start, fields, digests, [""] * len(raws), parts)
    for number in sorted(odd):
        try:
            readings.put(number, one(raws[number], memory))
        except BadRecord as error:
            readings.put(number, Reading(Record(), fault=str(error)))
            readings.digests[number] = ""
    return readings


def _digests(
    records: Sequence[Any], raws: Sequence[bytes], start: bytes, odd: set[int]
) -> list[str]:
    """Digests of records; the numbers of those that are not as long as they were go to `odd`."""
    written = memoryview(_COMPACT.encode_lines(records))
    lengths = np.fromiter(map(len, raws), np.int64, len(raws))
    ends = np.cumsum(lengths + 1) - 1
    feeds = np.flatnonzero(np.frombuffer(written, np.uint8) == _LINE_FEED)
    if np.array_equal(feeds, ends):
        bounds = zip((ends - lengths).tolist(), ends.tolist(), strict=True)
        return [sha256(start + written[at:end]).hexdigest()[:32] for at, end in bounds]
    lines = list(map(_COMPACT.encode, records))
    both = enumerate(zip(lines, raws, strict=True))
    odd.update(number for number, (line, raw) in both if len(line) != len(raw))
    return [sha256(start + line).hexdigest()[:32] for line in lines]


def _decoded(raws: Sequence[bytes]) -> tuple[list[Any], set[int]]:
    """The records as they stand, and the numbers of those that cannot be read like that."""
    try:
        if all(map(bytes.isascii, raws)):
            return list(map(_AS_DELIVERED.decode, raws)), set()
    except (msgspec.DecodeError, RecursionError):
        pass
    records: list[Any] = []
    odd: set[int] = set()
    for number, raw in enumerate(raws):
        try:
            if raw.isascii() or raw.decode():
                records.append(_AS_DELIVERED.decode(raw))
                continue
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
        odd.add(number)
        records.append(_DELIVERED())
    return records, odd


def _flag(part: Part) -> str:
    """A field that should be true or false, as a text: anything else stays as found."""
    if part is UNSET:
        return ""
    raw = bytes(part)
    word = _WRITTEN.get(raw)
    return raw.decode(errors="replace") if word is None else word


def read(raw: bytes, memory: Memory) -> Reading:
    """The record in `raw`; raises `BadRecord` when there is none."""
    try:
        if raw.isascii() or raw.decode():
            record = _RECORD.decode(raw)
            if len(_COMPACT.encode(record)) == len(raw):
                return _finish(Reading(record), memory)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, BadRecord):
        pass
    return carefully(raw, memory)


def carefully(raw: bytes, memory: Memory) -> Reading:
    """The record in `raw`, with every oddity named: see `read`."""
    faults: list[str] = []
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode(errors="replace")
        faults.append("the record is not valid UTF-8")
    value = strictly(text, faults)
    if not isinstance(value, (dict, list)):
        raise BadRecord("not a record")  # what the cutter says of it
    if not isinstance(value, dict):
        raise BadRecord(f"{kind_of(value)} where a CloudTrail record was expected")
    return from_value(value, memory, faults)


def from_value(value: dict[str, Any], memory: Memory, faults: list[str] | None = None) -> Reading:
    """The record that a decoded object holds; `faults` are those found before."""
    faults = [] if faults is None else faults
    fields: dict[str, Any] = {}
    extras: dict[str, Any] = {}
    for name, content in value.items():
        if name not in FIELDS:
            extras[name] = content
        elif name == "eventTime" and isinstance(content, (int, float)):
            fields[name] = _time_text(content)
        elif name in TEXTS and content is not None and not isinstance(content, str):
            faults.append(f"{name} is {kind_of(content)}, not a text")
            fields[name] = json.dumps(content)
        else:
            fields[name] = content
    try:
        record = _RECORD.decode(plain(fields))
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRecord(f"not a CloudTrail record: {error}") from error
    reading = Reading(record, fault="; ".join(faults))
    if extras:
        reading.extras = {
            clean(name): clean(v) if isinstance(v, str) else plain(v).decode()
            for name, v in extras.items()
        }
    return _finish(reading, memory, extras)


def _finish(reading: Reading, memory: Memory, extras: dict[str, Any] | None = None) -> Reading:
    """Put the nested values in canonical form and keep the bytes that identify the record."""
    record = reading.record
    faults: list[str] = [reading.fault] if reading.fault else []
    for name in NESTED:
        facts = memory.facts(name, getattr(record, name))
        if facts is not NOTHING:
            reading.parts[name] = facts
            if facts.canonical is not None:
                setattr(record, name, facts.canonical)
            if facts.fault:
                faults.append(f"{name}: {facts.fault}")
    reading.digest = _COMPACT.encode(record)
    if extras:
        reading.digest += in_order(extras)
    if faults:
        reading.fault = "; ".join(faults)
    return reading


def _time_text(number: int | float) -> str:
    """ISO time of an epoch number, as some pipelines write it; the number when it is none."""
    try:
        return time_text(any_time(number))
    except NotATime:
        return str(number)
