# SPDX-License-Identifier: Apache-2.0
"""Least privilege, derived: the policy of any set of actions from the permissions they declare.

The same declarations give the policy that an administrator attaches (names that a plan would fill
in are `*`) and the session policy of one run (every name filled in).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from locard.actions.contract import Action
from locard.model.action import Permission, Target

LONGEST = 2048
"""Characters that a session policy may have."""
MANAGED = 6144
"""Characters that a managed policy may have; one written into a role may have 10,240."""
FORMS = ("json", "terraform", "cloudformation")
_FIXED = {"partition", "account", "region", "id", "own"}
"""Names that stand for one thing each and always stay narrow."""
ASKING = Permission(
    "iam:SimulatePrincipalPolicy",
    "arn:{partition}:iam::{account}:role/{own}",
    why="a plan says which permission is missing",
    optional=True,
)
"""What any plan may ask about Locard's own role."""


def document(
    permissions: Iterable[Permission], known: Mapping[str, tuple[str, ...]] | None = None
) -> dict[str, Any]:
    """An IAM policy document that allows these permissions and nothing else.

    Calls on the same resources share a statement; the same permissions always give the same text.
    """
    calls: dict[tuple[str, ...], set[str]] = {}
    wanted: dict[str, set[str]] = {}
    for one in permissions:
        wanted.setdefault(one.action, set()).update(one.on(known or {}))
    for action, resources in wanted.items():
        on = ("*",) if "*" in resources else tuple(sorted(resources))
        calls.setdefault(on, set()).add(action)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": sorted(actions), "Resource": _one(list(on))}
            for on, actions in sorted(calls.items())
        ],
    }


def enabled(actions: Iterable[Action]) -> dict[str, Any]:
    """The policy of everything that these actions may ever do in an account."""
    every = [one for action in actions for one in action.permissions]
    return document([*every, ASKING], {"partition": ("aws",)})


def filled(
    target: Target, names: Mapping[str, tuple[str, ...]] | None = None
) -> dict[str, tuple[str, ...]]:
    """What stands for the names in permissions when it is about this target."""
    return {
        "account": (target.account,),
        "region": (target.region or "*",),
        "id": (target.id,),
        "partition": (partition(target.region),),
        **(names or {}),
    }


def planning(action: Action, target: Target, own: str) -> dict[str, Any]:
    """The session policy under which a plan is made: reading, and what is tried by dry runs.

    `own` is the name of our role, about which the plan may ask what it is allowed.
    """
    permissions = [one for one in action.permissions if one.reads or one.tried]
    return _short([*permissions, ASKING], filled(target, {"own": (own,)}))


def narrowed(
    action: Action, target: Target, names: Mapping[str, tuple[str, ...]] | None = None
) -> dict[str, Any]:
    """The session policy of one run: this action on this target, and on what its plan found."""
    return _short(action.permissions, filled(target, names))


def _short(permissions: Iterable[Permission], known: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """No longer than AWS takes: descriptions in fewer words first, then what is longest is `*`."""
    policy = document(permissions, known)
    if _length(policy) > LONGEST:
        permissions = [_briefly(one) for one in permissions]
        policy = document(permissions, known)
    while _length(policy) > LONGEST:
        named = {name: sum(map(len, found)) for name, found in known.items()
                 if name not in _FIXED and found != ("*",)}  # fmt: skip
        if not named:
            break
        known[max(named, key=lambda name: named[name])] = ("*",)
        policy = document(permissions, known)
    return policy


def _briefly(one: Permission) -> Permission:
    """Descriptions of anything are allowed by one word: they change and give away nothing more."""
    service, _, call = one.action.partition(":")
    if one.brief:
        return replace(one, action=one.brief)
    if one.reads and one.resource == "*" and call.startswith("Describe"):
        return replace(one, action=f"{service}:Describe*")
    return one


def _length(policy: Mapping[str, Any]) -> int:
    return len(json.dumps(policy, separators=(",", ":")))


def partition(region: str) -> str:
    """The part of AWS that a region belongs to, as ARNs name it."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def parts(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The policy as policies that are each short enough to be one of IAM's managed policies.

    Statements stay whole, in their order. IAM counts no white space.
    """
    found: list[dict[str, Any]] = []
    for statement in policy["Statement"]:
        longer = found and {**found[-1], "Statement": [*found[-1]["Statement"], statement]}
        if longer and _length(longer) <= MANAGED:
            found[-1] = longer
        else:
            found.append({**policy, "Statement": [statement]})
    return found


def written(policy: Mapping[str, Any], form: str, name: str = "Locard") -> str:
    """The policy as a person hands it in: IAM JSON, Terraform or a CloudFormation template.

    What is too long for one managed policy is several of them; as JSON it stays one document.
    """
    named = [(f"{name}{number if number > 1 else ''}", one)
             for number, one in enumerate(parts(policy), 1)]  # fmt: skip
    if form == "terraform":
        return "\n".join(
            f'resource "aws_iam_policy" "{one.lower()}" {{\n'
            f'  name   = "{one}"\n'
            f"  policy = <<-POLICY\n{_indented(json.dumps(part, indent=2), 4)}\n  POLICY\n}}\n"
            for one, part in named
        )
    if form == "cloudformation":
        resources = {
            one: {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"ManagedPolicyName": one, "PolicyDocument": part},
            }
            for one, part in named
        }
        template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
        return json.dumps(template, indent=2) + "\n"
    return json.dumps(policy, indent=2) + "\n"


def trust(principal: str, external_id: str) -> dict[str, Any]:
    """Who may take the role: one principal, who has to name the external id."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": principal},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
            }
        ],
    }


def role(name: str, policy: Mapping[str, Any], trusted: Mapping[str, Any], form: str) -> str:
    """A role with what it may do and who may take it, as a person hands it in.

    As JSON both documents stand beside each other under their names; a template makes the role.
    """
    named = [(f"Locard{number}", one) for number, one in enumerate(parts(policy), 1)]
    path, _, leaf = name.rpartition("/")
    where = f"/{path}/" if path else "/"
    if form == "terraform":
        text = json.dumps(trusted, indent=2)
        attached = "\n".join(
            f'resource "aws_iam_role_policy_attachment" "{one.lower()}" {{\n'
            f"  role       = aws_iam_role.locard.name\n"
            f"  policy_arn = aws_iam_policy.{one.lower()}.arn\n}}\n"
            for one, _ in named
        )
        made = (
            f'resource "aws_iam_role" "locard" {{\n  name = {json.dumps(leaf)}\n'
            f"  path = {json.dumps(where)}\n"
            f"  assume_role_policy = <<-POLICY\n{_indented(text, 4)}\n  POLICY\n}}\n"
        )
        policies = "\n".join(
            f'resource "aws_iam_policy" "{one.lower()}" {{\n'
            f"  name   = {json.dumps(f'{leaf}-{number}')}\n"
            f"  policy = <<-POLICY\n{_indented(json.dumps(part, indent=2), 4)}\n  POLICY\n}}\n"
            for number, (one, part) in enumerate(named, 1)
        )
        return f"{made}\n{policies}\n{attached}"
    if form == "cloudformation":
        resources: dict[str, Any] = {
            one: {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": part}}
            for one, part in named
        }
        resources["Role"] = {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": leaf,
                "Path": where,
                "AssumeRolePolicyDocument": trusted,
                "ManagedPolicyArns": [{"Ref": one} for one, _ in named],
            },
        }
        template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
        return json.dumps(template, indent=2) + "\n"
    return json.dumps({"role": name, "trust": trusted, "policy": policy}, indent=2) + "\n"


def _one(values: list[str]) -> list[str] | str:
    return values[0] if len(values) == 1 else values


def _indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.splitlines())
