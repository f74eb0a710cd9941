# SPDX-License-Identifier: Apache-2.0
"""Receipts that leave: the text of one, and the entry of the ledger that says who wrote it.

A receipt is what a release does: whoever could write one could have security groups opened and
policies rewritten. So it is believed only with the signed entry by which the ledger took it in,
from the runner itself, and only under a key that is known here or that a person names.
"""

import json
from collections.abc import Collection
from hashlib import sha256
from typing import Any

from locard.evidence import Vault
from locard.evidence.entries import read
from locard.model.action import Receipt
from locard.model.custody import Exhibit, Hand, Verb
from locard.model.errors import Denied, Error, Missing, Unreadable
from locard.state import runs
from locard.state.database import State
from locard_verify import dsse
from locard_verify.keys import Key, read_key
from locard_verify.malformed import Malformed

FORMAT = "locard.dev/signed-receipt/v1"
COVERS = "the record of the run, written by Locard"
"""What the runner says of a receipt that it keeps, and of nothing else."""
LONGEST = 64 << 20
"""Bytes that a file of a receipt may have."""


def signed(state: State, vault: Vault, run: str, *, actor: Hand) -> dict[str, Any]:
    """The last receipt of a run with its entry, as every door hands it out.

    Raises `Missing` while there is none.
    """
    with state.session() as session:
        row = runs.run(session, run)
        name, case, kept = row.id, row.case, row.receipt
    if not kept:
        raise Missing(
            f"Run {name} has no receipt yet: it was not carried to an end, good or bad.",
            f"Carry it on (locard runs resume {name}), or release it here.",
        )
    number = vault.ledger.made(case, kept)
    if number is None:
        raise Missing(f"The ledger does not know the receipt of run {name}.", "See: locard verify")
    proved = vault.ledger.proof(number)
    reason = f"the receipt of run {name} leaves"
    with vault.open(kept, case=case, actor=actor, reason=reason, verb=Verb.DOWNLOADED) as file:
        text = file.read().decode()
    return {
        "format": FORMAT,
        "receipt": text,
        "entry": proved.envelope.decode(),
        "key": proved.key.vkey,
    }


def opened(content: bytes, trusted: Collection[Key]) -> tuple[Receipt, Key]:
    """The receipt in a file, and the key that its entry was signed with.

    Raises `Unreadable` for what is no signed receipt or was changed, and `Denied` for one that is
    signed with a key that is not among the trusted ones.
    """
    try:
        found = json.loads(content)
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise _none("it is not in the form of one")
        text, line, key = str(found["receipt"]), str(found["entry"]), read_key(str(found["key"]))
        envelope = dsse.read_line(line.encode())
        exhibit = Exhibit.of(read(line.encode()).record or {})
        receipt = Receipt.of(json.loads(text))
    except (ValueError, KeyError, TypeError, RecursionError, Malformed) as error:
        raise _none(str(error)[:200]) from error
    if key.keyid != envelope.keyid or not key.signed(
        dsse.pae(envelope.payload), envelope.signature
    ):
        raise _none("its signature does not fit its entry")
    if exhibit.evidence != sha256(text.encode()).hexdigest():
        raise _none("its text is not that which the ledger took in: it was changed")
    said = (exhibit.covers, exhibit.method.id, exhibit.source.get("run"))
    if said != (COVERS, receipt.plan.action, receipt.run):
        raise _none("the ledger took this text in as evidence, and not as the receipt of a run")
    if key.vkey not in {one.vkey for one in trusted}:
        raise Denied(
            f"The receipt is signed with a key that is not known here: {key.fingerprint}.",
            "Get the key of that installation by another way (locard custody key there), compare "
            "it, and name its file: --key FILE.",
        )
    return receipt, key


def ours(vault: Vault) -> tuple[Key, ...]:
    """The keys that our own ledger was ever signed with."""
    try:
        return vault.ledger.keys()
    except (Error, OSError):
        return ()


def _none(why: str) -> Unreadable:
    return Unreadable(
        f"This is no receipt that can be believed: {why}.",
        "locard runs receipt RUN writes one, where the run was carried out.",
    )
