# SPDX-License-Identifier: Apache-2.0
"""Auto Scaling lets the instance go, before anything makes it look unhealthy.

An isolated instance fails its health checks, and its group then terminates it with the evidence:
termination protection does not hinder Auto Scaling.
"""

from typing import TYPE_CHECKING

from locard.actions.isolate.aws.steps.found import instance, until
from locard.model.action import Json, Step, Verdict
from locard.model.errors import Conflict

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


class Detached:
    """The instance is no member of its Auto Scaling group any more."""

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """Membership and the sizes of the group."""
        instance(cloud, step.arguments["instance"])
        member = _member(cloud, step)
        group = _group(cloud, step)
        if member is None or group is None:
            return {"member": False}
        return {
            "member": True,
            "protected": member["ProtectedFromScaleIn"],
            "desired": group["DesiredCapacity"],
            "most": group["MaxSize"],
        }

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Detach; the group starts another in its place unless it is told to shrink."""
        if not prior["member"]:
            return {"detached": False}
        cloud.call(
            "autoscaling:DetachInstances",
            InstanceIds=[step.arguments["instance"]],
            AutoScalingGroupName=step.arguments["group"],
            ShouldDecrementDesiredCapacity=not step.arguments["replace"],
        )
        until(lambda: _member(cloud, step) is None, "Detaching the instance from its group")
        return {"detached": True}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it is out of the group."""
        return {"detached": prior["member"]} if _member(cloud, step) is None else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """Auto Scaling's own list of members, and that the instance still lives."""
        instance(cloud, step.arguments["instance"])
        holds = _member(cloud, step) is None
        detail = "" if holds else f"it is a member of {step.arguments['group']} again"
        return Verdict(holds, "members of the Auto Scaling group", detail)

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """Attach it again, and let the group go back to its size without this one."""
        if not prior["member"]:
            return None
        instance(cloud, step.arguments["instance"])
        group, member = _group(cloud, step), _member(cloud, step)
        name = step.arguments["group"]
        if group is None:
            raise Conflict(
                f"The Auto Scaling group {name} is gone.",
                f"Leave the instance outside of it: --leave {step.key}",
            )
        if member is not None and member["AutoScalingGroupName"] != name:
            raise Conflict(
                f"The instance is a member of {member['AutoScalingGroupName']} now.",
                f"Leave it there: --leave {step.key}",
            )
        size = self._attach(cloud, step, prior, group) if member is None else group
        return self._settle(cloud, step, prior, size)

    def _attach(self, cloud: "Cloud", step: Step, prior: Json, group: Json) -> Json:
        name = step.arguments["group"]
        room = max(len(group["Instances"]), group["DesiredCapacity"]) + 1
        if room > group["MaxSize"]:
            cloud.call(
                "autoscaling:UpdateAutoScalingGroup", AutoScalingGroupName=name, MaxSize=room
            )
        cloud.call(
            "autoscaling:AttachInstances",
            InstanceIds=[step.arguments["instance"]],
            AutoScalingGroupName=name,
        )

        def serves() -> bool:
            member = _member(cloud, step)
            return member is not None and member["LifecycleState"] == "InService"

        until(serves, "Attaching the instance to its group")
        found = _group(cloud, step)
        assert found is not None
        return found

    def _settle(self, cloud: "Cloud", step: Step, prior: Json, group: Json) -> Json:
        """Sizes back, with the instance kept from being the one that goes."""
        name, target = step.arguments["group"], prior["desired"]
        if group["DesiredCapacity"] == target + 1:
            self._protect(cloud, step, True)
            cloud.call(
                "autoscaling:SetDesiredCapacity",
                AutoScalingGroupName=name,
                DesiredCapacity=target,
            )

            def shrunk() -> bool:
                found = _group(cloud, step)
                return found is not None and len(found["Instances"]) <= target

            until(shrunk, f"Bringing {name} back to {target} instances")
        if group["MaxSize"] == prior["most"] + 1:
            cloud.call(
                "autoscaling:UpdateAutoScalingGroup",
                AutoScalingGroupName=name,
                MaxSize=prior["most"],
            )
        self._protect(cloud, step, prior["protected"])
        if group["DesiredCapacity"] not in (target, target + 1):
            return {"desired capacity": f"{group['DesiredCapacity']}, as others set it"}
        return None

    def _protect(self, cloud: "Cloud", step: Step, protected: bool) -> None:
        member = _member(cloud, step)
        if member is None or member["ProtectedFromScaleIn"] != protected:
            cloud.call(
                "autoscaling:SetInstanceProtection",
                InstanceIds=[step.arguments["instance"]],
                AutoScalingGroupName=step.arguments["group"],
                ProtectedFromScaleIn=protected,
            )


def membership(cloud: "Cloud", name: str) -> dict[str, Json] | None:
    """What Auto Scaling says of the instance; None: it is a member of no group."""
    found = cloud.call("autoscaling:DescribeAutoScalingInstances", InstanceIds=[name])
    for one in found["AutoScalingInstances"]:
        if one["LifecycleState"] not in ("Detached", "Terminated"):
            return dict(one)
    return None


def _member(cloud: "Cloud", step: Step) -> dict[str, Json] | None:
    found = membership(cloud, step.arguments["instance"])
    if found is None:
        return None
    group = _group(cloud, step, found["AutoScalingGroupName"])
    for one in (group or {}).get("Instances", ()):
        if one["InstanceId"] == step.arguments["instance"]:
            return {**found, "ProtectedFromScaleIn": one["ProtectedFromScaleIn"]}
    return {**found, "ProtectedFromScaleIn": found.get("ProtectedFromScaleIn", False)}


def _group(cloud: "Cloud", step: Step, name: str = "") -> dict[str, Json] | None:
    found = cloud.call(
        "autoscaling:DescribeAutoScalingGroups",
        AutoScalingGroupNames=[name or step.arguments["group"]],
    )
    return dict(found["AutoScalingGroups"][0]) if found["AutoScalingGroups"] else None
