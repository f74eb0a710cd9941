# SPDX-License-Identifier: Apache-2.0
"""`locard custody transfer`: exhibits change hands, and both sides say so."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from locard.cli import trust
from locard.cli.terminal import Json, Who, desk, emit, exhibits, group, hand, out, visible
from locard.model.errors import Error, Missing

OUT = """Examples:

    locard custody transfer out intrusion --to "State laboratory" --exhibit INTRUSION-0001
"""
IN = """Examples:

    locard custody transfer in intrusion --receipt receipt.json --key laboratory.vkey

    locard custody transfer in intrusion --transfer 3f2a9c0b1d2e4f50 --reason "disk came back"
"""
Case = Annotated[str, typer.Argument(help="The case.")]
Reason = Annotated[str, typer.Option(help="Why, for the ledger.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    custody = group(app, "custody", "")
    transfer = group(custody, "transfer", "Exhibits change hands: release and acceptance.")
    transfer.command("out", epilog=OUT)(release)
    transfer.command("in", epilog=IN)(accept)
    transfer.command("list")(waiting)


def release(
    case: Case,
    to: Annotated[str, typer.Option(help="Who takes them over.")],
    exhibit: Annotated[
        list[str] | None, typer.Option(help="Number of an exhibit; all of the case when left out.")
    ] = None,
    reason: Reason = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Release exhibits to somebody. The acceptance is an entry of its own."""
    with desk() as at:
        transfer, count = at.bundles.release(case, exhibit or [], to, reason=reason, who=hand(who))
    if as_json:
        emit({"transfer": transfer, "exhibits": count})
        return
    out.print(f"{exhibits(count)} released to {visible(to)} as transfer {transfer}.")
    out.print(f"When they are accepted: locard custody transfer in {case} --transfer {transfer}")


def accept(
    case: Case,
    transfer: Annotated[str, typer.Option(help="Id of the transfer.")] = "",
    receipt: Annotated[Path | None, typer.Option(help="The receiver's signed receipt.")] = None,
    key: Annotated[
        list[Path] | None, typer.Option(help="File with the receiver's key, got by another way.")
    ] = None,
    reason: Reason = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Note that exhibits were accepted: by the receiver's receipt, or by the word of a person."""
    if bool(transfer) == (receipt is not None):
        raise Error(
            "An acceptance is noted by the id of its transfer or by a receipt.",
            "Give either --transfer or --receipt.",
        )
    with desk() as at:
        if receipt is None:
            count = at.bundles.accept_transfer(case, transfer, reason=reason, who=hand(who))
            answer = {"exhibits": count, "transfer": transfer}
        else:
            try:
                content = receipt.read_bytes()
            except OSError as error:
                raise Missing(f"{receipt} cannot be read: {error.strerror}.") from error
            trusted = trust.keys(key)
            found = at.bundles.acknowledge(case, content, trusted, reason=reason, who=hand(who))
            count, answer = found.exhibits, asdict(found)
    if as_json:
        emit(answer)
        return
    out.print(f"Noted as accepted: {exhibits(count)}.")
    if receipt is not None:
        said = "the key that you gave" if answer["compared"] else "a key that was NOT compared"
        out.print(f"Signed in the ledger {visible(str(answer['receiver']))} with {said}:")
        out.print(f"    {answer['fingerprint']}")


def waiting(case: Case, as_json: Json = False) -> None:
    """List the releases that nobody accepted yet."""
    from rich.table import Table

    with desk() as at:
        found = at.bundles.waiting(case)
    if as_json:
        emit([asdict(one) for one in found])
        return
    table = Table("transfer", "exhibit", "released to", "entry", box=None)
    for one in found:
        table.add_row(one.transfer, one.number, visible(one.to), str(one.entry))
    out.print(table if found else "No release waits to be accepted.")
