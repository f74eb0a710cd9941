# SPDX-License-Identifier: Apache-2.0
"""The accounts of an AWS Organization, as a delegated role lists them, and whether we get into one.

The delegated role lists only; into each account Locard goes by a role of the same name there, with
its own credentials and the external id that all of them ask for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from locard.model.errors import Error
from locard.providers.aws.session import Cloud

POLICY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "organizations:ListAccounts", "Resource": "*"}],
}
"""What listing is allowed, whatever the delegated role may do besides."""
TRYING: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}],
}


@dataclass(frozen=True, slots=True)
class Member:
    """An account of the organization."""

    number: str
    name: str
    active: bool
    state: str
    role: str
    """The ARN of the role that we take there."""


def members(cloud: Cloud, role: str) -> Iterator[Member]:
    """Every account, with the ARN of its role of that name. Raises `Denied` and the like."""
    for one in cloud.pages("organizations:ListAccounts", "Accounts"):
        state = str(one.get("State") or one.get("Status") or "")
        number = str(one["Id"])
        arn = f"arn:{cloud.partition}:iam::{number}:role/{role}"
        yield Member(number, str(one.get("Name", "")), state == "ACTIVE", state, arn)


def refusal(member: Member, region: str, external_id: str, endpoint: str) -> str:
    """Why its role cannot be taken; empty when it can."""
    cloud = Cloud(
        member.number, region, "try-account", role=member.role, external_id=external_id,
        policy=TRYING, endpoint=endpoint,
    )  # fmt: skip
    try:
        found = str(cloud.call("sts:GetCallerIdentity").get("Account"))
    except Error as error:
        return f"{error.message} {error.advice}".strip()
    return "" if found == member.number else f"The role leads into account {found}."
