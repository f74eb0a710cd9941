# SPDX-License-Identifier: Apache-2.0
"""A task of ECS is kept by its service, which gets another for its work, and is stopped last."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from locard.model.action import Json, Step, Verdict
from locard.model.errors import Conflict, Missing
from locard.model.spoken import spoken

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

LONGEST = 2880
"""Minutes that ECS protects a task for at most."""


def task(cloud: "Cloud", cluster: str, name: str) -> dict[str, Json]:
    """The task as it is. Raises `Missing` when it has stopped."""
    found = cloud.call("ecs:DescribeTasks", cluster=cluster, tasks=[name], include=["TAGS"])
    for one in found["tasks"]:
        if one.get("lastStatus") == "STOPPED":
            raise Missing(
                f"The task {name} has stopped ({one.get('stoppedReason', 'without a reason')}).",
                "Collect what is left: its logs, the trail, the image it was made of.",
            )
        return dict(one)
    raise Missing(f"There is no task {name} in the cluster {cluster}.", "It may have ended.")


class Kept:
    """The service does not end the task when it shrinks or is deployed anew.

    Arguments: `cluster`, `task`.
    """

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """Whether it is protected, and until when."""
        task(cloud, step.arguments["cluster"], step.arguments["task"])
        found = self._read(cloud, step)
        return {"on": found["protectionEnabled"], "until": found.get("expirationDate", "")}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Protect it for as long as ECS does."""
        return self._set(cloud, step, True, LONGEST)

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it is protected by more than it was."""
        now = self.capture(cloud, step)
        return now if now["on"] and now != prior else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """ECS's own word."""
        now = self.capture(cloud, step)
        detail = (
            f"it is protected, until {spoken(now['until'])}" if now["on"] else "it is not protected"
        )
        return Verdict(now["on"], "the protection of the task", detail)

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """Off, or on for what was left of it."""
        try:
            now = self.capture(cloud, step)
        except Missing as error:
            return {"the task ended meanwhile": error.message}
        left = _minutes(prior["until"]) if prior["on"] else 0
        if now["on"] or left:
            self._set(cloud, step, left > 0, left)
        return None

    def _read(self, cloud: "Cloud", step: Step) -> dict[str, Json]:
        found = cloud.call(
            "ecs:GetTaskProtection", cluster=step.arguments["cluster"],
            tasks=[step.arguments["task"]],
        )  # fmt: skip
        return self._one(found)

    def _set(self, cloud: "Cloud", step: Step, on: bool, minutes: int) -> Json:
        found = cloud.call(
            "ecs:UpdateTaskProtection", cluster=step.arguments["cluster"],
            tasks=[step.arguments["task"]], protectionEnabled=on,
            **({"expiresInMinutes": minutes} if on else {}),
        )  # fmt: skip
        one = self._one(found)
        return {"on": one["protectionEnabled"], "until": one.get("expirationDate", "")}

    def _one(self, found: dict[str, Json]) -> dict[str, Json]:
        for one in found.get("failures", ()):
            raise Conflict(
                f"ECS does not protect the task: {one.get('reason', '')} {one.get('detail', '')}",
                "Only tasks of a service can be protected. Isolate without: --set keep=no",
            )
        return dict(found["protectedTasks"][0])


def _minutes(until: str) -> int:
    left = datetime.fromisoformat(until) - datetime.now(UTC)
    return min(LONGEST, max(0, int(left.total_seconds() // 60)))


class Replaced:
    """The service runs one task more, which does the work of this one.

    Arguments: `cluster`, `service`.
    """

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """How many it is to run."""
        return {"desired": self._read(cloud, step)["desiredCount"]}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """One more."""
        self._set(cloud, step, prior["desired"] + 1)
        return {"desired": prior["desired"] + 1}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it is one more."""
        now = self.capture(cloud, step)
        return now if now["desired"] == prior["desired"] + 1 else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """ECS's own count; how many should run is the service's affair later on."""
        found = self._read(cloud, step)
        detail = f"{found['runningCount']} of {found['desiredCount']} run"
        return Verdict(True, "the service", detail)

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """As many as before, unless others set another number."""
        now = self.capture(cloud, step)["desired"]
        if now == prior["desired"] + 1:
            self._set(cloud, step, prior["desired"])
        elif now != prior["desired"]:
            return {"desired count": f"{now}, as others set it"}
        return None

    def _read(self, cloud: "Cloud", step: Step) -> dict[str, Json]:
        given = step.arguments
        found = cloud.call(
            "ecs:DescribeServices", cluster=given["cluster"], services=[given["service"]]
        )["services"]
        if not found or found[0].get("status") == "INACTIVE":
            raise Conflict(
                f"The service {given['service']} is gone.", f"Go without: --leave {step.key}"
            )
        return dict(found[0])

    def _set(self, cloud: "Cloud", step: Step, number: int) -> None:
        given = step.arguments
        cloud.call(
            "ecs:UpdateService", cluster=given["cluster"], service=given["service"],
            desiredCount=number,
        )  # fmt: skip


class Ended:
    """The task has stopped, for good: there is no way back. Arguments: `cluster`, `task`."""

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """What it was made of."""
        found = self._read(cloud, step)
        return {"definition": found["taskDefinitionArn"], "status": found["lastStatus"]}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Stop it."""
        given = step.arguments
        cloud.call(
            "ecs:StopTask", cluster=given["cluster"], task=given["task"],
            reason="Isolated by Locard",
        )  # fmt: skip
        return {"stopped": given["task"]}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it is to stop."""
        wanted = self._read(cloud, step).get("desiredStatus")
        return {"stopped": step.arguments["task"]} if wanted == "STOPPED" else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """ECS's own word."""
        now = self._read(cloud, step)
        holds = now.get("desiredStatus") == "STOPPED"
        return Verdict(holds, "the status of the task", f"it is {spoken(now.get('lastStatus'))}")

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """Nothing: the plan said so. Its service has started another."""
        return {"cannot be put back": f"a stopped task does not start again: {prior['definition']}"}

    def _read(self, cloud: "Cloud", step: Step) -> dict[str, Json]:
        given = step.arguments
        found = cloud.call("ecs:DescribeTasks", cluster=given["cluster"], tasks=[given["task"]])
        if not found["tasks"]:
            return {"taskDefinitionArn": "", "lastStatus": "gone", "desiredStatus": "STOPPED"}
        return dict(found["tasks"][0])
