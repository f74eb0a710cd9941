# SPDX-License-Identifier: Apache-2.0
"""What parts an instance from its addresses of IPv6 and from its further interfaces."""

from typing import TYPE_CHECKING

from locard.actions.isolate.aws.steps.found import interface, until
from locard.model.action import Json, Step, Verdict
from locard.model.errors import Conflict, Error, Missing
from locard.model.spoken import spoken

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


class Sixes:
    """An interface has none of its IPv6 addresses. Arguments: `interface`, `addresses`, `prefixes`.

    An address of IPv6 is reached from everywhere without anything like an Elastic IP in between, so
    taking it off is what ends connections that are established over it.
    """

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """Those of the plan that it has now."""
        found = interface(cloud, step.arguments["interface"])
        has = {one["Ipv6Address"] for one in found.get("Ipv6Addresses", ())}
        prefixes = {one["Ipv6Prefix"] for one in found.get("Ipv6Prefixes", ())}
        return {
            "addresses": [one for one in step.arguments["addresses"] if one in has],
            "prefixes": [one for one in step.arguments["prefixes"] if one in prefixes],
        }

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Take them off."""
        self._set(cloud, step, "ec2:UnassignIpv6Addresses", prior)
        return prior

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it has none of them."""
        return None if any(self.capture(cloud, step).values()) else prior

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """EC2's own word about the interface."""
        now = self.capture(cloud, step)
        left = [*now["addresses"], *now["prefixes"]]
        return Verdict(
            not left,
            "the IPv6 addresses of the interface",
            f"it has {spoken(left) if left else 'none'}",
        )

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """The same addresses, unless others use one of them by now."""
        now = self.capture(cloud, step)
        wanted = {name: [one for one in prior[name] if one not in now[name]] for name in prior}
        try:
            self._set(cloud, step, "ec2:AssignIpv6Addresses", wanted)
        except Error as error:
            if type(error) in (Error, Conflict):
                raise Conflict(
                    f"The addresses cannot be assigned again: {error.message}",
                    f"Look who has them; go without them: --leave {step.key}",
                ) from error
            raise
        return None

    def _set(self, cloud: "Cloud", step: Step, call: str, what: Json) -> None:
        given = {"Ipv6Addresses": what["addresses"], "Ipv6Prefixes": what["prefixes"]}
        if any(given.values()):
            cloud.call(
                call,
                NetworkInterfaceId=step.arguments["interface"],
                **{name: value for name, value in given.items() if value},
            )


class Parted:
    """A further interface is not in the instance any more. Arguments: `interface`."""

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """Where it is attached, and whether it goes when the instance does."""
        found = interface(cloud, step.arguments["interface"]).get("Attachment", {})
        return {
            "instance": found.get("InstanceId", ""),
            "device": found.get("DeviceIndex"),
            "card": found.get("NetworkCardIndex", 0),
            "deleted": found.get("DeleteOnTermination", False),
        }

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Take it out, and wait until it is out."""
        found = interface(cloud, step.arguments["interface"])
        if attachment := found.get("Attachment", {}).get("AttachmentId"):
            cloud.call("ec2:DetachNetworkInterface", AttachmentId=attachment)
            until(lambda: self._free(cloud, step), f"Detaching {step.arguments['interface']}")
        return {"detached": step.arguments["interface"]}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it is out."""
        return {"detached": step.arguments["interface"]} if self._free(cloud, step) else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """EC2's own word about the interface."""
        there = self.capture(cloud, step)["instance"]
        return Verdict(not there, "the attachment of the interface",
                       f"it is in {there}" if there else "it is in no instance")  # fmt: skip

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """In its place again, unless it is elsewhere or gone."""
        name = step.arguments["interface"]
        if not prior["instance"]:
            return None
        try:
            now = self.capture(cloud, step)["instance"]
        except Missing as error:
            raise Conflict(
                f"The interface {name} was deleted meanwhile.", f"Go without: --leave {step.key}"
            ) from error
        if now and now != prior["instance"]:
            raise Conflict(f"{name} is in {now} now.", f"Leave it there: --leave {step.key}")
        if not now:
            cloud.call(
                "ec2:AttachNetworkInterface", NetworkInterfaceId=name,
                InstanceId=prior["instance"], DeviceIndex=prior["device"],
                **({"NetworkCardIndex": prior["card"]} if prior["card"] else {}),
            )  # fmt: skip
        found = interface(cloud, name)["Attachment"]
        if found.get("DeleteOnTermination", False) != prior["deleted"]:
            changed = {"AttachmentId": found["AttachmentId"],
                       "DeleteOnTermination": prior["deleted"]}  # fmt: skip
            cloud.call(
                "ec2:ModifyNetworkInterfaceAttribute", NetworkInterfaceId=name, Attachment=changed
            )
        return None

    def _free(self, cloud: "Cloud", step: Step) -> bool:
        return not interface(cloud, step.arguments["interface"]).get("Attachment")
