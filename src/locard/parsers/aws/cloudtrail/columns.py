# SPDX-License-Identifier: Apache-2.0
"""CloudTrail records as columns of the timeline."""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from msgspec import UNSET

from locard.parsers.addresses import address
from locard.parsers.attributes import pack
from locard.parsers.aws.cloudtrail.record import BadRecord, Memory, PartFacts, Reading, read
from locard.parsers.rows import Rows, identify
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
    readings: list[Reading | None] = []
    problems: list[str] = []
    for body in raws if inner is None else inner:
        try:
            if isinstance(body, BadRecord):
                raise body
            reading = body if isinstance(body, Reading) else read(body, memory)
            readings.append(reading)
            problems.append(reading.fault)
        except BadRecord as error:
            readings.append(None)
            problems.append(str(error))
    columns = _columns(readings, problems, memory)
    place = [f"{rows.evidence}\0{locator}" for locator in locators]
    start = rows.source.encode() + b"\0"
    columns["id"] = [
        sha256(start + reading.digest).hexdigest()[:32]
        if reading is not None and not problem
        else identify(rows.source, [where])[0]
        for reading, problem, where in zip(readings, problems, place, strict=True)
    ]
    columns["raw"] = raws
    columns["locator"] = locators
    columns["problem"] = problems
    rows.columns(len(raws), columns)


def _columns(
    readings: Sequence[Reading | None], problems: list[str], memory: Memory
) -> dict[str, Any]:
    names = (
        "time", "account", "region", "host", "actor", "actor_kind", "session", "action", "outcome",
        "error", "resource", "src_ip", "domain", "message",
    )  # fmt: skip
    columns: dict[str, Any] = {name: [] for name in names}
    appends = [columns[name].append for name in names]
    further: dict[str, Column] = {name: [] for name in _ATTRIBUTES}
    grow = [further[name].append for name in _ATTRIBUTES]
    odd: dict[str, dict[int, str]] = {}
    for number, reading in enumerate(readings):
        if reading is None:
            values, attributes = _EMPTY, _NO_ATTRIBUTES
        else:
            values, attributes, fault = _values(reading, memory)
            if fault:
                problems[number] = f"{problems[number]}; {fault}" if problems[number] else fault
            for name, text in reading.extras.items():
                odd.setdefault(name if name not in further else f"extra.{name}", {})[number] = text
        for append, value in zip(appends, values, strict=True):
            append(value)
        for append, value in zip(grow, attributes, strict=True):
            append(value)
    for name, texts in odd.items():
        further[name] = [texts.get(number) for number in range(len(readings))]
    columns["attributes"] = pack(len(readings), further)
    columns["provider"] = "aws"
    columns["time_meaning"] = "event"
    return columns


_ATTRIBUTES = (
    "userAgent", "requestParameters", "responseElements", "errorMessage", "mfa", "readOnly",
    "managementEvent", "eventType", "eventCategory", "eventID", "requestID", "sharedEventID",
    "eventVersion", "sessionIssuer", "actor_account", "principalId", "invokedBy", "source_address",
    "vpcEndpointId", "sourceIdentity",
)  # fmt: skip
_EMPTY: tuple[Any, ...] = (None, *[""] * 13)
_NO_ATTRIBUTES: tuple[str, ...] = ("",) * len(_ATTRIBUTES)


def _values(reading: Reading, memory: Memory) -> tuple[tuple[Any, ...], tuple[str, ...], str]:
    """The columns, the attributes, and what is wrong with the time."""
    r = reading.record
    identity = _part(r.userIdentity, memory)
    who = identity.value if identity and isinstance(identity.value, dict) else {}
    request = _part(r.requestParameters, memory)
    response = _part(r.responseElements, memory)
    resources = _part(r.resources, memory)
    time, fault = _time(r.eventTime)
    arn = _word(who.get("arn"))
    actor, kind, session, host, mfa, issuer, lender = _who(who, arn)
    action = r.eventName or ""
    error = r.errorCode or ""
    outcome = _outcome(action, error, r.errorMessage or "", r.eventType or "", response)
    resource = _resource(resources, request, response)
    source = r.sourceIPAddress or ""
    src_ip = address(source)
    account = r.recipientAccountId or _word(who.get("accountId"))
    message = f"{_short(actor) or '?'} {action or '?'}"
    if resource:
        message += f" {resource if len(resource) < 200 else resource[:200] + '…'}"
    if source:
        message += f" from {source}"
    if error or outcome == "failure":
        message += f": {error or r.errorMessage or 'failure'}"
    values = (
        time, account, r.awsRegion or "", host, actor, kind, session, action, outcome, error,
        resource, src_ip, r.eventSource or "", message,
    )  # fmt: skip
    attributes = (
        r.userAgent or "", _text(request), _text(response), r.errorMessage or "", mfa,
        _flag(r.readOnly), _flag(r.managementEvent), r.eventType or "", r.eventCategory or "",
        r.eventID or "", r.requestID or "", r.sharedEventID or "", r.eventVersion or "", issuer,
        _word(who.get("accountId")), _word(who.get("principalId")), _word(who.get("invokedBy")),
        "" if src_ip else source, r.vpcEndpointId or "", lender,
    )  # fmt: skip
    return values, attributes, fault


def _time(text: Any) -> tuple[int | None, str]:
    if not text:
        return None, "the record has no eventTime"
    try:
        return iso(text), ""
    except NotATime as error:
        return None, f"eventTime {text[:80]!r}: {error}"


def _who(who: dict[str, Any], arn: str) -> tuple[str, str, str, str, str, str, str]:
    """Actor, its kind, session, host, mfa, session issuer and source identity."""
    kind = _word(who.get("type"))
    actor = (
        arn
        or (_word(who.get("invokedBy")) if kind in ("AWSService", "") else "")
        or _word(who.get("userName"))
        or _word(who.get("principalId"))
        or _word(who.get("invokedBy"))
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
    host = last if _INSTANCE.fullmatch(last) else ""
    return actor, kind, _word(who.get("accessKeyId")), host, mfa, issuer, lender


def _outcome(action: str, error: str, message: str, kind: str, response: PartFacts | None) -> str:
    if error:
        return "failure"
    if response is not None and isinstance(response.value, dict):
        said = response.value.get(action)
        if said in ("Failure", "Success"):
            return str(said).lower()
    if message:
        return "failure"
    return "" if kind == "AwsCloudTrailInsight" or not action else "success"


def _resource(
    resources: PartFacts | None, request: PartFacts | None, response: PartFacts | None
) -> str:
    if resources is not None and isinstance(resources.value, list):
        for item in resources.value:
            if isinstance(item, dict):
                name = _word(item.get("ARN") or item.get("arn") or item.get("resourceName"))
                if name:
                    return name
    for facts in (request, response):
        if facts is not None and isinstance(facts.value, dict):
            name = _named(facts.value)
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


def _part(part: Any, memory: Memory) -> PartFacts | None:
    if part is UNSET or len(part) < 3:
        return None
    facts = memory.facts(part)
    return facts if facts.value is not None else None


def _text(facts: PartFacts | None) -> str:
    return facts.text if facts is not None and facts.value != {} else ""


def _flag(part: Any) -> str:
    if part is UNSET:
        return ""
    text = bytes(part).decode(errors="replace").strip('"')
    return "" if text == "null" else text


def _word(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, (dict, list)) else str(value)
