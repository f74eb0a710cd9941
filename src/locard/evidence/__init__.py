# SPDX-License-Identifier: Apache-2.0
"""Evidence: the vault that keeps bytes, the ledger that keeps what happened to them, and stores.

There are two doors to bytes, `Vault.put` and `Vault.open`. Both write the
ledger; there is no third.
"""

from locard.evidence.arrival import Arrival, Broken
from locard.evidence.entries import Draft
from locard.evidence.ledger import Ledger
from locard.evidence.local import LocalStore
from locard.evidence.reader import Inclusion
from locard.evidence.store import Content, Kept, Store
from locard.evidence.vault import Put, Vault

__all__ = [
    "Arrival",
    "Broken",
    "Content",
    "Draft",
    "Inclusion",
    "Kept",
    "Ledger",
    "LocalStore",
    "Put",
    "Store",
    "Vault",
]
