# SPDX-License-Identifier: Apache-2.0
"""Handing exhibits over: a release here, an acceptance there, and a receipt that brings it back.

Release and acceptance are two entries that name one transfer. Between two installations they stand
in two ledgers; the receipt carries the receiver's signed entries to the sender, whose ledger then
notes the acceptance by the digest of the receipt.
"""

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from locard.evidence import Ledger, Vault
from locard.evidence.entries import Draft
from locard.model.custody import Acquisition, CustodyEntry, Exhibit, Hand, Method, Verb
from locard.model.errors import Conflict, Missing, Tampered, Unreadable
from locard.model.evidence import Origin
from locard_verify.extract import opened
from locard_verify.keys import Key, read_key
from locard_verify.malformed import Malformed
from locard_verify.merkle import included, inclusion_path, leaf_hash
from locard_verify.note import open_checkpoint

LARGEST = 256 << 20
"""Bytes of a receipt that are looked at."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A release that nobody accepted yet."""

    transfer: str
    entry: int
    number: str
    evidence: str
    to: str


def release(ledger: Ledger, exhibits: Sequence[Exhibit], to: str, hand: Hand, reason: str) -> str:
    """Release exhibits to somebody; the id of the transfer, one entry for each exhibit."""
    transfer = secrets.token_hex(8)
    details = {"to": to, "transfer": transfer}
    ledger.append(
        [
            Draft(hand, Verb.TRANSFERRED_OUT, one.evidence, one.case, reason, details)
            for one in exhibits
        ]
    )
    return transfer


def waiting(ledger: Ledger, case: str) -> list[Waiting]:
    """The releases of a case that nobody accepted yet, in their order."""
    found: dict[tuple[str, str], Waiting] = {}
    for entry in ledger.entries(case=case):
        transfer = entry.details.get("transfer", "")
        key = (transfer, entry.evidence)
        if entry.verb is Verb.TRANSFERRED_OUT:
            found[key] = Waiting(
                transfer, entry.sequence, entry.exhibit, entry.evidence, entry.details.get("to", "")
            )
        elif entry.verb is Verb.TRANSFERRED_IN:
            found.pop(key, None)
    return list(found.values())


def accept(
    ledger: Ledger, case: str, transfer: str, hand: Hand, reason: str, details: Mapping[str, str]
) -> list[CustodyEntry]:
    """Accept what waits under this id. Raises `Missing` when nothing does."""
    found = [one for one in waiting(ledger, case) if one.transfer == transfer]
    if not found:
        raise Missing(
            f"No release of case {case} waits under the transfer {transfer[:40]!r}.",
            f"List those that wait: locard custody transfer list {case}.",
        )
    said = {"transfer": transfer, "to": found[0].to, **details}
    return ledger.append(
        [Draft(hand, Verb.TRANSFERRED_IN, one.evidence, case, reason, said) for one in found]
    )


def receipt(ledger: Ledger, entries: Sequence[CustodyEntry]) -> bytes:
    """What the receiver sends back: its entries, signed and proved to be in its ledger."""
    proofs = [ledger.proof(entry.sequence) for entry in entries]
    if not proofs:
        raise Missing("Nothing was accepted, so there is nothing to acknowledge.")
    size, at, signers = proofs[-1].size, ledger.tree.at, ledger.keys()
    found = {
        "entries": [
            {
                "sequence": one.entry.sequence,
                "envelope": json.loads(one.envelope),
                "inclusion": [
                    base64.b64encode(hash_).decode()
                    for hash_ in inclusion_path(one.entry.sequence - 1, size, at)
                ],
            }
            for one in proofs
        ],
        "checkpoint": proofs[-1].head.decode(),
        "keys": [key.vkey for key in signers],
    }
    return json.dumps(found, indent=1).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What a receipt closed."""

    exhibits: int
    receiver: str
    fingerprint: str
    """Of the receiver's key; `compared` says whether it is the one that was given."""
    compared: bool


def acknowledge(
    vault: Vault, case: str, content: bytes, trusted: Sequence[Key], hand: Hand, reason: str
) -> Acknowledged:
    """Note the receiver's acceptance, and keep the receipt as evidence.

    Raises `Tampered` for a receipt that does not hold, `Unreadable` for what is none, and
    `Conflict` for one about no release that waits here.
    """
    said, key = _read(content, trusted)
    waits = {(one.transfer, one.evidence): one for one in waiting(vault.ledger, case)}
    closed = [
        (waits[pair], one)
        for one in said
        if (pair := (one["details"].get("transfer", ""), one["evidence"])) in waits
    ]
    if not closed:
        raise Conflict(
            f"The receipt is about no release of case {case} that waits to be accepted.",
            f"List those that wait: locard custody transfer list {case}.",
        )
    origin = Origin(
        name="receipt.json",
        acquisition=Acquisition(
            source={"ledger": key.name, "fingerprint": key.fingerprint},
            method=Method("transfer.receipt", "1"),
        ),
    )
    put = vault.put(BytesIO(content), origin, case=case, actor=hand, reason=reason)
    vault.settle()
    vault.ledger.append(
        [
            Draft(
                hand,
                Verb.TRANSFERRED_IN,
                waited.evidence,
                case,
                reason,
                {
                    "transfer": waited.transfer,
                    "to": waited.to,
                    "accepted by": one["actor"],
                    "accepted at": one["time"],
                    "accepted in": f"{key.name}, entry {one['sequence']}",
                    "receipt": put.evidence.id,
                },
            )
            for waited, one in closed
        ]
    )
    compared = any(one.vkey == key.vkey for one in trusted)
    return Acknowledged(len(closed), key.name, key.fingerprint, compared)


def _read(content: bytes, trusted: Sequence[Key]) -> tuple[list[dict[str, Any]], Key]:
    """The entries of a receipt that hold, and the key that signed its checkpoint."""
    try:
        if len(content) > LARGEST:
            raise Malformed("it is too large")
        found: Any = json.loads(content)
        keys = {key.keyid: key for key in (read_key(str(one)) for one in found["keys"])}
        keys |= {key.keyid: key for key in trusted}
        point, signer = open_checkpoint(found["checkpoint"].encode(), list(keys.values()))
        entries = []
        for one in found["entries"]:
            line = json.dumps(one["envelope"], separators=(",", ":")).encode()
            said, _, wrong = opened(line, keys)
            path = [base64.b64decode(each, validate=True) for each in one["inclusion"]]
            place = (leaf_hash(line), said["sequence"] - 1, point.size, path, point.root)
            if wrong or not included(*place):
                raise Tampered(
                    f"Entry {said['sequence']} of the receipt {wrong or 'is not in its ledger'}.",
                    "Ask the receiver for the receipt again.",
                )
            if said["verb"] == Verb.TRANSFERRED_IN.value:
                entries.append(said)
    except (Malformed, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(
            f"This is no receipt: {error}.", "Ask the receiver for it again."
        ) from error
    return entries, signer
