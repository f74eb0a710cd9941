# SPDX-License-Identifier: Apache-2.0
"""An EC2 instance is isolated: kept from being destroyed, denied its role, cut off, stopped last.

The order is what keeps the evidence: Auto Scaling first, which would replace an instance that looks
ill; then protection; then identity, so that nobody uses its credentials elsewhere while the network
is cut; then every interface; and stopping, which loses the memory, last and only when asked for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from locard.actions.contract import Action, Option
from locard.actions.isolate.aws import access, cutting, listening
from locard.actions.isolate.aws.steps.attributes import Attribute, Metadata, Stopped, Volumes
from locard.actions.isolate.aws.steps.found import instance
from locard.actions.isolate.aws.steps.identity import Denied
from locard.actions.isolate.aws.steps.network import Address, Group, Interface, Tracking
from locard.actions.isolate.aws.steps.parting import Parted, Sixes
from locard.actions.isolate.aws.steps.scaling import Detached, membership
from locard.actions.isolate.aws.steps.silence import Flows, Probe
from locard.model.action import Json, Permission, Plan, Step, Target
from locard.model.errors import Error, Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

CUTS = ("timeout", "untracked", "none")


@dataclass
class _Found:
    """What the plan read."""

    target: Target
    options: Mapping[str, Json]
    instance: dict[str, Json]
    group: str = ""
    """Its Auto Scaling group."""
    role: dict[str, Json] | None = None
    elastic: frozenset[str] = frozenset()
    """Its public addresses that are the account's own."""
    sharing: tuple[str, ...] = ()
    """Other instances of the same role."""
    refusals: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def interfaces(self) -> list[dict[str, Json]]:
        """Those that can be changed: a requester, such as a load balancer, keeps its own."""
        return list(self.instance.get("NetworkInterfaces", ()))

    @property
    def spot(self) -> bool:
        """Whether AWS may take it away at any time."""
        return bool(self.instance.get("InstanceLifecycle") == "spot")


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """What isolating it would do. Reads, and asks by dry runs what would be allowed."""
    if options["cut"] not in CUTS:
        raise Error(f"cut={options['cut']} is none of {', '.join(CUTS)}.")
    found = _look(cloud, target, options)
    steps = _listened(cloud, found, list(_steps(found)))
    _judge(found)
    missing, unknown = cutting.allowed(cloud, steps)
    return Plan(
        action=ACTION.id,
        version=ACTION.version,
        target=target,
        options=dict(options),
        steps=steps,
        refusals=tuple(found.refusals),
        warnings=tuple(found.warnings),
        missing=missing,
        unknown=unknown,
        names=_names(found, steps),
        volatility=ACTION.volatility,
    )


def _look(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> _Found:
    found = _Found(target, options, instance(cloud, target.id))
    member = membership(cloud, target.id)
    found.group = member["AutoScalingGroupName"] if member else ""
    if public := list(_public(found)):
        held = cloud.call(
            "ec2:DescribeAddresses", Filters=[{"Name": "public-ip", "Values": public}]
        )
        found.elastic = frozenset(one["PublicIp"] for one in held["Addresses"])
    if profile := found.instance.get("IamInstanceProfile"):
        name = profile["Arn"].rpartition("/")[2]
        try:
            roles = cloud.call("iam:GetInstanceProfile", InstanceProfileName=name)
        except Missing:
            found.warnings.append(f"The instance profile {name} is gone; there is no role to deny.")
            return found
        for role in roles["InstanceProfile"]["Roles"]:
            found.role = role
        same = cloud.pages(
            "ec2:DescribeIamInstanceProfileAssociations",
            "IamInstanceProfileAssociations",
            Filters=[{"Name": "state", "Values": ["associated"]}],
        )
        found.sharing = tuple(
            one["InstanceId"]
            for one in same
            if one["IamInstanceProfile"]["Arn"] == profile["Arn"] and one["InstanceId"] != target.id
        )
    return found


def _public(found: _Found) -> Iterator[str]:
    for one in found.interfaces:
        for private in one.get("PrivateIpAddresses", ()):
            if public := private.get("Association", {}).get("PublicIp"):
                yield public


def _steps(found: _Found) -> Iterator[Step]:
    if found.group:
        yield _detach(found)
    yield from _protect(found)
    if found.role is not None and not access.reserved(found.role):
        yield access.deny_sessions(found.role, found.target.id, "instance")
    if found.options["metadata"]:
        yield Step(
            "metadata:off", "Switch its metadata service off", "ec2:ModifyInstanceMetadataOptions",
            {"instance": found.target.id}, undo_title="Switch its metadata service back",
            breaks=("Nothing on it gets credentials or its identity document any more; "
                    "the SSM agent stops.",),
        )  # fmt: skip
    yield from _cut(found)
    if found.options["stop"]:
        yield Step(
            "stop:instance", "Stop it", "ec2:StopInstances", {"instance": found.target.id},
            breaks=("Its memory, instance store volumes and a public address that is no Elastic "
                    "IP are lost.",), undo_title="Start it, if it ran",
        )  # fmt: skip


def _listened(cloud: "Cloud", found: _Found, steps: list[Step]) -> tuple[Step, ...]:
    """The steps, and those that listen around them."""
    steps.append(listening.flows(cloud, found.interfaces))
    source = str(found.options["probe"])
    if source not in ("no", "False"):
        ids = sorted({one["GroupId"] for eni in found.interfaces for one in eni["Groups"]})
        groups = cloud.call("ec2:DescribeSecurityGroups", GroupIds=ids)["SecurityGroups"]
        before, after = listening.probes(found.interfaces, groups, source)
        steps = [before, *steps, after]
        found.warnings.append("A probe is seen by whoever listens on it.")
    return tuple(steps)


def _detach(found: _Found) -> Step:
    replace = bool(found.options["replace"])
    after = "which starts another in its place" if replace else "which shrinks by one"
    return Step(
        "scaling:detach",
        f"Take it out of the Auto Scaling group {found.group}, {after}",
        "autoscaling:DetachInstances",
        {"instance": found.target.id, "group": found.group, "replace": replace},
        breaks=("Load balancers of the group send it nothing any more.",),
        undo_title=f"Attach it to {found.group} again and bring the group back to its size",
    )


def _protect(found: _Found) -> Iterator[Step]:
    wanted: list[tuple[str, Json, str]] = [
        ("instanceInitiatedShutdownBehavior", "stop", "Let a shutdown from inside stop it only"),
    ]
    if not found.spot:
        wanted.insert(0, ("disableApiTermination", True, "Protect it against termination"))
    if not found.options["stop"]:
        wanted.append(("disableApiStop", True, "Protect it against being stopped"))
    for attribute, value, title in wanted:
        yield Step(
            f"protect:{attribute}", title, "ec2:ModifyInstanceAttribute",
            {"instance": found.target.id, "attribute": attribute, "value": value},
            undo_title=f"Set {attribute} back",
        )  # fmt: skip
    if found.instance.get("BlockDeviceMappings"):
        yield Step(
            "volumes:keep", "Let its volumes outlive it", "ec2:ModifyInstanceAttribute",
            {"instance": found.target.id}, undo_title="Set it back for each volume",
        )  # fmt: skip


def _cut(found: _Found) -> Iterator[Step]:
    closed, opened = f"locard-isolation-{found.target.id}", ""
    if found.options["cut"] == "untracked":
        opened = f"locard-untracking-{found.target.id}"
    yield from cutting.groups((one["VpcId"] for one in found.interfaces), closed, opened)
    if found.options["cut"] == "timeout":
        for one in found.interfaces:
            yield cutting.tracking(one["NetworkInterfaceId"])
    for one in found.interfaces:
        yield cutting.swap(one, closed, opened)
    if found.options["addresses"]:
        yield from cutting.addresses(found.interfaces, found.elastic, found.warnings)
    if found.options["detach"]:
        yield from filter(None, map(cutting.detached, found.interfaces))


def _judge(found: _Found) -> None:
    say = found.warnings.append
    found.refusals += access.protected(found.instance)
    if found.spot:
        say("It is a Spot instance: AWS may end it at any time and it cannot be protected.")
    if found.instance.get("RootDeviceType") == "instance-store":
        say("Its root disk is instance store: it is lost when the instance stops.")
    if found.role is None:
        say("It has no role; credentials that were put on it by hand are not denied.")
    elif access.reserved(found.role):
        say(f"The role {found.role['RoleName']} belongs to AWS and cannot be denied anything.")
    else:
        say("Sessions that were taken from its role into other roles live on until they expire.")
    if found.sharing:
        count = len(found.sharing)
        say(f"{count} other instances use the same role; they are not touched.")
    if found.options["cut"] == "timeout":
        say("Connections that are established and keep talking may go on. The choice cut=untracked "
            f"ends them, and opens each interface to everybody for {cutting.WAIT} s.")  # fmt: skip
    if found.options["cut"] == "none":
        say("Established connections go on, for up to five days of silence.")
    if found.group and found.options["replace"]:
        say("The replacement comes from the same image, and may have the same hole.")


def _names(found: _Found, steps: tuple[Step, ...]) -> dict[str, tuple[str, ...]]:
    logs = [log for one in steps for log in one.arguments.get("logs", ())]
    return {
        "interface": tuple(one["NetworkInterfaceId"] for one in found.interfaces),
        "role": access.path_of(found.role),
        "group": (found.group or "none",),
        "prober": (str(found.options["probe"]),),
        "logs": tuple(one["group"] for one in logs) or ("none",),
    }


_INSTANCE = "arn:{partition}:ec2:{region}:{account}:instance/{id}"
_SCALING = "arn:{partition}:autoscaling:{region}:{account}:autoScalingGroup:*:autoScalingGroupName/"
_ROLE = "arn:{partition}:iam::{account}:role/{role}"


ACTION = Action(
    id="isolate.aws.instance",
    title="Isolate an EC2 instance",
    about="Takes it out of Auto Scaling, protects it and its volumes, denies its role's sessions, "
    "closes every interface for IPv4 and IPv6, and stops it if asked to.",
    kind="instance",
    names=r"(?:arn:[\w-]+:ec2:(?P<region>[\w-]*):(?P<account>\d{12}):instance/)?"
    r"(?P<id>i-[0-9a-f]{8,17})",
    permissions=(
        Permission("ec2:DescribeInstances"),
        Permission("ec2:DescribeInstanceAttribute"),
        Permission("ec2:DescribeNetworkInterfaces"),
        Permission("ec2:DescribeAddresses"),
        Permission("ec2:DescribeIamInstanceProfileAssociations", why="who shares the role"),
        Permission("autoscaling:DescribeAutoScalingInstances"),
        Permission("autoscaling:DescribeAutoScalingGroups"),
        Permission("iam:GetInstanceProfile", "arn:{partition}:iam::{account}:instance-profile/*"),
        Permission("iam:GetRolePolicy", _ROLE),
        *cutting.changes(
            "autoscaling:DetachInstances autoscaling:AttachInstances "
            "autoscaling:SetInstanceProtection autoscaling:SetDesiredCapacity "
            "autoscaling:UpdateAutoScalingGroup",
            _SCALING + "{group}",
            why="before the network, lest the group terminates it; the others are for the release",
        ),
        *cutting.changes("ec2:ModifyInstanceAttribute ec2:StopInstances", _INSTANCE, tried=True),
        *cutting.changes("ec2:ModifyInstanceMetadataOptions ec2:StartInstances", _INSTANCE),
        *cutting.changes(
            "iam:PutRolePolicy iam:DeleteRolePolicy", _ROLE, why="deny this instance's sessions"
        ),
        *cutting.changes(
            "ec2:ModifyNetworkInterfaceAttribute", cutting.ENI, cutting.GROUPS, tried=True
        ),
        *cutting.GROUP_PERMISSIONS,
        *cutting.OPEN_PERMISSIONS,
        *cutting.changes(
            "ec2:DisassociateAddress ec2:AssociateAddress",
            "*",
            why="by its public address",
            brief="ec2:*ssociateAddress",
        ),
        *cutting.changes(
            "ec2:UnassignIpv6Addresses ec2:AssignIpv6Addresses",
            cutting.ENI,
            brief="ec2:*ssignIpv6Addresses",
        ),
        *cutting.changes(
            "ec2:DetachNetworkInterface ec2:AttachNetworkInterface",
            cutting.ENI,
            _INSTANCE,
            brief="ec2:*tachNetworkInterface",
        ),
        *listening.PERMISSIONS,
    ),
    plan=plan,
    steps={
        "scaling": Detached(),
        "protect": Attribute(),
        "volumes": Volumes(),
        "identity": Denied(),
        "metadata": Metadata(),
        "group": Group(),
        "tracking": Tracking(),
        "interface": Interface(),
        "address": Address(),
        "ipv6": Sixes(),
        "detach": Parted(),
        "stop": Stopped(),
        "check": Flows(),
        "probe": Probe(),
    },
    volatility=9,
    harm="Whatever runs on it is cut off; what it serves is gone unless others serve it too.",
    loses=("collect.aws.instance",),
    options=(
        Option("replace", "let its Auto Scaling group start another in its place", True),
        Option("metadata", "switch its metadata service off as well", False),
        Option("cut", "how established connections end: timeout, untracked or none", "timeout"),
        Option("addresses", "take Elastic IPs and IPv6 addresses off", True),
        Option("detach", "take every interface but the first out of it", False),
        Option("stop", "stop it at the end; its memory is lost", False),
        Option(
            "probe", "try to connect before and after: no, here, or from another instance", "no"
        ),
    ),
)
