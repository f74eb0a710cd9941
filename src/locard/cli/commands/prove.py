# SPDX-License-Identifier: Apache-2.0
"""`locard prove`: a row back to the bytes it came from."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from locard.cli.terminal import Json, Who, desk, emit, hand, out, visible

if TYPE_CHECKING:
    from locard.cases.proof import Step

EXAMPLES = """Examples:

    locard prove 3f2a9c0b1d2e4f503f2a9c0b1d2e4f50

    locard prove 3f2a9c0b1d2e4f503f2a9c0b1d2e4f50 --case intrusion --json
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLES)(prove)


def prove(
    event: Annotated[str, typer.Argument(help="The event's id, as search and page show it.")],
    case: Annotated[str | None, typer.Option(help="The case, when several hold it.")] = None,
    who: Who = None,
    as_json: Json = False,
) -> int:
    """Prove a row: its bytes, their hash, the custody entry, and the record parsed again.

    Exit status 0 when it is proved, 1 when a step failed.
    """

    def say(step: "Step") -> None:
        if as_json:
            return
        mark = "[green]pass[/green]" if step.passed else "[red]FAIL[/red]"
        out.print(f"{mark}  {step.name:<15} ", end="")
        out.print(visible(step.detail), markup=False)
        for column, ours, found in step.differences:
            out.print(f"      {column}: the row says  {visible(ours, 300)}", markup=False)
            out.print(
                f"      {' ' * len(column)}  evidence says {visible(found, 300)}", markup=False
            )

    with desk() as at:
        proof = at.prove(event, who=hand(who), case=case, watch=say)
    if as_json:
        emit({**asdict(proof), "passed": proof.passed})
    else:
        out.print("Proved." if proof.passed else "NOT proved.")
        if proof.copies:
            out.print(proof.copies)
    return 0 if proof.passed else 1
