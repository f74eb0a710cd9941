# SPDX-License-Identifier: Apache-2.0
"""What notices say: a subject, facts by name, and how bad it is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from locard.evidence.entries import rfc3339
from locard.model.alert import Alert, Severity
from locard.model.playbook import Part, PartState, PlaybookRun, PlaybookState
from locard.model.visible import visible

ABOUT = {
    PlaybookState.WAITING: "approval",
    PlaybookState.FAILED: "failed",
    PlaybookState.REFUSED: "failed",
    PlaybookState.LAPSED: "failed",
    PlaybookState.DONE: "done",
}


@dataclass(frozen=True, slots=True)
class Message:
    """One notice before it is sent. All of it is one line a text: others wrote some of it."""

    about: str
    subject: str
    facts: Mapping[str, str]
    severity: Severity
    case: str = ""
    alert: str = ""
    run: str = ""

    def lines(self) -> str:
        """As text for people."""
        width = max(map(len, self.facts), default=0)
        return "\n".join(f"{name + ':':{width + 1}} {text}" for name, text in self.facts.items())


def of_alert(alert: Alert) -> Message:
    """A new alert."""
    return _message("alert", f"[{alert.severity.value}] {alert.title}", alert, None, "")


def of_run(run: PlaybookRun, alert: Alert) -> Message | None:
    """What became of a run; nothing while it goes on."""
    about = ABOUT.get(run.state)
    if about is None:
        return None
    subject = {
        PlaybookState.WAITING: f"Approval needed: {run.title}",
        PlaybookState.FAILED: f"Failed: {run.title}",
        PlaybookState.REFUSED: f"Refused: {run.title}",
        PlaybookState.LAPSED: f"Lapsed, nobody agreed in time: {run.title}",
    }.get(run.state, f"Done: {run.title}")
    return _message(about, subject, alert, run, "")


def of_copy(run: PlaybookRun, part: Part, alert: Alert) -> Message:
    """A copy that could not be read to its end; what it is read from stands."""
    target = part.target.id if part.target else ""
    text = (
        f"{part.error} What isolating could take is kept, and what it is read from stands. "
        f"Carry it on: locard runs resume {part.run}"
    )
    subject = f"Failed, and can be carried on: {part.what} {target}"
    return _message("failed", subject, alert, run, text)


def reminding(message: Message) -> Message:
    """The same as a reminder."""
    return replace(message, about="reminder", subject=f"Reminder: {message.subject}"[:200])


def of_playbook(run: PlaybookRun, alert: Alert, text: str) -> Message:
    """What a playbook says itself: written for when all before it was done, it says when not."""
    subject = f"{run.title}: {alert.title}"
    if not _not_done(run):
        return _message("playbook", subject, alert, run, text)
    text = f"Not all of it was done (see below), so this may not hold: {text}"
    return _message("playbook", f"Not all done: {subject}", alert, run, text)


def _not_done(run: PlaybookRun) -> list[str]:
    """The parts that failed or were refused, each with why."""
    return [
        f"{one.what} {one.target.id if one.target else ''}".strip() + f": {one.error}"
        for one in run.parts if one.state in (PartState.FAILED, PartState.REFUSED)
    ]  # fmt: skip


def _message(about: str, subject: str, alert: Alert, run: PlaybookRun | None, text: str) -> Message:
    facts = {
        "says": text,
        "alert": f"{alert.title} ({alert.id})",
        "source": f"{alert.source}, {alert.kind}",
        "severity": alert.severity.value,
        "seen": f"{rfc3339(alert.time)[:19]}Z",
        "account": alert.account,
        "resources": ", ".join(f"{one.kind} {one.id}" for one in alert.targets[:10]),
        "case": alert.case,
    }
    if run is not None:
        facts |= {"playbook": run.playbook, "run": run.id}
        facts["why"] = run.error
        done = [one for one in run.parts if one.state is PartState.DONE]
        facts["steps"] = f"{len(done)} of {len(run.parts)} done"
        facts["not done"] = " | ".join(_not_done(run)[:10])
        facts["still read from copies"] = ", ".join(
            f"{one.what} {one.target.id if one.target else ''}".strip() for one in run.copying
        )
        if run.state is PlaybookState.WAITING and run.next is not None:
            waiting = [
                f"{one.what} {one.target.id if one.target else ''}".strip()
                for one in run.parts if one.state is PartState.PENDING
            ]  # fmt: skip
            facts["waits with"] = ", ".join(waiting[:10])
            facts["asked again"] = "; ".join(run.changed[:5])
            facts["waits until"] = f"{rfc3339(run.lapses)[:16]}Z" if run.lapses else ""
            facts["agree with"] = f"locard runs approve {run.id}"
    known = {name: visible(value)[:1_000] for name, value in facts.items() if value}
    return Message(
        about, visible(subject)[:200], known, alert.severity, alert.case, alert.id,
        run.id if run else "",
    )  # fmt: skip
