# SPDX-License-Identifier: Apache-2.0
"""When the ledger gets a checkpoint: at its pace, at the end of each run, and on closing."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

from locard.cases.signer import signer
from locard.evidence import Vault
from locard.evidence.authority import Authority
from locard.evidence.ending import ITSELF
from locard.evidence.signing import FileSigner
from locard.evidence.stamping import Stamped, Stamping
from locard.model.custody import Hand
from locard.model.errors import Conflict, Error, Missing
from locard.settings import Settings

TICK = 30
"""Seconds between two looks whether a checkpoint is due or a token can be had now."""


class Checkpointing:
    """Makes the checkpoints of one installation, and has them time-stamped."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self.settings, self.vault = settings, vault
        self.stamping = Stamping(vault.ledger)
        self._stop = Event()
        self._thread: Thread | None = None
        self._asked_for = False

    def checkpoint(self, *, patient: bool = False, closing: bool = False) -> Stamped:
        """A checkpoint of what happened, time-stamped if an authority is configured."""
        if not self.vault.ledger.path.exists():
            return Stamped(0)
        self._configured()
        return self.stamping.checkpoint(patient=patient, closing=closing)

    def authority(self) -> Authority | None:
        """The time-stamping authority that is asked now."""
        return self.vault.ledger.authorities.current()

    def use(self, url: str, roots: list[Path], hand: Hand) -> str:
        """Ask the authority at `url` from now on, after a trial. Who signs its tokens.

        Raises `Error` that says what is wrong with it.
        """
        self.vault.prepare_folder()
        wanted = Authority.at(url, _read(roots))
        return self.stamping.set(wanted, hand, f"time stamps by {url}", test=True)

    def forget(self, hand: Hand) -> None:
        """Ask no authority any more. Checkpoints that wait for a token go on waiting."""
        self.stamping.set(None, hand, "no time stamps any more", test=False)

    def new_key(self, hand: Hand, reason: str, before: str = "") -> None:
        """Sign with another key from now on; the one before introduces it.

        With LOCARD_SIGNING_KEY it is the key that this names, introduced by `before` (`kms:ARN`) or
        by the one in the file. Else it is a new one in the file, and the one before stays beside it
        under its id: whoever has it could sign with it still. Raises `Conflict` when there is
        nothing to change.
        """
        ledger = self.vault.ledger
        if before:
            self._succeed(before, hand, reason)
            return
        held = FileSigner(self.settings.keys / "ledger.pem")
        if not ledger.path.exists() or not held.exists():
            raise Conflict(
                "There is no key in a file that could introduce another one.",
                "Name the new key with LOCARD_SIGNING_KEY and the one that signs now with "
                "`--before kms:ARN`.",
            )
        if self.settings.signing_key:
            wanted, ledger.signer = ledger.signer, held
            ledger.introduce(wanted, hand, reason)
            return
        successor = held.successor()
        ledger.introduce(successor, hand, reason)
        successor.take_over(held.path)

    def _succeed(self, before: str, hand: Hand, reason: str) -> None:
        """The key of a service that signs now introduces the one that the settings name."""
        ledger = self.vault.ledger
        old = signer(replace(self.settings, signing_key=before))
        introduced = ledger.keys()
        known = {one.vkey for one in introduced}
        if old.key.vkey not in known:
            raise Conflict(
                f"{before} never signed this ledger.",
                "`locard custody key` shows the keys that did.",
            )
        if ledger.signer.key.vkey in known:
            raise Conflict(
                "The key that LOCARD_SIGNING_KEY names is one of this ledger already.",
                "Set it to the new key, and name the one that signs now with `--before`.",
            )
        wanted, ledger.signer = ledger.signer, old
        ledger.introduce(wanted, hand, reason)

    def explain(self, sequence: int, hand: Hand, reason: str) -> None:
        """Sign for how the entries came to be lost that entry `sequence` says are gone."""
        self.vault.ledger.explain(sequence, hand, reason)

    def begin(self) -> None:
        """Make them at the set pace from now on, in a thread of its own, until `close`."""
        self._thread = Thread(target=self._tick, name="checkpoints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """A last one, if this process did more than read; then none by itself any more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(TICK)
        if self.vault.ledger.touched:
            with suppress(Error):  # as in `_tick`
                self.checkpoint(closing=True)

    def _tick(self) -> None:
        while not self._stop.wait(TICK):
            try:
                ledger = self.vault.ledger
                if ledger.path.exists() and (ledger.due() or ledger.checkpoints.waiting()):
                    self.checkpoint(closing=not ledger.due())
            except Error:
                continue  # whoever writes or verifies next is told the same

    def _configured(self) -> None:
        """Let what the environment asks for be the authority, unless it is already."""
        if self._asked_for or not self.settings.authority:
            return
        wanted = Authority.at(self.settings.authority, _read(list(self.settings.authority_roots)))
        if self.authority() != wanted:
            self.stamping.set(wanted, ITSELF, "LOCARD_TSA asks for it", test=False)
        self._asked_for = True


def _read(paths: list[Path]) -> tuple[bytes, ...]:
    try:
        return tuple(path.read_bytes() for path in paths)
    except OSError as error:
        raise Missing(
            f"The root certificate {error.filename} cannot be read: {error.strerror}.",
            "Name the file that holds it, in PEM.",
        ) from error
