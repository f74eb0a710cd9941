# SPDX-License-Identifier: Apache-2.0
"""Entries of the ledger between their two forms: a draft, and a signed line on disk."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from locard.model.custody import CustodyEntry, Exhibit, Hand, Verb
from locard.model.errors import Conflict
from locard_verify import dsse
from locard_verify.malformed import Malformed
from locard_verify.merkle import leaf_hash
from locard_verify.statement import payload_of

SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it has its place in the ledger."""

    hand: Hand
    verb: Verb
    evidence: str
    case: str
    reason: str
    details: Mapping[str, str] = field(default_factory=dict)
    exhibit: Callable[[str, str], Exhibit] | None = None
    """Makes the record, given its number and its ancestor's, when the case has no exhibit of this
    evidence yet."""
    parent: str = ""
    """The evidence that it was taken out of."""


class _Predicate(msgspec.Struct):
    sequence: int
    time: str
    actor: str
    verb: str
    evidence: str
    case: str
    reason: str
    details: dict[str, str]
    previous: int
    door: str = ""
    address: str = ""
    agent: str = ""
    exhibit: str = ""
    record: dict[str, Any] | None = None


class _Statement(msgspec.Struct):
    predicate: _Predicate


_decoder = msgspec.json.Decoder(_Statement)
_VERBS = {verb.value: verb for verb in Verb}


def rfc3339(nanoseconds: int) -> str:
    """A time in UTC with nanoseconds, always as long."""
    seconds, rest = divmod(nanoseconds, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def nanoseconds(text: str) -> int:
    """The UTC nanoseconds of such a time. Raises `ValueError`."""
    at = datetime.fromisoformat(text[:19] + "+00:00")
    return int(at.timestamp()) * SECOND + int(text[20:29])


def payload(
    draft: Draft, sequence: int, at: int, number: str, previous: int, record: Exhibit | None
) -> bytes:
    """The statement of a draft in its place."""
    predicate: dict[str, Any] = {
        "sequence": sequence,
        "time": rfc3339(at),
        "actor": draft.hand.name,
        "door": draft.hand.door,
        "address": draft.hand.address,
        "agent": draft.hand.agent,
        "verb": draft.verb.value,
        "evidence": draft.evidence,
        "case": draft.case,
        "exhibit": number,
        "reason": draft.reason,
        "details": dict(draft.details),
        "previous": previous,
    }
    if record is not None:
        predicate["record"] = record.record()
    return payload_of(predicate)


@dataclass(frozen=True, slots=True)
class Read:
    """A line as it was read: the entry, and the exhibit's record when it makes one."""

    entry: CustodyEntry
    record: dict[str, Any] | None


def read(line: bytes) -> Read:
    """The entry in a line (without its end); no signature is looked at.

    Raises `Malformed`, and `Conflict` for a verb that this version does not know: that is an older
    program beside a newer one, and no sign that anybody changed anything.
    """
    envelope = dsse.read_line(line)
    try:
        found = _decoder.decode(envelope.payload).predicate
        at = nanoseconds(found.time)
    except (msgspec.DecodeError, ValueError) as error:
        raise Malformed("its payload is not a custody statement") from error
    if (verb := _VERBS.get(found.verb)) is None:
        raise Conflict(
            f"Entry {found.sequence} of the custody ledger says {found.verb[:40]!r}, a word that "
            "this version of Locard does not know: a newer one has written it.",
            "Use that version; a server that runs since before it was installed has to be started "
            "anew. `locard verify` judges the signatures of all entries whatever they say.",
        )
    entry = CustodyEntry(
        sequence=found.sequence,
        time=at,
        actor=found.actor,
        verb=verb,
        evidence=found.evidence,
        case=found.case,
        reason=found.reason,
        details=found.details,
        previous=found.previous,
        hash=leaf_hash(line).hex(),
        door=found.door,
        address=found.address,
        agent=found.agent,
        exhibit=found.exhibit,
    )
    return Read(entry, found.record)


def now() -> int:
    """This machine's clock, UTC nanoseconds."""
    return time.time_ns()
