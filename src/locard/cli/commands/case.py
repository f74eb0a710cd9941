# SPDX-License-Identifier: Apache-2.0
"""`locard cases`, `locard evidence`, `locard custody`: what is held, and what happened to it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from locard.cli.terminal import (
    BEYOND,
    LONGEST,
    Json,
    desk,
    emit,
    errors,
    group,
    listing,
    moment,
    out,
    size,
    visible,
)
from locard.model.errors import Missing, Tampered
from locard_verify.verdict import State

if TYPE_CHECKING:
    from locard.cases.holdings import Item


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(cases)
    app.command()(evidence)
    ledger = group(app, "custody", "Custody. `locard custody CASE` shows its ledger.", "show")
    ledger.command("show")(custody)


def cases(as_json: Json = False) -> None:
    """List the cases."""
    with desk() as at:
        found = at.cases()
        summaries = at.timeline.summaries() if found else {}
        lacking = {} if summaries.keys() >= {case.name for case in found} else at.lacking()
    events = {name: summary.rows for name, summary in summaries.items()}
    if as_json:
        told = [
            {"events": events.get(case.name, 0), "files_without_rows": lacking.get(case.name, 0)}
            for case in found
        ]
        emit([asdict(case) | more for case, more in zip(found, told, strict=True)])
        return
    if not found:
        out.print("There is no case yet. Make one: locard add CASE PATH...")
        return
    rows = [
        {
            "case": case.name,
            "title": visible(case.title) + (" (simulated)" if case.simulated else ""),
            "evidence": f"{case.totals.evidence:,}",
            "bytes": size(case.totals.bytes),
            "events": f"{events.get(case.name, 0):,}",
            "problems": f"{case.totals.problems:,}",
        }
        for case in found
    ]
    listing(rows, "case")
    for name, files in lacking.items():
        out.print(
            f"The timeline has lost all rows of {name}, those of {files:,} "
            f"file{'s' * (files != 1)}: locard resume {name}"
        )


def evidence(
    case: Annotated[str, typer.Argument(help="The case.")],
    text: Annotated[str, typer.Argument(help="Part of a name, hash, parser or reason.")] = "",
    stage: Annotated[
        str, typer.Option(help="queued, parsing, parsed, unpacked, part, 'not parsed' or failed.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=BEYOND)] = 200,
    as_json: Json = False,
) -> None:
    """List the evidence of a case: hashes, state and counts (seen = rows + problems)."""
    from locard.state.investigations import Stage

    stages = [one.value for one in Stage]
    if stage and stage not in stages:
        raise Missing(
            f"There is no state {stage!r} of evidence.", f"There are: {', '.join(stages)}."
        )
    with desk() as at:
        found, total = at.evidence(case, stage=stage, text=text, limit=limit)
    if as_json:
        emit({"total": total, "evidence": [asdict(item) for item in found]})
        return
    rows = [
        {
            "sha256": item.id[:12],
            "name": visible(item.name, LONGEST),
            "size": size(item.size),
            "parser": item.parser,
            "state": item.stage,
            "seen": f"{item.seen:,}",
            "rows": f"{item.rows:,}",
            "problems": f"{item.problems:,}",
            "reason": visible(
                item.reason or item.check or _copied(item) or _passed(item), 2 * LONGEST
            ),
        }
        for item in found
    ]
    listing(rows, "name")
    if total > len(found):
        out.print(f"{total - len(found):,} more: use --limit or name a part of what you look for.")


def _copied(item: "Item") -> str:
    return f"its rows stand on the full copy, {item.copy[:16]}" if item.copy else ""


def _passed(item: "Item") -> str:
    count = len(item.passed)
    what = "entry" if count == 1 else "entries"
    more = ", ..." if count > 1 else ""
    return f"{count:,} {what} passed over ({item.passed[0]}{more})" if count else ""


def custody(
    case: Annotated[
        str, typer.Argument(help="The case; without one, sign-ins, grants, keys and time stamps.")
    ] = "",
    evidence: Annotated[str, typer.Argument(help="Evidence id, or its beginning.")] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Check the chain of the whole ledger.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=BEYOND)] = 100,
    as_json: Json = False,
) -> None:
    """Show what happened to the evidence of a case, or to the installation, newest first."""
    with desk() as at:
        wanted = at.evidence_item(case, evidence).id if evidence else None
        if check:
            verdict = at.vault.ledger.check()
            for clause in verdict.clauses:
                if clause.state is State.FAIL:
                    where = f" ({clause.where})" if clause.where else ""
                    raise Tampered(f"The custody ledger was changed: {clause.detail}{where}.")
            said = errors if as_json else out
            said.print(f"The custody ledger holds: {at.vault.ledger.size():,} entries.")
        if case:
            entries = at.custody(case, wanted, limit=limit)
        else:
            entries = at.installation_custody(limit=limit)
    if as_json:
        emit([asdict(entry) for entry in entries])
        return
    rows = [
        {
            "entry": str(entry.sequence),
            "time": moment(entry.time),
            "who": visible(entry.actor),
            "from": visible(entry.address),
            "what": str(entry.verb),
            "evidence": entry.evidence[:12],
            "reason": visible(entry.reason),
            "name": visible(entry.details.get("name", "")),
        }
        for entry in entries
    ]
    listing(rows, "time")
