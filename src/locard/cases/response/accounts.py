# SPDX-License-Identifier: Apache-2.0
"""The accounts of clouds that this installation may act in; the ledger says who changed them."""

import re
import secrets
from collections.abc import Sequence

from locard import providers
from locard.evidence import Draft, Vault
from locard.model.custody import Hand, Verb
from locard.model.errors import Error
from locard.state import accounts
from locard.state.accounts import Account
from locard.state.database import State

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}")
REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")


class Accounts:
    """Adding, protecting and forgetting accounts."""

    def __init__(self, state: State, vault: Vault) -> None:
        self.state, self.vault = state, vault

    def every(self) -> Sequence[Account]:
        """All accounts by name."""
        with self.state.session() as session:
            return accounts.every(session)

    def get(self, name: str) -> Account:
        """The account of that name. Raises `Missing`."""
        with self.state.session() as session:
            return accounts.get(session, name)

    def add(self, wanted: Account, *, who: Hand) -> Account:
        """Add an account. Its number is that of the role, or asked of the provider without one.

        Raises `Error` for a name, role or region that will not do, `Conflict` for a known one.
        """
        if not NAME.fullmatch(wanted.name):
            raise Error(
                f"{wanted.name[:80]!r} cannot be the name of an account.",
                "Use letters, digits, dots, dashes and underscores, 64 at most.",
            )
        if not wanted.regions:
            raise Error("An account needs a region.", "Say it: --region eu-central-1")
        for region in wanted.regions:
            if not REGION.fullmatch(region):
                raise Error(f"{region[:60]!r} is no region.", "Write it like eu-central-1.")
        provider = providers.session(wanted.provider)
        number = provider.number_of(wanted.role, wanted.regions[0], wanted.endpoint)
        external_id = wanted.external_id
        if wanted.role and not external_id:
            external_id = secrets.token_urlsafe(24)
        made = Account(
            wanted.name, wanted.provider, number, wanted.role, external_id, wanted.regions,
            endpoint=wanted.endpoint,
        )  # fmt: skip
        with self.state.session(alone=True) as session:
            made = accounts.add(session, made, who=who.name)
        self._say(who, "an account was added", account=made.name, provider=made.provider,
                  number=number, role=made.role)  # fmt: skip
        return made

    def protect(self, name: str, target: str, protected: bool, *, who: Hand) -> Account:
        """Say that a target may never be isolated, whoever asks, or that it may again."""
        with self.state.session() as session:
            found = accounts.protect(session, name, target, protected)
        self._say(who, "protection of a target", account=name, target=target,
                  protected="yes" if protected else "no")  # fmt: skip
        return found

    def remove(self, name: str, *, who: Hand) -> None:
        """Forget an account. What was done there stays recorded; what is isolated stays so."""
        with self.state.session() as session:
            accounts.remove(session, name)
        self._say(who, "an account was removed", account=name)

    def _say(self, who: Hand, reason: str, **details: str) -> None:
        self.vault.prepare_folder()
        draft = Draft(who, Verb.POLICY_CHANGED, "", "", reason, details)
        self.vault.ledger.append([draft])
