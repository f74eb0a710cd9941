# SPDX-License-Identifier: Apache-2.0
"""Which key signs the custody ledger of an installation, as its settings say."""

import secrets

from locard import providers
from locard.evidence.signing import FileSigner, Signer
from locard.model.errors import Error
from locard.settings import Settings
from locard_verify.keys import read_key
from locard_verify.malformed import Malformed

KMS = "kms:"


def signer(settings: Settings) -> Signer:
    """The signer that `LOCARD_SIGNING_KEY` asks for; a key in a file when it asks for none."""
    wanted = settings.signing_key
    if not wanted:
        return FileSigner(settings.keys / "ledger.pem")
    if not wanted.startswith(KMS) or wanted == KMS:
        raise Error(
            f"LOCARD_SIGNING_KEY is {wanted[:60]!r}, which names no key.",
            "Write kms: and the ARN of a key in AWS KMS, or leave it out for a key in a file.",
        )
    return providers.signing_service(wanted.removeprefix(KMS), lambda: origin(settings))


def origin(settings: Settings) -> str:
    """The name of the ledger, as its keys bear it; a new name before it has any."""
    for path in sorted((settings.vault / "ledger" / "keys").glob("*.vkey")):
        try:
            return read_key(path.read_text()).name
        except (OSError, ValueError, Malformed):
            continue
    return f"locard/{secrets.token_hex(8)}"
