# SPDX-License-Identifier: Apache-2.0
"""A task of ECS: what ECS knows of it, its definition without secrets, and what it logged.

Nothing is run in its containers: that is `collect.aws.containers`, and it ends with the task.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from locard.actions.collect.aws import groups, spans
from locard.actions.collect.aws.answers import Answer
from locard.actions.collect.aws.function import Masked
from locard.actions.collect.aws.groups import Group
from locard.actions.collect.aws.spans import Span
from locard.actions.contract import Action, Option
from locard.model.action import Json, Permission, Plan, Step, Target
from locard.model.errors import Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """Steps for the task, its definition, its service and its logs."""
    cluster, _, task = target.id.partition("/")
    found = cloud.call("ecs:DescribeTasks", cluster=cluster, tasks=[task])["tasks"]
    if not found:
        raise Missing(f"There is no task {target.id} in {cloud.region}.", "It may have ended.")
    definition = found[0]["taskDefinitionArn"]
    said = cloud.call("ecs:DescribeTaskDefinition", taskDefinition=definition)["taskDefinition"]
    logged = dict.fromkeys(_groups(said))
    steps = [
        _asked("masked", "DescribeTasks", {"cluster": cluster, "tasks": [task],
                                           "include": ["TAGS"]}, options),
        _asked("masked", "DescribeTaskDefinition", {"taskDefinition": definition}, options),
    ]  # fmt: skip
    group = str(found[0].get("group", ""))
    if group.startswith("service:"):
        request = {"cluster": cluster, "services": [group.removeprefix("service:")]}
        steps.append(_asked("masked", "DescribeServices", request, options))
    if held := found[0].get("containerInstanceArn"):
        request = {"cluster": cluster, "containerInstances": [held]}
        steps.append(_asked("masked", "DescribeContainerInstances", request, options))
    steps += [groups.group(one, target.region, Span.of(options)) for one in logged]
    warnings = () if logged else ("Its containers log to no group of CloudWatch Logs.",)
    return Plan(
        ACTION.id, ACTION.version, target, dict(options), tuple(steps), warnings=warnings,
        names={"group": tuple(logged) or ("none",), "cluster": (cluster,)},
        volatility=ACTION.volatility,
    )  # fmt: skip


def _groups(definition: Mapping[str, Json]) -> Iterator[str]:
    for one in definition.get("containerDefinitions", ()):
        said = one.get("logConfiguration", {})
        if said.get("logDriver") == "awslogs" and said.get("options", {}).get("awslogs-group"):
            yield str(said["options"]["awslogs-group"])


def _asked(kind: str, call: str, request: Json, options: Mapping[str, Json]) -> Step:
    arguments = {"request": request, "name": f"ecs-{call}.json", "secrets": options["secrets"],
                 "optional": call != "DescribeTasks"}  # fmt: skip
    return Step(f"{kind}:{call}", f"Ask {call}", f"ecs:{call}", arguments, changes=False)


_ECS = "arn:{partition}:ecs:{region}:{account}"

ACTION = Action(
    id="collect.aws.task",
    title="Collect what is known of an ECS task",
    about="The task, its definition with secrets masked, its service and host, and its logs.",
    kind="task",
    names=r"arn:[\w-]+:ecs:(?P<region>[\w-]+):(?P<account>\d{12}):task/"
    r"(?P<id>[\w-]{1,255}/[0-9a-f-]{32,36})",
    permissions=(
        Permission("ecs:DescribeTasks", f"{_ECS}:task/{{id}}"),
        Permission("ecs:DescribeTaskDefinition"),
        Permission("ecs:DescribeServices", f"{_ECS}:service/{{cluster}}/*", optional=True),
        Permission("ecs:DescribeContainerInstances", f"{_ECS}:container-instance/{{cluster}}/*",
                   optional=True),
        *groups.PERMISSIONS,
    ),
    plan=plan,
    steps={"masked": Masked(), "answer": Answer(), "group": Group()},
    volatility=0,
    options=(
        Option("secrets", "Values of environment variables as they are, and not masked"),
        *spans.WHEN,
    ),
)  # fmt: skip
