# SPDX-License-Identifier: Apache-2.0
"""Playbooks: when an alert is like this, then do that, after asking these; and their runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from locard.model.action import Json, Plan, Target


class Asking(StrEnum):
    """When people are asked before a playbook goes on."""

    NEVER = "never"
    BEFORE_CONTAINING = "before-containing"
    ALWAYS = "always"


class Doing(StrEnum):
    """What one entry of a playbook does."""

    COLLECT = "collect"
    ISOLATE = "isolate"
    NOTIFY = "notify"
    ANALYSE = "analyse"


@dataclass(frozen=True, slots=True)
class Measure:
    """One entry below `then`."""

    does: Doing
    what: str
    """The id of an action, the name of a channel, or `case`."""
    options: Mapping[str, Json] = field(default_factory=dict)
    text: str = ""
    """What a notice says beyond the facts."""


@dataclass(frozen=True, slots=True)
class Playbook:
    """A playbook as its file says it."""

    id: str
    """The name of its file."""
    title: str
    about: str
    when: Mapping[str, Json]
    then: tuple[Measure, ...]
    asking: Asking
    approvers: int
    """How many different people have to agree, none of them the one who set it off or the one who
    switched the playbook on: 1 or 2."""
    within: int
    """Seconds for which a run of it waits for people; 0: as the installation says."""
    remind_after: int
    """Seconds of waiting after which it reminds; 0: as the installation says."""
    targets_per_hour: int
    """How many targets it may isolate within an hour."""
    collected_per_hour: int
    """How many targets it may collect from within an hour: snapshots cost money."""
    shipped: bool
    """Whether it comes with Locard."""
    text: str
    """The file, word by word."""
    digest: str
    """SHA-256 of the file."""
    enabled: bool = False
    """Whether this very text was switched on."""
    enabled_by: str = ""
    enabled_at: int | None = None
    changed: bool = False
    """Whether it was switched on with another text, and is off for that reason."""


class PlaybookState(StrEnum):
    """How far a run of a playbook has come."""

    DUE = "due"
    """It can go on, and nobody is at it yet, or somebody is."""
    WAITING = "waiting"
    """For people who agree or refuse."""
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    LAPSED = "lapsed"
    """Nobody agreed in time: it does nothing more, and can be asked again."""


class PartState(StrEnum):
    """How far one step of a playbook's run has come."""

    PENDING = "pending"
    BEGUN = "begun"
    KEPT = "kept"
    """What isolating could take of a collection is kept; it still reads copies that stand, and
    what comes after need not wait for that."""
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    """A rule or a person was against it; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Part:
    """One step of a playbook's run: a measure on one target."""

    number: int
    does: Doing
    what: str
    target: Target | None
    options: Mapping[str, Json]
    text: str
    state: PartState
    run: str
    """The run of the action, once it was begun."""
    error: str
    started: int | None
    ended: int | None
    kept: bool = False
    """Whether isolating can take nothing any more from what it collects, also when the rest
    failed."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's word about a run of a playbook."""

    who: str
    agrees: bool
    reason: str
    time: int
    """UTC nanoseconds."""
    door: str = ""
    round: int = 1
    """At which asking it was said."""
    plan: str = ""
    """The digest of the plan that it was said about."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What one step of a playbook's run would do, as people are asked about it."""

    number: int
    """Of the step."""
    plan: Plan | None
    error: str = ""
    """Why no plan could be made: the step would fail."""

    @property
    def digest(self) -> str:
        """What tells it from one that would do something else; empty when nothing can be done."""
        return self.plan.digest if self.plan is not None else ""


@dataclass(frozen=True, slots=True)
class PlaybookRun:
    """One run of a playbook on one alert."""

    id: str
    playbook: str
    title: str
    digest: str
    """Of the playbook's text, as it was when this began."""
    alert: str
    case: str
    asker: str
    """Who set it off: whoever brought the alert in."""
    state: PlaybookState
    asking: Asking
    approvers: int
    parts: tuple[Part, ...]
    approvals: tuple[Approval, ...]
    error: str
    started: int
    ended: int | None
    enabled_by: str = ""
    """Who had switched the playbook on, as it was when this began."""
    lapses: int | None = None
    """Until when it waits for people, in UTC nanoseconds; None while it does not wait."""
    reminds: int | None = None
    """When it reminds them; None when it did, or does not wait."""
    round: int = 1
    """The how manieth asking this is."""
    planned: tuple[Planned, ...] = ()
    """What people are asked about: the plans as they were when it asked."""
    plan: str = ""
    """The digest of all of them."""
    changed: tuple[str, ...] = ()
    """Why it asks again: what the plan says now and did not say before, one sentence each."""

    @property
    def agreed(self) -> int:
        """How many people have agreed to what it asks now; what was said before does not count."""
        return sum(one.agrees and one.round == self.round for one in self.approvals)

    @property
    def next(self) -> Part | None:
        """What it would do next."""
        return next((one for one in self.parts if one.state in _AHEAD), None)

    @property
    def copying(self) -> tuple[Part, ...]:
        """Its collections that still read copies, while it goes on."""
        return tuple(one for one in self.parts if one.state is PartState.KEPT)


_AHEAD = (PartState.PENDING, PartState.BEGUN)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a playbook would do about an alert of the past."""

    alert: str
    matches: bool
    why: str
    """What matched, or what did not."""
    parts: tuple[Part, ...] = ()
    plans: tuple[Mapping[str, Json], ...] = ()
    """The plans of its actions, when they were asked for; making them reads only."""
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice that was sent, or could not be."""

    id: int
    channel: str
    about: str
    """`alert`, `approval`, `reminder`, `failed`, `done`, or `playbook`."""
    subject: str
    case: str
    time: int
    sent: bool
    error: str = ""
    alert: str = ""
    run: str = ""
