# SPDX-License-Identifier: Apache-2.0
"""Taking in a bundle that somebody else handed over.

It is verified first, and nothing is taken in when a clause fails. Each exhibit becomes one of ours,
whose record says from which ledger and under which number it came; an entry accepts it and names
the transfer. What the sender's ledger said (entries, proofs, keys, seal, report) is kept as
evidence too, as one tar, since our own ledger can only say what happened here.
"""

import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from locard.cases.bundle.adopt import Adopted, adopted
from locard.cases.progress import Progress
from locard.evidence import Put, Vault
from locard.evidence.entries import Draft
from locard.model.custody import Acquisition, CustodyEntry, Exhibit, Hand, Method, Verb
from locard.model.errors import Missing, Tampered, Unreadable
from locard.model.evidence import Origin
from locard.state.database import State
from locard_verify import dsse, extract
from locard_verify.container import Container, Refused, lines, whole
from locard_verify.examine import LONGEST
from locard_verify.malformed import Malformed
from locard_verify.statement import read_payload
from locard_verify.verdict import Verdict

EVIDENCE = "data/evidence/"
TAKEN = (Verb.ACQUIRED.value, Verb.DERIVED.value)
LARGEST_RECORD = 64 << 20
HASHED = "at the sender, as the record of its exhibit says; the same bytes were hashed again here"


@dataclass(frozen=True, slots=True)
class Came:
    """An exhibit of a bundle and what we took in for it."""

    number: str
    """Its number at the sender."""
    put: Put
    origin: Origin
    derived: bool
    """Whether it was taken out of another exhibit of the same bundle."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a bundle comes from, as its seal and entries say."""

    case: str
    origin: str
    """The name of the sender's ledger."""
    manifest: str
    """SHA-256 of the manifest: the bundle's own identity."""
    name: str
    """Who sealed it."""
    transfers: Mapping[str, str]
    """By the number of the exhibit: the id of the release that waits to be accepted."""
    names: Mapping[str, str]
    """By the number of the exhibit: its name, as the entry that took it in says."""


def require(verdict: Verdict) -> None:
    """Raise `Tampered` when a clause failed, naming each."""
    failed = [one for one in verdict.clauses if one.state.value == "fail"]
    if failed:
        said = "; ".join(
            f"{one.name}: {one.detail}" + (f" [{one.where}]" if one.where else "") for one in failed
        )
        raise Tampered(
            f"The bundle does not verify, and nothing was taken in. {said}.",
            "Ask the sender for the bundle again, and compare its digest by another way.",
        )


class Accepting:
    """The acceptance of one bundle that was verified."""

    def __init__(self, vault: Vault, state: State, container: Container, hand: Hand) -> None:
        self.vault, self.state, self.container, self.hand = vault, state, container, hand
        self.sender = sender(container)

    def take(
        self, case: str, reason: str, progress: Progress
    ) -> tuple[list[Came], list[CustodyEntry]]:
        """Put the evidence into the vault and accept it: what came, and the entries that say so.

        Raises `Error`.
        """
        self.case, self.progress = case, progress
        self.marks = Adopted()
        found = [exhibit for exhibit in self._exhibits() if self._held(exhibit)]
        if not found:
            raise Missing(
                "The bundle holds no bytes of evidence, only references to them.",
                "Ask the sender for a bundle with the evidence in it.",
            )
        here = {one.evidence for one in found}
        self.progress.stage("Taking evidence in", sum(one.size for one in found), "bytes")
        found.sort(key=lambda one: bool(one.derived_from.evidence))
        came = [self._put(one, here, reason) for one in found]
        kept = self._custody(reason)
        self.vault.settle()
        self.marks = adopted(self.state, case, self.container, self.sender.origin)
        drafts = [self._accepted(one, kept, reason) for one in came]
        entries = self.vault.ledger.append([*drafts, self._said(kept)])
        return came, entries[: len(drafts)]

    def _said(self, kept: Put) -> Draft:
        """That the sender's marks became the case's; they stand in the record that is kept."""
        details = {"marks": self.marks.text, "from": self.sender.origin}
        if self.marks.reasons:
            details["passed over"] = "; ".join(self.marks.reasons)
        reason = "what the sender's people said about events was taken over"
        return Draft(self.hand, Verb.PROCESSED, kept.evidence.id, self.case, reason, details)

    def _held(self, exhibit: Exhibit) -> bool:
        return EVIDENCE + exhibit.evidence in self.container.members

    def _exhibits(self) -> Iterator[Exhibit]:
        for name in sorted(self.container.members):
            if name.startswith("data/exhibits/") and name.endswith(".json"):
                yield Exhibit.of(json.loads(whole(self.container, name, LARGEST_RECORD)))

    def _put(self, exhibit: Exhibit, here: set[str], reason: str) -> Came:
        above = exhibit.derived_from
        derived = above.evidence in here
        said = above.member or self.sender.names.get(exhibit.number, "")
        parts = [part for part in said.split("/") if part not in ("", ".", "..")]
        origin = Origin(
            name="/".join(parts) or exhibit.number,
            parent=above.evidence if derived else "",
            member=above.member if derived else "",
            acquisition=Acquisition(
                authority=exhibit.authority,
                source={
                    **exhibit.source,
                    "bundle": self.sender.manifest,
                    "ledger": self.sender.origin,
                    "exhibit": exhibit.number,
                },
                method=Method("bundle.accept", "1", exhibit.method.consistency),
                hash_point=HASHED,
                covers=exhibit.covers,
                how=above.how if derived else "",
            ),
        )
        with self.container.open(EVIDENCE + exhibit.evidence) as stream:
            put = self.vault.put(
                stream,
                origin,
                case=self.case,
                actor=self.hand,
                reason=reason,
                watch=self.progress.advance,
            )
        if put.evidence.id != exhibit.evidence:
            raise Tampered(f"The bytes of {exhibit.number} changed while they were taken in.")
        return Came(exhibit.number, put, origin, derived)

    def _custody(self, reason: str) -> Put:
        """Keep everything of the bundle but the evidence, as one tar that is evidence itself."""
        self.progress.stage("Keeping the sender's record")
        name = f"{self.sender.case}-custody.tar"
        origin = Origin(
            name=name,
            acquisition=Acquisition(
                source={"bundle": self.sender.manifest, "ledger": self.sender.origin},
                method=Method("bundle.accept", "1"),
                covers="every member of the bundle but the bytes of evidence",
            ),
        )
        with _packed(self.container, self.vault.folder) as stream:
            return self.vault.put(stream, origin, case=self.case, actor=self.hand, reason=reason)

    def _accepted(self, one: Came, kept: Put, reason: str) -> Draft:
        details = {
            "from": f"{self.sender.name} ({self.sender.origin})",
            "exhibit there": one.number,
            "bundle": self.sender.manifest,
            "record kept as": kept.evidence.id,
        }
        if transfer := self.sender.transfers.get(one.number):
            details["transfer"] = transfer
        return Draft(
            self.hand, Verb.TRANSFERRED_IN, one.put.evidence.id, self.case, reason, details
        )


def sender(container: Container) -> Sender:
    """Who a bundle comes from. Raises `Unreadable` when it does not say."""
    try:
        seal: Any = json.loads(whole(container, "seal.json", 4 << 20))
        line = json.dumps(seal["envelope"], separators=(",", ":")).encode()
        said = read_payload(dsse.read_line(line).payload)
        transfers, names = _told(container)
        return Sender(
            case=said["case"],
            origin=str(seal["checkpoint"]).split("\n")[0],
            manifest=said["details"]["manifest-sha256.txt"],
            name=said["actor"],
            transfers=transfers,
            names=names,
        )
    except (Refused, Malformed, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unreadable(f"The bundle does not say who it comes from: {error}.") from error


def _told(container: Container) -> tuple[dict[str, str], dict[str, str]]:
    """Releases that nobody accepted yet, and names, by the number of the exhibit."""
    waiting, names = dict[str, str](), dict[str, str]()
    with container.open(extract.NAME) as file:
        for line in lines(file, LONGEST, extract.NAME):
            said = read_payload(dsse.read_line(extract.split(line)[1]).payload)
            number, details = said["exhibit"], said["details"]
            if said["verb"] in TAKEN:
                names.setdefault(number, details.get("name", ""))
            elif said["verb"] == Verb.TRANSFERRED_OUT.value and details.get("transfer"):
                waiting[number] = details["transfer"]
            elif said["verb"] == Verb.TRANSFERRED_IN.value:
                waiting.pop(number, None)
    return waiting, names


@contextmanager
def _packed(container: Container, folder: Path) -> Iterator[BinaryIO]:
    """The members but the evidence, as a tar that comes out the same for the same bundle."""
    with tempfile.TemporaryFile(dir=folder) as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name in sorted(container.members):
                if name.startswith(EVIDENCE) and name != EVIDENCE + "references.json":
                    continue
                info = tarfile.TarInfo(name)
                info.size, info.mode = container.members[name], 0o444
                with container.open(name) as source:
                    tar.addfile(info, source)
        file.seek(0, os.SEEK_SET)
        yield file
