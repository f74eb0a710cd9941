# SPDX-License-Identifier: Apache-2.0
"""Verification of whatever a person names: a bundle, a vault, a ledger, or a case of ours."""

import errno
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cryptography import x509

from locard.evidence import LocalStore, Store, Vault
from locard.model.errors import Error, Missing
from locard_verify import command
from locard_verify.keys import Key, read_key
from locard_verify.malformed import Malformed
from locard_verify.vault import verify_vault
from locard_verify.verdict import Verdict

Told = Callable[[int, int], None]
"""Told how many bytes were looked at, and how many there are."""


def verify(
    vault: Vault,
    what: str,
    cases: Sequence[str],
    trusted: Sequence[Key],
    roots: Sequence[x509.Certificate] | None,
    kept: Sequence[bytes],
    told: Told,
) -> Verdict:
    """The verdict on `what`: a path, one of `cases`, or all that we hold when it is empty.

    Nothing is written, and nothing is asked but files and the store that keeps the evidence. What
    we hold is compared with the key that is kept outside the vault, unless another one is named.
    Raises `Missing` for what is neither.
    """
    if what and what not in cases:
        try:
            return command.judge(Path(what), trusted, roots, kept, told)
        except command.Mistake as error:
            names = f"There are the cases {', '.join(cases[:20])}." if cases else ""
            raise Missing(
                str(error), f"Name a bundle, a vault or a case. {names}".strip()
            ) from error
    keys = trusted or pinned(vault)
    read = None if isinstance(vault.store, LocalStore) else _reader(vault.store)
    return verify_vault(vault.folder, keys, roots, kept, case=what, read=read, progress=told)


def _reader(store: Store) -> Callable[[str], Iterator[bytes]]:
    """The bytes in a store that is elsewhere or encrypts, for the verifier."""

    def read(evidence: str) -> Iterator[bytes]:
        try:
            yield from store.read(evidence)
        except Missing as error:
            raise FileNotFoundError(evidence) from error
        except Error as error:
            raise OSError(errno.EIO, error.message) from error

    return read


def pinned(vault: Vault) -> list[Key]:
    """The key that our ledger was begun with, as it is kept outside the vault."""
    path = vault.ledger.pinned
    try:
        return [read_key(path.read_text())] if path is not None else []
    except (OSError, Malformed):
        return []
