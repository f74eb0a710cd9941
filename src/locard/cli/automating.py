# SPDX-License-Identifier: Apache-2.0
"""What the commands about alerts and playbooks share: showing them, and carrying runs on."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from locard.cli.responding import Told, show_plan
from locard.cli.terminal import errors, moment, out, visible
from locard.model.alert import Alert
from locard.model.errors import Conflict
from locard.model.playbook import (
    Part,
    PartState,
    Playbook,
    PlaybookRun,
    PlaybookState,
    Trial,
)

if TYPE_CHECKING:
    from locard.cases.desk import Desk

SHORT = 8
"""Characters of a digest that are enough to name a plan by."""
MARKS = {
    PartState.PENDING: " ",
    PartState.BEGUN: "…",
    PartState.KEPT: "…",
    PartState.DONE: "✓",
    PartState.FAILED: "✗",
    PartState.REFUSED: "–",
}


def alert_row(one: Alert) -> dict[str, str]:
    """An alert as a row of a list."""
    return {
        "alert": one.id,
        "severity": one.severity.value,
        "seen": moment(one.time),
        "source": one.source,
        "title": visible(one.title, 70),
        "resources": ", ".join(target.id for target in one.targets[:3]),
        "case": one.case,
        "times": str(one.sightings),
    }


def alert_record(one: Alert, *, whole: bool) -> dict[str, Any]:
    """An alert as JSON; `whole` with all that its source said."""
    record = asdict(one)
    if not whole:
        del record["content"]
    return record


def show_alert(one: Alert) -> None:
    """An alert for a person."""
    out.print(f"{one.title}", style="bold", markup=False)
    rows = {
        "alert": f"{one.id}, {one.severity.value}, {one.state.value}",
        "source": f"{one.source}: {one.kind} ({one.original})",
        "seen": f"{moment(one.time)}, {_times(one.sightings)}, first {moment(one.first)}",
        "account": " ".join(filter(None, (one.account, one.region))),
        "came": f"{one.by} ({one.door})",
        "case": f"{one.case}: {one.placed}",
        "link": one.link,
        "original": ", ".join(one.evidence),
    }
    for name, text in rows.items():
        if text:
            out.print(f"  {name + ':':10}{text}", markup=False)
    for target in one.targets:
        out.print(f"  names:    {target.kind} {target.id} ({target.key})", markup=False)
    for note in one.notes:
        out.print(f"  note:     {note}", style="yellow", markup=False)


def _times(number: int) -> str:
    return "said once" if number == 1 else f"said {number} times"


def playbook_row(one: Playbook) -> dict[str, str]:
    """A playbook as a row of a list."""
    state = (
        "on" if one.enabled else "off: changed since it was switched on" if one.changed else "off"
    )
    return {
        "playbook": one.id,
        "state": state,
        "asks": f"{one.asking.value}" + (" (2 people)" if one.approvers == 2 else ""),
        "title": visible(one.title, 80),
        "from": "Locard" if one.shipped else "yours",
    }


def show_playbook_run(run: PlaybookRun) -> None:
    """A run of a playbook for a person: its steps, who agreed, what it waits for."""
    head = f"run {run.id}: {run.title}, {run.state.value}"
    out.print(head, style="bold", markup=False)
    told = f"  playbook {run.playbook}, alert {run.alert}, case {run.case}, {moment(run.started)}"
    out.print(told, markup=False)
    for part in run.parts:
        out.print(f"  {MARKS[part.state]} {_part(part)}", markup=False)
        if part.error:
            out.print(f"      {part.error}", style="red", markup=False)
        if part.state is PartState.FAILED and part.kept:
            told = f"kept all the same; read the rest: locard runs resume {part.run}"
            out.print(f"      {told}", style="yellow", markup=False)
        if part.state is PartState.KEPT:
            told = "kept; the rest is still read from copies, and what comes after goes on"
            out.print(f"      {told}", style="dim", markup=False)
    for one in run.approvals:
        word = "agreed" if one.agrees else "refused"
        past = "" if one.round == run.round else " (to what it asked before)"
        out.print(f"  {one.who} {word}{past}, {moment(one.time)}: {one.reason}", markup=False)
    if run.error and not any(part.error and part.error in run.error for part in run.parts):
        out.print(f"  {run.error}", style="red", markup=False)
    if run.state is PlaybookState.LAPSED:
        out.print(f"  ask again: locard runs resume {run.id}", style="yellow", markup=False)
    if run.state is PlaybookState.WAITING:
        _show_waiting(run)


def _show_waiting(run: PlaybookRun) -> None:
    still = run.approvers - run.agreed
    people = "one more person" if still == 1 and run.agreed else f"{still} people"
    if still == 1 and not run.agreed:
        people = "one person"
    out.print(f"  waits for {people}{_left(run)}", style="yellow", markup=False)
    if run.enabled_by:
        out.print(f"  {run.enabled_by} switched the playbook on, and does not count as an approver "
                  "of its runs", style="yellow", markup=False)  # fmt: skip
    if not run.asker.startswith(("queue ", "webhook ")):
        out.print(f"  {run.asker} brought the alert in, and does not count either",
                  style="yellow", markup=False)  # fmt: skip
    for line in run.changed:
        out.print(f"  asked again, for the plan changed: {line}", style="yellow", markup=False)
    out.print(f"  see the plan and agree: locard runs approve {run.id}; or refuse",
              style="yellow", markup=False)  # fmt: skip


def _left(run: PlaybookRun) -> str:
    if run.lapses is None:
        return ""
    from locard.cases.document import spelled

    left = max(0, run.lapses - time.time_ns()) // 1_000_000_000
    return f" until {moment(run.lapses)}, {spelled(left)} more; then it lapses"


def show_asked(run: PlaybookRun) -> None:
    """What people are asked about, and how somebody agrees to exactly that."""
    show_playbook_run(run)
    for one in run.planned:
        if one.plan is not None:
            show_plan(one.plan)
        else:
            out.print(f"step {one.number + 1}: no plan can be made: {one.error}",
                      style="red", markup=False)  # fmt: skip
    if run.state is PlaybookState.WAITING:
        out.print(f"agree to exactly this: locard runs approve {run.id} --plan {run.plan[:SHORT]} "
                  "--reason REASON", markup=False)  # fmt: skip


def show_trial(trial: Trial, alert: Alert) -> None:
    """What a playbook would do about an alert."""
    word = "would act" if trial.matches else "would not act"
    head = f"{alert.id}  {moment(alert.time)}  {alert.title}: {word}"
    out.print(head, style="bold" if trial.matches else "dim", markup=False)
    out.print(f"  {trial.why}", style="dim", markup=False)
    for part in trial.parts:
        out.print(f"    {_part(part)}", markup=False)
    for plan in trial.plans:
        out.print(f"    plan of {plan['action']} on {plan['target']['id']}:", markup=False)
        for number, step in enumerate(plan["steps"], 1):
            out.print(f"    {number:3}. {step['title']}  ({step['call']})", markup=False)
        for refusal in plan["refusals"]:
            out.print(f"    refused: {refusal}", style="red", markup=False)
    for error in trial.errors:
        out.print(f"    {error}", style="red", markup=False)


def _part(part: Part) -> str:
    where = f" {part.target.kind} {part.target.id}" if part.target else ""
    run = f" (run {part.run})" if part.run else ""
    return f"{part.does.value} {part.what}{where}{run}"


def trial_record(trial: Trial) -> Mapping[str, Any]:
    """A trial as JSON."""
    return asdict(trial)


def attend(at: "Desk") -> list[PlaybookRun]:
    """Hold playbooks against what came, and carry on what is due, here and now."""
    begun = at.response.playbooks.judge()
    at.response.playbooks.waiting.look()
    at.response.playbooks.copying.look()
    due = at.response.playbooks.due()
    carry_on(at, due)
    return [at.response.playbooks.run(one) for one in dict.fromkeys((*begun, *due))]


def carry_on(at: "Desk", runs: Sequence[str]) -> list[PlaybookRun]:
    """Carry runs of playbooks on in this process, unless another is at them."""
    done = []
    for run in runs:
        try:
            done.append(at.response.playbooks.carry_on(run, Told()))
        except Conflict as error:
            errors.print(error.message, markup=False)
    return done
