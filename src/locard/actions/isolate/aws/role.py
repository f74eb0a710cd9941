# SPDX-License-Identifier: Apache-2.0
"""An IAM role is isolated: everything is denied to all its sessions, those of before included.

Its trust policy is not touched: a denial of everything holds for whoever takes the role, and the
way back is one statement.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from locard.actions.contract import Action, Option
from locard.actions.isolate.aws import access
from locard.actions.isolate.aws.steps.identity import Denied
from locard.model.action import Json, Permission, Plan, Target

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """One step, and who may take the role, which tells whom it hits."""
    found = cloud.call("iam:GetRole", RoleName=target.id)["Role"]
    refusals = list(access.protected(found))
    if found["Path"].startswith(("/aws-service-role/", "/aws-reserved/")):
        refusals.append(f"The role {target.id} belongs to AWS and cannot be denied anything.")
    who = sorted(_trusted(found["AssumeRolePolicyDocument"]))
    warnings = [f"It may be taken by: {', '.join(who)}. All of them are hit."]
    if "ec2.amazonaws.com" in who:
        warnings.append("Instances use it: isolate the one instance, and the others go on.")
    if before := access.which(options):
        warnings.append(
            "Whoever may take the role takes it again, an instance or a function by itself: close "
            "that way first."
        )
    return Plan(
        ACTION.id, ACTION.version, target, dict(options),
        (access.deny("Role", target.id, before=before),),
        refusals=tuple(refusals), warnings=tuple(warnings), unknown=("iam:PutRolePolicy",),
        names={"role": (found["Arn"].partition(":role/")[2],)}, volatility=ACTION.volatility,
    )  # fmt: skip


def _trusted(policy: Mapping[str, Json]) -> set[str]:
    statements = policy.get("Statement", [])
    found: set[str] = set()
    for one in statements if isinstance(statements, list) else [statements]:
        principal = one.get("Principal", {})
        kinds = principal.values() if isinstance(principal, dict) else [principal]
        for value in kinds:
            found.update(value if isinstance(value, list) else [value])
    return found


_ROLE = "arn:{partition}:iam::{account}:role/{role}"

ACTION = Action(
    id="isolate.aws.role",
    title="Isolate an IAM role",
    about="Denies everything to all sessions of the role, of before and of after.",
    kind="role",
    names=r"arn:[\w-]+:iam::(?P<account>\d{12}):role/(?:[\w+=,.@/-]+/)?(?P<id>[\w+=,.@-]{1,64})",
    permissions=(
        Permission("iam:GetRole", _ROLE),
        Permission("iam:GetRolePolicy", _ROLE),
        Permission("iam:PutRolePolicy", _ROLE, reads=False),
        Permission("iam:DeleteRolePolicy", _ROLE, reads=False, why="the release"),
    ),
    plan=plan,
    steps={"identity": Denied()},
    volatility=9,
    harm="Whoever and whatever uses the role is locked out, everywhere.",
    regional=False,
    options=(Option("sessions", "whom to deny: all, or those that began before now", "all"),),
)
