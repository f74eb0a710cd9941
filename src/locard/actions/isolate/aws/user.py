# SPDX-License-Identifier: Apache-2.0
"""An IAM user is isolated: every key inactive, and everything denied, the console included.

The denial also stops sessions that `GetSessionToken` and `GetFederationToken` gave before: they
carry no more than the user may do at the moment of each call.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from locard.actions.contract import Action
from locard.actions.isolate.aws import access
from locard.actions.isolate.aws.steps.identity import Denied, KeyInactive
from locard.model.action import Json, Permission, Plan, Target

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """The denial first, which holds for all keys at once; then each active key."""
    found = cloud.call("iam:GetUser", UserName=target.id)["User"]
    active = [one for one in access.keys_of(cloud, target.id) if one["Status"] == "Active"]
    steps = [access.deny("User", target.id)]
    steps += [access.deactivate(target.id, one["AccessKeyId"]) for one in active]
    warnings = ["Roles that the user has taken are others' sessions: isolate those roles as well."]
    return Plan(
        ACTION.id, ACTION.version, target, dict(options), tuple(steps),
        refusals=access.protected(found), warnings=tuple(warnings),
        unknown=("iam:PutUserPolicy", "iam:UpdateAccessKey"),
        names={"user": (found["Arn"].partition(":user/")[2],)}, volatility=ACTION.volatility,
    )  # fmt: skip


_USER = "arn:{partition}:iam::{account}:user/{user}"

ACTION = Action(
    id="isolate.aws.user",
    title="Isolate an IAM user",
    about="Denies it everything and makes its access keys inactive.",
    kind="user",
    names=r"arn:[\w-]+:iam::(?P<account>\d{12}):user/(?:[\w+=,.@/-]+/)?(?P<id>[\w+=,.@-]{1,64})",
    permissions=(
        Permission("iam:GetUser", _USER),
        Permission("iam:ListAccessKeys", _USER),
        Permission("iam:GetUserPolicy", _USER),
        Permission("iam:PutUserPolicy", _USER, reads=False),
        Permission("iam:DeleteUserPolicy", _USER, reads=False, why="the release"),
        Permission("iam:UpdateAccessKey", _USER, reads=False),
    ),
    plan=plan,
    steps={"identity": Denied(), "key": KeyInactive()},
    volatility=9,
    harm="Whoever and whatever uses the user is locked out.",
    regional=False,
)
