# SPDX-License-Identifier: Apache-2.0
"""CloudTrail records as columns of the timeline."""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from msgspec import UNSET

from locard.parsers.addresses import address
from locard.parsers.attributes import pack
from locard.parsers.aws.cloudtrail.exports import unwrap
from locard.parsers.aws.cloudtrail.record import Memory, PartFacts, Reading, Record
from locard.parsers.rows import Rows, identify
from locard.parsers.strict_json import BadRecord
from locard.parsers.times import NotATime, iso

_INSTANCE = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})", re.ASCII)
_NAMES = (
    "bucketName", "functionName", "instanceId", "dBInstanceIdentifier", "dBSnapshotIdentifier",
    "dBClusterIdentifier", "secretId", "keyId", "snapshotId", "imageId", "volumeId", "groupId",
    "networkAclId", "routeTableId", "networkInterfaceId", "subnetId", "vpcId", "userName",
    "roleName", "roleArn", "groupName", "policyArn", "policyName", "instanceProfileName",
    "trailName", "name", "logGroupName", "topicArn", "queueUrl", "tableName", "clusterName",
    "repositoryName", "stackName", "detectorId", "documentName", "resourceArn", "target",
)  # fmt: skip
"""Request parameters that name what a call is about, most telling first."""
_NO_NAME = ("requestid", "clienttoken", "maxresults", "nexttoken", "host")

Column = list[Any]


def put(
    rows: Rows,
    raws: Sequence[bytes],
    locators: Sequence[str],
    memory: Memory,
    inner: Sequence[bytes | Reading | BadRecord] | None = None,
) -> None:
    """Append one row for each of `raws`; `inner` is the record itself where `raws` wrap it."""
    if not raws:
        return
    readings: list[Reading | None] = []
    problems: list[str] = []
    for body in raws if inner is None else inner:
        try:
            if isinstance(body, BadRecord):
                raise body
            reading = body if isinstance(body, Reading) else unwrap(body, memory)
            readings.append(reading)
            problems.append(reading.fault)
        except BadRecord as error:
            readings.append(None)
            problems.append(str(error))
    columns = _columns(readings, problems)
    start = rows.source.encode() + b"\0"
    columns["id"] = [
        sha256(start + reading.digest).hexdigest()[:32]
        if reading is not None and not problem
        else identify(rows.source, [f"{rows.evidence}\0{locator}"])[0]
        for reading, problem, locator in zip(readings, problems, locators, strict=True)
    ]
    columns["raw"] = raws
    columns["locator"] = locators
    columns["problem"] = problems
    rows.columns(len(raws), columns)


def _columns(readings: Sequence[Reading | None], problems: list[str]) -> dict[str, Any]:
    table: list[tuple[Any, ...]] = []
    odd: dict[str, dict[int, str]] = {}
    for number, reading in enumerate(readings):
        if reading is None:
            table.append(_EMPTY)
            continue
        values = _values(reading)
        table.append(values)
        if values[0] is None:
            fault = _time(reading.record.eventTime)[1]
            problems[number] = f"{problems[number]}; {fault}" if problems[number] else fault
        for name, text in reading.extras.items():
            odd.setdefault(f"extra.{name}" if name in _ATTRIBUTES else name, {})[number] = text
    turned = list(zip(*table, strict=True)) if table else [()] * len(_EMPTY)
    columns: dict[str, Any] = dict(zip(_NAMES_OF_COLUMNS, turned, strict=False))
    further: dict[str, Any] = dict(zip(_ATTRIBUTES, turned[len(_NAMES_OF_COLUMNS) :], strict=True))
    for name, texts in odd.items():
        further[name] = [texts.get(number) for number in range(len(readings))]
    columns["attributes"] = pack(len(readings), further)
    columns["provider"] = "aws"
    columns["time_meaning"] = "event"
    return columns


_NAMES_OF_COLUMNS = (
    "time", "account", "region", "host", "actor", "actor_kind", "session", "action", "outcome",
    "error", "resource", "src_ip", "domain", "message",
)  # fmt: skip
_ATTRIBUTES = (
    "userAgent", "requestParameters", "responseElements", "errorMessage", "mfa", "readOnly",
    "managementEvent", "eventType", "eventCategory", "eventID", "requestID", "sharedEventID",
    "eventVersion", "sessionIssuer", "actor_account", "principalId", "invokedBy", "source_address",
    "vpcEndpointId", "sourceIdentity",
)  # fmt: skip
_EMPTY: tuple[Any, ...] = (None, *[""] * (len(_NAMES_OF_COLUMNS) + len(_ATTRIBUTES) - 1))


def _values(reading: Reading) -> tuple[Any, ...]:
    """The columns and then the attributes of one record, in the order of their names."""
    r = reading.record
    identity, request, response = reading.identity, reading.request, reading.response
    who: tuple[str, ...]
    if identity is None:
        who = _NOBODY
    elif (who := identity.derived) is None:
        who = identity.derived = _who(identity.value)
    try:
        time: int | None = iso(r.eventTime)
    except (NotATime, TypeError):
        time = None
    action = r.eventName or ""
    error = r.errorCode or ""
    outcome = "failure" if error else _outcome(r, action, response)
    resource = _resource(reading.resources, request, response)
    source = r.sourceIPAddress or ""
    src_ip = address(source)
    message = f"{who[10] or '?'} {action or '?'}"
    if resource:
        message += f" {resource}" if len(resource) < 200 else f" {resource[:200]}…"
    if source:
        message += f" from {source}"
    if outcome == "failure":
        message += f": {error or r.errorMessage or 'failure'}"
    return (
        time, r.recipientAccountId or who[7], r.awsRegion or "", who[3], who[0], who[1], who[2],
        action, outcome, error, resource, src_ip, r.eventSource or "", message,
        r.userAgent or None, _text(request), _text(response), r.errorMessage or None, who[4],
        _flag(r.readOnly), _flag(r.managementEvent), r.eventType or None, r.eventCategory or None,
        r.eventID or None, r.requestID or None, r.sharedEventID or None, r.eventVersion or None,
        who[5], who[7], who[8], who[9], None if src_ip else source, r.vpcEndpointId or None, who[6],
    )  # fmt: skip


def _time(text: Any) -> tuple[int | None, str]:
    if not text:
        return None, "the record has no eventTime"
    try:
        return iso(text), ""
    except NotATime as error:
        return None, f"eventTime {text[:80]!r}: {error}"


def _who(who: Any) -> tuple[str, ...]:
    """What `_values` takes from an identity, in the order of the last line."""
    if not isinstance(who, dict):
        return _NOBODY
    kind, arn = _word(who.get("type")), _word(who.get("arn"))
    invoker = _word(who.get("invokedBy"))
    actor = (
        arn
        or (invoker if kind in ("AWSService", "") else "")
        or _word(who.get("userName"))
        or _word(who.get("principalId"))
        or invoker
        or _word(who.get("accountId"))
    )
    context = who.get("sessionContext")
    mfa = issuer = lender = ""
    if isinstance(context, dict):
        attributes = context.get("attributes")
        if isinstance(attributes, dict):
            mfa = _word(attributes.get("mfaAuthenticated"))
        issued = context.get("sessionIssuer")
        if isinstance(issued, dict):
            issuer = _word(issued.get("arn"))
        lender = _word(context.get("sourceIdentity"))
    last = arn.rpartition("/")[2]
    return (
        actor, kind, _word(who.get("accessKeyId")), last if _INSTANCE.fullmatch(last) else "",
        mfa, issuer, lender, _word(who.get("accountId")), _word(who.get("principalId")), invoker,
        _short(actor),
    )  # fmt: skip


_NOBODY: tuple[str, ...] = ("",) * 11


def _outcome(record: Record, action: str, response: PartFacts | None) -> str:
    if response is not None and isinstance(response.value, dict):
        said = response.value.get(action)
        if said == "Failure" or said == "Success":
            return str(said).lower()
    if record.errorMessage:
        return "failure"
    return "" if record.eventType == "AwsCloudTrailInsight" or not action else "success"


def _resource(
    resources: PartFacts | None, request: PartFacts | None, response: PartFacts | None
) -> str:
    if resources is not None:
        if resources.derived is None:
            resources.derived = _listed(resources.value)
        if resources.derived:
            return str(resources.derived)
    for facts in (request, response):
        if facts is not None:
            if facts.derived is None:
                facts.derived = _named(facts.value) if isinstance(facts.value, dict) else ""
            if facts.derived:
                return str(facts.derived)
    return ""


def _listed(resources: Any) -> str:
    for item in resources if isinstance(resources, list) else ():
        if isinstance(item, dict):
            name = _word(item.get("ARN") or item.get("arn") or item.get("resourceName"))
            if name:
                return name
    return ""


def _named(value: dict[str, Any]) -> str:
    bucket = value.get("bucketName")
    if bucket and isinstance(bucket, str):
        key = value.get("key")
        return f"{bucket}/{key}" if isinstance(key, str) and key else bucket
    for name in _NAMES:
        found = value.get(name)
        if found and isinstance(found, str):
            return found
    for content in value.values():
        if isinstance(content, dict):
            items = content.get("items")
            if isinstance(items, list):
                ids = [_identifier(item) for item in items[:20] if isinstance(item, dict)]
                named = ", ".join(name for name in ids if name)
                if named:
                    return named
            found = content.get("arn")
            if found and isinstance(found, str):
                return found
    return _identifier(value)


def _identifier(value: dict[str, Any]) -> str:
    for ending in ("arn", "id", "name", "identifier"):
        for name, content in value.items():
            lower = name.lower()
            if lower.endswith(ending) and lower not in _NO_NAME and isinstance(content, str):
                return content
    return ""


def _short(actor: str) -> str:
    """`alice` of `arn:aws:iam::1:user/alice`, `Role/session` of an assumed role."""
    if not actor.startswith("arn:"):
        return actor
    name = actor.split(":", 5)[-1]
    kind, slash, rest = name.partition("/")
    return rest if slash and kind in ("assumed-role", "federated-user", "user", "role") else name


def _text(facts: PartFacts | None) -> str | None:
    return facts.text if facts is not None and facts.value else None


def _flag(part: Any) -> str | None:
    if part is UNSET:
        return None
    raw = bytes(part)
    return _FLAGS[raw] if raw in _FLAGS else raw.decode(errors="replace")


_FLAGS = {b"true": "true", b"false": "false", b"null": None, b'"true"': "true", b'"false"': "false"}


def _word(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, (dict, list)) else str(value)
