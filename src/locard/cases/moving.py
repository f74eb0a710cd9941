# SPDX-License-Identifier: Apache-2.0
"""A vault moved to another store: every hash checked on the way, every copy in the ledger.

Everybody may go on working while it is copied; only the last step, which takes what came in
meanwhile and switches over, keeps others from putting for a moment. What was copied is in the
ledger, so a run that was killed goes on where it stopped. The old copy is left where it is.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from locard.cases.immutable import Begun, Marked, Marking, advice
from locard.cases.placement import Placement, Remembered
from locard.evidence import Content, Draft, Store, Vault, spool
from locard.evidence.transfer import in_order
from locard.model.custody import Hand, Verb
from locard.model.errors import Conflict, Missing, Tampered

AT_ONCE = 4
"""Pieces of evidence on their way at once; large ones are sent in several parts besides."""
NAMED = 100
"""Pieces of evidence that are named in an answer; all are counted."""

IN = (Verb.ACQUIRED, Verb.DERIVED)


@dataclass(frozen=True, slots=True)
class Kept:
    """Where evidence is kept."""

    place: str
    protection: str
    """What stands against altering it, in one sentence."""
    encrypted: str
    """To which key, or empty."""
    formerly: str
    """The place that it was moved away from, or empty."""
    objects: int
    recorded: int
    """Pieces of evidence that the ledger says are held."""
    missing: list[str]
    """Evidence that the ledger says is held and the store has not; the first hundred."""
    unrecorded: int
    """Objects that the ledger does not know: left by a run that was killed before its entry."""
    immutable: str = ""
    """Of a folder: `on` or `off`, as it was chosen for what comes; empty for a bucket."""
    flagged: int = 0
    """Of a folder: how many objects have the immutable flag."""


@dataclass(slots=True)
class Moved:
    """What moving did."""

    source: str
    target: str
    copied: int = 0
    bytes: int = 0
    before: int = 0
    """Pieces that an earlier run had copied already."""
    failed: list[str] = field(default_factory=list)
    """What could not be copied, with the reason; then nothing was switched."""
    switched: bool = False
    flagged: bool = False
    """Whether files of the old copy have the immutable flag."""


class Moving:
    """One run that moves a vault."""

    def __init__(
        self, vault: Vault, placement: Placement, place: str, encrypt: str | None, who: Hand
    ) -> None:
        self.vault, self.placement, self.who = vault, placement, who
        placement.obey_memory()
        to = placement.kept().encrypt if encrypt is None else encrypt
        self._next = Remembered(place, to, formerly=vault.store.address)
        self._target = placement.connect(self._next)
        self.moved = Moved(vault.store.address, self._target.address)
        if self.moved.source == self.moved.target:
            raise Conflict(f"The vault is in {self.moved.target} already.")
        self._cases: dict[str, set[str]] = {}
        self._done: set[str] = set()
        self._lock, self._stage, self._total = Lock(), "Looking", 0
        self._begun = time.monotonic()

    def snapshot(self) -> tuple[str, int, int, str, float]:
        """Stage, done, total, unit and rate, now."""
        with self._lock:
            done = self.moved.copied + len(self.moved.failed)
            rate = done / max(0.001, time.monotonic() - self._begun)
            return self._stage, done, self._total, "pieces", rate

    def run(self) -> Moved:
        """Copy what is not there yet, then switch over, unless something failed."""
        self.vault.prepare()
        self._target.prepare()
        self._cases, self._done = self._history()
        self.moved.before = len(self._done)
        self._copy()
        with self.vault.steady(alone=True):
            self._cases, self._done = self._history()
            self._copy()
            if not self.moved.failed:
                self._switch()
        return self.moved

    def _history(self) -> tuple[dict[str, set[str]], set[str]]:
        """The cases of each piece of evidence, and what is at the target already."""
        done = {
            entry.evidence
            for entry in self.vault.ledger.entries()
            if entry.verb is Verb.STORED and entry.details.get("to") == self.moved.target
        }
        return recorded(self.vault), done & set(self._target.names())

    def _copy(self) -> None:
        source, known = self.vault.store, self._done | {one[:64] for one in self.moved.failed}
        names = sorted({*source.names(), *self._cases} - known)
        with self._lock:
            self._stage, self._total = "Copying", self._total + len(names)
        for name, fault in in_order(lambda one: (one, self._one(source, one)), names, AT_ONCE):
            with self._lock:
                if fault:
                    self.moved.failed.append(f"{name}: {fault}")
                else:
                    self._done.add(name)
                    self.moved.copied += 1
        self._target.settle()

    def _one(self, source: Store, name: str) -> str:
        """Copy one piece of evidence and write it down; the reason when it could not be."""
        folder = self._target.spool or self.vault.incoming
        path = spool.private(folder)
        try:
            found = spool.write(source.read(name), path)
            if found.id != name:
                raise spool.altered(name, found.id)
            kept, _ = self._target.place(name, path, Content(found.id, found.size))
            before = source.stat(name)
            if before and before.until and before.until > (kept.until or 0):
                kept = self._target.retain(name, before.until)
            if before and before.held:
                kept = self._target.hold(name, True)
        except (Tampered, Missing) as error:
            self._write(name, (Verb.FAILED, {"what": "copied", "fault": error.message}))
            return error.message
        finally:
            path.unlink(missing_ok=True)
        with self._lock:
            self.moved.bytes += found.size
        told = {"from": self.moved.source, "to": self.moved.target, "sha256": found.id}
        copied = Verb.COPIED, told | {"blake2b-256": found.blake2b}
        self._write(name, copied, (Verb.STORED, told | kept.details()))
        return ""

    def _write(self, name: str, *entries: tuple[Verb, dict[str, str]]) -> None:
        """Each entry for each case that holds it, because each has an exhibit of its own."""
        reason = f"the vault moves to {self.moved.target}"
        drafts = [
            Draft(self.who, verb, name, case, reason, details)
            for case in sorted(self._cases.get(name) or {""})
            for verb, details in entries
        ]
        self.vault.ledger.append(drafts)

    def _switch(self) -> None:
        """The new store is the vault's from here on."""
        missing = [one for one in self._cases if self._target.stat(one) is None]
        if missing:
            self.moved.failed += [f"{one}: not in {self.moved.target}" for one in missing]
            return
        details = {
            "from": self.moved.source,
            "to": self.moved.target,
            "pieces": str(len(self._done)),
        }
        reason = "the vault was moved: every piece of evidence was hashed and is there"
        self.vault.ledger.append([Draft(self.who, Verb.VAULT_MOVED, "", "", reason, details)])
        folder = self.placement.folder()
        self.moved.flagged = folder is not None and folder.marked() > 0
        self.placement.switch(self._next)
        self.moved.switched = True


def recorded(vault: Vault) -> dict[str, set[str]]:
    """The evidence that the ledger says is held, with the cases that hold it."""
    cases: dict[str, set[str]] = defaultdict(set)
    for entry in vault.ledger.entries():
        if entry.verb in IN:
            cases[entry.evidence].add(entry.case)
        elif entry.verb is Verb.DISPOSED:
            cases[entry.evidence].discard(entry.case)
    return {evidence: names for evidence, names in cases.items() if names}


class Storage:
    """What the doors may ask about where evidence is kept."""

    def __init__(self, vault: Vault, placement: Placement) -> None:
        self.vault, self.placement = vault, placement

    def look(self) -> Kept:
        """Where evidence is kept, and whether store and ledger agree on what is held."""
        store, kept = self.vault.store, self.placement.wanted()
        folder = self.placement.folder()
        held = set(recorded(self.vault))
        names = set(store.names())
        return Kept(
            place=store.address,
            protection=store.describe(),
            encrypted=kept.encrypt,
            formerly=kept.formerly,
            objects=len(names),
            recorded=len(held),
            missing=sorted(held - names)[:NAMED],
            unrecorded=len(names - held),
            immutable=("on" if folder.immutable else "off") if folder else "",
            flagged=folder.marked() if folder else 0,
        )

    def immutable(
        self, on: bool, *, who: Hand | str, begun: Begun = lambda _marking: None
    ) -> Marked:
        """Set the immutable flag on all evidence and on what comes, or take it off."""
        marking = Marking(self.vault, self.placement, on, Hand.of(who))
        begun(marking)
        return marking.run()

    def advice(self) -> str:
        """What to say of the flag to who takes the first evidence in, or empty."""
        return advice(self.placement)

    def move(
        self,
        place: str,
        encrypt: str | None = None,
        *,
        who: Hand | str,
        begun: Callable[[Moving], None] = lambda _moving: None,
    ) -> Moved:
        """Copy all evidence to another store, every hash checked, and keep it there from then on.

        A run that was killed goes on with the same call. Raises `Conflict` when it is there.
        """
        moving = Moving(self.vault, self.placement, place, encrypt, Hand.of(who))
        begun(moving)
        return moving.run()
