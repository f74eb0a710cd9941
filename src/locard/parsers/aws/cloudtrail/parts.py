# SPDX-License-Identifier: Apache-2.0
"""The nested values of CloudTrail records: read once, since most of them come again and again."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from msgspec import UNSET, Raw, UnsetType

from locard.parsers.strict_json import BadRecord, in_order, strictly

Part = Raw | UnsetType

NESTED = (
    "userIdentity", "requestParameters", "responseElements", "resources", "additionalEventData",
    "tlsDetails", "addendum", "edgeDeviceDetails", "eventContext", "insightDetails",
    "serviceEventDetails",
)  # fmt: skip
"""Fields whose content is put in order before it tells one record from another."""

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
_RANKS = {name: rank for rank, name in enumerate(_NAMES)}
_NO_NAME = ("requestid", "clienttoken", "maxresults", "nexttoken", "host")

_ANY = msgspec.json.Decoder()
_COMPACT = msgspec.json.Encoder()
_SORTED = msgspec.json.Encoder(order="sorted")


class PartFacts(msgspec.Struct, eq=False, gc=False):
    """What a nested value says."""

    value: Any
    canonical: Raw | None
    """The value in the one form that tells records apart; None where it was found in that form."""
    text: str | None
    """The value as found; None when it is empty."""
    fault: str = ""
    plain: bool = False
    """Whether canonical form and bytes as found differ in nothing but the order of keys."""
    derived: Any = None
    """What a column takes from it: see `Memory`."""


NOTHING = PartFacts(None, None, None, plain=True)
"""A field that is null or not there."""

TRIED = 1000
"""Values of a field that are kept before it is asked whether keeping them is of use."""
ASKED = 50_000
"""Values after which that is asked anew."""


class Memory:
    """Facts of nested values by their field and bytes: bounded, because evidence is hostile.

    Values of a field that hardly ever come again are not kept: that costs more than reading them.
    """

    def __init__(self, size: int = 4096, room: int = 1 << 20) -> None:
        self._size, self._room = size, room
        self._tables = {name: dict(_EMPTY) for name in NESTED}
        self._held = dict.fromkeys(NESTED, 0)
        """Bytes of the values that are kept, by field."""
        self._asked = dict.fromkeys(NESTED, 0)
        self._missed = dict.fromkeys(NESTED, 0)

    def facts(self, name: str, part: Part) -> PartFacts:
        """What the field `name` holds; raises `BadRecord` when it is not JSON."""
        if part is UNSET:
            return NOTHING
        raw = bytes(part)
        facts = self._tables[name].get(raw)
        if facts is None:
            facts = _facts(raw)
            _derive(name, (facts,))
            self._keep(name, {raw: facts})
        return facts

    def many(self, name: str, raws: Sequence[bytes]) -> list[PartFacts]:
        """The same for many records, `b""` where one has no such field.

        What is not JSON has facts that are not plain.
        """
        known: list[PartFacts | None] = list(map(self._tables[name].get, raws))
        missed = [raw for raw, facts in zip(raws, known, strict=True) if facts is None]
        self._asked[name] += len(raws)
        self._missed[name] += len(missed)
        if self._asked[name] > ASKED:
            self._asked[name] = self._missed[name] = 0
        if not missed:
            return cast(list[PartFacts], known)
        if self._missed[name] < TRIED or self._missed[name] * 2 < self._asked[name]:
            distinct = list(dict.fromkeys(missed))
            learned = dict(zip(distinct, _many_facts(name, distinct), strict=True))
            self._keep(name, learned)
            return [facts or learned[raw] for raw, facts in zip(raws, known, strict=True)]
        fresh = iter(_many_facts(name, missed))
        return [facts or next(fresh) for facts in known]

    def _keep(self, name: str, learned: Mapping[bytes, PartFacts]) -> None:
        table = self._tables[name]
        for raw, facts in learned.items():
            if len(raw) > self._size:
                continue
            if self._held[name] >= self._room:
                self._held[name] = 0
                table.clear()
                table.update(_EMPTY)
            self._held[name] += len(raw)
            table[raw] = facts


_EMPTY = {b"": NOTHING, b"null": NOTHING}


def _derive(name: str, learned: Iterable[PartFacts]) -> None:
    """What columns take from values of this field."""
    derive = _DERIVE.get(name)
    if derive is not None:
        for facts in learned:
            facts.derived = derive(facts.value)


def _many_facts(name: str, raws: Sequence[bytes]) -> list[PartFacts]:
    """Facts of many values, in a few calls for all of them where each is as AWS writes it."""
    try:
        values = _ANY.decode(b"[%b]" % b",".join(raws))
        lines = _SORTED.encode_lines(values).split(b"\n")
        again = _COMPACT.encode_lines(values).split(b"\n")
        found = [
            _as_written(raw, value, line) if same == raw else _whatever(raw)
            for raw, value, line, same in zip(raws, values, lines[:-1], again[:-1], strict=True)
        ]
    except (msgspec.DecodeError, RecursionError, UnicodeError, OverflowError):
        found = list(map(_whatever, raws))
    _derive(name, found)
    return found


def _as_written(raw: bytes, value: Any, canonical: bytes) -> PartFacts:
    """Facts of a value that gives the same bytes when it is written again, in its own order.

    As many bytes are not enough: see `strict_json.read`.
    """
    text = raw.decode() if value else None
    return PartFacts(value, None if canonical == raw else Raw(canonical), text, "", True)


def _whatever(raw: bytes) -> PartFacts:
    """Facts of any bytes."""
    try:
        return _facts(raw)
    except BadRecord:
        return PartFacts(None, Raw(b"null"), None)


def _facts(raw: bytes) -> PartFacts:
    """Facts of a value; raises `BadRecord` when it is not JSON."""
    try:
        value = _ANY.decode(raw)
        if _COMPACT.encode(value) == raw:
            return _as_written(raw, value, _SORTED.encode(value))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, OverflowError) as error:
        if isinstance(error, RecursionError):
            raise BadRecord("JSON nested too deeply") from error
    return _oddly(raw)


def _oddly(raw: bytes) -> PartFacts:
    """Facts of a value that is not as AWS writes it; raises `BadRecord` when it is not JSON."""
    faults: list[str] = []
    text = raw.decode(errors="replace")
    value = strictly(text, faults)
    return PartFacts(value, Raw(in_order(value)), text if value else None, "; ".join(faults))


@dataclass(frozen=True, slots=True)
class Who:
    """What the columns take from an identity."""

    actor: str = ""
    kind: str = ""
    session: str = ""
    host: str = ""
    mfa: str = ""
    issuer: str = ""
    lender: str = ""
    account: str = ""
    principal: str = ""
    invoker: str = ""
    short: str = "?"
    """The actor as a message names it."""


NOBODY = Who()


def who(identity: Any) -> Who:
    """Who acted, of a `userIdentity`."""
    if not isinstance(identity, dict):
        return NOBODY
    kind, arn = _word(identity.get("type")), _word(identity.get("arn"))
    invoker = _word(identity.get("invokedBy"))
    principal, account = _word(identity.get("principalId")), _word(identity.get("accountId"))
    actor = (
        arn
        or (invoker if kind in ("AWSService", "") else "")
        or _word(identity.get("userName"))
        or principal
        or invoker
        or account
    )
    context = identity.get("sessionContext")
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
    session = _word(identity.get("accessKeyId"))
    short = _short(actor) or "?"
    return Who(
        actor, kind, session, host, mfa, issuer, lender, account, principal, invoker, short
    )  # fmt: skip


def listed(resources: Any) -> str:
    """The first name in a list of `resources`."""
    for item in resources if isinstance(resources, list) else ():
        if isinstance(item, dict):
            name = _word(item.get("ARN") or item.get("arn") or item.get("resourceName"))
            if name:
                return name
    return ""


def named(value: Any) -> str:
    """What a call is about, of its parameters or of its answer."""
    if not isinstance(value, dict):
        return ""
    bucket = value.get("bucketName")
    if bucket and isinstance(bucket, str):
        key = value.get("key")
        return f"{bucket}/{key}" if isinstance(key, str) and key else bucket
    telling = [name for name in value if name in _RANKS]
    if telling:
        telling.sort(key=_RANKS.__getitem__)
        for name in telling:
            found = value[name]
            if found and isinstance(found, str):
                return found
    for content in value.values():
        if isinstance(content, dict):
            items = content.get("items")
            if isinstance(items, list):
                ids = [_identifier(item) for item in items[:20] if isinstance(item, dict)]
                listing = ", ".join(name for name in ids if name)
                if listing:
                    return listing
            found = content.get("arn")
            if found and isinstance(found, str):
                return found
    return _identifier(value)


_DERIVE: dict[str, Callable[[Any], Any]] = {
    "userIdentity": who, "resources": listed, "requestParameters": named,
}  # fmt: skip


def _identifier(value: dict[str, Any]) -> str:
    texts = [(name.lower(), text) for name, text in value.items() if isinstance(text, str)]
    for ending in ("arn", "id", "name", "identifier"):
        for lower, text in texts:
            if lower.endswith(ending) and lower not in _NO_NAME:
                return text
    return ""


def _short(actor: str) -> str:
    """`alice` of `arn:aws:iam::1:user/alice`, `Role/session` of an assumed role."""
    if not actor.startswith("arn:"):
        return actor
    name = actor.split(":", 5)[-1]
    kind, slash, rest = name.partition("/")
    return rest if slash and kind in ("assumed-role", "federated-user", "user", "role") else name


def _word(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, (dict, list)) else str(value)
