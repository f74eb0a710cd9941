# SPDX-License-Identifier: Apache-2.0
"""ECS Exec, which moto lacks: a session whose command really runs, in a terminal on this machine.

Tasks of moto get the agent that the recorded answers of real tasks have. What is to be otherwise
for a task is said by its tags: `exec` is `off`, `stopped` (the agent) or `windows`; what goes wrong
in its sessions is in the tag `faults`, as JSON.
"""

import json
from functools import cache
from typing import Any
from uuid import uuid4

from tests.clouds.aws.agent import Agent, Faults
from tests.clouds.aws.lacking import Answer, Asked
from tests.clouds.aws.server import ACCOUNT, REGION

KIND = "application/x-amz-json-1.1"


@cache
def _agent() -> tuple[Agent, str]:
    agent = Agent()
    return agent, agent.start()


def _task(cluster: str, name: str) -> Any:
    from moto.ecs.models import ecs_backends

    for tasks in ecs_backends[ACCOUNT][REGION].tasks.values():
        for arn, one in tasks.items():
            if arn.endswith(name.rpartition("/")[2]):
                return one
    return None


def _tags(task: Any) -> dict[str, str]:
    return {one["key"]: one["value"] for one in task.tags}


def described(asked: Asked) -> Answer | None:
    """Tasks with a tag `exec` have an agent in each of their containers."""
    given = json.loads(asked.body)
    found = [_task(given.get("cluster", ""), one) for one in given["tasks"]]
    if not found or found[0] is None or "exec" not in _tags(found[0]):
        return None
    task, how = found[0], _tags(found[0])["exec"]
    said: dict[str, Any] = {
        "taskArn": task.task_arn, "clusterArn": task.cluster_arn, "group": task.group,
        "taskDefinitionArn": task.task_definition_arn, "attachments": task.attachments,
        "overrides": {"containerOverrides": []}, "connectivity": "CONNECTED",
    }  # fmt: skip
    state = "STOPPED" if how == "stopped" else "RUNNING"
    said |= {"lastStatus": "RUNNING", "desiredStatus": "RUNNING", "platformFamily": "Linux",
             "enableExecuteCommand": how != "off", "launchType": "FARGATE"}  # fmt: skip
    if how == "windows":
        said["platformFamily"] = "WINDOWS_SERVER_2022_CORE"
    arn = task.task_arn.replace(":task/", ":container/")
    said["containers"] = [
        {"containerArn": f"{arn}/{uuid4()}", "taskArn": task.task_arn, "name": one["name"],
         "image": one["image"], "runtimeId": f"{task.id}-{n}", "lastStatus": "RUNNING",
         "networkInterfaces": [], "healthStatus": "UNKNOWN", "cpu": "256",
         "managedAgents": [{"name": "ExecuteCommandAgent", "lastStatus": state,
                            "lastStartedAt": 1764000000.0}]}
        for n, one in enumerate(_definition(task))
    ]  # fmt: skip
    return Answer(json.dumps({"tasks": [said], "failures": []}, default=str), kind=KIND)


def _definition(task: Any) -> list[dict[str, Any]]:
    from moto.ecs.models import ecs_backends

    found = ecs_backends[ACCOUNT][REGION].describe_task_definition(task.task_definition_arn)
    made: list[dict[str, Any]] = found.container_definitions
    return made


def executed(asked: Asked) -> Answer:
    """A session for the command, as the model describes it."""
    given = json.loads(asked.body)
    task = _task(given["cluster"], given["task"])
    if not given.get("interactive"):
        said = {"__type": "InvalidParameterException", "message": "Interactive is the only mode"}
        return Answer(json.dumps(said), "400 Bad Request", KIND)
    if task is None or _tags(task).get("exec") in (None, "off", "stopped"):
        text = "The execute command failed because execute command was not enabled"
        said = {"__type": "InvalidParameterException", "message": text}
        return Answer(json.dumps(said), "400 Bad Request", KIND)
    agent, address = _agent()
    agent.faults = Faults(**json.loads(_tags(task).get("faults", "{}")))
    agent.answers.clear()
    session = {"sessionId": f"ecs-execute-command-{uuid4().hex[:17]}", "streamUrl": address,
               "tokenValue": agent.command(given["command"])}  # fmt: skip
    body = {"clusterArn": task.cluster_arn, "taskArn": task.task_arn, "interactive": True,
            "containerName": given["container"], "session": session}  # fmt: skip
    return Answer(json.dumps(body), kind=KIND)


ANSWERS = {"ecs:DescribeTasks": described, "ecs:ExecuteCommand": executed}
