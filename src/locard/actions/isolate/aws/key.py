# SPDX-License-Identifier: Apache-2.0
"""An access key of an IAM user is isolated: inactive, and nothing else of the user is touched."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from locard.actions.contract import Action
from locard.actions.isolate.aws import access
from locard.actions.isolate.aws.steps.identity import Inactive
from locard.model.action import Json, Permission, Plan, Target
from locard.model.errors import Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """One step. Raises `Missing` when no user of the account has the key."""
    for user in cloud.pages("iam:ListUsers", "Users"):
        known = {one["AccessKeyId"] for one in access.keys_of(cloud, user["UserName"])}
        if target.id in known:
            break
    else:
        raise Missing(
            f"No user of account {target.account} has the access key {target.id}.",
            "It may be of another account, of the root user, or deleted already.",
        )
    found = cloud.call("iam:GetUser", UserName=user["UserName"])["User"]
    return Plan(
        ACTION.id, ACTION.version, target, dict(options),
        (access.deactivate(user["UserName"], "key", target.id),), refusals=access.protected(found),
        warnings=("Sessions that were made with the key live on: isolate the user to end them.",),
        unknown=("iam:UpdateAccessKey",), names={"user": (user["Arn"].partition(":user/")[2],)},
        volatility=ACTION.volatility,
    )  # fmt: skip


_USER = "arn:{partition}:iam::{account}:user/{user}"

ACTION = Action(
    id="isolate.aws.key",
    title="Isolate an access key",
    about="Makes one access key of an IAM user inactive.",
    kind="key",
    names=r"(?P<id>AKIA[A-Z0-9]{12,28})",
    permissions=(
        Permission("iam:ListUsers", "*", why="whose key it is"),
        Permission("iam:ListAccessKeys", _USER),
        Permission("iam:GetUser", _USER),
        Permission("iam:UpdateAccessKey", _USER, reads=False),
    ),
    plan=plan,
    steps={"key": Inactive()},
    volatility=9,
    harm="Whatever uses the key is locked out.",
    regional=False,
)
