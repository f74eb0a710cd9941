# SPDX-License-Identifier: Apache-2.0
"""`locard custody authority|checkpoint|key|explain`: what stands behind the custody ledger."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from locard.cli.terminal import BEYOND, Json, Who, desk, emit, errors, group, hand, out

AUTHORITY = """Examples:

    locard custody authority http://tsa.example.com/tsr --roots tsa-root.pem

    locard custody authority

    locard custody authority --none

Get the root certificate from the authority itself. It is asked for a token first: one that
others could not verify later is refused here and not in court. `LOCARD_TSA` with `LOCARD_TSA_ROOTS`
sets the same without a trial.
"""
KEY = """Examples:

    locard custody key

    locard custody key --pem > ledger.pub.pem

    locard custody key --new --reason "the yearly change"

    LOCARD_SIGNING_KEY=kms:NEW-ARN locard custody key --new --before kms:OLD-ARN

Give the first line to whoever is to verify your ledger, by another way than the ledger: they name
it with `locard-verify --key FILE`.
"""
EXPLAIN = """Example:

    locard custody explain 1207 --reason "power cut at 03:10, ticket 4411; seen by Ana and Ben"

`locard verify` fails in the clause `losses` while entries are gone, or the head of the ledger was
changed by another hand, and nobody has signed for it.
Afterwards it says whose word it is: files cannot tell a power cut from somebody who cut them off.
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    ledger = group(app, "custody", "Custody. `locard custody CASE` shows its ledger.", "show")
    ledger.command(epilog=AUTHORITY)(authority)
    ledger.command()(checkpoint)
    ledger.command(epilog=KEY)(key)
    ledger.command(epilog=EXPLAIN)(explain)


def authority(
    url: Annotated[str, typer.Argument(help="Its address; without one, it is shown.")] = "",
    roots: Annotated[
        list[Path] | None, typer.Option(help="File of its root certificates, PEM. May be repeated.")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Ask no authority any more.")] = False,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Have every checkpoint time-stamped by an authority of your choice (RFC 3161)."""
    with desk() as at:
        signer = ""
        if url:
            signer = at.checkpoints.use(url, roots or [], hand(who))
        elif none:
            at.checkpoints.forget(hand(who))
        found = at.checkpoints.authority()
        waiting = at.vault.ledger.checkpoints.waiting()
    if as_json:
        known = {"url": found.url, "roots": list(found.digests)} if found else None
        emit({"authority": known, "signer": signer, "waiting": waiting})
        return
    if found is None:
        out.print("No authority is asked for time stamps.")
        return
    out.print(f"Checkpoints are time-stamped by {found.url}", markup=False)
    if signer:
        out.print(f"Its trial token is signed by {signer} and holds.", markup=False)
    for digest in found.digests:
        out.print(f"root certificate  {digest}")
    if waiting:
        out.print(f"{len(waiting):,} checkpoints wait for a token.")


def checkpoint(as_json: Json = False) -> int:
    """Make a checkpoint now, and ask for the time stamps that are missing.

    Exit status 0, or 1 when a time stamp is still missing.
    """
    with desk() as at:
        found = at.checkpoints.checkpoint(patient=True)
    if as_json:
        emit(asdict(found))
    else:
        out.print(f"The newest checkpoint is that of {found.checkpoint:,} entries.")
        if found.stamped:
            out.print(f"{found.stamped:,} checkpoints were time-stamped.")
        if found.waiting:
            out.print(f"{found.waiting:,} wait for a time stamp: {found.why}.", markup=False)
    return 1 if found.waiting and found.why else 0


def key(
    pem: Annotated[bool, typer.Option("--pem", help="As OpenSSL reads it.")] = False,
    new: Annotated[bool, typer.Option("--new", help="Sign with a new key from now on.")] = False,
    reason: Annotated[str, typer.Option(help="Why there is a new one.")] = "",
    before: Annotated[
        str, typer.Option(help="The key of a service that signs now (kms:ARN), to introduce it.")
    ] = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Show the public keys that signed the ledger, or introduce a new one."""
    with desk() as at:
        if new:
            at.checkpoints.new_key(hand(who), reason or "a new key", before)
        keys = at.vault.ledger.keys()
        signing = at.vault.ledger.signer.key.vkey if keys else ""
    if as_json:
        emit(
            [
                {"key": one.vkey, "fingerprint": one.fingerprint, "signs": one.vkey == signing}
                for one in keys
            ]
        )
    elif not keys:
        out.print("The ledger has no entry yet, and no key.")
    else:
        for one in sorted(keys, key=lambda known: known.vkey != signing):
            out.print(one.pem().strip() if pem else one.vkey, markup=False)
            if not pem:
                mark = "signs now" if one.vkey == signing else "signed before"
                # Beside the keys and not among them: `> here.vkey` makes a file of keys.
                errors.print(f"  {mark}; fingerprint {one.fingerprint}")


def explain(
    entry: Annotated[
        int, typer.Argument(min=1, max=BEYOND, help="The entry that says what was found.")
    ],
    reason: Annotated[str, typer.Option(help="How it came about.")],
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Sign for how entries of the ledger came to be lost, or its head to be changed."""
    with desk() as at:
        at.checkpoints.explain(entry, hand(who), reason)
    if as_json:
        emit({"explained": entry, "reason": reason})
    else:
        out.print(f"You signed for what entry {entry} says.")
