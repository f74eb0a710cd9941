# SPDX-License-Identifier: Apache-2.0
"""Any store with a cipher before it: what lies there is encrypted, what is read is checked.

The name stays the SHA-256 of the plain bytes, with the cipher's suffix, so whoever may list the
store can tell whether it holds a file that they know. What was placed before encryption was
switched on stays readable.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from locard.evidence.ciphers import Cipher
from locard.evidence.local import absent, refused
from locard.evidence.spool import Meter, Reread
from locard.evidence.store import Content, Kept, Store, Watch, unwatched
from locard.evidence.transfer import Flow, Writable, pumped
from locard.model.errors import Tampered

_PROBE = b"Locard reads again what it has encrypted."


class Sealed:
    """A store behind ciphers; the first of them encrypts, all of them decrypt."""

    def __init__(self, store: Store, ciphers: Sequence[Cipher]) -> None:
        self._store, self._ciphers = store, {one.suffix: one for one in ciphers}
        self._cipher = ciphers[0]

    @property
    def address(self) -> str:
        """That of the store."""
        return self._store.address

    @property
    def spool(self) -> Path | None:
        """That of the store."""
        return self._store.spool

    def describe(self) -> str:
        """What the store says, and that it is encrypted."""
        return f"{self._store.describe()}; encrypted to {self._cipher.key}"

    def prepare(self) -> None:
        """Prepare the store, and see that what we encrypt can be decrypted here.

        So that no evidence is encrypted to a key that nobody has.
        """
        self._store.prepare()
        name = sha256(_PROBE).hexdigest()
        sealed = b"".join(pumped(lambda sink: self._cipher.seal(name, io.BytesIO(_PROBE), sink)))
        found = pumped(lambda sink: self._cipher.unseal(name, Flow(iter([sealed])), sink))
        if b"".join(found) != _PROBE:
            raise Tampered("What was encrypted does not decrypt to what it was.", "Check the key.")

    def place(
        self, name: str, path: Path, content: Content, watch: Watch = unwatched
    ) -> tuple[Kept, bool]:
        """Encrypt the file beside itself, and place that."""
        form = self._form(name)
        if form is not None:
            found = Meter()
            for chunk in self.read(name):
                found.take(chunk)
            if found.evidence().id != name:
                raise Tampered(
                    f"The vault's copy of {name[:16]}… is not what was taken in.",
                    "Restore it from a copy before adding the same evidence again.",
                )
            return self._shown(self._store.renew(form), form), False
        form = name + self._cipher.suffix
        sealed = path.with_name(path.name + self._cipher.suffix)
        try:
            sealed.unlink(missing_ok=True)
            digest, size = sha256(), 0
            with Reread(path, content) as source, sealed.open("xb") as file:
                for chunk in pumped(partial(self._seal, name, source)):
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
                file.flush()
            sealed.chmod(0o444)
            kept, new = self._store.place(form, sealed, Content(digest.hexdigest(), size), watch)
        except OSError as error:
            raise refused(path.parent, error) from error
        finally:
            sealed.unlink(missing_ok=True)
        return self._shown(kept, form), new

    def settle(self) -> None:
        """Wait for the store."""
        self._store.settle()

    def open(self, name: str) -> BinaryIO | None:
        """The file itself only when it lies there plain."""
        return self._store.open(name) if self._form(name) in (name, None) else None

    def read(self, name: str) -> Iterator[bytes]:
        """The plain bytes, decrypted as they come."""
        form = self._form(name)
        if form is None:
            raise absent(name)
        if form == name:
            yield from self._store.read(name)
            return
        cipher, stored = self._ciphers[form.removeprefix(name)], Flow(self._store.read(form))
        yield from pumped(partial(cipher.unseal, name, stored))

    def stat(self, name: str) -> Kept | None:
        """What the store says of the form that it keeps."""
        form = self._form(name)
        kept = self._store.stat(form) if form else None
        return self._shown(kept, form) if kept and form else None

    def renew(self, name: str) -> Kept:
        """As the store does."""
        return self._each(name, self._store.renew)

    def hold(self, name: str, held: bool) -> Kept:
        """As the store does."""
        return self._each(name, lambda form: self._store.hold(form, held))

    def retain(self, name: str, until: int) -> Kept:
        """As the store does."""
        return self._each(name, lambda form: self._store.retain(form, until))

    def remove(self, name: str) -> None:
        """Remove every form."""
        if self._form(name) is None:
            raise absent(name)
        while form := self._form(name):
            self._store.remove(form)

    def names(self) -> Iterator[str]:
        """The names without what tells the form."""
        for form in self._store.names():
            yield form[:64]

    def _form(self, name: str) -> str | None:
        """The name under which the store keeps it: the form that is written now comes first."""
        for suffix in (*self._ciphers, ""):
            if self._store.stat(name + suffix) is not None:
                return name + suffix
        return None

    def _each(self, name: str, do: Callable[[str], Kept]) -> Kept:
        form = self._form(name)
        if form is None:
            raise absent(name)
        return self._shown(do(form), form)

    def _seal(self, name: str, source: Reread, sink: Writable) -> None:
        self._cipher.seal(name, source, sink)

    def _shown(self, kept: Kept, form: str) -> Kept:
        if form.endswith(tuple(self._ciphers)):
            return replace(kept, kind=f"{kept.kind}, encrypted ({form[65:]})")
        return kept
