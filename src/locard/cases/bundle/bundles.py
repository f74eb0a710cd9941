# SPDX-License-Identifier: Apache-2.0
"""Bundles of one installation: written, kept for download, and those of others taken in."""

import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from cryptography import x509

from locard.cases.bundle import transfer
from locard.cases.bundle.accept import Accepting, Came, Sender, require
from locard.cases.bundle.adopt import Adopted
from locard.cases.bundle.export import About, Exporting, Order, Sealed
from locard.cases.bundle.rows import Rows
from locard.cases.intake import Intake, Wish
from locard.cases.progress import Progress
from locard.cases.verification import pinned
from locard.evidence.entries import Draft
from locard.model.custody import Exhibit, Hand, Verb
from locard.model.errors import Conflict, Error, Missing
from locard.parsers import catalogue
from locard_verify.bundle import verify_bundle
from locard_verify.container import Refused, opened
from locard_verify.keys import Key
from locard_verify.verdict import Verdict

if TYPE_CHECKING:
    from locard.cases.desk import Desk

EXPORTING = "Exporting a bundle"
"""How the job of an export begins, so that it is told from runs that parse."""
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,160}\.zip")

Begun = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Kept:
    """A bundle that lies ready to be downloaded. `made` is UTC nanoseconds."""

    name: str
    size: int
    made: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """What taking a bundle in gave."""

    case: str
    made: bool
    """Whether the case was new."""
    sender: Sender
    exhibits: int
    marks: Adopted
    """What the sender's people said about events, as far as it was taken over."""
    verdict: Verdict
    receipt: bytes
    """For the sender: our entries that accept it, signed and proved."""


class Bundles:
    """What the desk does with bundles and with exhibits that change hands."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk
        self._folder = desk.settings.home / "exports"

    def export(
        self,
        case: str,
        order: Order,
        *,
        who: Hand,
        begun: Begun = lambda _progress: None,
    ) -> Sealed:
        """Write a sealed bundle. Raises `Error`; then nothing of it is left."""
        desk, found = self._desk, self._desk.case(case)
        about = About(case, found.title, found.created, found.created_by, found.simulated)
        progress = Progress(desk.state, case, f"{EXPORTING}: {order.path.name}", who.name)
        begun(progress)

        def rows(only: Exhibit | None) -> Rows:
            parts = [(one.id, one.excerpt[0]) for one in catalogue.load() if one.excerpt]
            evidence = only.evidence if only else ""
            return Rows(desk.timeline, desk.state, case, evidence, parts)

        state = "failed"
        try:
            exporting = Exporting(desk.vault, rows, about, order, who, progress, self._checkpoint)
            sealed = exporting.export()
            progress.summary = {"exhibits": sealed.exhibits, "rows": sealed.rows}
            state = "done"
            return sealed
        except Error as error:
            progress.log(error.message)
            raise
        finally:
            progress.finish(state)

    def begin(self, case: str, *, exhibit: str, references: bool, reason: str, who: Hand) -> str:
        """Begin an export in a process of its own; the name it will be kept under."""
        self._desk.case(case)
        folder = self._folder / case
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        parts = (case, exhibit, time.strftime("%Y%m%dt%H%M%Sz", time.gmtime()))
        name = "-".join(filter(None, (*parts, secrets.token_hex(2)))).lower() + ".zip"
        words = ["case", "export", case, f"--output={folder / name}", "--zip"]
        words += [f"--reason={reason}", *(["--references"] if references else [])]
        words += [f"--exhibit={exhibit}"] if exhibit else []
        self._desk.background.run(words, who)
        return name

    def fingerprint(self) -> str:
        """Of the key that our ledger was begun with; empty before the first entry."""
        found = pinned(self._desk.vault)
        return found[0].fingerprint if found else ""

    def kept(self, case: str) -> list[Kept]:
        """The bundles that lie ready, the newest first."""
        found = [
            Kept(path.name, status.st_size, status.st_mtime_ns)
            for path in (self._folder / case).glob("[a-z0-9]*.zip")
            if (status := path.stat())
        ]
        return sorted(found, key=lambda one: one.made, reverse=True)

    def open(self, case: str, name: str, *, who: Hand) -> BinaryIO:
        """A kept bundle; the ledger says who took it. Raises `Missing`."""
        file = self._named(case, name).open("rb")
        draft = Draft(who, Verb.DOWNLOADED, "", case, f"downloaded the bundle {name}", {})
        try:
            self._desk.vault.ledger.append([draft])
        except BaseException:
            file.close()
            raise
        return file

    def remove(self, case: str, name: str) -> None:
        """Remove a kept bundle, which is a copy. Raises `Missing`."""
        self._named(case, name).unlink()

    def accept(
        self,
        path: Path,
        *,
        case: str = "",
        trusted: Sequence[Key] = (),
        roots: Sequence[x509.Certificate] | None = None,
        reason: str,
        who: Hand,
        judged: Callable[[Verdict], None] = lambda _verdict: None,
        begun: Begun = lambda _progress: None,
    ) -> Accepted:
        """Verify a bundle and take its evidence in, to be parsed.

        Without `case` it becomes a new one of the sender's name. Raises `Tampered` when a clause
        fails, `Conflict` when there is a case of that name and none was chosen, and `Error` for
        what cannot be read; then nothing was taken in.
        """
        verdict = verify_bundle(path, trusted, roots)
        judged(verdict)
        require(verdict)
        try:
            with opened(path) as container:
                taking = Accepting(self._desk.vault, self._desk.state, container, who)
                case, made = self._ensure(case, taking.sender.case, who)
                progress = Progress(self._desk.state, case, f"Accepting {path.name}", who.name)
                begun(progress)
                state = "failed"
                try:
                    came, entries = taking.take(case, reason, progress)
                    self._hold(case, came, who)
                    state = "done"
                finally:
                    progress.finish(state)
        except Refused as error:
            raise Error(error.message, error.advice) from error
        receipt = transfer.receipt(self._desk.vault.ledger, entries)
        return Accepted(case, made, taking.sender, len(came), taking.marks, verdict, receipt)

    # Transfers

    def release(
        self, case: str, numbers: Sequence[str], to: str, *, reason: str, who: Hand
    ) -> tuple[str, int]:
        """Release exhibits, all when none is named: the id of the transfer, and how many."""
        self._desk.case(case)
        found = self._desk.vault.ledger.exhibits(case)
        chosen = [one for one in found if not numbers or one.number in numbers]
        unknown = set(numbers) - {one.number for one in chosen}
        if unknown or not chosen:
            raise Missing(f"Case {case} has no exhibit {min(unknown, default='at all')}.")
        if not to.strip():
            raise Error("A release says who takes the exhibits over.", "Name them with --to.")
        return transfer.release(self._desk.vault.ledger, chosen, to, who, reason), len(chosen)

    def unmet(self, case: str, marks: Adopted) -> int:
        """How many events that the sender's people marked are not in the case's timeline."""
        met = self._desk.timeline.known(case, marks.events) if marks.events else set()
        return len(marks.events - met)

    def accept_transfer(self, case: str, identity: str, *, reason: str, who: Hand) -> int:
        """Note that what was released under this id was accepted; how many exhibits."""
        self._desk.case(case)
        return len(transfer.accept(self._desk.vault.ledger, case, identity, who, reason, {}))

    def acknowledge(
        self, case: str, content: bytes, trusted: Sequence[Key], *, reason: str, who: Hand
    ) -> transfer.Acknowledged:
        """Note what a receiver's receipt says, and keep it. Raises `Tampered` or `Unreadable`."""
        self._desk.case(case)
        return transfer.acknowledge(self._desk.vault, case, content, trusted, who, reason)

    def waiting(self, case: str) -> list[transfer.Waiting]:
        """The releases of a case that nobody accepted yet."""
        self._desk.case(case)
        return transfer.waiting(self._desk.vault.ledger, case)

    def _ensure(self, chosen: str, theirs: str, who: Hand) -> tuple[str, bool]:
        """Our case for a bundle, and whether it is new."""
        self._desk.vault.prepare()
        try:
            self._desk.create(chosen or theirs, who=who)
        except Conflict:
            if chosen:
                return chosen, False
            raise Conflict(
                f"There is a case called {theirs} here already.",
                "Choose with --case: that one, or another name.",
            ) from None
        return chosen or theirs, True

    def _checkpoint(self) -> int:
        return self._desk.checkpoints.checkpoint(patient=True).checkpoint

    def _hold(self, case: str, came: Sequence[Came], who: Hand) -> None:
        """Queue what came to be parsed; what lies inside other evidence is found there again."""
        intake = Intake(self._desk.state, self._desk.vault, case, who, Wish())
        for one in came:
            if not one.derived:
                intake.register(one.put, one.origin, 0)
        intake.flush()

    def _named(self, case: str, name: str) -> Path:
        path = self._folder / case / name
        if not NAME.fullmatch(name) or not path.is_file():
            raise Missing(f"Case {case} keeps no bundle called {name[:80]!r}.")
        return path
