# SPDX-License-Identifier: Apache-2.0
"""Verifier keys in the form of C2SP signed notes: NAME+ID+KEY.

Ed25519 is what Locard makes. ECDSA on P-256 with SHA-256 is for key services that have no Ed25519;
both signature types are those that the note format assigns (0x01 and 0x02).
"""

import base64
import binascii
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from locard_verify.malformed import Malformed

ED25519, ECDSA_P256 = 1, 2
_ECDSA = ECDSA(SHA256())


@dataclass(frozen=True)
class Key:
    """A public key under the name of the log that it signs."""

    name: str
    public: Ed25519PublicKey | EllipticCurvePublicKey

    @cached_property
    def encoded(self) -> bytes:
        """The byte of the signature type and the key: 32 bytes for Ed25519, else SPKI in DER."""
        if isinstance(self.public, Ed25519PublicKey):
            return bytes([ED25519]) + self.public.public_bytes_raw()
        return bytes([ECDSA_P256]) + self.public.public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )

    @cached_property
    def id(self) -> bytes:
        """Four bytes that tell the keys of one name apart; nothing is trusted by them."""
        encoded = self.encoded
        if encoded[0] == ECDSA_P256:
            return sha256(encoded[1:]).digest()[:4]
        return sha256(self.name.encode() + b"\n" + encoded).digest()[:4]

    @cached_property
    def keyid(self) -> str:
        """NAME+ID, as an envelope names the key that signed it."""
        return f"{self.name}+{self.id.hex()}"

    @cached_property
    def vkey(self) -> str:
        """The key as a line of text."""
        return f"{self.keyid}+{base64.b64encode(self.encoded).decode()}"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the line of text: what people compare."""
        return sha256(self.vkey.encode()).hexdigest()

    def pem(self) -> str:
        """The key as OpenSSL reads it."""
        form = PublicFormat.SubjectPublicKeyInfo
        return self.public.public_bytes(Encoding.PEM, form).decode()

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether this key signed these bytes."""
        try:
            if isinstance(self.public, Ed25519PublicKey):
                self.public.verify(signature, message)
            else:
                self.public.verify(signature, message, _ECDSA)
        except InvalidSignature:
            return False
        return True


def read_key(vkey: str) -> Key:
    """The key that a line of text says. Raises `Malformed`."""
    name, _, rest = vkey.strip().partition("+")
    said, _, encoded = rest.partition("+")
    if not name or any(letter.isspace() for letter in name):
        raise Malformed("a verifier key has the form NAME+ID+KEY")
    try:
        data = base64.b64decode(encoded, validate=True)
        if data[:1] == bytes([ED25519]):
            key = Key(name, Ed25519PublicKey.from_public_bytes(data[1:]))
        elif data[:1] == bytes([ECDSA_P256]):
            public = load_der_public_key(data[1:])
            if not isinstance(public, EllipticCurvePublicKey) or not isinstance(
                public.curve, SECP256R1
            ):
                raise Malformed("a verifier key of type 2 is one on the curve P-256")
            key = Key(name, public)
        else:
            raise Malformed("a verifier key is of type 1 (Ed25519) or 2 (ECDSA)")
    except (ValueError, binascii.Error, UnsupportedAlgorithm) as error:
        raise Malformed("a verifier key holds no public key") from error
    if key.vkey != vkey.strip():
        raise Malformed(f"the id {said[:16]!r} of a verifier key is not that of its key")
    return key
