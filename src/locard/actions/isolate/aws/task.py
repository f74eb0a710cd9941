# SPDX-License-Identifier: Apache-2.0
"""A task of ECS is isolated: kept by its service, denied its role, cut off, stopped last.

The service comes first: it would end a task that it counts as surplus, and with it the evidence.
A further task then does the work. The role is denied to this one task by the name of its session.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from locard.actions.contract import Action, Option
from locard.actions.isolate.aws import access, cutting
from locard.actions.isolate.aws.steps.found import interface
from locard.actions.isolate.aws.steps.identity import Denied
from locard.actions.isolate.aws.steps.network import Group, Interface
from locard.actions.isolate.aws.steps.parting import Sixes
from locard.actions.isolate.aws.steps.task import LONGEST, Ended, Kept, Replaced, task
from locard.model.action import Json, Permission, Plan, Step, Target
from locard.model.errors import Error

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

CUTS = ("untracked", "none")
NETWORKS = ("auto", "always", "none")


@dataclass
class _Found:
    """What the plan read."""

    cluster: str
    name: str
    options: Mapping[str, Json]
    task: dict[str, Json]
    definition: dict[str, Json] = field(default_factory=dict)
    service: dict[str, Json] = field(default_factory=dict)
    role: dict[str, Json] | None = None
    interface: dict[str, Json] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def managed(self) -> bool:
        """Whether AWS says that its interface is AWS's own to change."""
        return bool(self.interface.get("RequesterManaged"))

    @property
    def cut(self) -> bool:
        """Whether its interface is to be closed."""
        wanted = self.options["network"]
        return bool(self.interface) and (
            wanted == "always" or (wanted == "auto" and not self.managed)
        )


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """What isolating it would do."""
    if options["cut"] not in CUTS or options["network"] not in NETWORKS:
        raise Error(f"cut is one of {', '.join(CUTS)}, and network one of {', '.join(NETWORKS)}.")
    found = _look(cloud, target, options)
    steps = tuple(_steps(found))
    _tell(found)
    missing, unknown = cutting.allowed(cloud, steps)
    tags = {one["key"]: one.get("value", "") for one in found.task.get("tags", ())}
    return Plan(
        ACTION.id, ACTION.version, target, dict(options), steps,
        refusals=access.protected_by(tags), warnings=tuple(found.warnings),
        missing=missing, unknown=unknown,
        names={"role": access.path_of(found.role),
               "service": (found.service.get("serviceName", "none"),),
               "interface": (found.interface.get("NetworkInterfaceId", "none"),)},
        volatility=ACTION.volatility,
    )  # fmt: skip


def _look(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> _Found:
    cluster, _, name = target.id.rpartition("/")
    cluster = cluster or "default"
    found = _Found(cluster, name, options, task(cloud, cluster, name))
    found.definition = cloud.call(
        "ecs:DescribeTaskDefinition", taskDefinition=found.task["taskDefinitionArn"]
    )["taskDefinition"]
    overrides = found.task.get("overrides", {})
    if arn := overrides.get("taskRoleArn") or found.definition.get("taskRoleArn"):
        found.role = access.role_of(cloud, arn)
    if (group := str(found.task.get("group", ""))).startswith("service:"):
        service = group.removeprefix("service:")
        services = cloud.call("ecs:DescribeServices", cluster=cluster, services=[service])
        found.service = next(iter(services["services"]), {})
    for one in found.task.get("attachments", ()):
        details = {each["name"]: each["value"] for each in one.get("details", ())}
        if eni := details.get("networkInterfaceId"):
            found.interface = interface(cloud, eni)
    return found


def _steps(found: _Found) -> Iterator[Step]:
    given: dict[str, Json] = {"cluster": found.cluster, "task": found.name}
    if found.service and found.options["keep"]:
        yield Step(
            "keep:task", f"Let its service not end it, for {LONGEST // 60} hours",
            "ecs:UpdateTaskProtection", given, undo_title="Set its protection back",
        )  # fmt: skip
    if found.service and found.options["replace"] and _scalable(found.service):
        name = found.service["serviceName"]
        yield Step(
            "service:replace", f"Let {name} run one task more, which does its work",
            "ecs:UpdateService", {"cluster": found.cluster, "service": name},
            undo_title=f"Let {name} run as many as before",
        )  # fmt: skip
    if found.role is not None and not access.reserved(found.role):
        yield access.deny_sessions(found.role, found.name, "task")
    if found.cut:
        closed, opened = f"locard-isolation-{found.name}", ""
        if found.options["cut"] == "untracked":
            opened = f"locard-untracking-{found.name}"
        yield from cutting.groups([found.interface["VpcId"]], closed, opened)
        yield cutting.swap(found.interface, closed, opened)
        yield from cutting.sixes(found.interface, found.warnings)
    if found.options["stop"]:
        yield Step(
            "stop:task", "Stop it", "ecs:StopTask", given,
            breaks=("Its memory and its files are lost.",),
            undo_title="Nothing: a stopped task does not start again; its service starts another",
        )  # fmt: skip


def _scalable(service: Mapping[str, Json]) -> bool:
    controller = service.get("deploymentController", {}).get("type", "ECS")
    return service.get("schedulingStrategy") != "DAEMON" and controller != "EXTERNAL"


def _tell(found: _Found) -> None:
    say = found.warnings.append
    if not found.service:
        say("It belongs to no service, so nothing takes its place, and ECS cannot protect it.")
    elif found.service.get("loadBalancers") or found.service.get("healthCheckGracePeriodSeconds"):
        say("Its service may end it when its health checks fail after it is cut off; protection "
            "does not hinder that. Collect first.")  # fmt: skip
    if found.service and found.options["replace"]:
        say("The task that takes its place comes from the same image, and may have the same hole.")
    if found.role is None:
        say("It has no role of its own.")
    elif access.reserved(found.role):
        say(f"The role {found.role['RoleName']} belongs to AWS and cannot be denied anything.")
    mode = found.definition.get("networkMode", "bridge")
    if not found.interface:
        say(f"Its network is that of its host (mode {mode}) and stays open: isolate the instance.")
    elif found.managed and found.options["network"] == "auto":
        say(f"AWS manages {found.interface['NetworkInterfaceId']} itself and lets nobody change "
            "its groups: the network stays open until it is stopped (--set stop=yes), or try it "
            "with --set network=always.")  # fmt: skip
    elif found.cut and found.options["cut"] == "none":
        say("Established connections go on. The choice cut=untracked ends them, and opens the "
            f"interface to everybody for {cutting.WAIT} s.")  # fmt: skip
    if found.task.get("launchType") == "EC2" or found.task.get("containerInstanceArn"):
        say("It runs on an instance whose role it may reach over the metadata service.")
    if found.task.get("enableExecuteCommand"):
        say("What runs in it can be taken now (collect.aws.containers), and not any more once its "
            "role is denied or its network is closed: ECS Exec needs both.")  # fmt: skip


_TASK = "arn:{partition}:ecs:{region}:{account}:task/{id}"
_SERVICE = "arn:{partition}:ecs:{region}:{account}:service/*/{service}"
_ROLE = "arn:{partition}:iam::{account}:role/{role}"

ACTION = Action(
    id="isolate.aws.task",
    title="Isolate an ECS task",
    about="Keeps it from being ended by its service, lets another do its work, denies its role to "
    "it alone, closes its interface, and stops it if asked to.",
    kind="task",
    names=r"arn:[\w-]+:ecs:(?P<region>[\w-]+):(?P<account>\d{12}):task/"
    r"(?P<id>(?:[\w-]{1,255}/)?[0-9a-f-]{32,36})",
    permissions=(
        Permission("ecs:DescribeTasks", _TASK),
        Permission("ecs:DescribeTaskDefinition"),
        Permission("ecs:DescribeServices", _SERVICE),
        Permission("ecs:GetTaskProtection", _TASK),
        Permission("ec2:DescribeNetworkInterfaces"),
        Permission("iam:GetRole", _ROLE),
        Permission("iam:GetRolePolicy", _ROLE),
        *cutting.changes("ecs:UpdateTaskProtection ecs:StopTask", _TASK),
        *cutting.changes("ecs:UpdateService", _SERVICE),
        *cutting.changes(
            "iam:PutRolePolicy iam:DeleteRolePolicy", _ROLE, why="deny this task's sessions"
        ),
        *cutting.changes(
            "ec2:ModifyNetworkInterfaceAttribute", cutting.ENI, cutting.GROUPS, tried=True
        ),
        *cutting.GROUP_PERMISSIONS,
        *cutting.OPEN_PERMISSIONS,
        *cutting.changes("ec2:UnassignIpv6Addresses ec2:AssignIpv6Addresses", cutting.ENI),
    ),
    plan=plan,
    steps={
        "keep": Kept(),
        "service": Replaced(),
        "identity": Denied(),
        "group": Group(),
        "interface": Interface(),
        "ipv6": Sixes(),
        "stop": Ended(),
    },
    volatility=9,
    harm="Whatever it serves is gone unless other tasks of its service serve it too.",
    loses=("collect.aws.task",),
    options=(
        Option("keep", "let its service not end it", True),
        Option("replace", "let its service run one task more", True),
        Option("network", "close its interface: auto, always or none", "auto"),
        Option("cut", "how established connections end: untracked or none", "none"),
        Option("stop", "stop it at the end, which cannot be put back", False),
    ),
)
