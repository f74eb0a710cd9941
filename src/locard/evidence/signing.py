# SPDX-License-Identifier: Apache-2.0
"""Keys that sign the ledger. A key in a file is the default; a key service fits the same seam."""

import errno
import os
import secrets
import stat
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from locard.evidence.local import flush
from locard.model.errors import Missing, Storage
from locard_verify.keys import Key, read_key
from locard_verify.malformed import Malformed


class Signer(Protocol):
    """What signs entries and heads. Its private key need not be on this machine."""

    @property
    def key(self) -> Key:
        """The public key, under the name of the log. Raises `Error` when it cannot be had."""

    def sign_many(self, messages: Sequence[bytes]) -> list[bytes]:
        """A signature over each message. Raises `Error` when one cannot be made: then none is."""


class FileSigner:
    """An Ed25519 key in a file that only its owner may read, made when it is first needed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        """The private key in PEM (PKCS 8); the public one lies beside it as `.vkey`."""

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        try:
            mode = self.path.stat().st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise Storage(
                    f"Others may read the signing key {self.path}.",
                    f"Take their rights away (chmod 600 {self.path}); if somebody else may have "
                    "read it, introduce a new key with `locard custody key --new`.",
                )
            private = load_pem_private_key(self.path.read_bytes(), None)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no private key"
            raise Storage(
                f"The signing key {self.path} cannot be read: {why}.",
                "Restore it from a copy: without it nothing can be added to the ledger.",
            ) from error
        if not isinstance(private, Ed25519PrivateKey):
            raise Storage(f"The signing key {self.path} is not an Ed25519 key.", "Restore it.")
        return private

    @cached_property
    def key(self) -> Key:
        """The public key, under the name of the log."""
        try:
            said = read_key(self.path.with_suffix(".vkey").read_text())
        except (OSError, Malformed) as error:
            raise Missing(
                f"The public key beside {self.path} cannot be read: {error}.",
                "Restore both files from a copy.",
            ) from error
        key = Key(said.name, self._private.public_key())
        if key.vkey != said.vkey:
            raise Storage(
                f"The private key {self.path} does not belong to the public key beside it.",
                "Restore both files from one copy.",
            )
        return key

    def exists(self) -> bool:
        """Whether the key was made already, also by a process that was killed over it."""
        public, draft = self.path.with_suffix(".vkey"), _draft(self.path)
        if public.exists() and not self.path.exists() and draft.exists():
            draft.replace(self.path)
        return self.path.exists() or public.exists()

    def make(self, origin: str = "") -> Key:
        """Make the key, for a log of this name or of a new one. An older key is never written over.

        Both files are on the disk before either has its name, the private one last, so that a kill
        leaves nothing, or what `exists` finishes. Raises `Storage` when it cannot be written.
        """
        private = Ed25519PrivateKey.generate()
        key = Key(origin or f"locard/{secrets.token_hex(8)}", private.public_key())
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            public = self.path.with_suffix(".vkey")
            for path, data in ((self.path, pem), (public, key.vkey.encode() + b"\n")):
                _draft(path).unlink(missing_ok=True)
                fd = os.open(_draft(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(fd, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(fd)
            _draft(public).replace(public)
            _draft(self.path).replace(self.path)
            flush(self.path.parent)
        except OSError as error:
            raise Storage(
                f"The signing key {self.path} cannot be written: {error.strerror}.",
                "Make its folder writable, or move away what lies there already.",
            ) from error
        vars(self).pop("key", None)
        vars(self).pop("_private", None)
        return self.key

    def successor(self) -> "FileSigner":
        """A new key for the same log, beside this one and under another name."""
        new = FileSigner(self.path.with_name(f"next-{secrets.token_hex(4)}.pem"))
        new.make(self.key.name)
        return new

    def take_over(self, path: Path) -> None:
        """Become the key in `path`; the one that lies there is kept under its id."""
        key = self.key
        old = FileSigner(path).key.id.hex()
        for suffix in (".pem", ".vkey"):
            mine, there = self.path.with_suffix(suffix), path.with_suffix(suffix)
            there.replace(path.with_name(f"ledger-{old}{suffix}"))
            mine.replace(there)
        self.path = path
        assert self.key == key

    def sign_many(self, messages: Sequence[bytes]) -> list[bytes]:
        """A signature over each message."""
        sign = self._private.sign
        return [sign(message) for message in messages]


def _draft(path: Path) -> Path:
    """Where a key file is written before it has its name."""
    return path.with_name(f"{path.name}.new")
