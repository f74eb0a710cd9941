# SPDX-License-Identifier: Apache-2.0
"""The network of an instance: every interface by itself, both address families, and its flows.

Security groups are of interfaces and not of instances, so each interface is changed. A flow that is
tracked goes on after the rules that let it begin are gone, as long as it talks: so the time after
which a silent flow is forgotten is shortened, public addresses are taken off, and, when a person
asks for it, the interface passes through a group that makes its flows untracked.
"""

import time
from typing import TYPE_CHECKING

from locard.actions.isolate.aws.steps.found import interface
from locard.model.action import Json, Step, Verdict
from locard.model.errors import Conflict, Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

ANYWHERE = [
    {
        "IpProtocol": "-1",
        "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
        "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
    }
]


class Group:
    """A security group of ours stands in the VPC: without a rule, or open to make flows untracked.

    Arguments: `name`, `vpc`, `open`.
    """

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """Whether there is a group of that name already, and by whose hand."""
        found = group_of(cloud, step.arguments["vpc"], step.arguments["name"])
        if found is not None and not _ours(found):
            raise Conflict(
                f"There is a security group {step.arguments['name']} ({found['GroupId']}) in "
                f"{step.arguments['vpc']} that Locard did not make.",
                "Find out who did, and rename or remove it.",
            )
        return {"group": found["GroupId"] if found else ""}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Make it, and take away or add rules until it has exactly those it should."""
        found = group_of(cloud, step.arguments["vpc"], step.arguments["name"])
        if found is None:
            name = step.arguments["name"]
            made = cloud.call(
                "ec2:CreateSecurityGroup",
                GroupName=name,
                Description="Isolation by Locard; removed when it is released",
                VpcId=step.arguments["vpc"],
                TagSpecifications=[
                    {
                        "ResourceType": "security-group",
                        "Tags": [{"Key": "locard:run", "Value": cloud.run}],
                    }
                ],
            )
            found = _by_id(cloud, made["GroupId"])
        group = found["GroupId"]
        if step.arguments["open"]:
            self._open(cloud, found)
        else:
            if rules := found["IpPermissions"]:
                cloud.call("ec2:RevokeSecurityGroupIngress", GroupId=group, IpPermissions=rules)
            if rules := found["IpPermissionsEgress"]:
                cloud.call("ec2:RevokeSecurityGroupEgress", GroupId=group, IpPermissions=rules)
        return {"group": group}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it stands with the rules it should have."""
        found = group_of(cloud, step.arguments["vpc"], step.arguments["name"])
        if found is None or not _ours(found) or not self._right(found, step.arguments["open"]):
            return None
        return {"group": found["GroupId"]}

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """EC2's own list of its rules, of both directions and both families."""
        holds = self.applied(cloud, step, prior) is not None
        return Verdict(holds, "the rules of the group", "" if holds else "it has other rules")

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """Delete it, unless others have come to use it."""
        found = group_of(cloud, step.arguments["vpc"], step.arguments["name"])
        if found is None or prior["group"]:
            return None
        try:
            cloud.call("ec2:DeleteSecurityGroup", GroupId=found["GroupId"])
        except Conflict as error:
            raise Conflict(
                f"The security group {found['GroupId']} is in use: {error.message}",
                f"See who put it there, or leave it: --leave {step.key}",
            ) from error
        return None

    def _open(self, cloud: "Cloud", found: Json) -> None:
        for call, rules in (
            ("ec2:AuthorizeSecurityGroupIngress", found["IpPermissions"]),
            ("ec2:AuthorizeSecurityGroupEgress", found["IpPermissionsEgress"]),
        ):
            four, six = _families(rules)
            missing = [
                {**rule, "IpRanges": [] if four else rule["IpRanges"],
                 "Ipv6Ranges": [] if six else rule["Ipv6Ranges"]}
                for rule in ANYWHERE
            ]  # fmt: skip
            missing = [{name: value for name, value in one.items() if value} for one in missing]
            if not (four and six):
                cloud.call(call, GroupId=found["GroupId"], IpPermissions=missing)

    def _right(self, found: Json, opened: bool) -> bool:
        rules = (found["IpPermissions"], found["IpPermissionsEgress"])
        if opened:
            return all(_families(one) == (True, True) for one in rules)
        return not any(rules)


class Interface:
    """An interface is in our group alone. Arguments: `interface`, `vpc`, `name`, `through`, `wait`.

    `from` says where it was when the plan was made; `through` names the open group that it passes
    for `wait` seconds, or is empty.
    """

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """Its groups now."""
        return {"groups": _groups(interface(cloud, step.arguments["interface"]))}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Swap the groups; whatever happens on the way, it ends in the closed one."""
        closed = _named(cloud, step, step.arguments["name"])
        try:
            if step.arguments["through"]:
                self._set(cloud, step, [_named(cloud, step, step.arguments["through"])])
                time.sleep(step.arguments["wait"])
        finally:
            self._set(cloud, step, [closed])
        return {"groups": [closed]}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it is in our group alone."""
        now = self.capture(cloud, step)
        found = group_of(cloud, step.arguments["vpc"], step.arguments["name"])
        return now if found is not None and now["groups"] == [found["GroupId"]] else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """EC2's own word about the interface, and that the group it is in has no rule."""
        found = group_of(cloud, step.arguments["vpc"], step.arguments["name"])
        now = self.capture(cloud, step)["groups"]
        if found is None or now != [found["GroupId"]]:
            return Verdict(False, "the groups of the interface", f"it is in {', '.join(now)}")
        rules = [*found["IpPermissions"], *found["IpPermissionsEgress"]]
        detail = "its group has rules" if rules else ""
        return Verdict(not rules, "the groups of the interface and their rules", detail)

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """Our group out, the former ones in; a group that others added stays."""
        now = self.capture(cloud, step)["groups"]
        ours = self._ours(cloud, step)
        if now == prior["groups"]:
            return None
        if not set(now) & ours:
            raise Conflict(
                f"{step.arguments['interface']} is in {', '.join(now)} now: others took it out of "
                "isolation.",
                f"Leave it so: --leave {step.key}",
            )
        added = [one for one in now if one not in ours and one not in prior["groups"]]
        try:
            self._set(cloud, step, [*prior["groups"], *added])
        except Missing as error:
            raise Conflict(
                f"A security group that {step.arguments['interface']} was in is gone: "
                f"{error.message}",
                f"Put it into other groups yourself, then: --leave {step.key}",
            ) from error
        return {"kept groups of others": added} if added else None

    def _ours(self, cloud: "Cloud", step: Step) -> set[str]:
        names = [one for one in (step.arguments["name"], step.arguments["through"]) if one]
        found = [group_of(cloud, step.arguments["vpc"], one) for one in names]
        return {one["GroupId"] for one in found if one is not None}

    def _set(self, cloud: "Cloud", step: Step, groups: list[str]) -> None:
        cloud.call(
            "ec2:ModifyNetworkInterfaceAttribute",
            NetworkInterfaceId=step.arguments["interface"],
            Groups=groups,
        )


class Tracking:
    """A silent flow of an interface is forgotten after a minute instead of after five days."""

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """The time-out that holds: the usual one where none was set."""
        found = interface(cloud, step.arguments["interface"])
        return {"seconds": found.get("ConnectionTrackingConfiguration", {}).get(SECONDS) or USUAL}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """The shortest that EC2 takes."""
        self._set(cloud, step, step.arguments["seconds"])
        return {"seconds": step.arguments["seconds"]}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it is ours."""
        now = self.capture(cloud, step)
        return now if now["seconds"] == step.arguments["seconds"] else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """EC2's own word."""
        now = self.capture(cloud, step)["seconds"]
        holds = now == step.arguments["seconds"]
        return Verdict(
            holds,
            "the connection tracking of the interface",
            f"silent flows are forgotten after {now} s",
        )

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """The former time-out, unless others set a third one."""
        now = self.capture(cloud, step)["seconds"]
        before = prior["seconds"] or USUAL
        if now == before:
            return None
        if now != step.arguments["seconds"]:
            raise Conflict(
                f"{step.arguments['interface']} forgets flows after {now} s now, as others set it.",
                f"Leave it so: --leave {step.key}",
            )
        self._set(cloud, step, before)
        return None

    def _set(self, cloud: "Cloud", step: Step, seconds: int) -> None:
        cloud.call(
            "ec2:ModifyNetworkInterfaceAttribute",
            NetworkInterfaceId=step.arguments["interface"],
            ConnectionTrackingSpecification={SECONDS: seconds},
        )


SECONDS = "TcpEstablishedTimeout"
USUAL = 432_000
"""Five days: what holds where nothing was set. EC2 knows no way to set nothing again."""


class Address:
    """An Elastic IP is off the interface. Arguments: `address`, `interface`, `private`."""

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """What it is associated with."""
        found = self._read(cloud, step)
        return {"interface": found.get("NetworkInterfaceId", ""),
                "private": found.get("PrivateIpAddress", "")}  # fmt: skip

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Take it off; it stays the account's."""
        found = self._read(cloud, step)
        if found.get("NetworkInterfaceId") == step.arguments["interface"]:
            cloud.call("ec2:DisassociateAddress", AssociationId=found["AssociationId"])
        return {"address": found["PublicIp"]}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it is off this interface."""
        found = self._read(cloud, step)
        there = found.get("NetworkInterfaceId") == step.arguments["interface"]
        return None if there else {"address": found["PublicIp"]}

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """EC2's own word about the address."""
        holds = self.applied(cloud, step, prior) is not None
        return Verdict(holds, "the association of the address", "" if holds else "it is on again")

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """Put it back, unless others use it or released it."""
        if not prior["interface"]:
            return None
        try:
            now = self._read(cloud, step)
        except Missing as error:
            raise Conflict(
                f"The Elastic IP {step.arguments['address']} was released meanwhile.",
                f"Go without: --leave {step.key}",
            ) from error
        there = now.get("NetworkInterfaceId", "")
        if there == prior["interface"]:
            return None
        if there:
            raise Conflict(
                f"{now['PublicIp']} is on {there} now.", f"Leave it there: --leave {step.key}"
            )
        cloud.call(
            "ec2:AssociateAddress",
            AllocationId=now["AllocationId"],
            NetworkInterfaceId=prior["interface"],
            PrivateIpAddress=prior["private"],
            AllowReassociation=False,
        )
        return None

    def _read(self, cloud: "Cloud", step: Step) -> dict[str, Json]:
        found = cloud.call("ec2:DescribeAddresses", PublicIps=[step.arguments["address"]])
        return dict(found["Addresses"][0])


def group_of(cloud: "Cloud", vpc: str, name: str) -> dict[str, Json] | None:
    """The security group of that name in the VPC; None when there is none."""
    found = cloud.call(
        "ec2:DescribeSecurityGroups",
        Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": [name]}],
    )["SecurityGroups"]
    return dict(found[0]) if found else None


def _by_id(cloud: "Cloud", group: str) -> dict[str, Json]:
    found = cloud.call("ec2:DescribeSecurityGroups", GroupIds=[group])
    return dict(found["SecurityGroups"][0])


def _named(cloud: "Cloud", step: Step, name: str) -> str:
    found = group_of(cloud, step.arguments["vpc"], name)
    if found is None:
        raise Missing(
            f"The security group {name} of this isolation is gone.",
            "Release the run, then isolate anew.",
        )
    return str(found["GroupId"])


def _ours(group: Json) -> bool:
    return any(one["Key"] == "locard:run" for one in group.get("Tags", ()))


def _groups(found: Json) -> list[str]:
    return [str(one["GroupId"]) for one in found["Groups"]]


def _families(rules: Json) -> tuple[bool, bool]:
    """Whether everything is allowed to and from all addresses of version 4, and of version 6."""
    every = [one for one in rules if one["IpProtocol"] == "-1"]
    four = any(r["CidrIp"] == "0.0.0.0/0" for one in every for r in one.get("IpRanges", ()))
    six = any(r["CidrIpv6"] == "::/0" for one in every for r in one.get("Ipv6Ranges", ()))
    return four, six
