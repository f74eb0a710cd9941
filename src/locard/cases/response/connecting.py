# SPDX-License-Identifier: Apache-2.0
"""Sessions at accounts: which provider, which role, and a policy narrowed to one run."""

from collections.abc import Mapping
from typing import cast

from locard import providers
from locard.actions import policy
from locard.actions.contract import Action, Cloud
from locard.model.action import Target
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
    if account.endpoint and not safe_address(account.endpoint):
        raise Error(
            f"{account.endpoint} is no safe address for the provider's API.",
            "Use https; plain http is for loopback only.",
        )
    module = providers.session(account.provider)
    own = account.role.partition(":role/")[2] if run.startswith(PLANNING) else ""
    narrow = policy.narrowed(action, target, names, own)
    return cast(
        Cloud,
        module.Cloud(
            account.number,
            target.region or (account.regions[0] if account.regions else ""),
            run,
            role=account.role,
            external_id=account.external_id,
            policy=narrow if account.role else None,
            endpoint=account.endpoint,
        ),
    )
