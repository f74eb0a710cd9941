# SPDX-License-Identifier: Apache-2.0
"""`locard case export`, `locard case accept`: sealed bundles, handed over and taken in."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from locard.cases.background import handed_on
from locard.cases.bundle.bag import Form
from locard.cli import trust
from locard.cli.terminal import (
    Json,
    Who,
    desk,
    emit,
    errors,
    exhibits,
    group,
    hand,
    out,
    shown,
    size,
    visible,
)
from locard.model.errors import Error
from locard_verify.verdict import Verdict

if TYPE_CHECKING:
    from locard.cases.adding import Added
    from locard.cases.bundle.adopt import Adopted
    from locard.cases.bundle.bundles import Accepted

EXPORT = """Examples:

    locard case export intrusion --output intrusion-bundle --reason "request 12/26"

    locard case export intrusion --output lab.zip --zip --to "State laboratory"

    locard case export intrusion --output one --exhibit INTRUSION-0003
"""
ACCEPT = """Examples:

    locard case accept lab.zip --key sender.vkey

    locard case accept bundle/ --case from-cologne --receipt receipt.json
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    case = group(app, "case", "What is done with a case as a whole.")
    case.command(epilog=EXPORT)(export)
    case.command(epilog=ACCEPT)(accept)


def export(
    case: Annotated[str, typer.Argument(help="The case.")],
    output: Annotated[
        Path, typer.Option(help="Where the bundle is to stand; nothing may be there.")
    ],
    references: Annotated[
        bool, typer.Option("--references", help="Say where the bytes are; do not copy them.")
    ] = False,
    exhibit: Annotated[str, typer.Option(help="Only the exhibit of this number.")] = "",
    as_zip: Annotated[bool, typer.Option("--zip", help="One zip file, not packed.")] = False,
    as_tar: Annotated[bool, typer.Option("--tar", help="One tar file.")] = False,
    to: Annotated[
        str, typer.Option(help="Release the exhibits to this receiver; entries say so.")
    ] = "",
    reason: Annotated[str, typer.Option(help="Why, for the ledger and the report.")] = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Write one sealed bundle: evidence, its whole record, and what proves it.

    The receiver checks it with `locard verify BUNDLE` or with the small program locard-verify. A
    run that breaks off leaves nothing; run the same command again.
    """
    from locard.cases.bundle.export import Order

    if as_zip and as_tar:
        raise Error("A bundle is a zip or a tar, not both.", "Leave one of the options out.")
    form = Form.ZIP if as_zip else Form.TAR if as_tar else Form.FOLDER
    order = Order(output, reason, form, references, exhibit, to)
    with desk() as at, shown() as watch:
        sealed = at.bundles.export(case, order, who=handed_on() or hand(who), begun=watch.begun)
    if as_json:
        emit({**asdict(sealed), "path": str(sealed.path)})
        return
    failed = [one for one in sealed.verdict if one.state == "fail"]
    for one in failed:
        errors.print(f"[red]FAIL[/red]  {one.name}: {visible(one.detail)}")
    out.print(
        f"{visible(str(sealed.path))}: {exhibits(sealed.exhibits)}, {sealed.rows:,} rows, "
        f"{size(sealed.bytes)}, sealed by entry {sealed.entry:,}"
        + (f", stamped {sealed.stamped}." if sealed.stamped else ", without a time stamp.")
    )
    if sealed.in_part:
        out.print(
            f"{sealed.in_part:,} rows are left out: the exhibit holds a part of a record that "
            "other evidence of the case holds whole."
        )
    out.print(f"Key fingerprint, to be told by another way:\n    {sealed.fingerprint}")
    if sealed.transfer:
        out.print(
            f"Released to {visible(to)}. When the receiver's receipt comes:\n"
            f"    locard custody transfer in {case} --receipt FILE"
        )


def accept(
    bundle: Annotated[Path, typer.Argument(help="A bundle: a folder, a zip or a tar.")],
    case: Annotated[
        str, typer.Option(help="Our case; the sender's name of it when left out.")
    ] = "",
    key: Annotated[
        list[Path] | None, typer.Option(help="File with the sender's key, got by another way.")
    ] = None,
    roots: Annotated[
        list[Path] | None, typer.Option(help="Roots (PEM) of time-stamping authorities you trust.")
    ] = None,
    receipt: Annotated[
        Path | None, typer.Option(help="Write a signed receipt for the sender into this file.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the ledger.")] = "accepted a bundle",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Verify a bundle, take its evidence in and parse it. A bundle that fails leaves nothing.

    Each exhibit gets a record of ours that names the sender's. What the sender's ledger said is
    kept as evidence too. Tags, stars and comments become the case's, by the names of who made them
    and of the ledger that they come from.
    """
    from locard_verify import command

    trusted, authorities = trust.keys(key), trust.roots(roots)

    def judged(verdict: Verdict) -> None:
        if not as_json:
            out.print(command.shown(verdict), markup=False)

    with desk() as at, shown() as watch:
        found = at.bundles.accept(
            bundle,
            case=case,
            trusted=trusted,
            roots=authorities,
            reason=reason,
            who=hand(who),
            judged=judged,
            begun=watch.begun,
        )
        if receipt is not None:
            receipt.write_bytes(found.receipt)
        added = at.add(found.case, [], who=hand(who))
        unmet = at.bundles.unmet(found.case, found.marks)
    _accepted(found, added, unmet, as_json)


def _accepted(found: "Accepted", added: "Added", unmet: int, as_json: bool) -> None:
    """What came of taking a bundle in."""
    if as_json:
        marks = asdict(replace(found.marks, events=set()))
        marks["events"], marks["events_not_here"] = len(found.marks.events), unmet
        emit(
            {
                "case": found.case,
                "exhibits": found.exhibits,
                "sender": asdict(found.sender),
                "events": added.events,
                "problems": added.problems,
                "marks": marks,
                "clauses": [asdict(one) for one in found.verdict.clauses],
            }
        )
        return
    out.print(
        f"Case {found.case} accepted {exhibits(found.exhibits)} from "
        f"{visible(found.sender.name)} ({visible(found.sender.origin)}): "
        f"{added.events:,} new rows, {added.problems:,} problems."
    )
    _said(found.marks, unmet)


def _said(marks: "Adopted", unmet: int) -> None:
    """What was taken over of what people said."""
    out.print(f"What was said about events there: {marks.text}.", markup=False)
    for reason in marks.reasons:
        errors.print(f"passed over: {visible(reason)}", markup=False)
    if unmet:
        out.print(
            f"{unmet:,} of the events that were marked are not in the timeline here: their "
            "evidence is not in the bundle, or is read in another way. The marks wait for them."
        )
