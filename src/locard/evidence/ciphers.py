# SPDX-License-Identifier: Apache-2.0
"""Ciphers for evidence at rest: age, and an envelope whose key a key service wraps.

The digest of the plain bytes stays the identity of the evidence and is checked whenever they are
read, so a cipher has to keep a secret and nothing else. Both kinds authenticate what they decrypt.
"""

import json
from base64 import b64decode, b64encode
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from locard.evidence.spool import Readable
from locard.evidence.transfer import Flow, Writable
from locard.model.errors import Error, Storage, Tampered

MAGIC = b"locard-envelope-1\n"
_CHUNK = 1 << 20
_LONGEST_HEADER = 1 << 16


class Cipher(Protocol):
    """One way of keeping bytes secret."""

    @property
    def suffix(self) -> str:
        """What the name of an object ends in when it is encrypted this way."""

    @property
    def key(self) -> str:
        """Which key, for people: never the secret itself."""

    def seal(self, name: str, source: Readable, sink: Writable) -> None:
        """Encrypt everything of `source`."""

    def unseal(self, name: str, source: Flow, sink: Writable) -> None:
        """Decrypt it again. Raises `Storage` without the key and `Tampered` for altered bytes."""


class KeyService(Protocol):
    """What wraps data keys, so that the key of all keys never leaves it."""

    @property
    def key(self) -> str:
        """Its name of the key."""

    def data_key(self, name: str) -> tuple[bytes, bytes]:
        """A new key of 32 bytes for the evidence of that name, plain and wrapped."""

    def unwrap(self, name: str, wrapped: bytes) -> bytes:
        """The plain key again."""


class Age:
    """age (C2SP): to one or several recipients, read with an identity file."""

    suffix = ".age"

    def __init__(self, recipients: str, identity: Path) -> None:
        """`recipients` are separated by commas; `identity` is read when something is decrypted."""
        self._recipients, self._identity = recipients, identity

    @property
    def key(self) -> str:
        """The recipients, which are public."""
        return self._recipients

    def seal(self, name: str, source: Readable, sink: Writable) -> None:
        """Encrypt to all recipients."""
        flow = Flow(iter(lambda: source.read(_CHUNK), b""))
        try:
            self._age.encrypt_io(flow, sink, self._public)
        except (self._age.EncryptError, OSError) as error:
            raise flow.error or error from error

    def unseal(self, name: str, source: Flow, sink: Writable) -> None:
        """Decrypt with whichever identity fits."""
        try:
            self._age.decrypt_io(source, sink, self._secret)
        except (self._age.DecryptError, OSError) as error:
            if source.error is not None:
                raise source.error from error
            if "No matching keys" in str(error):
                raise _lost(name, self._recipients) from error
            if isinstance(error, BrokenPipeError):
                raise
            raise altered(name) from error

    @cached_property
    def _age(self) -> Any:
        return _pyrage()

    @cached_property
    def _public(self) -> list[Any]:
        found = []
        for one in self._recipients.split(","):
            try:
                found.append(self._age.x25519.Recipient.from_str(one.strip()))
            except self._age.RecipientError as error:
                raise Error(
                    f"{one.strip()[:70]!r} is no age recipient.",
                    "Make a key with `age-keygen` and give the line that begins with age1.",
                ) from error
        return found

    @cached_property
    def _secret(self) -> list[Any]:
        try:
            lines = self._identity.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise _lost("", self._recipients, f"no identity file {self._identity}") from error
        words = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        try:
            return [self._age.x25519.Identity.from_str(word) for word in words]
        except self._age.IdentityError:
            raise Error(  # `from` would carry the secret into a traceback
                f"{self._identity} holds a line that is no age identity.",
                "Each line is AGE-SECRET-KEY-1… as `age-keygen` writes it, or begins with #.",
            ) from None


class Envelope:
    """AES-256-GCM with a key for each piece of evidence, wrapped by a key service.

    MAGIC, one line of JSON (key, wrapped key), then chunks of 1 MiB, each with its tag. The nonce
    counts the chunks and says which is the last, so that none can be left out, swapped or cut off;
    the header and the evidence's name are authenticated with every chunk.
    """

    suffix = ".envelope"

    def __init__(self, service: KeyService) -> None:
        self._service = service

    @property
    def key(self) -> str:
        """The service's name of its key."""
        return self._service.key

    def seal(self, name: str, source: Readable, sink: Writable) -> None:
        """Encrypt with a new key."""
        plain, wrapped = self._service.data_key(name)
        said = {"key": self.key, "wrapped": b64encode(wrapped).decode()}
        header = MAGIC + json.dumps(said).encode() + b"\n"
        sink.write(header)
        bound = header + name.encode()
        cipher, number, chunk = AESGCM(plain), 0, _whole(source)
        while True:
            after = _whole(source) if len(chunk) == _CHUNK else b""
            sink.write(cipher.encrypt(_nonce(number, not after), chunk, bound))
            if not after:
                return
            chunk, number = after, number + 1

    def unseal(self, name: str, source: Flow, sink: Writable) -> None:
        """Unwrap the key and decrypt, chunk by chunk."""
        header = source.readline(len(MAGIC))
        line = source.readline(_LONGEST_HEADER)
        try:
            wrapped = b64decode(json.loads(line)["wrapped"], validate=True)
        except (ValueError, KeyError, TypeError) as error:
            raise altered(name) from error
        if header != MAGIC:
            raise altered(name)
        cipher, bound = AESGCM(self._service.unwrap(name, wrapped)), header + line + name.encode()
        number, chunk = 0, _whole(source, _CHUNK + 16)
        while True:
            after = _whole(source, _CHUNK + 16) if len(chunk) == _CHUNK + 16 else b""
            try:
                sink.write(cipher.decrypt(_nonce(number, not after), chunk, bound))
            except InvalidTag as error:
                raise altered(name) from error
            if not after:
                return
            chunk, number = after, number + 1


def altered(name: str) -> Tampered:
    """The error of encrypted bytes that are not what was encrypted."""
    return Tampered(
        f"The encrypted bytes of evidence {name[:16]}… were changed: they do not decrypt.",
        "Restore the bytes from a copy; the ledger keeps this failure.",
    )


def _lost(name: str, recipients: str, why: str = "no identity here fits") -> Storage:
    what = f"evidence {name[:16]}…" if name else "the evidence"
    return Storage(
        f"The key that reads {what} is not here: {why}.",
        f"It was encrypted to {recipients[:200]}. Put the identity of it into the file that "
        "LOCARD_AGE_IDENTITY names. If that key is lost, nobody can read this evidence again.",
    )


def _pyrage() -> ModuleType:
    try:
        import pyrage
    except ModuleNotFoundError as error:
        raise Error(
            "Encrypting with age needs pyrage, which is not installed.",
            "Install it: pip install 'locard[age]'",
        ) from error
    return cast(ModuleType, pyrage)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _whole(source: Readable, size: int = _CHUNK) -> bytes:
    """`size` bytes, or fewer at the end only."""
    found = b""
    while len(found) < size and (more := source.read(size - len(found))):
        found = found + more if found else more
    return found
