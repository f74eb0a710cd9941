# SPDX-License-Identifier: Apache-2.0
"""The immutable flag of a folder of evidence, switched on and off by a person.

The vault inside `LOCARD_HOME` does not have it unless somebody says so: as root it makes an
installation that `rm -r` cannot remove.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock

from locard.cases.placement import Placement
from locard.evidence import Draft, LocalStore, Vault
from locard.model.custody import Hand, Verb
from locard.model.errors import Conflict, Denied

ELSEWHERE = "docs/howto/keep-evidence-where-nobody-can-delete-it.md names stores that lock."


@dataclass(frozen=True, slots=True)
class Marked:
    """What switching the flag did."""

    on: bool
    changed: int
    """Files whose flag is another now."""
    failed: tuple[str, ...]
    """Files that kept the one they had, with the reason."""


class Marking:
    """One run that sets the flag on everything, or takes it off."""

    def __init__(self, vault: Vault, placement: Placement, on: bool, who: Hand) -> None:
        self.vault, self.placement, self.on, self.who = vault, placement, on, who
        self._lock, self._done, self._begun = Lock(), 0, time.monotonic()

    def snapshot(self) -> tuple[str, int, int, str, float]:
        """Stage, done, total (not known), unit and rate, now."""
        with self._lock:
            rate = self._done / max(0.001, time.monotonic() - self._begun)
            return (
                "Setting the flag" if self.on else "Taking the flag off",
                self._done,
                0,
                "files",
                rate,
            )

    def run(self) -> Marked:
        """Switch, for what comes from now on and what is there; cut off, it is done again.

        Raises `Denied` when this process may not or the file system has no such flag, and
        `Conflict` when evidence is in no folder.
        """
        self.vault.prepare()
        store = self.placement.folder()
        if store is None:
            raise Conflict(
                f"Evidence is in {self.vault.store.address}, which is no folder and has a lock of "
                "its own.",
                "`locard vault status` says what stands against altering it.",
            )
        if fault := store.flag_fault():
            raise Denied(
                f"The immutable flag cannot be switched in {store.folder}: {fault}.", ELSEWHERE
            )
        with self.vault.steady(alone=True):
            self._say(Verb.IMMUTABLE_SET if self.on else Verb.IMMUTABLE_LIFTED, store)
            self.placement.switch(
                replace(self.placement.wanted(), immutable="on" if self.on else "off")
            )
        changed, failed = store.mark(self.on, self._watch)
        if failed:
            self._say(Verb.FAILED, store, what="the immutable flag", files=f"{len(failed)}")
        return Marked(self.on, changed, tuple(failed))

    def _say(self, verb: Verb, store: LocalStore, **details: str) -> None:
        said = "on" if self.on else "off"
        reason = f"the immutable flag is switched {said}"
        told = {"flag": said, "folder": store.address, **details}
        self.vault.ledger.append([Draft(self.who, verb, "", "", reason, told)])

    def _watch(self, files: int) -> None:
        with self._lock:
            self._done += files


def advice(placement: Placement) -> str:
    """What to say to who could have the flag and has not chosen, or empty."""
    store = placement.folder()
    if store is None or store.immutable or placement.kept().immutable or store.flag_fault():
        return ""
    return (
        "Evidence can have the immutable flag here, so that not even root deletes it by mistake: "
        "locard vault immutable on"
    )


Begun = Callable[[Marking], None]
