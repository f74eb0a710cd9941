# SPDX-License-Identifier: Apache-2.0
"""Which store keeps the evidence of this installation, and with which cipher.

`LOCARD_HOME/vault.toml` says where the bytes are. It is written when the first evidence is about to
be taken in, or by a person beforehand, and changed by `locard vault move` alone; when it is not
there, they are in `LOCARD_HOME/vault`. A setting that says something else is refused, so that no
evidence is ever half here and half there.
"""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import msgspec

from locard import providers
from locard.evidence import LocalStore, Store
from locard.evidence.ciphers import Age, Envelope
from locard.evidence.local import flush, refused
from locard.evidence.place import Place
from locard.evidence.sealed import Sealed
from locard.model.errors import Conflict, Error
from locard.settings import Settings

KMS = "kms:"


@dataclass(frozen=True, slots=True)
class Remembered:
    """What `vault.toml` says."""

    place: str = ""
    """Empty: the vault's own folder."""
    encrypt: str = ""
    formerly: str = ""
    """The place that the vault was moved away from, whose copy is not removed."""
    immutable: str = ""
    """`on` or `off`: what a person chose for the flag of a folder; empty: as the place says."""


class Placement:
    """The whereabouts of an installation's evidence; safe between threads and processes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.file = settings.home / "vault.toml"
        self._lock = Lock()
        self._known: tuple[object, Store] | None = None
        self._obeys_memory = False

    def obey_memory(self) -> None:
        """From now on the vault is where it is remembered to be, whatever the settings say."""
        self._obeys_memory = True

    def store(self) -> Store:
        """The store now; another process may have moved the vault since the last time.

        Raises `Conflict` when the settings name another place than the one where the bytes are.
        """
        with self._lock:
            state = self._state()
            if self._known is None or self._known[0] != state:
                if self._known is not None:
                    self._known[1].settle()  # what it had placed and not yet flushed
                self._known = (state, self.connect(self.wanted()))
            return self._known[1]

    def prepare(self) -> None:
        """Prepare the store, and remember it as the vault's."""
        store, wanted = self.store(), self.wanted()
        store.prepare()
        if (wanted.place or wanted.encrypt) and wanted != self.kept():
            self.switch(wanted)

    def kept(self) -> Remembered:
        """What is remembered. Raises `Error` for a file that cannot be understood."""
        try:
            return msgspec.convert(tomllib.loads(self.file.read_text("utf-8")), Remembered)
        except FileNotFoundError:
            return Remembered()
        except (OSError, ValueError, msgspec.ValidationError) as error:
            raise Error(
                f"{self.file} cannot be understood: {error}.",
                'It says where evidence is kept: place = "s3://bucket/prefix?retain=7y".',
            ) from error

    def wanted(self) -> Remembered:
        """What is remembered, with what the settings add. Raises `Conflict` where they differ."""
        kept = self.kept()
        if self._obeys_memory:
            return kept
        place = self.settings.place or kept.place
        if self._address(place) != self._address(kept.place) and (
            self.file.exists() or self._any()
        ):
            raise Conflict(
                f"LOCARD_VAULT says {self._address(place)}, but this vault's bytes are in "
                f"{self._address(kept.place)}.",
                f"Move them: locard vault move '{place}'. Or take LOCARD_VAULT back.",
            )
        return Remembered(
            place, self.settings.encrypt or kept.encrypt, kept.formerly, kept.immutable
        )

    def connect(self, kept: Remembered) -> Store:
        """The store that these words mean. Nothing is asked of it yet."""
        store = self._plain(kept)
        identity = self.settings.age_identity or self.settings.keys / "age.txt"
        if not kept.encrypt:
            return store
        if kept.encrypt.startswith(KMS):
            service = providers.key_service(kept.encrypt.removeprefix(KMS))
            before = [Age("", identity)] if identity.exists() else []
            return Sealed(store, [Envelope(service), *before])
        if not kept.encrypt.startswith("age1"):
            raise Error(
                f"Evidence cannot be encrypted to {kept.encrypt[:60]!r}.",
                "Give an age recipient (age1…), several with commas between, or kms:KEY.",
            )
        return Sealed(store, [Age(kept.encrypt, identity)])

    def switch(self, kept: Remembered) -> None:
        """Remember another place, durably and at once."""
        new = self.file.with_suffix(f".{os.getpid()}.new")
        try:
            with new.open("w", encoding="utf-8") as file:
                file.write("\n".join(_lines(kept)) + "\n")
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.file)
            flush(self.file.parent)
        except OSError as error:
            raise refused(self.file.parent, error) from error

    def folder(self) -> LocalStore | None:
        """The folder that keeps the evidence, without the cipher before it; None for a bucket."""
        kept = self.wanted()
        if kept.place and Place.of(kept.place).scheme != "file":
            return None
        store = self._plain(kept)
        return store if isinstance(store, LocalStore) else None

    def _plain(self, kept: Remembered) -> Store:
        chosen = kept.immutable == "on"
        if not kept.place:
            return LocalStore(self.settings.vault, immutable=chosen)
        place = Place.of(kept.place)
        if place.scheme != "file":
            return providers.connect(place)
        place.allow(("immutable",))
        said = place.switched("immutable", True)
        return LocalStore(Path(place.path), immutable=chosen if kept.immutable else said)

    def _address(self, text: str) -> str:
        return Place.of(text).address if text else self.settings.vault.absolute().as_uri()

    def _any(self) -> bool:
        return next(LocalStore(self.settings.vault).names(), None) is not None

    def _state(self) -> object:
        try:
            status = self.file.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size


def _lines(kept: Remembered) -> list[str]:
    said = {"place": kept.place, "encrypt": kept.encrypt, "formerly": kept.formerly}
    said["immutable"] = kept.immutable
    return [
        "# Where the bytes of this vault are. `locard vault` changes it.",
        *(f"{name} = {msgspec.json.encode(text).decode()}" for name, text in said.items() if text),
    ]
