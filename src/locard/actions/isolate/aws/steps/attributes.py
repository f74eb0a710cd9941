# SPDX-License-Identifier: Apache-2.0
"""Attributes of an instance that keep it and its disks from being destroyed, and that stop it."""

from typing import TYPE_CHECKING

from locard.actions.isolate.aws.steps.found import instance, until
from locard.actions.isolate.aws.steps.valued import Valued
from locard.model.action import Json, Step, Verdict
from locard.model.spoken import spoken

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


_OPTIONS = (
    "HttpEndpoint", "HttpTokens", "HttpPutResponseHopLimit", "HttpProtocolIpv6",
    "InstanceMetadataTags",
)  # fmt: skip


class Attribute(Valued):
    """One attribute has another value: EC2 takes one a call."""

    signal = "the attribute"

    def named(self, step: Step) -> str:
        """`disableApiTermination` and the like."""
        return str(step.arguments["attribute"])

    def read(self, cloud: "Cloud", step: Step) -> Json:
        """Its value now."""
        name = step.arguments["attribute"]
        found = cloud.call(
            "ec2:DescribeInstanceAttribute", InstanceId=step.arguments["instance"], Attribute=name
        )
        return found[name[0].upper() + name[1:]]["Value"]

    def set(self, cloud: "Cloud", step: Step, value: Json) -> None:
        """Yes and no go by the name of the attribute, words beside it."""
        name, target = step.arguments["attribute"], step.arguments["instance"]
        if isinstance(value, bool):
            given: dict[str, Json] = {name[0].upper() + name[1:]: {"Value": value}}
        else:
            given = {"Attribute": name, "Value": value}
        cloud.call("ec2:ModifyInstanceAttribute", InstanceId=target, **given)


class Volumes:
    """The volumes outlive the instance."""

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """Which of them would be deleted with it."""
        found = instance(cloud, step.arguments["instance"])["BlockDeviceMappings"]
        return {one["DeviceName"]: one["Ebs"]["DeleteOnTermination"] for one in found}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """None of them."""
        self._set(cloud, step, dict.fromkeys(sorted(prior), False))
        return {"devices": sorted(prior)}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether none is."""
        now = self.capture(cloud, step)
        return None if any(now.values()) else {"devices": sorted(prior)}

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """EC2's own word."""
        lost = [name for name, deleted in self.capture(cloud, step).items() if deleted]
        return Verdict(
            not lost, "the device mappings", f"deleted with it: {spoken(lost)}" if lost else ""
        )

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """As it was for every device that is still there."""
        now = self.capture(cloud, step)
        wanted = {name: was for name, was in prior.items() if now.get(name, was) != was}
        if wanted:
            self._set(cloud, step, wanted)
        gone = sorted(set(prior) - set(now))
        return {"detached meanwhile": gone} if gone else None

    def _set(self, cloud: "Cloud", step: Step, wanted: dict[str, bool]) -> None:
        cloud.call(
            "ec2:ModifyInstanceAttribute",
            InstanceId=step.arguments["instance"],
            BlockDeviceMappings=[
                {"DeviceName": name, "Ebs": {"DeleteOnTermination": deleted}}
                for name, deleted in wanted.items()
            ],
        )


class Metadata:
    """The metadata service of the instance is off, so that nothing there gets credentials anew."""

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """Whether it is on."""
        return {"endpoint": self._options(cloud, step).get("HttpEndpoint", "enabled")}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Off."""
        self._set(cloud, step, "disabled")
        return {"endpoint": "disabled"}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it is off."""
        now = self.capture(cloud, step)
        return now if now["endpoint"] == "disabled" else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """EC2's own word."""
        now = self.capture(cloud, step)["endpoint"]
        return Verdict(now == "disabled", "the metadata options", f"the endpoint is {spoken(now)}")

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """As it was; what else is set of it was never touched."""
        if self.capture(cloud, step)["endpoint"] != prior["endpoint"]:
            self._set(cloud, step, prior["endpoint"])
        return None

    def _set(self, cloud: "Cloud", step: Step, value: str) -> None:
        cloud.call(
            "ec2:ModifyInstanceMetadataOptions",
            InstanceId=step.arguments["instance"],
            **self._options(cloud, step) | {"HttpEndpoint": value},
        )

    def _options(self, cloud: "Cloud", step: Step) -> dict[str, Json]:
        """All of them, so that those which are not ours are said again as they are."""
        found = instance(cloud, step.arguments["instance"]).get("MetadataOptions", {})
        return {name: found[name] for name in _OPTIONS if found.get(name) is not None}


class Stopped:
    """The instance is stopped: the last step, for it loses memory and instance store."""

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """Its state."""
        return {"state": instance(cloud, step.arguments["instance"])["State"]["Name"]}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Stop it and wait until it is."""
        if prior["state"] in ("pending", "running"):
            cloud.call("ec2:StopInstances", InstanceIds=[step.arguments["instance"]])
        until(lambda: self.capture(cloud, step)["state"] == "stopped", "Stopping the instance")
        return {"state": "stopped"}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it is stopped."""
        now = self.capture(cloud, step)
        return now if now["state"] == "stopped" else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """EC2's own word."""
        now = self.capture(cloud, step)["state"]
        return Verdict(now == "stopped", "the state of the instance", f"it is {spoken(now)}")

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """Start it when it ran."""
        if prior["state"] not in ("pending", "running"):
            return None
        until(lambda: self.capture(cloud, step)["state"] != "stopping", "Stopping the instance")
        if self.capture(cloud, step)["state"] == "stopped":
            cloud.call("ec2:StartInstances", InstanceIds=[step.arguments["instance"]])
        until(lambda: self.capture(cloud, step)["state"] == "running", "Starting the instance")
        return None
