# SPDX-License-Identifier: Apache-2.0
"""The signature of the simulated digest files: RSA as CloudTrail uses it, with a key for show.

The key follows from a fixed seed, so everybody has it: it guards nothing and proves nothing, it
only makes the chain of digests complete. PKCS #1 v1.5 with SHA-256 (RFC 8017, section 9.2).
"""

import base64
import hashlib
from dataclasses import dataclass
from math import gcd
from random import Random

_EXPONENT = 65537
_SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
_SMALL = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]


@dataclass(frozen=True, slots=True)
class Key:
    """An RSA key of 2,048 bits: its two primes."""

    p: int
    q: int

    @property
    def public(self) -> str:
        """The public half as `aws cloudtrail list-public-keys` gives it: PKCS #1 DER in base64."""
        return base64.b64encode(self._der()).decode()

    @property
    def fingerprint(self) -> str:
        """The fingerprint that digest files name."""
        return hashlib.md5(self._der(), usedforsecurity=False).hexdigest()

    def sign(self, message: bytes) -> str:
        """The signature of `message` in hexadecimal digits."""
        digest = _SHA256_PREFIX + hashlib.sha256(message).digest()
        padded = b"\0\1" + b"\xff" * (256 - 3 - len(digest)) + b"\0" + digest
        value, p, q = int.from_bytes(padded), self.p, self.q
        exponent = pow(_EXPONENT, -1, (p - 1) * (q - 1))
        at_p, at_q = pow(value, exponent % (p - 1), p), pow(value, exponent % (q - 1), q)
        return (at_q + (pow(q, -1, p) * (at_p - at_q) % p) * q).to_bytes(256).hex()

    def _der(self) -> bytes:
        modulus, exponent = self.p * self.q, _EXPONENT
        body = b"\x02\x82\x01\x01\0" + modulus.to_bytes(256) + b"\x02\x03" + exponent.to_bytes(3)
        return b"\x30\x82" + len(body).to_bytes(2) + body


def key(seed: int) -> Key:
    """The key that follows from `seed`."""
    random = Random(seed)  # noqa: S311 - the same key for everybody is what is wanted
    return Key(_prime(random), _prime(random))


def _prime(random: Random) -> int:
    while True:
        value = random.getrandbits(1024) | (3 << 1022) | 1
        if gcd(value - 1, _EXPONENT) == 1 and all(value % n for n in _SMALL) and _likely(value):
            return value


def _likely(value: int) -> bool:
    """Miller and Rabin's test with eight fixed bases."""
    odd, twos = value - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19):
        x = pow(base, odd, value)
        if x in (1, value - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % value
            if x == value - 1:
                break
        else:
            return False
    return True
