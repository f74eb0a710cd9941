# SPDX-License-Identifier: Apache-2.0
"""What isolations have in common about identities: denials, keys, protection, their warnings."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from locard.actions.isolate.aws.steps.identity import CREDENTIALS, denial
from locard.model.action import Json, Step
from locard.model.errors import Error, Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

PROTECTED = "locard:protected"


WHICH = ("all", "before")


def which(options: Mapping[str, Json]) -> bool:
    """Whether only sessions of before are denied. Raises `Error` for what is no answer."""
    if options["sessions"] not in WHICH:
        raise Error(f"sessions={options['sessions']} is none of {', '.join(WHICH)}.")
    return bool(options["sessions"] == "before")


def deny(owner: str, name: str, *, before: bool = False) -> Step:
    """The step that denies a user or a role everything, or only to who was signed in before it."""
    whom = f"the {owner.lower()} {name}"
    breaks = f"Whatever uses the {owner.lower()} fails from now on, sessions of before too."
    if before:
        breaks = f"Sessions of the {owner.lower()} that began before now end; later ones do not."
    return Step(
        "identity:deny",
        f"Deny everything to sessions of {whom} that began before this moment"
        if before
        else f"Deny everything to {whom}",
        f"iam:Put{owner}Policy",
        {
            "owner": owner,
            "name": name,
            "policy": "locard-isolation",
            "statement": denial(),
            "before": before,
        },
        breaks=(breaks,),
        undo_title=f"Take that denial out of the {owner.lower()}",
    )


def deny_sessions(role: Mapping[str, Json], session: str, what: str) -> Step:
    """The step that denies everything to what runs as one session of a role, and to no other.

    AWS names the session of an instance, a function or a task by that resource's own id, so the
    denial holds for its credentials of before and of after, wherever they are used.
    """
    return Step(
        "identity:deny",
        f"Deny everything to the sessions of this {what} in role {role['RoleName']}",
        "iam:PutRolePolicy",
        {
            "owner": "Role",
            "name": role["RoleName"],
            "policy": f"locard-isolation-{session}"[:128],
            "statement": denial({"StringEquals": {"aws:userid": f"{role['RoleId']}:{session}"}}),
        },
        breaks=(f"Nothing of this {what} can call AWS any more.",),
        undo_title="Take that denial out of the role",
    )


def role_of(cloud: "Cloud", arn: str) -> dict[str, Json] | None:
    """The role of that ARN as IAM has it now; None when it is gone."""
    try:
        return dict(cloud.call("iam:GetRole", RoleName=arn.rpartition("/")[2])["Role"])
    except Missing:
        return None


def reserved(role: Mapping[str, Json]) -> bool:
    """Whether the role belongs to AWS, which lets nobody deny it anything."""
    return str(role.get("Path", "/")).startswith(("/aws-service-role/", "/aws-reserved/"))


def path_of(role: Mapping[str, Json] | None) -> tuple[str, ...]:
    """What permissions call the role: its path and name."""
    return (role["Arn"].partition(":role/")[2],) if role else ("none",)


def deactivate(user: str, kind: str, key: str) -> Step:
    """The step that makes a credential inactive."""
    found = CREDENTIALS[kind]
    return Step(
        f"{kind}:{key}",
        f"Make the {found.title} {key} of {user} inactive",
        found.update,
        {"user": user, "key": key},
        breaks=(f"Whatever uses the {found.title} fails from now on.",),
        undo_title=f"Set the state of {key} back",
    )


def keys_of(cloud: "Cloud", user: str) -> list[dict[str, Json]]:
    """The access keys of a user. Raises `Missing`."""
    return list(cloud.pages("iam:ListAccessKeys", "AccessKeyMetadata", UserName=user))


def protected(found: Mapping[str, Json]) -> tuple[str, ...]:
    """The refusal for what carries our tag, if it does."""
    return protected_by({one["Key"]: one["Value"] for one in found.get("Tags", ())})


def protected_by(tags: Mapping[str, str]) -> tuple[str, ...]:
    """The same, of tags by their names."""
    if tags.get(PROTECTED, "no").lower() in ("no", "false", ""):
        return ()
    return (f"It carries the tag {PROTECTED}: take it off to isolate it.",)
