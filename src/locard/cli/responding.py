# SPDX-License-Identifier: Apache-2.0
"""What the commands that act in clouds share: naming a target, showing plans, runs and steps."""

from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any

import typer

from locard.cli.terminal import errors, moment, out, size
from locard.model.action import Plan, Receipt, Step, StepState
from locard.model.errors import Error

if TYPE_CHECKING:
    from locard.actions.contract import Action

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
    for number, step in enumerate(plan.steps, 1):
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
    for taken in receipt.steps:
        mark = MARKS.get(taken.state, "✗")
        word = "kept" if taken.evidence else taken.state.value
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
