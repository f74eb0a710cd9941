# SPDX-License-Identifier: Apache-2.0
"""The steps that listen whether what was cut off is silent: flow logs, and a probe when asked."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from locard.model.action import Json, Permission, Step
from locard.model.errors import Denied, Error

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

PORTS = (22, 80, 443, 3389)
"""Those that are tried where no rule says which are open."""
MOST = 64
"""Places that a probe tries."""

PERMISSIONS = (
    Permission("ec2:DescribeFlowLogs", optional=True),
    Permission(
        "logs:FilterLogEvents", "arn:{partition}:logs:{region}:{account}:log-group:{logs}*",
        optional=True, why="flow logs, an independent signal",
    ),
    Permission(
        "ssm:SendCommand", "arn:{partition}:ec2:{region}:{account}:instance/{prober}",
        reads=False, optional=True, why="a probe from another instance, when asked for",
    ),
    Permission(
        "ssm:SendCommand", "arn:{partition}:ssm:{region}::document/AWS-RunShellScript",
        reads=False, optional=True,
    ),
    Permission("ssm:GetCommandInvocation", optional=True),
)  # fmt: skip


def flows(cloud: "Cloud", interfaces: Sequence[Mapping[str, Json]]) -> Step:
    """A look into the flow logs that cover the interfaces, as far as they can be read here."""
    names = [one["NetworkInterfaceId"] for one in interfaces]
    covering = {*names, *(one[of] for one in interfaces for of in ("SubnetId", "VpcId"))}
    why, logs = "no flow log is on for its interfaces, subnets or VPC", list[Json]()
    try:
        found = list(
            cloud.pages(
                "ec2:DescribeFlowLogs", "FlowLogs",
                Filter=[{"Name": "resource-id", "Values": sorted(covering)}],
            )
        )  # fmt: skip
    except Denied as error:
        found, why = [], error.message
    for one in found:
        kind = one.get("LogDestinationType", "cloud-watch-logs")
        if one.get("TrafficType") == "REJECT":
            why = f"the flow log {one['FlowLogId']} tells only what was rejected"
        elif kind != "cloud-watch-logs" or not one.get("LogGroupName"):
            why = f"the flow log {one['FlowLogId']} is delivered to {one.get('LogDestination')}"
        else:
            logs.append({"group": one["LogGroupName"], "format": one.get("LogFormat", "")})
    return Step(
        "check:flows", "Look whether flow logs show anything that is still let through",
        "logs:FilterLogEvents", {"interfaces": names, "logs": logs, "why": why}, changes=False,
    )  # fmt: skip


def probes(
    interfaces: Sequence[Mapping[str, Json]], groups: Iterable[Mapping[str, Json]], source: str
) -> tuple[Step, Step]:
    """A try to connect, before and after. `source` is `here` or the id of another instance."""
    if source != "here" and not source.startswith("i-"):
        raise Error(
            f"probe={source[:60]} is no place to probe from.",
            "It is no, here, or the id of an instance with an SSM agent.",
        )
    ports = sorted({port for one in groups for port in _open(one)}) or list(PORTS)
    addresses = [one for each in interfaces for one in _addresses(each)]
    places = [[one, port] for one in dict.fromkeys(addresses) for port in ports][:MOST]
    given: dict[str, Json] = {"places": places, "source": "" if source == "here" else source}
    said = f"{len(places)} places of it from {'this machine' if source == 'here' else source}"
    call = "tcp:connect" if source == "here" else "ssm:SendCommand"
    return (
        Step("probe:before", f"Try {said}, to know what answers", call,
             {**given, "before": True}, changes=False),
        Step("probe:after", f"Try {said} again", call, {**given, "before": False}, changes=False),
    )  # fmt: skip


def _open(group: Mapping[str, Json]) -> Iterable[int]:
    """The ports that a group lets in over TCP; of long ranges the first few."""
    for rule in group.get("IpPermissions", ()):
        if rule.get("IpProtocol") in ("tcp", "6"):
            first, last = int(rule.get("FromPort", 0)), int(rule.get("ToPort", 0))
            yield from range(first, min(last, first + 3) + 1)


def _addresses(one: Mapping[str, Json]) -> Iterable[str]:
    for private in one.get("PrivateIpAddresses", ()):
        if public := private.get("Association", {}).get("PublicIp"):
            yield public
        yield private["PrivateIpAddress"]
    for six in one.get("Ipv6Addresses", ()):
        yield six["Ipv6Address"]
