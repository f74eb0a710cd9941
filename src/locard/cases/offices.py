# SPDX-License-Identifier: Apache-2.0
"""The offices behind the desk: each is opened, and its code imported, when it is first asked for.

A command needs one or two of them; importing all takes longer than most commands do.
"""

from functools import cached_property
from typing import TYPE_CHECKING, cast

from locard.cases.placement import Placement
from locard.evidence import Vault
from locard.settings import Settings
from locard.state.database import State
from locard.timeline import Timeline

if TYPE_CHECKING:
    from locard.cases.bundle.bundles import Bundles
    from locard.cases.checkpointing import Checkpointing
    from locard.cases.desk import Desk
    from locard.cases.entrance import Entrance
    from locard.cases.keeping import Keeping
    from locard.cases.moving import Storage
    from locard.cases.people import People
    from locard.cases.records import Records
    from locard.cases.response.conductor import Response
    from locard.cases.verifying import Verifying


class Offices:
    """The part of the desk that hands on to others."""

    settings: Settings
    state: State
    vault: Vault
    placement: Placement

    @property
    def timeline(self) -> Timeline:
        """The timeline store."""
        raise NotImplementedError

    @cached_property
    def people(self) -> "People":
        """Users, groups and grants: who may do what."""
        from locard.cases.factor import SecondFactor
        from locard.cases.people import People

        self.vault.prepare_folder()
        return People(self.state, self.vault.ledger, SecondFactor(self.settings.keys))

    @cached_property
    def bundles(self) -> "Bundles":
        """Sealed bundles, written and taken in, and exhibits that change hands."""
        from locard.cases.bundle.bundles import Bundles

        return Bundles(cast("Desk", self))

    @cached_property
    def entrance(self) -> "Entrance":
        """Who comes in, who leaves and who is turned away."""
        from locard.cases.entrance import Entrance
        from locard.cases.factor import SecondFactor
        from locard.cases.singlesignon import Provider  # takes long to load; few commands need it

        self.vault.prepare_folder()
        provider = Provider(wanted) if (wanted := self.settings.single_sign_on) else None
        factor = SecondFactor(self.settings.keys)
        return Entrance(self.state, self.vault.ledger, factor, provider)

    @cached_property
    def response(self) -> "Response":
        """What acts in clouds: accounts, plans, runs, releases."""
        from locard.cases.response.conductor import Response

        return Response(cast("Desk", self))

    @cached_property
    def storage(self) -> "Storage":
        """Where evidence is kept, and moving it."""
        from locard.cases.moving import Storage

        return Storage(self.vault, self.placement)

    @cached_property
    def checkpoints(self) -> "Checkpointing":
        """The checkpoints of the custody ledger and their time stamps."""
        from locard.cases.checkpointing import Checkpointing

        return Checkpointing(self.settings, self.vault)

    @cached_property
    def records(self) -> "Records":
        """The custody record, to be read: exhibits, their lives, entries with their proof."""
        from locard.cases.records import Records

        return Records(self.state, self.vault.ledger)

    @cached_property
    def verifying(self) -> "Verifying":
        """Verifications of cases."""
        from locard.cases.verifying import Verifying

        return Verifying(self.state, self.vault)

    @property
    def keeping(self) -> "Keeping":
        """How long cases are kept: holds, retentions, disposals."""
        from locard.cases.keeping import Keeping

        return Keeping(self.settings.home, self.state, self.vault, lambda: self.timeline)
