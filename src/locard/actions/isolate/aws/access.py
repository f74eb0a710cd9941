# SPDX-License-Identifier: Apache-2.0
"""What isolating a user, a key and a role have in common: their steps and their warnings."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from locard.actions.isolate.aws.steps.identity import denial
from locard.model.action import Json, Step

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

PROTECTED = "locard:protected"


def deny(owner: str, name: str, condition: Json = None) -> Step:
    """The step that denies a user or a role everything."""
    return Step(
        "identity:deny",
        f"Deny everything to the {owner.lower()} {name}",
        f"iam:Put{owner}Policy",
        {
            "owner": owner,
            "name": name,
            "policy": "locard-isolation",
            "statement": denial(condition),
        },
        breaks=(f"Whatever uses the {owner.lower()} fails from now on, sessions of before too.",),
        undo_title=f"Take that denial out of the {owner.lower()}",
    )


def deactivate(user: str, key: str) -> Step:
    """The step that makes an access key inactive."""
    return Step(
        f"key:{key}",
        f"Make the access key {key} of {user} inactive",
        "iam:UpdateAccessKey",
        {"user": user, "key": key},
        breaks=("Whatever uses the key fails from now on.",),
        undo_title=f"Set the state of {key} back",
    )


def keys_of(cloud: "Cloud", user: str) -> list[dict[str, Json]]:
    """The access keys of a user. Raises `Missing`."""
    return list(cloud.pages("iam:ListAccessKeys", "AccessKeyMetadata", UserName=user))


def protected(found: Mapping[str, Json]) -> tuple[str, ...]:
    """The refusal for what carries our tag, if it does."""
    tags = {one["Key"]: one["Value"] for one in found.get("Tags", ())}
    if tags.get(PROTECTED, "no").lower() in ("no", "false", ""):
        return ()
    return (f"It carries the tag {PROTECTED}: take it off to isolate it.",)
