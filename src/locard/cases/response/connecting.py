# SPDX-License-Identifier: Apache-2.0
"""Sessions at accounts: which provider, which role, and a policy narrowed to one run."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, cast

from locard import providers
from locard.actions import policy
from locard.actions.contract import Action, Cloud
from locard.model.action import Target
from locard.model.alert import Message
from locard.model.errors import Error
from locard.settings import safe_address
from locard.state.accounts import Account

PLANNING = "plan-"
"""How the ids of sessions begin that only make a plan, and may ask what would be allowed."""


def connect(
    account: Account,
    action: Action,
    target: Target,
    names: Mapping[str, tuple[str, ...]],
    run: str,
) -> Cloud:
    """A session that may do this action on this target, and nothing else as far as a role is taken.

    Raises `Error` when action and account are of different providers.
    """
    if action.provider != account.provider:
        raise Error(f"{action.id} is not for {account.name}, an account of {account.provider}.")
    narrow = policy.narrowed(action, target, names)
    if run.startswith(PLANNING):
        narrow = policy.planning(action, target, account.role.partition(":role/")[2])
    return _session(account, target.region, run, narrow)


def tags(account: Account, target: Target) -> Mapping[str, str]:
    """The tags of a resource, read under a policy that allows nothing else."""
    module = providers.named(account.provider, "tags")
    cloud = _session(account, target.region, "tags", module.POLICY)
    return cast(Mapping[str, str], module.of(cloud, target))


def listed(account: Account, role: str) -> list[Any]:
    """The members of an organization, read by the role of `account` that may list them."""
    module = providers.named(account.provider, "organization")
    cloud = _session(account, "", "list-accounts", module.POLICY)
    return list(module.members(cloud, role))


def queue(account: Account, address: str) -> "Messages":
    """A queue that alerts come through, opened under a policy that reaches nothing else."""
    module = providers.named(account.provider, "queue")
    cloud = _session(account, "", "alerts", module.policy(address, account.number))
    return cast(Messages, module.Queue(cloud, address))


def warm(provider: str, services: Iterable[str]) -> None:
    """Load what calls to these services of a provider need. Nothing is asked of it."""
    providers.session(provider).warm(services)


class Messages(Protocol):
    """A queue of messages."""

    def receive(self, seconds: int) -> list[Message]:
        """The next messages, waited for at most so long. They come again unless deleted."""

    def delete(self, message: Message) -> None:
        """Take a message out of the queue for good."""


def _session(account: Account, region: str, run: str, narrowed: Mapping[str, Any]) -> Cloud:
    if account.endpoint and not safe_address(account.endpoint):
        raise Error(
            f"{account.endpoint} is no safe address for the provider's API.",
            "Use https; plain http is for loopback only.",
        )
    return cast(
        Cloud,
        providers.session(account.provider).Cloud(
            account.number,
            region or (account.regions[0] if account.regions else ""),
            run,
            role=account.role,
            external_id=account.external_id,
            policy=narrowed if account.role else None,
            endpoint=account.endpoint,
        ),
    )
