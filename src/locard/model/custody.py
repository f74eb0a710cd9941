# SPDX-License-Identifier: Apache-2.0
"""Custody: by whose hand, what happened, to which exhibit, and the entry that says so.

Texts that a record keeps are what was said at the time; a part that is empty is left out of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Hand:
    """By whose hand something happens: who, through which door, from where and with what."""

    name: str
    """The user of the installation, or of the operating system at the command line."""
    door: str = ""
    """`command line`, `page`, `api` or `automation`; empty when nobody said."""
    address: str = ""
    """The network address of a request, or user@host of the operating system."""
    agent: str = ""
    """The program that asked, as it named itself. Its word, not ours."""

    @classmethod
    def of(cls, who: "Hand | str") -> "Hand":
        """`who` as a hand; of a mere name nothing else is known."""
        return who if isinstance(who, Hand) else cls(who)

    def __str__(self) -> str:
        return self.name


def same_person(one: str, other: str) -> bool:
    """Whether two names are taken for one person's, where two people are needed.

    What stands behind the @ is left out: `ana@host` is whom the command line calls what the page
    calls `ana`, and it is better to refuse one person too many. Nor do letters or blanks make two.
    """
    return _person(one) == _person(other)


def _person(name: str) -> str:
    return name.strip().casefold().partition("@")[0]


class Verb(StrEnum):
    """What can happen to evidence, to a case or to the installation: the words of the ledger."""

    # to evidence
    ACQUIRED = "acquired"
    DERIVED = "derived"
    STORED = "stored"
    VERIFIED = "verified"
    VERIFICATION_FAILED = "verification-failed"
    OPENED = "opened"
    """Its bytes were read by the program: to parse them, to prove a row."""
    VIEWED = "viewed"
    """A person saw rows or bytes of it."""
    DOWNLOADED = "downloaded"
    SEARCHED = "searched"
    PROCESSED = "processed"
    COPIED = "copied"
    TRANSFERRED_OUT = "transferred-out"
    """The release. It is whole together with the acceptance, an entry of its own."""
    TRANSFERRED_IN = "transferred-in"
    EXPORTED = "exported"
    HELD = "held"
    HOLD_RELEASED = "hold-released"
    RETAINED = "retained"
    DISPOSAL_ASKED = "disposal-asked"
    DISPOSAL_AGREED = "disposal-agreed"
    DISPOSAL_REFUSED = "disposal-refused"
    DISPOSED = "disposed"
    AUTHORISED = "authorised"
    CORROBORATED = "corroborated"
    """The provider's own log has the calls by which it was taken; its event ids are named."""
    FAILED = "failed"
    # to what a case is about, in a cloud
    PLANNED = "planned"
    APPROVED = "approved"
    LAPSED = "lapsed"
    """Nobody agreed in time to what a playbook asked."""
    COLLECTED = "collected"
    """A collecting run ended; what it took is `acquired`, each piece by itself."""
    CONTAIN_INTENDED = "contain-intended"
    """The prior state is in this entry; only then comes the change."""
    CONTAINED = "contained"
    CONTAIN_FAILED = "contain-failed"
    RELEASE_INTENDED = "release-intended"
    RELEASED = "released"
    RELEASE_FAILED = "release-failed"
    # to the installation
    KEY_INTRODUCED = "key-introduced"
    AUTHORITY_SET = "authority-set"
    CHECKPOINT_KEPT = "checkpoint-kept"
    """The head was kept for good; one that is named here and is not there was taken away."""
    TIME_STAMPED = "time-stamped"
    TIME_STAMP_MISSED = "time-stamp-missed"
    CLOCK_SET_BACK = "clock-set-back"
    ENTRIES_LOST = "entries-lost"
    """Entries are gone that had not been known to have reached the disk."""
    HEAD_CHANGED = "head-changed"
    """Another hand wrote over the head while the ledger was in use; it was written anew."""
    LOSS_EXPLAINED = "loss-explained"
    """A person signs for how entries came to be lost."""
    SIGNED_IN = "signed-in"
    SIGN_IN_REFUSED = "sign-in-refused"
    SIGNED_OUT = "signed-out"
    GRANTED = "granted"
    REVOKED = "revoked"
    REFUSED = "refused"
    USER_CHANGED = "user-changed"
    TOKEN_MADE = "token-made"  # noqa: S105 (a word, not a secret)
    TOKEN_REVOKED = "token-revoked"  # noqa: S105
    POLICY_CHANGED = "policy-changed"
    VAULT_MOVED = "vault-moved"
    IMMUTABLE_SET = "immutable-set"
    """The files of evidence get the immutable flag, from now on and those that are there."""
    IMMUTABLE_LIFTED = "immutable-lifted"


class _Part:
    """A part of an exhibit's record: texts by name."""

    __slots__ = ()

    @classmethod
    def of(cls, record: Mapping[str, str]) -> Self:
        """The part that `record` says; names that we do not know are passed over."""
        known = _names(cls)
        return cls(**{name: value for name, value in record.items() if name in known})


@dataclass(frozen=True, slots=True)
class Authority(_Part):
    """Why it may be taken: consent, warrant, policy or contract, and how far it reaches."""

    kind: str = ""
    reference: str = ""
    issued_by: str = ""
    valid_from: str = ""
    valid_to: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Method(_Part):
    """How it was taken. `consistency`: one instant, crash-consistent, smeared, as found."""

    id: str = ""
    version: str = ""
    consistency: str = ""


@dataclass(frozen=True, slots=True)
class Tool(_Part):
    """What took it, so that the same can be run again. `digest` is that of its code."""

    name: str = ""
    version: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Operator(_Part):
    """Who took it: a hand, or a rule with the alert that set it off."""

    name: str = ""
    door: str = ""
    address: str = ""
    rule: str = ""
    alert: str = ""


@dataclass(frozen=True, slots=True)
class Request(_Part):
    """One call of a provider's API, so that the provider's own log can bear it out."""

    call: str = ""
    id: str = ""
    time: str = ""
    status: str = ""


MOST_REQUESTS = 500
"""Requests that the record of an exhibit names: with thousands, a ledger's entry has megabytes."""


@dataclass(frozen=True, slots=True)
class Clocks(_Part):
    """Which clocks the times are by, and how far they were off, as far as it was measured."""

    platform: str = ""
    """The clock of this machine when the bytes were in."""
    offset: str = ""
    """How far this machine was off its time source, in seconds."""
    source: str = ""
    provider_skew: str = ""
    suspect_skew: str = ""


@dataclass(frozen=True, slots=True)
class Storage(_Part):
    """Where the bytes lie and what keeps them from being changed."""

    kind: str = ""
    place: str = ""
    version: str = ""
    checksum: str = ""
    retention: str = ""
    hold: str = ""


@dataclass(frozen=True, slots=True)
class Ancestor(_Part):
    """The exhibit that it was made from, and how."""

    number: str = ""
    evidence: str = ""
    member: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True)
class Span(_Part):
    """From the first byte that was read to the last, RFC 3339 in UTC."""

    start: str = ""
    end: str = ""


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What the caller knows about how evidence was got; the vault fills in the rest."""

    authority: Authority = Authority()
    source: Mapping[str, str] = field(default_factory=dict)
    """Provider, account, region, resource and whatever else names it: text by name."""
    method: Method = Method()
    tool: Tool = Tool()
    """Empty: Locard itself."""
    rule: str = ""
    """The automation rule that acted, and the alert that set it off."""
    alert: str = ""
    requests: Sequence[Request] = ()
    """May grow until the bytes are in: what comes page by page is asked for while it is kept."""
    clocks: Clocks = Clocks()
    hash_point: str = ""
    """Where the bytes were first hashed. Empty: as they came in."""
    covers: str = ""
    """What of the source the digests cover. Empty: every byte that the source gave."""
    changes: tuple[str, ...] = ()
    """What could not be avoided to be changed at the source, and why."""
    how: str = ""
    """How derived evidence was made from its ancestor."""
    time: Span = Span()


NOTHING_KNOWN = Acquisition()


@dataclass(frozen=True, slots=True)
class Exhibit:
    """The immutable record of one piece of evidence in one case; the ledger makes it, once."""

    number: str
    """CASE-0001, counted per case."""
    case: str
    evidence: str
    """SHA-256 of the bytes, 64 hex digits."""
    blake2b: str = ""
    size: int = 0
    hash_point: str = ""
    covers: str = ""
    authority: Authority = Authority()
    source: Mapping[str, str] = field(default_factory=dict)
    method: Method = Method()
    tool: Tool = Tool()
    operator: Operator = Operator()
    requests: tuple[Request, ...] = ()
    """The first `MOST_REQUESTS` of them."""
    further_requests: int = 0
    """How many more there were. A list of all of them is an exhibit beside this one."""
    clocks: Clocks = Clocks()
    storage: Storage = Storage()
    changes: tuple[str, ...] = ()
    derived_from: Ancestor = Ancestor()
    time: Span = Span()

    def record(self) -> dict[str, Any]:
        """The record as it is signed: plain values by name, what is empty left out."""
        found: dict[str, Any] = {
            "number": self.number,
            "case": self.case,
            "evidence": {"sha256": self.evidence, "blake2b-256": self.blake2b, "size": self.size},
        }
        for name in _names(Exhibit):
            if name not in ("number", "case", "evidence", "blake2b", "size"):
                value = _plain(getattr(self, name))
                if value:
                    found[name] = value
        return found

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Exhibit":
        """The exhibit that a record says. Raises `KeyError` without number, case or evidence."""
        digests = record["evidence"]
        values: dict[str, Any] = {
            "number": record["number"],
            "case": record["case"],
            "evidence": digests["sha256"],
            "blake2b": digests.get("blake2b-256", ""),
            "size": digests.get("size", 0),
        }
        for name, part in _PARTS.items():
            values[name] = part.of(record.get(name, {}))
        values["requests"] = tuple(Request.of(one) for one in record.get("requests", ()))
        values["further_requests"] = int(record.get("further_requests", 0))
        values["changes"] = tuple(record.get("changes", ()))
        values["source"] = dict(record.get("source", {}))
        for name in ("hash_point", "covers"):
            values[name] = record.get(name, "")
        return cls(**values)


_PARTS: dict[str, type[_Part]] = {
    "authority": Authority,
    "method": Method,
    "tool": Tool,
    "operator": Operator,
    "clocks": Clocks,
    "storage": Storage,
    "derived_from": Ancestor,
    "time": Span,
}


def _names(kind: Any) -> tuple[str, ...]:
    found = _known.get(kind)
    if found is None:
        found = _known[kind] = tuple(one.name for one in fields(kind))
    return found


_known: dict[Any, tuple[str, ...]] = {}


def _plain(value: Any) -> Any:
    if isinstance(value, _Part):
        names = _names(type(value))
        return {name: text for name in names if (text := getattr(value, name))}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return dict(value) if isinstance(value, Mapping) else value


@dataclass(frozen=True, slots=True)
class CustodyEntry:
    """One entry of the ledger, as its signed statement says it."""

    sequence: int
    """Its number in the ledger, from 1 without a gap."""
    time: int
    """UTC nanoseconds since 1970, by this machine's clock."""
    actor: str
    verb: Verb
    evidence: str
    """SHA-256 of the evidence; empty when it is about a case or the installation."""
    case: str
    reason: str
    details: dict[str, str] = field(default_factory=dict)
    previous: int = 0
    """The entry before it about the same exhibit; 0 when it is the first, or about no exhibit."""
    hash: str = ""
    """Its leaf in the tree of the ledger (RFC 6962), hex."""
    door: str = ""
    address: str = ""
    agent: str = ""
    exhibit: str = ""
    """The number of the exhibit, or empty."""
