# SPDX-License-Identifier: Apache-2.0
"""`locard alert`: what detectors said, and how it comes in."""

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from locard.cli.automating import (
    alert_record,
    alert_row,
    attend,
    show_alert,
    show_playbook_run,
)
from locard.cli.terminal import (
    BEYOND,
    Json,
    Who,
    desk,
    emit,
    errors,
    hand,
    listing,
    moment,
    out,
    size,
)
from locard.model.alert import Alert
from locard.model.errors import Error, Missing, Unreadable

if TYPE_CHECKING:
    from locard.cases.alerts.watching import Watcher
    from locard.cases.response.settings import Queue

LIST = """Examples:

    locard alert list

    locard alert list breach --json

    locard alert list --limit 50 --before a-093493cf

    locard alert unread
"""
ADD = """Examples:

    locard alert add finding.json

    aws guardduty ... | locard alert add - --source aws.guardduty

An alert that came before is a sighting of it. Playbooks that are on are held against what is new,
and what is due is carried out before the command ends.
"""
WATCH = """Examples:

    locard alert watch

    locard alert watch --once

The queues stand in response.yaml. A message is deleted once its alert is recorded. A server that
runs (locard serve) watches them by itself.
"""
UNREAD = """Examples:

    locard alert unread

    locard alert unread 3 > message.json
"""
Case = Annotated[str, typer.Argument(help="Of this case; of all if left out.")]
Limit = Annotated[int, typer.Option(help="How many.", min=1, max=10_000)]
Which = Annotated[str, typer.Argument(metavar="ALERT", help="The alert, or how its id begins.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="What detectors said, and how it comes in.")
    group.command("list", epilog=LIST)(list_alerts)
    group.command("show", epilog="Example: locard alert show a-093493cf")(show)
    group.command("add", epilog=ADD)(add)
    group.command("watch", epilog=WATCH)(watch)
    group.command("unread", epilog=UNREAD)(unread)
    group.command("sources", epilog="Example: locard alert sources --json")(list_sources)
    app.add_typer(group, name="alert")


def list_alerts(
    case: Case = "",
    limit: Limit = 100,
    before: Annotated[str, typer.Option(help="Only those that came last before this alert.")] = "",
    as_json: Json = False,
) -> None:
    """List alerts, the last that came first."""
    with desk() as at:
        last = at.response.alerts.get(before) if before else None
        place = (last.last, last.id) if last else None
        found = at.response.alerts.every(case, limit=limit + 1, before=place)
        waiting = at.response.alerts.unread_total()
    shown = found[:limit]
    if as_json:
        emit([alert_record(one, whole=False) for one in shown])
    else:
        listing([alert_row(one) for one in shown], "alert")
    if len(found) > limit:
        more = " ".join(filter(None, ["locard alert list", case, f"--before {shown[-1].id}"]))
        errors.print(f"There are older ones: {more}", markup=False)
    if waiting and not as_json:
        errors.print("There are messages that no alert could be read from: locard alert unread")


def show(alert: Which, as_json: Json = False) -> None:
    """Show an alert: what it names, why it is in its case, and where its original is kept."""
    from locard.state.playbooks import Wanted

    with desk() as at:
        found = at.response.alerts.get(alert)
        runs = at.response.playbooks.runs(Wanted(alert=found.id))
    if as_json:
        record = alert_record(found, whole=True)
        emit(record | {"runs": [asdict(one) for one in runs]})
        return
    show_alert(found)
    for one in runs:
        show_playbook_run(one)


def add(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files of one message each; - reads it.")
    ],
    source: Annotated[
        str, typer.Option(help="Whose message it is; recognised by its content if left out.")
    ] = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Take alerts from files as if they had come by themselves."""
    from locard.cases.alerts.sources import sources

    if source:
        sources().get(source)
    bodies = [_body(one) for one in files]
    taken: list[Alert] = []
    failure: Unreadable | None = None
    with desk() as at:
        for body in bodies:
            try:
                taken += at.response.alerts.take(body, hand(who), source=source)
            except Unreadable as error:
                failure = error
        runs = attend(at)
    if as_json:
        emit({
            "alerts": [alert_record(one, whole=False) for one in taken],
            "runs": [asdict(one) for one in runs],
        })  # fmt: skip
    else:
        for one in taken:
            show_alert(one)
        for run in runs:
            show_playbook_run(run)
    if failure is not None:
        failure.advice += " It is kept: locard alert unread"
        raise failure


def _body(file: str) -> bytes:
    from locard.cases.alerts.sources import MOST_BYTES

    try:
        if file == "-":
            body = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                body = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise Missing(
            f"{file[:200]} cannot be read: {error.strerror}.", "Name a file with one message."
        ) from error
    if len(body) > MOST_BYTES:
        raise Error(
            f"{file[:200]} has more than {MOST_BYTES:,} bytes, and an alert has fewer.",
            "Add it as evidence instead: locard add CASE FILE",
        )
    return body


def watch(
    once: Annotated[bool, typer.Option("--once", help="Read what is there, then end.")] = False,
    as_json: Json = False,
) -> None:
    """Watch the queues that alerts come through, and carry out what playbooks say."""
    from locard.cases.alerts.watching import Watcher
    from locard.cases.response.connecting import queue as open_queue

    with desk() as at:
        queues = at.response.settings().queues
        if not queues:
            raise Error(
                "No queue is named in response.yaml.", "docs/howto/respond-to-alerts.md shows how."
            )
        watcher = Watcher(at.response.alerts, open_queue)
        if once:
            found = [one for queue in queues for one in _drained(watcher, queue)]
            runs = attend(at)
            if as_json:
                emit({
                    "alerts": [alert_record(one, whole=False) for one in found],
                    "runs": [asdict(one) for one in runs],
                    "queues": [asdict(one) for one in watcher.watched()],
                })  # fmt: skip
                return
            _tell(found)
            for run in runs:
                show_playbook_run(run)
            return
        what = "a queue" if len(queues) == 1 else f"{len(queues)} queues"
        out.print(f"Watching {what}. Stop it with Ctrl-C.", markup=False)
        watcher.begin(queues)
        told, since = {one.address: "" for one in queues}, time.time_ns()
        try:
            while True:
                came = at.response.alerts.every(limit=None, since=since + 1)
                for alert in reversed(came):
                    show_alert(alert)
                since = max((one.last for one in came), default=since)
                for run in attend(at):
                    show_playbook_run(run)
                for one in watcher.watched():
                    if one.error != told.get(one.address, one.error):
                        errors.print(f"{one.address}: {one.error or 'read again'}", markup=False)
                    told[one.address] = one.error
                time.sleep(1)
        finally:
            watcher.close()


def _drained(watcher: "Watcher", queue: "Queue") -> list[Alert]:
    """All that a queue holds now."""
    found: list[Alert] = []
    while True:
        before = sum(one.messages for one in watcher.watched())
        found += watcher.once(queue, 1)
        if sum(one.messages for one in watcher.watched()) == before:
            return found


def _tell(found: list[Alert]) -> None:
    if found:
        listing([alert_row(one) for one in found], "alert")
    else:
        errors.print("Nothing came.")


def unread(
    number: Annotated[
        int, typer.Argument(max=BEYOND, help="Print the bytes of this one.", show_default=False)
    ] = 0,
    limit: Limit = 100,
    before: Annotated[
        int,
        typer.Option(max=BEYOND, help="Only those that came before this one.", show_default=False),
    ] = 0,
    as_json: Json = False,
) -> None:
    """List messages that no alert could be read from, or print one as it came."""
    with desk() as at:
        if number:
            sys.stdout.buffer.write(at.response.alerts.unread_body(number))
            sys.stdout.buffer.flush()
            return
        place = at.response.alerts.unread_place(before) if before else None
        found = at.response.alerts.unread(limit=limit + 1, before=place)
    shown = found[:limit]
    if len(found) > limit:
        errors.print(f"There are older ones: locard alert unread --before {shown[-1].id}")
    if as_json:
        emit([asdict(one) for one in shown])
        return
    listing(
        [
            {
                "number": str(one.id),
                "came": moment(one.came),
                "through": f"{one.door} {one.place}".strip(),
                "times": str(one.times),
                "size": size(one.size),
                "problem": one.problem,
            }
            for one in shown
        ],
        "number",
    )


def list_sources(as_json: Json = False) -> None:
    """List the sources that alerts can be read from, and how each proves where it comes from."""
    from locard.cases.alerts.sources import sources

    with desk() as at:
        settings, watched = at.response.settings(), at.response.attending.watched()
    rows = []
    for one in sources().by_id.values():
        proof = settings.proofs.get(one.id)
        said = "no secret set: its webhook takes nothing" if proof is None else proof.kind
        rows.append(
            {
                "source": one.id,
                "title": one.title,
                "webhook": f"/api/alerts/in/{one.id}",
                "proof": said,
                "signed by": "its vendor's scheme" if one.signature else "Locard's scheme",
                "about": one.about,
            }
        )
    if as_json:
        emit({"sources": rows, "cases": settings.explained(),
              "queues": [asdict(one) for one in settings.queues],
              "watched": [asdict(one) for one in watched]})  # fmt: skip
        return
    listing(rows, "source")
    out.print(settings.explained(), markup=False)
    known = {one.address: one for one in watched}
    for queue in settings.queues:
        out.print(f"queue {queue.address} (account {queue.account})", markup=False)
        if (seen := known.get(queue.address)) is None:
            out.print("  never read yet: locard serve reads it, or locard alert watch")
            continue
        told = f"{seen.messages} messages, {seen.alerts} alerts, {seen.unread} unread"
        out.print(f"  last read {moment(seen.last)}: {told}", markup=False)
        if seen.error:
            out.print(f"  {seen.error}", style="red", markup=False)
