# SPDX-License-Identifier: Apache-2.0
"""`locard vault`: where evidence is kept, what stands against altering it, and moving it."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from locard.cli.terminal import Json, Who, desk, emit, errors, hand, out, shown, size
from locard.model.errors import Storage, Tampered

EXAMPLES = """Examples:

    locard vault move 's3://my-evidence/locard?region=eu-central-1&retain=7y'

    locard vault move 'azure://evidence/locard?account=myaccount&retain=7y' --encrypt age1…

    locard vault move file:///srv/evidence

Everybody may go on working meanwhile. A run that was stopped goes on with the same command. The old
copy is left where it is. Exit status 1: something could not be copied, and nothing was switched.
"""

FLAGGING = """Examples:

    locard vault immutable on

    locard vault immutable off

It needs root and a file system that has the flag, such as ext4 or XFS. Whoever wants to remove
LOCARD_HOME takes it off first. Disposal and moving take it off by themselves where they must.
"""


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    vault = typer.Typer(no_args_is_help=True, help="Where evidence is kept, and moving it.")
    vault.command("status")(status)
    vault.command("move", epilog=EXAMPLES)(move)
    vault.command("immutable", epilog=FLAGGING)(immutable)
    app.add_typer(vault, name="vault")


def status(as_json: Json = False) -> None:
    """Say where evidence is kept, what stands against altering it, and whether all is there."""
    with desk() as at:
        found = at.storage.look()
    if as_json:
        emit(asdict(found))
    else:
        out.print(f"Evidence is kept in {found.place}", markup=False)
        out.print(f"  against altering  {found.protection}", markup=False)
        if found.immutable:
            out.print(
                f"  immutable flag    {found.immutable}; {found.flagged:,} of {found.objects:,} "
                "files have it"
            )
        out.print(
            f"  encrypted to      {found.encrypted or 'nothing: not encrypted'}", markup=False
        )
        out.print(f"  objects           {found.objects:,} for {found.recorded:,} in the ledger")
        if found.unrecorded:
            out.print(
                f"  not in the ledger {found.unrecorded:,}: left by a run that was stopped; "
                "adding the same evidence again takes them in"
            )
        if found.formerly:
            out.print(f"  an old copy is in {found.formerly}", markup=False)
    if found.missing:
        raise Tampered(
            f"{len(found.missing):,} pieces of evidence are in the ledger and not in the store: "
            f"{', '.join(one[:16] + '…' for one in found.missing[:5])}",
            "Restore them from a copy; `locard vault status --json` names them.",
        )


def immutable(
    switch: Annotated[Switch, typer.Argument(help="on or off.")],
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Set the immutable flag (chattr +i) on all evidence and on what comes, or take it off."""
    with desk() as at, shown() as watch:
        marked = at.storage.immutable(switch is Switch.ON, who=hand(who), begun=watch.begun)
    if as_json:
        emit(asdict(marked))
    else:
        files = "1 file has" if marked.changed == 1 else f"{marked.changed:,} files have"
        now = "now" if marked.on else "no more"
        out.print(f"{files} the immutable flag {now}. New evidence is kept in the same way.")
        for fault in marked.failed[:20]:
            errors.print(fault, markup=False)
    if marked.failed:
        raise Storage(
            f"{len(marked.failed):,} files kept the flag that they had.",
            "Run the same command again; the reason stands beside each.",
        )


def move(
    place: Annotated[str, typer.Argument(help="s3://…, azure://…, gs://… or file:///FOLDER.")],
    encrypt: Annotated[
        str | None,
        typer.Option(help="Encrypt there to age1… or kms:KEY; '' for not at all. As before."),
    ] = None,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Move all evidence to another store, every hash checked, every copy in the ledger."""
    with desk() as at, shown() as watch:
        moved = at.storage.move(place, encrypt, who=hand(who), begun=watch.begun)
        said = at.settings.place
    if as_json:
        emit(asdict(moved))
    else:
        before = f", {moved.before:,} by an earlier run" if moved.before else ""
        out.print(
            f"{moved.copied:,} pieces copied ({size(moved.bytes)}){before}, every hash checked."
        )
        for fault in moved.failed[:20]:
            errors.print(fault, markup=False)
    if moved.failed:
        raise Tampered(
            f"{len(moved.failed):,} pieces could not be copied; the vault stays in {moved.source}.",
            "Restore them from a copy, then run the same command again.",
        )
    if not as_json:
        out.print(f"Evidence is kept in {moved.target} from now on.", markup=False)
        out.print(f"The copy in {moved.source} was left; Locard uses it no more.", markup=False)
        if moved.flagged:
            out.print("Its files have the immutable flag: `chattr -R -i` takes it off.")
        if said and said != place:
            out.print("LOCARD_VAULT names another place: set it anew, or take it back.")
