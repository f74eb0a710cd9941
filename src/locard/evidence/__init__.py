# SPDX-License-Identifier: Apache-2.0
"""Evidence: the vault that keeps bytes and the ledger that keeps what happened to them.

There are two doors to bytes, `Vault.put` and `Vault.open`. Both write the
ledger; there is no third.
"""

from locard.evidence.ledger import Ledger
from locard.evidence.vault import Put, Vault

__all__ = ["Ledger", "Put", "Vault"]
