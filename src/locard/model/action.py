# SPDX-License-Identifier: Apache-2.0
"""Actions in a cloud: what is done to which target, in which steps, and how it is put back.

Everything here goes into the state, the ledger or a receipt as JSON and comes back from it, so that
a release needs nothing but what was written down.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

Json = Any
"""What JSON can say: text, numbers, truth, null, lists and objects of these."""


@dataclass(frozen=True, slots=True)
class Target:
    """One resource of one account that is acted on."""

    provider: str
    """`aws`."""
    account: str
    """The provider's own id of the account, so that it is the same under any name of ours."""
    region: str
    """Empty for what belongs to no region."""
    kind: str
    """`instance`, `role`, ..."""
    id: str
    """As the provider names it: `i-0abc…`."""

    @property
    def key(self) -> str:
        """What tells it from every other target."""
        return "/".join((self.provider, self.account, self.region, self.kind, self.id))

    @classmethod
    def of(cls, record: Mapping[str, str]) -> "Target":
        """The target that a record says."""
        return cls(**{name: str(record[name]) for name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class Permission:
    """One call that an action makes, as the provider's policies name it."""

    action: str
    """`ec2:DescribeInstances`."""
    resource: str = "*"
    """What it is needed on. `{account}`, `{region}`, `{id}` are the target's; other names are
    filled in from what a plan found and are `*` until then."""
    reads: bool = True
    """False when it can change something."""
    why: str = ""
    optional: bool = False
    """True when the action does without it and says so."""
    tried: bool = False
    """True when a plan asks by a dry run whether it is there."""
    brief: str = ""
    """A pattern of calls that says the same in fewer words, where a policy would be too long:
    `ec2:*ssociateAddress`. What else it fits on the same resource has to be harmless."""

    def on(self, known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        """The resources with every name filled in; several when a name stands for several."""
        found = [self.resource]
        for name in re.findall(r"\{(\w+)\}", self.resource):
            values = known.get(name) or ("*",)
            found = [one.replace(f"{{{name}}}", value) for one in found for value in values]
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a plan would do."""

    key: str
    """Names it within its plan: `network:eni-0abc`. Before the colon stands its kind."""
    title: str
    """For a person: 'Put eni-0abc into a security group without rules'."""
    call: str
    """The provider's call that makes the change, or that reads the evidence."""
    arguments: Mapping[str, Json] = field(default_factory=dict)
    changes: bool = True
    """False for what only reads."""
    breaks: tuple[str, ...] = ()
    """What stops working, one sentence each."""
    undo_title: str = ""
    """What a release does about it; empty when there is nothing to undo, or no way to."""
    from_copy: bool = False
    """Whether it needs the target no more: it reads a copy that stands, such as a snapshot, so the
    target may be isolated meanwhile."""

    @property
    def kind(self) -> str:
        """Which of the action's step kinds does it."""
        return self.key.partition(":")[0]

    @classmethod
    def of(cls, record: Mapping[str, Json]) -> "Step":
        """The step that a record says."""
        return cls(
            key=record["key"],
            title=record["title"],
            call=record["call"],
            arguments=record["arguments"],
            changes=record["changes"],
            breaks=tuple(record["breaks"]),
            undo_title=record["undo_title"],
            from_copy=record.get("from_copy", False),  # older records do not say it
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What an action would do to a target now. Making it reads, and changes nothing."""

    action: str
    version: str
    target: Target
    options: Mapping[str, Json]
    steps: tuple[Step, ...]
    refusals: tuple[str, ...] = ()
    """Why it will not be done at all, one sentence each."""
    warnings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Permissions that the provider said we lack."""
    unknown: tuple[str, ...] = ()
    """Permissions that the provider does not tell before they are used."""
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the plan found, by the names that permissions use: the run may touch nothing else."""
    volatility: int = 0
    """How soon what it takes is lost: 0 first. Plans that run together run in this order."""

    @property
    def digest(self) -> str:
        """What tells this plan from one that would do something else."""
        record = self.record()
        told = {name: record[name] for name in ("action", "version", "target", "options", "steps")}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def record(self) -> dict[str, Json]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def of(cls, record: Mapping[str, Json]) -> "Plan":
        """The plan that a record says."""
        texts = ("refusals", "warnings", "missing", "unknown")
        return cls(
            action=record["action"],
            version=record["version"],
            target=Target.of(record["target"]),
            options=record["options"],
            steps=tuple(Step.of(one) for one in record["steps"]),
            names={name: tuple(found) for name, found in record["names"].items()},
            volatility=record["volatility"],
            **{name: tuple(record[name]) for name in texts},
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a change holds, by a signal other than that the call succeeded."""

    holds: bool | None
    """None: the signal says nothing yet."""
    signal: str
    """What was looked at."""
    detail: str = ""


class StepState(StrEnum):
    """How far a step has come."""

    PLANNED = "planned"
    CAPTURED = "captured"
    """The prior state is durable; nothing was changed."""
    INTENDED = "intended"
    """The change may have been made: only the provider knows."""
    APPLIED = "applied"
    VERIFIED = "verified"
    FAILED = "failed"
    """The change was refused or does not hold; part of it may stand."""
    RELEASING = "releasing"
    UNDONE = "undone"
    LEFT = "left"
    """A person let a change stand that others have built on."""
    CONFLICT = "conflict"
    """Others changed it meanwhile, so it was not put back."""


STANDS = frozenset(
    {
        StepState.INTENDED, StepState.APPLIED, StepState.VERIFIED, StepState.FAILED,
        StepState.RELEASING, StepState.CONFLICT,
    }
)  # fmt: skip
"""States in which something of a step may stand in the cloud."""


class RunState(StrEnum):
    """How far a run has come."""

    APPLYING = "applying"
    DONE = "done"
    FAILED = "failed"
    RELEASING = "releasing"
    RELEASED = "released"
    RELEASE_FAILED = "release-failed"


@dataclass(frozen=True, slots=True)
class Taken:
    """One step as it went: all that undoing it needs."""

    step: Step
    state: StepState
    prior: Json = None
    outcome: Json = None
    verdict: Verdict | None = None
    error: str = ""
    evidence: tuple[str, ...] = ()
    """What it took into the vault."""
    started: int | None = None
    """UTC nanoseconds."""
    ended: int | None = None


def kept(steps: Iterable[Taken]) -> bool:
    """Whether isolating the target can take nothing any more from a collection of these steps.

    So it is once every step that needs the target has ended well; the others read copies.
    """
    return all(one.step.from_copy or one.state is StepState.VERIFIED for one in steps)


FORMAT = "locard.dev/receipt/v1"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a run did and what was there before: a release follows from this alone."""

    run: str
    case: str
    account: str
    """The name of the account here."""
    who: str
    reason: str
    state: RunState
    plan: Plan
    steps: tuple[Taken, ...]
    started: int
    ended: int | None = None

    @property
    def kept(self) -> bool:
        """Whether what isolating would take of what it collects is kept."""
        return kept(self.steps)

    def record(self) -> dict[str, Json]:
        """As JSON."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def of(cls, record: Mapping[str, Json]) -> "Receipt":
        """The receipt that a record says. Raises `KeyError` or `ValueError` when it is none."""
        if record.get("format") != FORMAT:
            raise ValueError("it is no receipt")
        steps = tuple(_taken(one) for one in record["steps"])
        plain = {name: record[name] for name in ("run", "case", "account", "who", "reason")}
        return cls(
            **plain,
            state=RunState(record["state"]),
            plan=Plan.of(record["plan"]),
            steps=steps,
            started=record["started"],
            ended=record["ended"],
        )


def _taken(record: Mapping[str, Json]) -> Taken:
    verdict = record["verdict"]
    return Taken(
        step=Step.of(record["step"]),
        state=StepState(record["state"]),
        prior=record["prior"],
        outcome=record["outcome"],
        verdict=Verdict(**verdict) if verdict else None,
        error=record["error"],
        evidence=tuple(record["evidence"]),
        started=record["started"],
        ended=record["ended"],
    )
