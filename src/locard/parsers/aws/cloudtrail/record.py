# SPDX-License-Identifier: Apache-2.0
"""One CloudTrail record: read, checked, and given its identity.

The fast way takes a record that is compact JSON with documented fields only, which is what AWS
delivers. Encoding it again in C gives as many bytes as were read exactly when nothing was dropped,
so duplicate keys and unknown fields are noticed for the price of a copy. Everything else goes the
careful way. Both give the same identity: the digest of the record with its keys in order.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from locard.parsers.strict_json import BadRecord, clean, in_order, kind_of, plain, strictly
from locard.parsers.times import NotATime, any_time
from locard.parsers.times import text as time_text

Text = str | None | UnsetType
Part = Raw | UnsetType


class Record(msgspec.Struct):
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

_RECORD = msgspec.json.Decoder(Record)
_ANY = msgspec.json.Decoder()
_COMPACT = msgspec.json.Encoder()
_SORTED = msgspec.json.Encoder(order="sorted")


@dataclass(slots=True)
class PartFacts:
    """What a nested value says. Kept for the next record, since most of them repeat."""

    value: Any
    canonical: Raw
    text: str
    fault: str = ""
    derived: Any = None
    """What `columns` made of the value."""


@dataclass(slots=True)
class Reading:
    """A record as read, with what the careful way found besides."""

    record: Record
    digest: bytes = b""
    """Bytes that are the same for the same record in any serialisation."""
    fault: str = ""
    extras: dict[str, str] = field(default_factory=dict)
    identity: PartFacts | None = None
    request: PartFacts | None = None
    response: PartFacts | None = None
    resources: PartFacts | None = None


class Memory:
    """Facts of nested values by their bytes: bounded, because evidence is hostile."""

    def __init__(self, entries: int = 8192, size: int = 4096) -> None:
        self._facts: dict[bytes, PartFacts] = {}
        self._entries = entries
        self._size = size

    def facts(self, part: Part) -> PartFacts | None:
        """What `part` holds, None for nothing; raises `BadRecord` when it is not JSON."""
        if part is UNSET:
            return None
        raw = bytes(part)
        if raw == b"null":
            return None
        known = self._facts.get(raw)
        if known is not None:
            return known
        facts = _part_facts(raw)
        if len(raw) <= self._size:
            if len(self._facts) >= self._entries:
                self._facts.clear()
            self._facts[raw] = facts
        return facts


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
    if not isinstance(value, dict):
        raise BadRecord(f"a {kind_of(value)} where a CloudTrail record was expected")
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
            faults.append(f"{name} is a {kind_of(content)}, not a text")
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
    facts_of = memory.facts
    reading.identity = facts_of(record.userIdentity)
    reading.request = facts_of(record.requestParameters)
    reading.response = facts_of(record.responseElements)
    reading.resources = facts_of(record.resources)
    for name, facts in (
        ("userIdentity", reading.identity),
        ("requestParameters", reading.request),
        ("responseElements", reading.response),
        ("resources", reading.resources),
        ("additionalEventData", facts_of(record.additionalEventData)),
        ("tlsDetails", facts_of(record.tlsDetails)),
    ):
        if facts is not None:
            setattr(record, name, facts.canonical)
            if facts.fault:
                faults.append(f"{name}: {facts.fault}")
    for name in _RARE:
        part = getattr(record, name)
        if part is not UNSET and (facts := facts_of(part)) is not None:
            setattr(record, name, facts.canonical)
            if facts.fault:
                faults.append(f"{name}: {facts.fault}")
    reading.digest = _COMPACT.encode(record)
    if extras:
        reading.digest += in_order(extras)
    if faults:
        reading.fault = "; ".join(faults)
    return reading


_RARE = ("addendum", "edgeDeviceDetails", "eventContext", "insightDetails", "serviceEventDetails")


def _part_facts(raw: bytes) -> PartFacts:
    faults: list[str] = []
    try:
        value = _ANY.decode(raw)
        canonical = _SORTED.encode(value)
        if len(canonical) == len(raw):
            return PartFacts(value, Raw(canonical), raw.decode())
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, OverflowError) as error:
        if isinstance(error, RecursionError):
            raise BadRecord("JSON nested too deeply") from error
    value = strictly(raw.decode(errors="replace"), faults)
    return PartFacts(value, Raw(in_order(value)), raw.decode(errors="replace"), "; ".join(faults))


def _time_text(number: int | float) -> str:
    """ISO time of an epoch number, as some pipelines write it; the number when it is none."""
    try:
        return time_text(any_time(number))
    except NotATime:
        return str(number)
