# SPDX-License-Identifier: Apache-2.0
"""Vaults over the stores of providers, and what the tests put into them."""

import io
from hashlib import sha256
from pathlib import Path

from locard.evidence import Content, Put, Store, Vault
from locard.evidence.store import Fixed
from locard.model.custody import Verb
from locard.model.evidence import Origin

LARGE = b"".join(bytes([n]) * (1 << 20) for n in range(40)) + b"tail"
"""Three parts, the last one short."""


def vault_over(store: Store, folder: Path) -> Vault:
    vault = Vault(folder / "home" / "vault", Fixed(store))
    vault.prepare()
    return vault


def put(vault: Vault, data: bytes, name: str = "a.log") -> Put:
    return vault.put(io.BytesIO(data), Origin(name=name), case="c", actor="ana", reason="test")


def told(vault: Vault) -> list[Verb]:
    """What the ledger says of evidence."""
    return [one.verb for one in vault.ledger.entries() if one.evidence]


def spooled(folder: Path, data: bytes) -> tuple[str, Path, Content]:
    name = sha256(data).hexdigest()
    path = folder / name
    path.write_bytes(data)
    return name, path, Content(name, len(data))
