# SPDX-License-Identifier: Apache-2.0
"""AWS KMS wraps the keys that evidence is encrypted with: the key of all keys never leaves it.

The evidence's SHA-256 is the encryption context, so a wrapped key opens no other evidence and
CloudTrail names the evidence at every use.
"""

import os
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from locard.model.errors import Error, Storage, Tampered
from locard.providers.aws.errors import code, refused, sentences

CONTEXT = "locard-evidence"
_GONE = {
    "KMSInvalidStateException", "DisabledException", "NotFoundException", "KeyUnavailableException",
}  # fmt: skip


class DataKeys:
    """Data keys under one key of KMS, named by its ARN, alias or id."""

    def __init__(self, key: str) -> None:
        self.key = f"kms:{key}"
        self._key = key
        with sentences(self.key, "kms"):
            named = key.split(":")[3] if key.startswith("arn:") and key.count(":") > 4 else None
            region = named or os.environ.get("AWS_REGION")
            session = boto3.session.Session(region_name=region)
            self._client: Any = session.client(
                "kms",
                config=Config(
                    retries={"mode": "standard"}, connect_timeout=10, user_agent_extra="locard"
                ),
            )

    def data_key(self, name: str) -> tuple[bytes, bytes]:
        """A new key for the evidence of that name. Needs `kms:GenerateDataKey`."""
        with sentences(self.key, "kms"):
            try:
                found = self._client.generate_data_key(
                    KeyId=self._key, KeySpec="AES_256", EncryptionContext={CONTEXT: name}
                )
            except ClientError as error:
                raise self._lost(error) from error
        return found["Plaintext"], found["CiphertextBlob"]

    def unwrap(self, name: str, wrapped: bytes) -> bytes:
        """The key again. Needs `kms:Decrypt`."""
        with sentences(self.key, "kms"):
            try:
                found = self._client.decrypt(
                    CiphertextBlob=wrapped, EncryptionContext={CONTEXT: name}
                )
            except ClientError as error:
                if code(error) == "InvalidCiphertextException":
                    raise Tampered(
                        f"The wrapped key of evidence {name[:16]}… was changed, or is another's.",
                        "Restore the bytes from a copy; the ledger keeps this failure.",
                    ) from error
                raise self._lost(error) from error
        return bytes(found["Plaintext"])

    def _lost(self, error: ClientError) -> Error:
        if code(error) not in _GONE:
            return refused(error, self.key, "kms")
        return Storage(
            f"{self.key} cannot be used: it is disabled, about to be deleted, or not there.",
            "Enable it or cancel its deletion. If the key is deleted, nobody can read the evidence "
            "that was encrypted with it again.",
        )
