# SPDX-License-Identifier: Apache-2.0
"""What a case holds, and what the ledger says of it."""

from collections.abc import Collection
from typing import BinaryIO

from locard.cases import holdings
from locard.cases.holdings import Item
from locard.cases.progress import Snapshot, jobs
from locard.evidence import Vault
from locard.model.custody import CustodyEntry, Hand, Verb
from locard.state.database import State


class Held:
    """The part of the desk that tells of holdings."""

    state: State
    vault: Vault

    def evidence(
        self, case: str, *, stage: str = "", text: str = "", limit: int = 500, offset: int = 0
    ) -> tuple[list[Item], int]:
        """A page of the evidence of a case, and how much there is."""
        return holdings.items(self.state, case, stage=stage, text=text, limit=limit, offset=offset)

    def evidence_item(self, case: str, evidence: str) -> Item:
        """One piece of evidence. Raises `Missing`."""
        return holdings.item(self.state, case, evidence)

    def names(self, case: str, evidence: Collection[str]) -> dict[str, str]:
        """A name of each of these pieces of evidence, as far as the case holds them."""
        return holdings.names(self.state, case, evidence)

    def download(self, case: str, evidence: str, *, who: Hand | str, reason: str) -> BinaryIO:
        """The bytes of evidence. The ledger says who took them and why."""
        item = holdings.item(self.state, case, evidence)
        return self.vault.open(item.id, case=case, actor=who, reason=reason, verb=Verb.DOWNLOADED)

    def custody(
        self, case: str, evidence: str | None = None, *, limit: int = 200, before: int | None = None
    ) -> list[CustodyEntry]:
        """Entries of the ledger about a case, the newest first, those before `before`."""
        with self.state.session() as session:
            holdings.find_case(session, case)
        return self.vault.ledger.newest(evidence=evidence, case=case, before=before, limit=limit)

    def installation_custody(self, *, limit: int = 200) -> list[CustodyEntry]:
        """Entries of the ledger that are about no case: sign-ins and people. The newest first."""
        return self.vault.ledger.newest(case="", limit=limit)

    def progress(self, case: str, *, limit: int = 20) -> list[Snapshot]:
        """The jobs of a case with their progress, the newest first."""
        return jobs(self.state, case, limit=limit)
