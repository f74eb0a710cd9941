# SPDX-License-Identifier: Apache-2.0
"""`locard verify`: pass or fail for each thing that can be wrong with custody."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from locard.cli import trust
from locard.cli.terminal import Json, desk, emit, out

EXAMPLES = """Examples:

    locard verify

    locard verify intrusion

    locard verify bundle.zip --key sender.vkey --json
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLES)(verify)


def verify(
    what: Annotated[
        str, typer.Argument(help="A bundle, a vault, a case; all that we hold when left out.")
    ] = "",
    key: Annotated[
        list[Path] | None, typer.Option(help="File with a key that you got elsewhere.")
    ] = None,
    roots: Annotated[
        list[Path] | None, typer.Option(help="Roots (PEM) of time-stamping authorities you trust.")
    ] = None,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A checkpoint of the ledger that you kept.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Verify custody: hashes, signatures, proofs, time stamps; a clause for each.

    It reads files and nothing else: no server, no network, no database. Exit status 1 when a clause
    failed. What could not be checked is said, and is no pass.
    """
    from locard.cases.verification import verify as judge
    from locard_verify import command

    with desk() as at:
        verdict = judge(
            at.vault,
            what,
            [one.name for one in at.cases()],
            trust.keys(key),
            trust.roots(roots),
            trust.checkpoints(checkpoint),
            command.progress(),
        )
    if as_json:
        emit({"passed": verdict.passed, "clauses": [asdict(one) for one in verdict.clauses]})
    else:
        out.print(command.shown(verdict), markup=False)
    return 0 if verdict.passed else 1
