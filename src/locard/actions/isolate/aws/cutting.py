# SPDX-License-Identifier: Apache-2.0
"""The steps that cut interfaces off, whatever they belong to: groups, flows, addresses, and out.

Closing an interface's groups ends what begins after it. What is established is another matter: it
ends with its public address, with the interface itself, or by passing through an open group, which
makes flows untracked.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from locard.model.action import Json, Permission, Step

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

WAIT = 5
"""Seconds in the open group: a flow becomes untracked with its next packet."""
SHORTEST = 60
"""Seconds after which EC2 may be told to forget a silent flow."""

_EC2 = "arn:{partition}:ec2:{region}:{account}"
ENI = f"{_EC2}:network-interface/{{interface}}"
GROUPS = f"{_EC2}:security-group/*"
_OF_GROUPS = "ec2:*SecurityGroup*"


def changes(
    calls: str, *resources: str, why: str = "", tried: bool = False, brief: str = ""
) -> Iterator[Permission]:
    """Permissions to change something, each call on each of the resources."""
    for call in calls.split():
        for one in resources:
            yield Permission(call, one, reads=False, why=why, tried=tried, brief=brief)


GROUP_PERMISSIONS = (
    Permission("ec2:DescribeSecurityGroups"),
    *changes("ec2:CreateSecurityGroup", GROUPS, f"{_EC2}:vpc/*", tried=True, brief=_OF_GROUPS),
    *changes("ec2:CreateTags", GROUPS),
    *changes(
        "ec2:DeleteSecurityGroup ec2:RevokeSecurityGroupEgress ec2:RevokeSecurityGroupIngress",
        GROUPS,
        brief=_OF_GROUPS,
    ),
)
"""To make a group without rules, and to take it away."""
OPEN_PERMISSIONS = tuple(
    changes(
        "ec2:AuthorizeSecurityGroupIngress ec2:AuthorizeSecurityGroupEgress",
        GROUPS,
        brief=_OF_GROUPS,
    )
)
"""To make the open one as well."""


def groups(vpcs: Iterable[str], closed: str, opened: str = "") -> Iterator[Step]:
    """A group without rules in each VPC, and beside it an open one when it has a name."""
    for vpc in dict.fromkeys(vpcs):
        for name, is_open in ((closed, False), (opened, True)):
            if name:
                what = "open to all, to make flows untracked" if is_open else "without any rule"
                yield Step(
                    f"group:{'open' if is_open else 'closed'}-{vpc}",
                    f"Make a security group {what} in {vpc}", "ec2:CreateSecurityGroup",
                    {"name": name, "vpc": vpc, "open": is_open}, undo_title="Delete that group",
                )  # fmt: skip


def tracking(eni: str) -> Step:
    """Silent flows are forgotten soon."""
    return Step(
        f"tracking:{eni}", f"Forget silent flows of {eni} after {SHORTEST} s",
        "ec2:ModifyNetworkInterfaceAttribute", {"interface": eni, "seconds": SHORTEST},
        undo_title=f"Set that time of {eni} back",
    )  # fmt: skip


def swap(one: Mapping[str, Json], closed: str, opened: str = "") -> Step:
    """An interface goes into the group without rules, through the open one when there is one."""
    eni = one["NetworkInterfaceId"]
    title = f"Put {eni} into the group without rules"
    breaks = ["No new connection reaches or leaves it, of IPv4 or IPv6."]
    if opened:
        title += f", through the open one for {WAIT} s"
        breaks.append(f"For {WAIT} s everybody who can route to it can reach it.")
    return Step(
        f"interface:{eni}", title, "ec2:ModifyNetworkInterfaceAttribute",
        {"interface": eni, "vpc": one["VpcId"], "name": closed, "through": opened, "wait": WAIT,
         "from": [group["GroupId"] for group in one["Groups"]]},
        breaks=tuple(breaks), undo_title=f"Put {eni} back into its groups",
    )  # fmt: skip


def addresses(
    interfaces: Iterable[Mapping[str, Json]], elastic: Iterable[str], warnings: list[str]
) -> Iterator[Step]:
    """Elastic IPs and IPv6 addresses go; what cannot go is told."""
    own = frozenset(elastic)
    for one in interfaces:
        eni = one["NetworkInterfaceId"]
        for private in one.get("PrivateIpAddresses", ()):
            public = private.get("Association", {}).get("PublicIp", "")
            if public and public not in own:
                warnings.append(
                    f"{public} is no Elastic IP: it cannot be taken off, and is lost when the "
                    "instance stops."
                )
            elif public:
                yield Step(
                    f"address:{public}", f"Take the Elastic IP {public} off",
                    "ec2:DisassociateAddress",
                    {"address": public, "interface": eni, "private": private["PrivateIpAddress"]},
                    breaks=("Connections through that address end at once.",),
                    undo_title=f"Put {public} back on",
                )  # fmt: skip
        yield from sixes(one, warnings)


def sixes(one: Mapping[str, Json], warnings: list[str]) -> Iterator[Step]:
    """The IPv6 addresses of an interface go, but for a primary one."""
    eni = one["NetworkInterfaceId"]
    found = one.get("Ipv6Addresses", ())
    primary = [each["Ipv6Address"] for each in found if each.get("IsPrimaryIpv6")]
    rest = [each["Ipv6Address"] for each in found if not each.get("IsPrimaryIpv6")]
    if primary:
        warnings.append(
            f"{', '.join(primary)} is the primary IPv6 address of {eni} and cannot be taken off; "
            "its group stops it all the same."
        )
    prefixes = [each["Ipv6Prefix"] for each in one.get("Ipv6Prefixes", ())]
    if rest or prefixes:
        yield Step(
            f"ipv6:{eni}", f"Take {', '.join([*rest, *prefixes])} off {eni}",
            "ec2:UnassignIpv6Addresses",
            {"interface": eni, "addresses": rest, "prefixes": prefixes},
            breaks=("Connections over IPv6 end at once.",),
            undo_title=f"Assign the same IPv6 addresses to {eni} again",
        )  # fmt: skip


def detached(one: Mapping[str, Json]) -> Step | None:
    """A further interface leaves the instance; the first cannot."""
    attachment = one.get("Attachment", {})
    if not attachment.get("DeviceIndex"):
        return None
    eni = one["NetworkInterfaceId"]
    return Step(
        f"detach:{eni}", f"Take the interface {eni} out of the instance",
        "ec2:DetachNetworkInterface", {"interface": eni},
        breaks=("Whatever is established through it ends; the instance sees it go.",),
        undo_title=f"Attach {eni} again in its place",
    )  # fmt: skip


def allowed(cloud: "Cloud", steps: tuple[Step, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Permissions that a dry run says are missing, and those that no dry run tells."""
    missing: set[str] = set()
    unknown: set[str] = set()
    allowed: set[str] = set()
    for step in steps:
        if not step.changes:
            continue
        trial = _trial(step)
        answer = cloud.may(step.call, **trial) if trial else None
        if answer is None:
            unknown.add(step.call)
        else:
            (allowed if answer else missing).add(step.call)
    return tuple(sorted(missing)), tuple(sorted(unknown - missing - allowed))


def _trial(step: Step) -> dict[str, Json]:
    given = step.arguments
    if step.kind == "protect" and isinstance(given["value"], bool):
        name = given["attribute"]
        value = {"Value": given["value"]}
        return {"InstanceId": given["instance"], name[0].upper() + name[1:]: value}
    if step.kind == "group":
        return {"GroupName": given["name"], "Description": "a trial", "VpcId": given["vpc"]}
    if step.kind == "interface":
        return {"NetworkInterfaceId": given["interface"], "Groups": given["from"]}
    if step.call == "ec2:StopInstances":
        return {"InstanceIds": [given["instance"]]}
    return {}
