# SPDX-License-Identifier: Apache-2.0
"""CloudTrail records out of what others wrap around them or make of them.

Wrapped: `LookupEvents`, EventBridge, SNS, SQS, CloudWatch Logs, Splunk, OpenSearch, CloudTrail
Lake with `eventJson`, and whatever else holds a record in one of its values. The record inside is
the same record as in the file that S3 delivered, and gets the same identity. Remade: tables with
one column for each field (Athena, Lake, Splunk, the console). They lost something on the way, so
their rows stay events of their own.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from locard.parsers.aws.cloudtrail.parts import Memory, PartFacts
from locard.parsers.aws.cloudtrail.record import FIELDS, Reading, from_value, read
from locard.parsers.strict_json import BadRecord, plain, strictly
from locard.parsers.times import NotATime, any_time
from locard.parsers.times import text as time_text

LISTS = (
    "Records", "Events", "events", "logEvents", "QueryResultRows", "results", "Messages", "hits",
)  # fmt: skip
"""Names of lists whose elements are records or wrap them."""
_WRAPPERS = (
    "CloudTrailEvent", "cloudtrailevent", "eventJson", "eventjson", "detail", "_raw", "@message",
    "message", "Message", "Body", "body", "_source", "result", "eventData", "cloudtrail", "aws",
)  # fmt: skip
"""Names that hold a record, asked before all others."""
_DEPTH = 5
"""Wrappings around one record that are taken off: SQS around SNS around EventBridge are three."""
_OTHERS = 64
"""Values of other names that are looked into at each depth."""
PREFIX = re.compile(
    rb"(?:\xef\xbb\xbf)?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\s{\"]*"
    rb"(?:[ \t]+[^\s{\"]{1,512})?[ \t]+(?=\{)"
)
"""The time, and the name of a stream, that CloudWatch Logs writes before each event."""
_CONSOLE = {
    "username": "userIdentity.userName", "awsaccesskey": "userIdentity.accessKeyId",
    "accesskeyid": "userIdentity.accessKeyId", "resourcename": "resources.name",
    "eventid": "eventID", "requestid": "requestID", "region": "awsRegion",
    "sourceip": "sourceIPAddress", "accountid": "recipientAccountId",
    "recipientaccount": "recipientAccountId", "vpcendpointaccount": "vpcEndpointAccountId",
}  # fmt: skip
_INSIGHT = {
    name.lower(): name
    for name in (
        "insightSource", "insightState", "insightEventSource", "insightEventName",
        "insightErrorCode", "insightType", "insightContext",
    )
}  # fmt: skip
"""Fields of Insights events as CloudTrail Lake holds them: `insightDetails` taken apart."""
_LEFT = ("_time", "@timestamp")
"""Times that others put beside what they made of a record."""
_INNER = {
    name.lower(): name
    for name in (
        "type", "principalId", "arn", "accountId", "accessKeyId", "userName", "invokedBy",
        "sessionContext", "sessionIssuer", "attributes", "mfaAuthenticated", "creationDate",
        "webIdFederationData", "federatedProvider", "sourceIdentity", "ec2RoleDelivery",
        "identityProvider", "inScopeOf", "onBehalfOf",
    )
}  # fmt: skip
_FIELDS = {name.lower(): name for name in FIELDS}
_OBJECTS = {"userIdentity", "requestParameters", "responseElements", "additionalEventData",
            "resources", "tlsDetails", "serviceEventDetails", "insightDetails"}  # fmt: skip
_FLAGS = {"readOnly", "managementEvent"}
_KEY = re.compile(r"\s*([\w.$-]+)=")
_BLANKS = re.compile(r"\s*")
_STOP = re.compile(r"(?=[}\]])|,(?=\s*[\w.$-]+=)")


def unwrap(raw: bytes, memory: Memory, depth: int = 0) -> Reading:
    """The record in `raw` or in what `raw` wraps; raises `BadRecord` when there is none."""
    if not depth and (prefix := PREFIX.match(raw)):
        raw = raw[prefix.end() :]
    try:
        reading = read(raw, memory)
    except BadRecord:
        if not raw.lstrip().startswith(b"["):
            raise
        return _of_row(raw, memory, depth)
    record = reading.record
    if "insightEventName" in reading.extras:
        _take_insight(reading)
    if record.eventTime or depth >= _DEPTH:
        return reading
    if not reading.extras or record.eventVersion:
        return reading
    faults: list[str] = []
    value = strictly(raw.decode(errors="replace"), faults)
    return _of_value(value, memory, depth) or reading


def of_cells(cells: Mapping[str, str], memory: Memory) -> Reading:
    """The record in the cells of one row of a table; raises `BadRecord`."""
    found = _of_value(dict(cells), memory, 0)
    if found is None:
        raise BadRecord("no column of this row belongs to CloudTrail")
    return found


def is_record(raw: bytes) -> bool:
    """Whether an object is a whole record or wrapper, and not a part of one."""
    return any(
        key in raw
        for key in (b'"eventTime"', b'"EventTime"', b'"CloudTrailEvent"', b'"eventVersion"')
    )


def plain_name(name: str) -> str:
    """A column's name without case, blanks and signs: `Event time` is `eventtime`."""
    return re.sub(r"[^a-z0-9.]", "", name.lower())


def _of_value(value: Any, memory: Memory, depth: int) -> Reading | None:
    if not isinstance(value, dict):
        return None
    named = [name for name in _WRAPPERS if name in value]
    others = [name for name in value if name not in _WRAPPERS][:_OTHERS]
    fault = ""
    for name in named + (others if not _is_remade(value) else []):
        inner = value[name]
        if isinstance(inner, dict):
            inner = plain(inner).decode()
        if isinstance(inner, str) and inner.lstrip().startswith("{"):
            try:
                found = unwrap(inner.encode("utf-8", "replace"), memory, depth + 1)
            except BadRecord as error:
                if name == "CloudTrailEvent":
                    fault = f"CloudTrailEvent: {error}"
                continue
            if found.record.eventTime or found.record.eventName:
                return found
    remade = _remade(value)
    if not remade.get("eventName") and not remade.get("insightEventName"):
        if fault:
            raise BadRecord(fault)
        return None
    reading = from_value(remade, memory, [fault] if fault else None)
    if "insightEventName" in reading.extras:
        _take_insight(reading)
    return reading


def _take_insight(reading: Reading) -> None:
    """Have an Insights event of CloudTrail Lake say what one of a trail says."""
    told = {
        name: reading.extras.get(f"insight{name[:1].upper()}{name[1:]}", "")
        for name in ("state", "eventSource", "eventName", "errorCode")
    }
    told["insightType"] = reading.extras.get("insightType", "")
    reading.parts["insightDetails"] = PartFacts(told, None, None)


def _is_remade(value: Mapping[str, Any]) -> bool:
    """Whether this is a record itself, one that was taken apart into columns."""
    return not {"eventname", "insighteventname"}.isdisjoint(map(plain_name, value))


def is_cell(value: Any) -> bool:
    """Whether this is one cell of a row: one name with its value, in either way to say it."""
    return isinstance(value, dict) and (len(value) <= 1 or value.keys() == {"field", "value"})


def _of_row(raw: bytes, memory: Memory, depth: int) -> Reading:
    """A row of a query: of CloudTrail Lake, objects with one name each; of Logs Insights, objects

    that say `field` and `value`.
    """
    faults: list[str] = []
    row = strictly(raw.decode(errors="replace"), faults)
    merged: dict[str, Any] = {}
    if not isinstance(row, list) or not all(map(is_cell, row)):
        raise BadRecord("a list where a CloudTrail record was expected")
    for cell in row:
        if cell.keys() == {"field", "value"}:
            merged[str(cell["field"])] = cell["value"]
        else:
            merged.update(cell)
    found = _of_value(merged, memory, depth)
    if found is None:
        raise BadRecord("a list where a CloudTrail record was expected")
    return found


def _remade(cells: Mapping[str, Any]) -> dict[str, Any]:
    """A record from columns named like its fields, in any case, dotted or not."""
    record: dict[str, Any] = {}
    for name, content in cells.items():
        if content in (None, "", "-", "null"):
            continue
        short = plain_name(name)
        head, dot, _ = short.partition(".")
        if dot:
            rest = re.sub(r"\{\d*\}", "", name.strip().partition(".")[2])
            target = ".".join((_FIELDS.get(head, head), rest))
        else:
            target = _FIELDS.get(short) or _INSIGHT.get(short) or _CONSOLE.get(short, "")
        if not target:
            record.setdefault(name.strip() or "unnamed", content)
            continue
        _set(record, target, content)
    if "eventTime" not in record:
        beside = next((record.pop(name) for name in _LEFT if name in record), None)
        record |= {} if beside is None else {"eventTime": beside}
    if isinstance(record.get("eventTime"), (str, int, float)):
        try:
            record["eventTime"] = time_text(any_time(record["eventTime"]))
        except NotATime:
            record["eventTime"] = str(record["eventTime"])
    return record


def _set(record: dict[str, Any], target: str, content: Any) -> None:
    head, dot, rest = target.partition(".")
    if head == "resources" and rest.lower() in ("name", "arn", "type", "accountid"):
        _add_resources(record, rest.lower(), str(content))
    elif head == "resources" and isinstance(content, list):
        record["resources"] = [_named(item) for item in content]
    elif not dot:
        if head in _OBJECTS and isinstance(content, str):
            content = _object(content)
        elif head in _FLAGS and isinstance(content, str):
            content = {"true": True, "false": False}.get(content.lower(), content)
        elif head not in _OBJECTS and not isinstance(content, str):
            content = json.dumps(content)
        if head == "userIdentity":
            content = _cased(content)
        record[head] = content
    else:
        place = record.setdefault(head, {})
        for step in rest.split(".")[:-1]:
            if not isinstance(place, dict):
                return
            place = place.setdefault(_INNER.get(step.lower(), step), {})
        if isinstance(place, dict):
            last = rest.rpartition(".")[2]
            place[_INNER.get(last.lower(), last)] = content


def _add_resources(record: dict[str, Any], rest: str, content: str) -> None:
    """One more word about each resource: several stand in a cell, in lines or behind commas."""
    words = [word.strip() for word in re.split(r"[\n,]", content) if word.strip()]
    found = record.setdefault("resources", [])
    if not isinstance(found, list):
        return
    key = {"name": "ARN", "arn": "ARN", "accountid": "accountId"}.get(rest, rest)
    for number, word in enumerate(words):
        if number == len(found):
            found.append({})
        if isinstance(found[number], dict):
            found[number].setdefault(key, word)


def _named(item: Any) -> Any:
    if isinstance(item, dict) and "ResourceName" in item:
        return {"ARN": item["ResourceName"], "type": item.get("ResourceType", "")}
    return item


def _object(text: str) -> Any:
    """JSON, or the way Athena and Lake print structures: `{type=IAMUser, arn=...}`."""
    if text[:1] not in "{[":
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        value, end = _struct(text, 0, 0)
    except ValueError:
        return text
    return value if not text[end:].strip() else text


def _struct(text: str, at: int, depth: int) -> tuple[Any, int]:
    """The value at `at` and where it ends; raises `ValueError` when there is none."""
    if depth > 30:
        raise ValueError("nested too deeply")
    opening = text[at : at + 1]
    if opening in ("{", "["):
        return _members(text, at + 1, depth, named=opening == "{")
    match = _STOP.search(text, at)
    if match is None:
        raise ValueError("not a structure")
    return text[at : match.start()].strip(), match.start()


def _members(text: str, at: int, depth: int, named: bool) -> tuple[Any, int]:
    closing = "}" if named else "]"
    found: dict[str, Any] = {}
    items: list[Any] = []
    while not text.startswith(closing, at):
        match = (_KEY if named else _BLANKS).match(text, at)
        if match is None:
            raise ValueError("not a structure")
        value, at = _struct(text, match.end(), depth + 1)
        items.append(value)
        if named and value != "null":
            found[match[1]] = value
        if text.startswith(",", at):
            at += 1
        elif not text.startswith(closing, at):
            raise ValueError("not a structure")
    return (found if named else items), at + 1


def _cased(value: Any) -> Any:
    if isinstance(value, dict):
        return {_INNER.get(name.lower(), name): _cased(content) for name, content in value.items()}
    return value
