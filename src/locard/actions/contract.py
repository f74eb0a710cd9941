# SPDX-License-Identifier: Apache-2.0
"""What a module of an action exports: `ACTION`, an `Action`, which only the engine runs.

An action is a plan, which reads, and kinds of steps, which act. Each method of a step kind may be
asked again after a crash, so each leaves the same behind however often it runs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from locard.evidence.spool import Readable
from locard.model.action import Json, Permission, Plan, Step, Target, Verdict
from locard.model.custody import Acquisition

Cloud = Any
"""A session at one account. What it can be asked is between the provider and its actions; the
engine asks it for nothing but its `requests`, the calls that were made so far, and `lacks`: which
of some permissions on resources the provider says are missing (True) or there (False)."""


class Keep(Protocol):
    """Takes evidence into the vault, under the run that it is handed by."""

    def __call__(self, name: str, stream: Readable, acquisition: Acquisition) -> str:
        """Keep the bytes; the evidence id. The caller says of the acquisition what it knows."""


class Change(Protocol):
    """A kind of step that changes a resource, and can take the change back."""

    def capture(self, cloud: Cloud, step: Step) -> Json:
        """The state that the step will change, as it is now. Reads only."""

    def apply(self, cloud: Cloud, step: Step, prior: Json) -> Json:
        """Make the change; what undoing it needs to know beyond `prior`."""

    def applied(self, cloud: Cloud, step: Step, prior: Json) -> Json | None:
        """The outcome when the change stands in full, None otherwise. Asked after a crash."""

    def verify(self, cloud: Cloud, step: Step, prior: Json) -> Verdict:
        """Whether the change holds. Reads only."""

    def undo(self, cloud: Cloud, step: Step, prior: Json, outcome: Json) -> Json:
        """Put back what was there, and only that; what was merged with others' changes, if any.

        Raises `Conflict` when others changed it so that putting back would overwrite them.
        `outcome` is None when the change was never known to be complete.
        """


class Check(Protocol):
    """A kind of step that changes nothing: it looks by a signal of its own whether changes hold."""

    def begin(self, cloud: Cloud, step: Step, outcomes: Mapping[str, Json]) -> Json:
        """What is to be remembered when its turn first comes, such as the moment."""

    def look(self, cloud: Cloud, step: Step, prior: Json) -> Verdict:
        """What the signal says now; asked again whenever a person wants to know."""


class Collection(Protocol):
    """A kind of step that takes evidence.

    The plan says of each step whether it needs the target or reads a copy that stands
    (`Step.from_copy`). Those that need it come first: once they have ended well the target may be
    isolated, and a playbook goes on, while the others read.
    """

    def collect(self, cloud: Cloud, step: Step, keep: Keep, room: "Room") -> Json:
        """Take it, and what of it is worth telling, counts first.

        A step that has held two pieces of evidence of the run against each other, and found that
        one is a part of the other, names them as `part` and `whole`: their rows stand once then.
        One that asked the provider's log for a `run` answers `event ids by request`: each exhibit
        of that run gets an entry that names its own.
        """


@dataclass(frozen=True, slots=True)
class Room:
    """What a collecting step may use of this machine."""

    folder: str
    """A folder of the run's own that outlives a crash and is emptied when the run is done."""
    outcomes: Mapping[str, Json]
    """What the steps before gave, by their keys."""
    progress: Callable[[str, int, int], None] = lambda _stage, _done, _total: None
    elsewhere: Callable[[str], Cloud] = lambda _name: None
    """A session at another account of ours, by its name, under the same run and policy."""


@dataclass(frozen=True, slots=True)
class Option:
    """Something that the person may choose."""

    name: str
    title: str
    default: Json = False


@dataclass(frozen=True, slots=True)
class Action:
    """What can be done to targets of a kind, and all that is known without doing it."""

    id: str
    """Its path: `isolate.aws.instance`."""
    title: str
    about: str
    kind: str
    """The kind of its targets: `instance`."""
    names: str
    """A regular expression that the names of its targets match, with a group `id`; `account` and
    `region` where the name tells them."""
    permissions: tuple[Permission, ...]
    plan: Callable[[Cloud, Target, Mapping[str, Json]], Plan]
    steps: Mapping[str, Change | Check | Collection]
    """What does the steps, by their kind."""
    version: str = "1"
    volatility: int = 5
    """How soon what it takes is lost: 0 first. Isolating comes after all collecting."""
    harm: str = ""
    """What it does to whoever uses the target; empty when nobody notices."""
    loses: tuple[str, ...] = ()
    """Collections that are impossible or poorer afterwards: what of them needs the target has to be
    kept before."""
    within: str = ""
    """The collection that takes this too: without being named, only that one is done."""
    optional: bool = False
    """An order that names no action is done without it where its plan refuses, such as for want of
    a tool."""
    regional: bool = True
    options: tuple[Option, ...] = field(default=())

    @property
    def verb(self) -> str:
        """`collect` or `isolate`."""
        return self.id.partition(".")[0]

    @property
    def provider(self) -> str:
        """`aws`."""
        return self.id.split(".")[1]

    @property
    def contains(self) -> bool:
        """Whether it isolates, and so has to be undone one day."""
        return self.verb == "isolate"
