# SPDX-License-Identifier: Apache-2.0
"""What the commands that act in clouds share: naming a target, showing plans, runs and steps."""

from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any

import typer

from locard.cli.terminal import errors, moment, out, size
from locard.model.action import Plan, Receipt, RunState, Step, StepState
from locard.model.errors import Error

if TYPE_CHECKING:
    from locard.actions.contract import Action
    from locard.cases.progress import Snapshot

Case = Annotated[str, typer.Argument(help="The case that it is for; made when it is new.")]
Name = Annotated[str, typer.Argument(help="The target by its id or ARN: i-0abc…")]
In = Annotated[
    str, typer.Option("--account", help="The account, by its name here; the only one if left out.")
]
Region = Annotated[str, typer.Option(help="The region; the account's first if left out.")]
Reason = Annotated[str, typer.Option(help="Why; it goes into the custody ledger.")]
Apply = Annotated[bool, typer.Option("--apply", help="Do it. Without this: show the plan only.")]

MARKS = {
    StepState.PLANNED: " ",
    StepState.CAPTURED: "…",
    StepState.INTENDED: "…",
    StepState.VERIFIED: "✓",
    StepState.APPLIED: "✓",
    StepState.UNDONE: "↩",
    StepState.LEFT: "=",
}


def options_of(actions: "Sequence[Action]", words: Sequence[str]) -> dict[str, Any]:
    """The options that words such as `stop=yes` set. Raises `Error` for what is none."""
    known, found = {one.name: one for action in actions for one in action.options}, {}
    for word in words:
        name, equals, value = word.partition("=")
        if name not in known or not equals:
            raise Error(
                f"{word[:60]!r} sets no option of {', '.join(one.id for one in actions)}.",
                "Options: " + "; ".join(f"{n}: {o.title}" for n, o in known.items()),
            )
        truth = {"yes": True, "true": True, "no": False, "false": False}.get(value.lower())
        if isinstance(known[name].default, bool) and truth is None:
            raise Error(f"{name} is yes or no, and not {value[:40]!r}.")
        found[name] = truth if isinstance(known[name].default, bool) else value
    return found


def show_plan(plan: Plan, uncollected: Sequence[str] = ()) -> None:
    """A plan for a person: what would happen in which order, and what stands against it."""
    out.print(f"{plan.action} on {plan.target.key}", style="bold", markup=False)
    first = first_copy(plan.steps)
    for number, step in enumerate(plan.steps, 1):
        if step is first:
            out.print(f"     {from_here(plan)}", style="green", markup=False)
        out.print(f"{number:3}. {step.title}", markup=False)
        out.print(f"     {step.call}{_undo(step)}", style="dim", markup=False)
        for one in step.breaks:
            out.print(f"     breaks: {one}", style="yellow", markup=False)
    for one in plan.warnings:
        out.print(f"note: {one}", markup=False)
    if plan.missing:
        out.print(f"not allowed: {', '.join(plan.missing)}", style="red", markup=False)
    if plan.unknown:
        told = f"known only when it is done whether allowed: {', '.join(plan.unknown)}"
        out.print(told, style="dim", markup=False)
    if uncollected:
        out.print(f"to be collected before: {', '.join(uncollected)}", style="yellow", markup=False)
    for one in plan.refusals:
        out.print(f"refused: {one}", style="red", markup=False)


def show_run(receipt: Receipt) -> None:
    """A run for a person: what was done, and what stands."""
    head = f"run {receipt.run}: {receipt.plan.action} on {receipt.plan.target.id}"
    out.print(f"{head}, {receipt.state.value}", style="bold", markup=False)
    out.print(f"  case {receipt.case}, {receipt.who}, {moment(receipt.started)}: {receipt.reason}",
              markup=False)  # fmt: skip
    first = first_copy(receipt.plan.steps)
    for taken in receipt.steps:
        if taken.step == first:
            out.print(f"    {from_here(receipt.plan)}", style="dim", markup=False)
        refused = taken.error and taken.state is StepState.PLANNED  # nothing of it stands
        mark = "✗" if refused else MARKS.get(taken.state, "✗")
        word = "kept" if taken.evidence else "failed" if refused else taken.state.value
        out.print(f"  {mark} {taken.step.title}  ({word})", markup=False)
        if taken.verdict is not None and taken.state == StepState.UNDONE:
            said = {True: "as it was", False: "not as it was", None: "cannot be compared"}
            told = f"{said[taken.verdict.holds]}, by {taken.verdict.signal}"
            more = f": {taken.verdict.detail}" if taken.verdict.detail else ""
            out.print(f"      {told}{more}", style="dim", markup=False)
        if taken.verdict is not None and taken.state in (StepState.APPLIED, StepState.VERIFIED):
            said = {True: "holds", False: "does not hold", None: "not known yet"}
            told = f"{said[taken.verdict.holds]} by {taken.verdict.signal}"
            more = f": {taken.verdict.detail}" if taken.verdict.detail else ""
            out.print(f"      {told}{more}", style="dim", markup=False)
        if isinstance(taken.outcome, dict) and (summary := taken.outcome.get("summary")):
            out.print(f"      {summary}", style="dim", markup=False)
        if isinstance(taken.outcome, dict) and (gap := taken.outcome.get("not collected")):
            out.print(f"      not collected: {gap}", style="yellow", markup=False)
        if taken.error:
            out.print(f"      [{taken.step.key}] {taken.error}", style="red", markup=False)


def first_copy(steps: Sequence[Step]) -> Step | None:
    """The first step that reads a copy that stands."""
    return next((one for one in steps if one.from_copy), None)


def from_here(plan: Plan) -> str:
    """What is said before the first step that reads a copy."""
    return f"from here on it reads copies that stand; {plan.target.id} may be isolated meanwhile"


def show_copying(receipt: Receipt, jobs: "Sequence[Snapshot]") -> None:
    """How far a collection is that reads copies, when what isolating could take is kept."""
    collects = receipt.plan.action.startswith("collect.")
    if not collects or receipt.state is not RunState.APPLYING or not receipt.kept:
        return
    target = receipt.plan.target.id
    told = f"  kept: isolating {target} takes nothing from it any more"
    out.print(told, style="green", markup=False)
    what = f"Collecting {target}"
    now = next((one for one in jobs if one.what == what and one.state == "running"), None)
    if now is None:
        out.print("  nobody reads its copies now; it is carried on by a server, or by: locard runs "
                  f"resume {receipt.run}", style="yellow", markup=False)  # fmt: skip
        return
    amount = ""
    if now.unit == "bytes" and now.total:
        left = f", {now.left_seconds:,.0f} s left" if now.left_seconds else ""
        amount = f": {size(now.done)} of {size(now.total)}{left}"
    out.print(f"  now: {now.stage}{amount}", markup=False)


def _undo(step: Step) -> str:
    return f"   undone by: {step.undo_title}" if step.undo_title else ""


class Told:
    """Says what is being done."""

    def __init__(self) -> None:
        self._last, self._shown, self._lock = "", 0, Lock()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """`stage` is at `done` of `total`; large numbers are bytes."""
        with self._lock:
            step = total // 20 or 1
            if stage == self._last and done < self._shown + step:
                return
            large = total > 1 << 20
            amount = f": {size(done)} of {size(total)}" if large else ""
            self._last, self._shown = stage, done
            errors.print(f"{stage}{amount}", markup=False)
