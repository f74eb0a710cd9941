# SPDX-License-Identifier: Apache-2.0
"""CloudTrail records as columns of the timeline, a column at a time: see `record.read_many`."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from locard.parsers.addresses import address
from locard.parsers.attributes import pack
from locard.parsers.aws.cloudtrail.exports import unwrap
from locard.parsers.aws.cloudtrail.parts import NOBODY, NOTHING, Memory, PartFacts, Who, named
from locard.parsers.aws.cloudtrail.record import Reading, Readings, read_many
from locard.parsers.rows import Rows, Values, identify
from locard.parsers.strict_json import BadRecord
from locard.parsers.times import NotATime, iso, iso_column

_AS_THEY_ARE = (
    "userAgent", "errorMessage", "eventType", "eventCategory", "eventID", "requestID",
    "sharedEventID", "eventVersion", "vpcEndpointId",
)  # fmt: skip
"""Fields that become attributes of their own name."""
_SELDOM = (
    "insightDetails", "serviceEventDetails", "addendum", "edgeDeviceDetails", "eventContext",
)  # fmt: skip
"""The same of nested ones that most records do not have."""
_SIGN_IN = "ConsoleLogin"
_FACTORS = {"Yes": "true", "No": "false"}
_MADE = (
    "requestParameters", "responseElements", "readOnly", "managementEvent", "source_address", "mfa",
    "sessionIssuer", "actor_account", "principalId", "invokedBy", "sourceIdentity",
)  # fmt: skip

_PERSONAL = (
    "host", "actor", "kind", "session", "mfa", "issuer", "account", "principal", "invoker",
    "lender",
)  # fmt: skip
"""What of `Who` becomes a column."""

Locators: TypeAlias = Sequence[str] | pa.Array


def put(
    rows: Rows,
    raws: Sequence[bytes],
    locators: Locators,
    memory: Memory,
    inner: Sequence[Reading | BadRecord] | None = None,
) -> None:
    """Append one row for each of `raws`; `inner` is the record itself where `raws` wrap it."""
    if not raws:
        return
    start = rows.source.encode() + b"\0"
    found = read_many(raws, start, memory, unwrap) if inner is None else Readings.of(inner, start)
    columns = _columns(found)
    columns["id"] = _ids(rows, found, locators)
    columns["raw"] = raws
    columns["locator"] = locators
    columns["problem"] = found.problems if any(found.problems) else ""
    rows.columns(len(raws), columns)


def _ids(rows: Rows, found: Readings, locators: Locators) -> list[str]:
    """Of the content where a record was read without a problem, else of the place."""
    ids = list(found.digests)
    for number, problem in enumerate(found.problems):
        if problem:
            place = f"{rows.evidence}\0{locators[number]!s}"
            ids[number] = identify(rows.source, [place])[0]
    return ids


def _columns(found: Readings) -> dict[str, Values]:
    """All columns but those that the place makes."""
    field = found.fields
    nothing = [NOTHING] * len(found.digests)
    requests = found.parts.get("requestParameters", nothing)
    responses = found.parts.get("responseElements", nothing)
    who = [facts.derived or NOBODY for facts in found.parts.get("userIdentity", nothing)]
    action, error, source, said = (
        [text or "" for text in field[name]]
        for name in ("eventName", "errorCode", "sourceIPAddress", "errorMessage")
    )
    outcome = _outcomes(error, said, field["eventType"], action, responses)
    resource = _resources(found.parts.get("resources", nothing), requests, responses)
    src_ip = list(map(address, source))
    message = _messages(who, action, resource, source, outcome, error, said)
    domain = _texts(field["eventSource"])
    if "insightDetails" in found.parts:
        domain = _insights(found.parts["insightDetails"], action, error, domain, message)
    for number, digest in enumerate(found.digests):
        if not digest:
            message[number] = ""
    signed = "additionalEventData" in found.parts and _SIGN_IN in action
    given = zip(field["recipientAccountId"], who, strict=True)
    people = _people(who)
    attributes: dict[str, Sequence[Any] | pa.Array] = {name: field[name] for name in _AS_THEY_ARE}
    attributes |= {
        "requestParameters": [facts.text for facts in requests],
        "responseElements": [facts.text for facts in responses],
        "readOnly": field["readOnly"],
        "managementEvent": field["managementEvent"],
        "source_address": ["" if ip else text for ip, text in zip(src_ip, source, strict=True)],
        "mfa": _factors(people["mfa"], action, found, signed),
        "sessionIssuer": people["issuer"],
        "actor_account": people["account"],
        "principalId": people["principal"],
        "invokedBy": people["invoker"],
        "sourceIdentity": people["lender"],
    }
    return {
        "time": _times(found, field["eventTime"]),
        "time_meaning": "event",
        "provider": "aws",
        "account": [account or one.account for account, one in given],
        "region": _texts(field["awsRegion"]),
        "host": people["host"],
        "actor": people["actor"],
        "actor_kind": people["kind"],
        "session": people["session"],
        "action": action,
        "outcome": outcome,
        "error": error,
        "resource": resource,
        "src_ip": src_ip,
        "domain": domain,
        "message": message,
        "attributes": pack(len(who), attributes | _seldom(found, action, signed) | _further(found)),
    }


def _people(who: Sequence[Who]) -> dict[str, pa.Array]:
    """Columns that follow from who acted: made for each of them, and not for each record."""
    places: dict[int, int] = {}
    each: list[Who] = []
    rows: list[int] = []
    for one in who:
        place = places.setdefault(id(one), len(places))
        if place == len(each):
            each.append(one)
        rows.append(place)
    texts = pa.array([getattr(one, name) for name in _PERSONAL for one in each], pa.string())
    shifts = np.arange(len(_PERSONAL))[:, None] * len(each)
    taken = texts.take(pa.array((shifts + np.array(rows)).ravel()))
    return {name: taken.slice(n * len(who), len(who)) for n, name in enumerate(_PERSONAL)}


def _texts(column: Sequence[Any]) -> pa.Array:
    array = pa.array(column, pa.string())
    return array.fill_null("") if array.null_count else array


def _times(found: Readings, column: Sequence[Any]) -> Values:
    """Times; what is none becomes a problem of its record."""
    try:
        return iso_column(column)
    except NotATime:
        pass
    times: list[int | None] = []
    for number, (text, digest) in enumerate(zip(column, found.digests, strict=True)):
        fault = "the record has no eventTime"
        time = None
        if text:
            try:
                time = iso(text)
            except NotATime as error:
                fault = f"eventTime {text[:80]!r}: {error}"
        times.append(time)
        if time is None and digest:
            before = found.problems[number]
            found.problems[number] = f"{before}; {fault}" if before else fault
    return times


def _outcomes(
    error: Sequence[str],
    said: Sequence[str],
    kind: Sequence[Any],
    action: Sequence[str],
    responses: Sequence[PartFacts],
) -> list[str]:
    outcomes: list[str] = []
    for code, text, what, name, response in zip(error, said, kind, action, responses, strict=True):
        if code:
            outcomes.append("failure")
            continue
        value = response.value
        answer = value.get(name) if isinstance(value, dict) else None
        if answer == "Failure" or answer == "Success":
            outcomes.append(answer.lower())
        elif text:
            outcomes.append("failure")
        else:
            outcomes.append("" if what == "AwsCloudTrailInsight" or not name else "success")
    return outcomes


def _resources(
    resources: Sequence[PartFacts], requests: Sequence[PartFacts], responses: Sequence[PartFacts]
) -> list[str]:
    return [
        listed.derived or request.derived or _named(response)
        for listed, request, response in zip(resources, requests, responses, strict=True)
    ]


def _named(response: PartFacts) -> str:
    """What an answer names; it is asked only where nothing else names anything."""
    if response is NOTHING:
        return ""
    if response.derived is None:
        response.derived = named(response.value)
    return str(response.derived)


def _messages(
    who: Sequence[Who],
    action: Sequence[str],
    resource: Sequence[str],
    source: Sequence[str],
    outcome: Sequence[str],
    error: Sequence[str],
    said: Sequence[str],
) -> list[str]:
    messages: list[str] = []
    for one, name, what, place, result, code, text in zip(
        who, action, resource, source, outcome, error, said, strict=True
    ):
        if len(what) >= 200:
            what = f"{what[:200]}…"
        message = f"{one.short} {name or '?'}{' ' if what else ''}{what}"
        if place:
            message = f"{message} from {place}"
        if result == "failure":
            message = f"{message}: {code or text or 'failure'}"
        messages.append(message)
    return messages


def _insights(
    details: Sequence[PartFacts],
    action: list[str],
    error: list[str],
    domain: pa.Array,
    message: list[str],
) -> pa.Array:
    """Which call an Insights event found to be unusual: nobody's, so it has no actor and outcome.

    The names of the services; the other columns are filled in place.
    """
    domains = domain.to_pylist()
    for number, facts in enumerate(details):
        if not isinstance(facts.value, dict) or action[number]:
            continue
        told = {name: text for name, text in facts.value.items() if isinstance(text, str)}
        action[number], error[number] = told.get("eventName", ""), told.get("errorCode", "")
        domains[number] = told.get("eventSource", "")
        kind, state = told.get("insightType", "Insight"), told.get("state", "?")
        what = (
            f"{kind} {state}: unusual rate of {action[number] or '?'} at {domains[number] or '?'}"
        )
        message[number] = f"{what}: {error[number]}" if error[number] else what
    return pa.array(domains, pa.string())


def _factors(
    mfa: pa.Array, action: Sequence[str], found: Readings, signed: bool
) -> Sequence[Any] | pa.Array:
    """Whether a second factor was used: of a sign-in to the console its own record says it."""
    if not signed:
        return mfa
    factors: list[Any] = mfa.to_pylist()
    for number, facts in enumerate(found.parts["additionalEventData"]):
        if action[number] == _SIGN_IN and isinstance(facts.value, dict) and not factors[number]:
            factors[number] = _FACTORS.get(str(facts.value.get("MFAUsed")), "")
    return factors


def _seldom(found: Readings, action: Sequence[str], signed: bool) -> dict[str, list[str | None]]:
    """Attributes that most batches have none of, and what a sign-in says of a second factor."""
    names = [name for name in _SELDOM if name in found.parts]
    seldom = {name: [facts.text for facts in found.parts[name]] for name in names}
    if any(found.fields["vpcEndpointAccountId"]):
        seldom["vpcEndpointAccountId"] = found.fields["vpcEndpointAccountId"]
    if signed:
        besides = zip(action, found.parts["additionalEventData"], strict=True)
        seldom["additionalEventData"] = [
            facts.text if name == _SIGN_IN else None for name, facts in besides
        ]
    return seldom


def _further(found: Readings) -> dict[str, list[str | None]]:
    """Attributes for what is no documented field."""
    odd: dict[str, dict[int, str]] = {}
    for number, extras in found.extras.items():
        for name, text in extras.items():
            taken = name in _AS_THEY_ARE or name in _MADE or name in _SELDOM
            odd.setdefault(f"extra.{name}" if taken else name, {})[number] = text
    return {
        name: [texts.get(number) for number in range(len(found.digests))]
        for name, texts in odd.items()
    }
