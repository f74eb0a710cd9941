# SPDX-License-Identifier: Apache-2.0
"""The vault: evidence by the hash of its bytes, read-only, never changed and never overwritten.

Where the bytes are kept is the business of a `Store`; the vault spools and hashes what comes in,
checks what comes out, and writes the ledger about both.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import BinaryIO

from locard.evidence import spool
from locard.evidence.arrival import Arrival
from locard.evidence.checkpoints import Pace
from locard.evidence.entries import Draft, now, rfc3339
from locard.evidence.ledger import Ledger
from locard.evidence.local import LocalStore, absent, ready, refused
from locard.evidence.own import named
from locard.evidence.signing import FileSigner, Signer
from locard.evidence.spool import Readable
from locard.evidence.store import (
    Content,
    Fixed,
    Kept,
    Store,
    Watch,
    Whereabouts,
    unwatched,
)
from locard.evidence.tool import this_clock, this_tool
from locard.model.custody import (
    MOST_REQUESTS,
    Ancestor,
    CustodyEntry,
    Exhibit,
    Hand,
    Operator,
    Span,
    Tool,
    Verb,
)
from locard.model.errors import Error, Missing, Storage, Tampered
from locard.model.evidence import Evidence, Origin, printable


@dataclass(frozen=True, slots=True)
class Put:
    """What putting evidence into the vault gave."""

    evidence: Evidence
    new: bool
    """False when the vault held the same bytes already."""
    entry: CustodyEntry
    kept: Kept
    """Where and how the store keeps it."""


class Vault:
    """Evidence in a store, and the ledger of it in a folder.

    `where` answers where the bytes are. Without it they are in the folder too.
    """

    def __init__(
        self,
        folder: Path,
        where: Whereabouts | None = None,
        signer: Signer | None = None,
        pace: Pace | None = None,
    ) -> None:
        home = folder.parent
        signer = signer or FileSigner(home / "keys" / "ledger.pem")
        self.folder = folder
        self.ledger = Ledger(folder / "ledger", signer, home / "trusted.vkey", pace)
        self._where = where or Fixed(LocalStore(folder))
        self._numbers = count()

    @property
    def store(self) -> Store:
        """Where the bytes are now."""
        return self._where.store()

    @property
    def incoming(self) -> Path:
        """The folder of bytes on their way, emptied of what a crash left by `prepare`."""
        return self.folder / "incoming"

    def prepare(self) -> None:
        """Make the folders and remove what a crashed process left half-way in.

        Raises `Storage` when the vault cannot be written, and what the store says against it.
        """
        self.prepare_folder()
        self._where.prepare()

    def prepare_folder(self) -> None:
        """Make the folder of the ledger, and ask the store nothing."""
        ready(self.folder)

    def put(
        self,
        stream: Readable,
        origin: Origin,
        *,
        case: str,
        actor: Hand | str,
        reason: str,
        watch: Watch = unwatched,
    ) -> Put:
        """Take bytes in: one pass that hashes and counts, then the store, then the custody entry.

        `watch` is told of every chunk's size, in halves when it has to be sent besides. Raises
        `Storage` when the disk or the store is full, read-only or out of reach, and `Unreadable`
        when the source cannot be read to its end; in all cases nothing half-written stays.
        """
        with self.arriving(stream, watch) as arrival:
            arrival.fill()
            return self.keep(arrival, origin, case=case, actor=actor, reason=reason, watch=watch)

    def arriving(
        self, stream: Readable, watch: Watch = unwatched, size: int | None = None
    ) -> Arrival:
        """Bytes on their way in, of which nothing is evidence before `keep` has them.

        `size` bytes are expected, when that is known. Raises `Storage`.
        """
        folder = self.store.spool or self.incoming
        half = watch if self.store.spool else lambda count: watch(count // 2)
        return Arrival(folder / named(f"{next(self._numbers)}"), stream, half, size)

    def keep(
        self,
        arrival: Arrival,
        origin: Origin,
        *,
        case: str,
        actor: Hand | str,
        reason: str,
        watch: Watch = unwatched,
    ) -> Put:
        """Place what has arrived in the store and write the custody entry; raises as `put` does."""
        evidence, path, hand = arrival.evidence, arrival.path, Hand.of(actor)
        assert evidence is not None, "only what has arrived is kept"
        try:
            with self.steady() as store:
                with self._failures("stored", evidence.id, case, hand, reason):
                    content = Content(evidence.id, evidence.size)
                    sent = unwatched if store.spool else lambda count: watch(count // 2)
                    kept, new = store.place(evidence.id, path, content, sent)
                details = _details(evidence, origin) | kept.details()
                span = Span(rfc3339(arrival.begun), rfc3339(now()))
                draft = Draft(
                    hand,
                    Verb.DERIVED if origin.parent else Verb.ACQUIRED,
                    evidence.id,
                    case,
                    reason,
                    details,
                    lambda number, above: _exhibit(
                        Exhibit(number, case, evidence.id, evidence.blake2b, evidence.size),
                        above, origin, hand, kept, span,
                    ),
                    origin.parent,
                )  # fmt: skip
                entry = self.ledger.append([draft], durable=False)[0]
        except OSError as error:
            raise refused(path.parent, error) from error
        return Put(evidence, new, entry, kept)

    def settle(self) -> None:
        """Wait until everything that was put is durable, ledger included."""
        self.store.settle()
        self.ledger.settle()

    def open(
        self,
        evidence: str,
        *,
        case: str,
        actor: Hand | str,
        reason: str,
        verb: Verb = Verb.OPENED,
    ) -> BinaryIO:
        """The bytes of `evidence`, read-only, after the ledger has said who opened them and why.

        `verb` says for what: to be read by the program, or to be handed to a person. They are the
        stored file itself, or a private copy that was verified while it was fetched. Raises
        `Missing` when the vault does not hold it, and `Tampered`.
        """
        store = self.store
        _named(evidence)
        with self._failures(str(verb), evidence, case, Hand.of(actor), reason):
            file = store.open(evidence)
            if file is None:
                file = spool.fetched(store.read(evidence), self.incoming, evidence)
        draft = Draft(Hand.of(actor), verb, evidence, case, reason, {})
        try:
            self.ledger.append([draft], durable=False)
        except BaseException:
            file.close()
            raise
        return file

    def copy(self, evidence: str, *, case: str, actor: Hand | str, reason: str) -> Iterator[bytes]:
        """All bytes in their order, hashed on the way, after the ledger has said who copies them.

        Raises `Missing`, and `Tampered` at the end of bytes that are not what they were.
        """
        self.stat(evidence)
        self.ledger.append(
            [Draft(Hand.of(actor), Verb.COPIED, evidence, case, reason, {})], durable=False
        )
        digest = sha256()
        for chunk in self.store.read(evidence):
            digest.update(chunk)
            yield chunk
        if (found := digest.hexdigest()) != evidence:
            details = {"sha256": found}
            draft = Draft(Hand.of(actor), Verb.VERIFICATION_FAILED, evidence, case, reason, details)
            self.ledger.append([draft])
            raise spool.altered(evidence, found)

    def verify(
        self,
        evidence: str,
        *,
        case: str,
        actor: Hand | str,
        reason: str,
        watch: Watch = unwatched,
    ) -> Evidence:
        """Hash the stored bytes again and write the outcome into the ledger.

        Raises `Tampered` when they are not what they were when they were taken in.
        """
        _named(evidence)
        with self._failures("verified", evidence, case, Hand.of(actor), reason):
            found = spool.measured(self.store.read(evidence), watch)
        same = found.id == evidence
        verb = Verb.VERIFIED if same else Verb.VERIFICATION_FAILED
        details = {"sha256": found.id, "size": str(found.size)}
        self.ledger.append([Draft(Hand.of(actor), verb, evidence, case, reason, details)])
        if not same:
            raise spool.altered(evidence, found.id)
        return found

    @contextmanager
    def _failures(
        self, what: str, evidence: str, case: str, hand: Hand, reason: str
    ) -> Iterator[None]:
        """Writes what goes wrong inside the context into the ledger, as far as it can be."""
        try:
            yield
        except Error as error:
            verb = Verb.VERIFICATION_FAILED if isinstance(error, Tampered) else Verb.FAILED
            details = {"what": what, "fault": error.message}
            with suppress(Storage):  # the error that is on its way says more
                self.ledger.append([Draft(hand, verb, evidence, case, reason, details)])
            raise

    def protect(self, evidence: str, *, held: bool, until: int | None) -> Kept:
        """Have the store refuse to delete it: under a hold, or until then (UTC nanoseconds).

        The ledger is told by whoever decides about the case, since one decision is about many.
        Raises `Missing`, and what the store says against it.
        """
        with self.steady() as store:
            kept = self.stat(evidence)
            if kept.held != held:
                kept = store.hold(evidence, held)
            if until is not None and (kept.until or 0) < until:
                kept = store.retain(evidence, until)
        return kept

    def dispose(
        self, evidence: str, *, case: str, actor: Hand | str, reason: str, shared: bool
    ) -> CustodyEntry:
        """Delete the bytes for good, unless they are `shared` with another case, and say so.

        The entry comes after the deed; a store that refuses gets an entry too. Bytes that are gone
        already are no fault: a disposal that was cut off is done again.
        """
        details = {"bytes": "kept: they belong to another case too" if shared else "deleted"}
        try:
            with self.steady() as store:
                if not shared:
                    if store.stat(_named(evidence)) is None:
                        details["bytes"] = "were gone already"
                    else:
                        store.remove(evidence)
        except Error as error:
            refusal = {"fault": error.message, "what": "disposal"}
            self.ledger.append(
                [Draft(Hand.of(actor), Verb.FAILED, evidence, case, reason, refusal)]
            )
            raise
        draft = Draft(Hand.of(actor), Verb.DISPOSED, evidence, case, reason, details)
        return self.ledger.append([draft])[0]

    def holds(self, evidence: str) -> bool:
        """Whether the bytes are there. Reads nothing of them."""
        return self.store.stat(_named(evidence)) is not None

    def stat(self, evidence: str) -> Kept:
        """What the store says of the bytes now. Raises `Missing`."""
        kept = self.store.stat(_named(evidence))
        if kept is None:
            raise absent(evidence)
        return kept

    @contextmanager
    def steady(self, *, alone: bool = False) -> Iterator[Store]:
        """The store, which stays the vault's until the context ends; `alone` keeps all others out.

        What puts holds it together with others; what switches the vault to another store holds it
        alone.
        """
        try:
            lock = (self.folder / "store.lock").open("w")
        except OSError as error:
            raise refused(self.folder, error) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield self.store


def _exhibit(
    bare: Exhibit, above: str, origin: Origin, hand: Hand, kept: Kept, span: Span
) -> Exhibit:
    """The record: what the caller knows of how it was got, and what only the vault knows."""
    known, clock = origin.acquisition, this_clock()
    derived = Ancestor()
    if origin.parent:
        derived = Ancestor(above, origin.parent, printable(origin.member), known.how)
    return replace(
        bare,
        hash_point=known.hash_point or "as the bytes came into the vault",
        covers=known.covers or "every byte that was read from the source",
        authority=known.authority,
        source=known.source or {"name": printable(origin.name)},
        method=known.method,
        tool=known.tool if known.tool != Tool() else this_tool(),
        operator=Operator(hand.name, hand.door, hand.address, known.rule, known.alert),
        requests=tuple(known.requests[:MOST_REQUESTS]),
        further_requests=max(0, len(known.requests) - MOST_REQUESTS),
        clocks=replace(
            known.clocks,
            platform=known.clocks.platform or clock.platform,
            offset=known.clocks.offset or clock.offset,
            source=known.clocks.source or clock.source,
        ),
        storage=kept.record(),
        changes=known.changes,
        derived_from=derived,
        time=Span(known.time.start or span.start, known.time.end or span.end),
    )


def _details(evidence: Evidence, origin: Origin) -> dict[str, str]:
    details = {
        "name": printable(origin.name),
        "size": str(evidence.size),
        "sha256": evidence.id,
        "blake2b-256": evidence.blake2b,
    }
    if origin.parent:
        details |= {"parent": origin.parent, "member": printable(origin.member)}
    if origin.modified is not None:
        details["modified"] = str(origin.modified)
    return details


def _named(evidence: str) -> str:
    """The id, when it is one: it becomes part of a path."""
    if len(evidence) != 64 or not set(evidence) <= set("0123456789abcdef"):
        raise Missing(f"{evidence[:80]!r} is not an evidence id.", "Ids are 64 hex digits.")
    return evidence
