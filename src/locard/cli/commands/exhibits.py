# SPDX-License-Identifier: Apache-2.0
"""`locard custody exhibits` and `locard case verify`: what is held, and whether it still holds."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from locard.cases.background import handed_on
from locard.cli.terminal import (
    BEYOND,
    LONGEST,
    Json,
    Who,
    desk,
    emit,
    group,
    hand,
    listing,
    out,
    shown,
    size,
    visible,
)

if TYPE_CHECKING:
    from locard.cases.records import Shown

EXHIBITS = """Examples:

    locard custody exhibits intrusion

    locard custody exhibits intrusion disk.E01 --json
"""
Case = Annotated[str, typer.Argument(help="The case.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    case = group(app, "case", "One case: how it is kept, and what leaves it.")
    case.command("verify")(verify)
    ledger = group(app, "custody", "Custody. `locard custody CASE` shows its ledger.", "show")
    ledger.command("exhibits", epilog=EXHIBITS)(exhibits)


def verify(case: Case, who: Who = None, as_json: Json = False) -> int:
    """Verify the custody of a case now, keep the result for the page, and note it in the ledger.

    `locard verify` judges the same and writes nothing. Exit status 1 when a clause failed.
    """
    with desk() as at, shown() as watch:
        at.case(case)
        found = at.verifying.verify(case, handed_on() or hand(who), watch.begun)
    if as_json:
        emit(asdict(found))
    else:
        for one in found.clauses:
            where = f" ({one.where})" if one.where else ""
            out.print(f"{one.state:<12} {one.name:<14} {one.detail}{where}", markup=False)
    return 0 if found.passed else 1


def exhibits(
    case: Case,
    text: Annotated[str, typer.Argument(help="Part of a number, name, hash or person.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=BEYOND)] = 200,
    as_json: Json = False,
) -> None:
    """List the exhibits of a case by number: what each is, where it came from, how it is kept."""
    with desk() as at:
        found, total = at.records.exhibits(case, text=text, limit=limit)
    if as_json:
        emit({"total": total, "exhibits": [_record(one) for one in found]})
        return
    if not found:
        out.print(f"No exhibit of case {case} matches." if text else "No exhibit yet.")
        return
    rows = [
        {
            "exhibit": one.exhibit.number,
            "name": visible(one.name, LONGEST),
            "bytes": size(one.exhibit.size),
            "sha256": one.exhibit.evidence[:12],
            "out of": one.exhibit.derived_from.number,
            "taken by": visible(one.exhibit.operator.name),
            "state": one.state,
        }
        for one in found
    ]
    listing(rows, "exhibit")
    if total > len(found):
        out.print(f"{total - len(found):,} more: use --limit or name a part of what you look for.")


def _record(one: "Shown") -> dict[str, object]:
    last = asdict(one.last) if one.last else None
    return {"name": one.name, "state": one.state, "last": last, "record": one.exhibit.record()}
