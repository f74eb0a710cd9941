# SPDX-License-Identifier: Apache-2.0
"""An IAM user is isolated: everything denied, the console included, and every credential inactive.

The denial also stops sessions that `GetSessionToken` and `GetFederationToken` gave before: they
carry no more than the user may do at the moment of each call. A password cannot be read, and an MFA
device that was taken off needs its codes to come back: neither is deleted, for the denial does all
that deleting would, and goes without a trace.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from locard.actions.contract import Action, Option
from locard.actions.isolate.aws import access
from locard.actions.isolate.aws.steps.identity import CREDENTIALS, Denied, Inactive
from locard.model.action import Json, Permission, Plan, Step, Target
from locard.model.errors import Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """The denial first, which holds for all credentials at once; then each active one.

    Where only sessions of before are denied it is last, so that none is begun in between.
    """
    found = cloud.call("iam:GetUser", UserName=target.id)["User"]
    before, denial = access.which(options), access.deny("User", target.id)
    steps = list(_credentials(cloud, target.id))
    if before:
        steps.append(access.deny("User", target.id, before=True))
    else:
        steps.insert(0, denial)
    return Plan(
        ACTION.id, ACTION.version, target, dict(options), tuple(steps),
        refusals=access.protected(found), warnings=tuple(_told(cloud, target.id, before)),
        unknown=tuple(sorted({one.call for one in steps})),
        names={"user": (found["Arn"].partition(":user/")[2],)}, volatility=ACTION.volatility,
    )  # fmt: skip


def _credentials(cloud: "Cloud", user: str) -> Iterator[Step]:
    for name, kind in CREDENTIALS.items():
        for one in cloud.pages(kind.listing, kind.member, UserName=user):
            if one["Status"] == "Active":
                yield access.deactivate(user, name, one[kind.id])


def _told(cloud: "Cloud", user: str, before: bool) -> Iterator[str]:
    try:
        since = cloud.call("iam:GetLoginProfile", UserName=user)["LoginProfile"]["CreateDate"]
    except Missing:
        pass
    else:
        told = f"It has a password for the console, since {since[:10]}. It cannot be read back, so "
        yield told + (
            "it is left: whoever knows it signs in anew, so change it first."
            if before
            else "it is not deleted: the denial holds for the console as well."
        )
    devices = list(cloud.pages("iam:ListMFADevices", "MFADevices", UserName=user))
    if devices:
        newest = max(devices, key=lambda one: str(one["EnableDate"]))
        yield (
            f"It has {len(devices)} MFA devices, the newest since {newest['EnableDate'][:10]} "
            f"({newest['SerialNumber']}). One that an attacker added stays until somebody takes it "
            "off: that cannot be undone, so it is not done here."
        )
    yield "Roles that the user has taken are others' sessions: isolate those roles as well."


_USER = "arn:{partition}:iam::{account}:user/{user}"

ACTION = Action(
    id="isolate.aws.user",
    title="Isolate an IAM user",
    about="Denies it everything, the console and sessions of before included, and makes its access "
    "keys, SSH keys, certificates and services' credentials inactive.",
    kind="user",
    names=r"arn:[\w-]+:iam::(?P<account>\d{12}):user/(?:[\w+=,.@/-]+/)?(?P<id>[\w+=,.@-]{1,64})",
    permissions=(
        Permission("iam:GetUser", _USER),
        Permission("iam:GetLoginProfile", _USER),
        Permission("iam:ListMFADevices", _USER),
        Permission("iam:GetUserPolicy", _USER),
        Permission("iam:PutUserPolicy", _USER, reads=False),
        Permission("iam:DeleteUserPolicy", _USER, reads=False, why="the release"),
        *(Permission(one.listing, _USER) for one in CREDENTIALS.values()),
        *(Permission(one.update, _USER, reads=False) for one in CREDENTIALS.values()),
    ),
    plan=plan,
    steps={"identity": Denied(), **{name: Inactive() for name in CREDENTIALS}},
    volatility=9,
    harm="Whoever and whatever uses the user is locked out.",
    regional=False,
    options=(Option("sessions", "whom to deny: all, or those that began before now", "all"),),
)
