# SPDX-License-Identifier: Apache-2.0
"""One step at a time: what is written down before it, what it does, what is written down after."""

from collections.abc import Iterable, Mapping
from typing import TypeGuard

from locard.actions.contract import Action, Change, Check, Cloud, Collection, Room
from locard.cases.response.corroboration import corroborate
from locard.cases.response.record import Record
from locard.evidence.spool import Readable
from locard.model.action import Json, Step, StepState, Taken, Verdict
from locard.model.custody import Acquisition, Verb
from locard.model.errors import Conflict, Error, Missing
from locard.model.spoken import differing


def is_change(kind: Change | Check | Collection) -> TypeGuard[Change]:
    """Whether steps of this kind change something and can be undone."""
    return hasattr(kind, "apply")


def is_check(kind: Change | Check | Collection) -> TypeGuard[Check]:
    """Whether steps of this kind only look whether others hold."""
    return hasattr(kind, "look")


def is_collection(kind: Change | Check | Collection) -> TypeGuard[Collection]:
    """Whether steps of this kind take evidence."""
    return hasattr(kind, "collect")


def change(record: Record, action: Action, cloud: Cloud, number: int, taken: Taken) -> None:
    """Carry a change out from where it stands. Raises what stands against it."""
    kind = action.steps[taken.step.kind]
    assert is_change(kind)
    step, prior, outcome = taken.step, taken.prior, taken.outcome
    if taken.state in (StepState.VERIFIED, StepState.LEFT, StepState.UNDONE):
        return
    if taken.state in (StepState.PLANNED, StepState.CAPTURED):
        prior = kind.capture(cloud, step)
        record.step(number, StepState.CAPTURED, prior=prior)
        record.say(Verb.CONTAIN_INTENDED, step.title, taken, prior=prior,
                   arguments=dict(step.arguments))  # fmt: skip
        record.step(number, StepState.INTENDED, prior=prior)
    if taken.state != StepState.APPLIED:
        again = taken.state in (StepState.INTENDED, StepState.FAILED)
        outcome = kind.applied(cloud, step, prior) if again else None
        stood = outcome is not None
        if not stood:
            outcome = kind.apply(cloud, step, prior)
        record.step(number, StepState.APPLIED, outcome=outcome, error="")
        how = {"found": "it stood already when the run was carried on"} if stood else {}
        record.say(Verb.CONTAINED, step.title, taken, outcome=outcome, **how)
    verdict = kind.verify(cloud, step, prior)
    record.step(number, StepState.APPLIED, verdict=verdict)
    if verdict.holds is False:
        raise Conflict(
            f"{step.title}: it was done, but it does not hold: {verdict.detail}",
            f"Somebody or something undoes it. See: locard runs show {record.run}",
        )
    if verdict.holds:
        record.step(number, StepState.VERIFIED)


def check(
    record: Record,
    action: Action,
    cloud: Cloud,
    number: int,
    taken: Taken,
    outcomes: Mapping[str, Json],
) -> None:
    """Look whether what was changed holds. Raises `Conflict` when the signal says that it does not.

    A signal that is not available, or says nothing yet, stops nothing: it is told as what it is.
    """
    kind, prior = action.steps[taken.step.kind], taken.prior
    assert is_check(kind)
    if taken.state == StepState.PLANNED:
        prior = kind.begin(cloud, taken.step, outcomes)
        record.step(number, StepState.CAPTURED, prior=prior, outcome=prior)
    verdict = looked(kind, cloud, taken.step, prior)
    seen(record, number, taken, verdict)
    if verdict.holds is False:
        raise Conflict(
            f"{verdict.signal}: {verdict.detail}",
            f"What was changed stands, and is not enough. See: locard runs show {record.run}",
        )


def looked(kind: Change | Check, cloud: Cloud, step: Step, prior: Json) -> Verdict:
    """Whether it holds now; what cannot be looked at is said, and is no verdict."""
    try:
        if is_change(kind):
            return kind.verify(cloud, step, prior)
        assert is_check(kind)
        return kind.look(cloud, step, prior)
    except Error as error:
        return Verdict(None, "not available", error.message)


def seen(record: Record, number: int, taken: Taken, verdict: Verdict) -> None:
    """Write down what a look said."""
    state = StepState.VERIFIED if verdict.holds else StepState.APPLIED
    record.step(number, state, verdict=verdict, error="")
    told = {None: "unknown", True: "holds", False: "does not hold"}[verdict.holds]
    record.say(
        Verb.VERIFIED if verdict.holds else Verb.VERIFICATION_FAILED, told, taken,
        signal=verdict.signal, detail=verdict.detail,
    )  # fmt: skip


def collect(
    record: Record,
    action: Action,
    cloud: Cloud,
    number: int,
    taken: Taken,
    room: Room,
) -> None:
    """Take evidence, unless it was taken already."""
    if taken.state == StepState.VERIFIED:
        return
    kind = action.steps[taken.step.kind]
    assert is_collection(kind)
    kept: list[str] = []

    def keep(name: str, stream: Readable, acquisition: Acquisition) -> str:
        found = record.keep(name, stream, acquisition)
        listed = record.keep_requests(name, found, acquisition)
        kept.extend(filter(None, (listed, found)))
        return found

    record.step(number, StepState.CAPTURED)
    outcome = corroborate(record, kind.collect(cloud, taken.step, keep, room), kept)
    record.step(number, StepState.VERIFIED, outcome=outcome, evidence=kept, error="")


def undo(
    record: Record, action: Action, cloud: Cloud, number: int, taken: Taken, reason: str
) -> None:
    """Put back what a step changed. Raises `Conflict` rather than overwrite what others did.

    What is gone altogether has nothing to be put back; that is told.
    """
    kind = action.steps[taken.step.kind]
    assert is_change(kind)
    record.step(number, StepState.RELEASING, error="")
    record.say(Verb.RELEASE_INTENDED, reason, taken, prior=taken.prior)
    try:
        merged = kind.undo(cloud, taken.step, taken.prior, taken.outcome)
    except Missing as error:
        merged = {"gone meanwhile": error.message}
    record.step(number, StepState.UNDONE)
    record.say(Verb.RELEASED, reason, taken, **({"merged": merged} if merged else {}))


def compare(record: Record, action: Action, cloud: Cloud, numbers: Iterable[int]) -> int:
    """Ask the provider again what each undone step had found; how many are as they were before.

    The same calls as before the change, so that a release is judged by what stands and not by its
    own word.
    """
    same, steps = 0, record.steps()
    for number in numbers:
        taken = steps[number]
        kind = action.steps[taken.step.kind]
        if taken.state != StepState.UNDONE or not is_change(kind):
            continue
        try:
            lines = differences(taken.prior, kind.capture(cloud, taken.step))
            verdict = Verdict(not lines, SAME_CALLS, "; ".join(lines))
        except Error as error:
            verdict = Verdict(None, SAME_CALLS, said(error))
        same += verdict.holds is True
        record.step(number, StepState.UNDONE, verdict=verdict)
    return same


SAME_CALLS = "the calls that read the state before, made again"


def differences(before: Json, now: Json, at: str = "") -> list[str]:
    """Where two answers differ, one line each."""
    if isinstance(before, dict) and isinstance(now, dict):
        names = sorted({*before, *now})
        return [
            line
            for name in names
            for line in differences(before.get(name), now.get(name), f"{at}.{name}".lstrip("."))
        ]
    if before == now:
        return []
    return [f"{at or 'it'} {differing(before, now)}"]


def failed(record: Record, number: int) -> StepState:
    """What a step that was refused has come to: before its intent nothing can stand."""
    state = record.steps()[number].state
    nothing = (StepState.PLANNED, StepState.CAPTURED)
    return StepState.PLANNED if state in nothing else StepState.FAILED


def said(error: Error) -> str:
    """An error in one line, as the state keeps it."""
    return f"{error.message} {error.advice}".strip()
