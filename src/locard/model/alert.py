# SPDX-License-Identifier: Apache-2.0
"""Alerts: what a detector says happened to which resources, whoever the detector is.

An alert that is said again, also in other words, is the same alert: its id is made from the source
and from the source's own id of it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from locard.model.action import Json, Target


class Severity(StrEnum):
    """How bad the source says it is, from the least."""

    INFORMATIONAL = "informational"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Its place in the order, 0 for the least."""
        return list(Severity).index(self)


class AlertState(StrEnum):
    """What the source says of it now."""

    OPEN = "open"
    CLOSED = "closed"
    """Resolved, archived or taken back: no playbook acts on it any more."""


@dataclass(frozen=True, slots=True)
class Said:
    """One alert as a message says it, before it is anybody's."""

    source: str
    """The id of its mapping: `aws.guardduty`."""
    original: str
    """The source's own id of it."""
    kind: str
    """What the source calls this kind of alert."""
    severity: Severity
    title: str
    time: int
    """When the source says that it was seen last; UTC nanoseconds."""
    account: str = ""
    region: str = ""
    targets: tuple[Target, ...] = ()
    """The resources that it names, as actions name them."""
    state: AlertState = AlertState.OPEN
    link: str = ""
    """Where the source shows it."""
    content: Mapping[str, Json] = field(default_factory=dict)
    """All that the source said of it."""
    notes: tuple[str, ...] = ()
    """What could not be read of it, and what was taken instead; one sentence each."""

    @property
    def id(self) -> str:
        """Ours: the same for the same alert, wherever and however often it is said."""
        named = "\0".join((self.source, self.account, self.original))
        return f"a-{hashlib.sha256(named.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of a case."""

    id: str
    source: str
    original: str
    kind: str
    severity: Severity
    title: str
    time: int
    account: str
    region: str
    targets: tuple[Target, ...]
    state: AlertState
    link: str
    case: str
    placed: str
    """Why it is in this case, as a sentence."""
    evidence: tuple[str, ...]
    """The original bytes of each message that said it in other words, the newest last."""
    sightings: int
    """How often it was said."""
    first: int
    """When it first came in; UTC nanoseconds."""
    last: int
    by: str
    """By whose hand it came in first, and through which door: `webhook`, `queue`, ..."""
    door: str
    notes: tuple[str, ...] = ()
    content: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a queue that alerts come through."""

    id: str
    body: bytes
    """As it was sent; this is what is kept."""
    content: bytes
    """What was inside, when it came wrapped on its way."""
    receipt: str
    """What the queue wants to hear to delete it."""
    times: int = 1
    """How often the queue has handed it out."""


@dataclass(frozen=True, slots=True)
class Watched:
    """How the watching of a queue goes, since it was first watched."""

    account: str
    address: str
    messages: int = 0
    alerts: int = 0
    unread: int = 0
    error: str = ""
    """Why it could not be read the last time; empty when it could."""
    last: int | None = None
    """When it was last read; UTC nanoseconds. None: never yet."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A message that no alert could be read from; its bytes are kept."""

    id: int
    came: int
    """UTC nanoseconds."""
    door: str
    place: str
    """The queue or the address that it came through."""
    problem: str
    size: int
    times: int
    """How often the same bytes came."""
