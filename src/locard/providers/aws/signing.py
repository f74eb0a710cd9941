# SPDX-License-Identifier: Apache-2.0
"""AWS KMS signs the custody ledger: the private key never leaves it, and CloudTrail names each use.

The key is one on P-256. KMS has Ed25519 too, but signs messages of 4 KiB at most with it, and the
entry that makes an exhibit can be longer; with ECDSA it takes the digest of a message of any size.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from hashlib import sha256
from typing import Any

import boto3
from botocore.config import Config
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from locard.model.errors import Error
from locard.providers.aws.errors import sentences
from locard_verify.keys import Key

AT_ONCE = 16
"""Signatures that are asked for at once; one takes a round trip."""
RAW = 4_096
"""Bytes of a message that KMS digests itself; of a longer one it is sent the digest."""
ALGORITHM = "ECDSA_SHA_256"


class KmsSigner:
    """A signer whose key, named by its ARN, alias or id, lies in KMS.

    Needs `kms:GetPublicKey` and `kms:Sign`. `origin` says the name of the log that it signs.
    """

    def __init__(self, key: str, origin: Callable[[], str]) -> None:
        self._address, self._key, self._origin = f"kms:{key}", key, origin
        with sentences(self._address, "kms"):
            named = key.split(":")[3] if key.startswith("arn:") and key.count(":") > 4 else None
            self._client: Any = boto3.client(
                "kms",
                region_name=named or os.environ.get("AWS_REGION"),
                endpoint_url=os.environ.get("AWS_ENDPOINT_URL_KMS"),
                config=Config(
                    retries={"mode": "standard"},
                    connect_timeout=10,
                    max_pool_connections=AT_ONCE,
                    user_agent_extra="locard",
                ),
            )

    @cached_property
    def key(self) -> Key:
        """The public key, under the name of the log. Raises `Error` for a key that will not do."""
        with sentences(self._address, "kms"):
            found = self._client.get_public_key(KeyId=self._key)
        public = load_der_public_key(found["PublicKey"])
        if (
            found["KeyUsage"] != "SIGN_VERIFY"
            or not isinstance(public, EllipticCurvePublicKey)
            or not isinstance(public.curve, SECP256R1)
        ):
            raise Error(
                f"{self._address} cannot sign the custody ledger: it is "
                f"{found.get('KeySpec', 'another kind of key')} for {found['KeyUsage']}.",
                "Make a key with --key-usage SIGN_VERIFY --key-spec ECC_NIST_P256.",
            )
        return Key(self._origin(), public)

    def sign_many(self, messages: Sequence[bytes]) -> list[bytes]:
        """A signature over each message."""
        if len(messages) == 1:
            return [self._sign(messages[0])]
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return list(threads.map(self._sign, messages))

    def _sign(self, message: bytes) -> bytes:
        long = len(message) > RAW
        with sentences(self._address, "kms"):
            found = self._client.sign(
                KeyId=self._key,
                Message=sha256(message).digest() if long else message,
                MessageType="DIGEST" if long else "RAW",
                SigningAlgorithm=ALGORITHM,
            )
        return bytes(found["Signature"])
