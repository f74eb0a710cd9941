# SPDX-License-Identifier: Apache-2.0
"""One setting of a resource has another value, whatever service keeps it."""

from typing import TYPE_CHECKING, ClassVar

from locard.model.action import Json, Step, Verdict
from locard.model.errors import Conflict
from locard.model.spoken import spoken

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


class Valued:
    """A step whose argument `value` replaces what is there; services say how to read and set it."""

    signal: ClassVar[str]
    """Whose word says that it holds."""

    def read(self, cloud: "Cloud", step: Step) -> Json:
        """The value now."""
        raise NotImplementedError

    def set(self, cloud: "Cloud", step: Step, value: Json) -> None:
        """Make it `value`."""
        raise NotImplementedError

    def named(self, step: Step) -> str:
        """What the setting is called."""
        raise NotImplementedError

    def capture(self, cloud: "Cloud", step: Step) -> Json:
        """Its value now."""
        return {"value": self.read(cloud, step)}

    def apply(self, cloud: "Cloud", step: Step, prior: Json) -> Json:
        """Set it."""
        self.set(cloud, step, step.arguments["value"])
        return {"value": step.arguments["value"]}

    def applied(self, cloud: "Cloud", step: Step, prior: Json) -> Json | None:
        """Whether it has our value."""
        now = self.capture(cloud, step)
        return now if now["value"] == step.arguments["value"] else None

    def verify(self, cloud: "Cloud", step: Step, prior: Json) -> Verdict:
        """The service's own word."""
        now = self.read(cloud, step)
        return Verdict(now == step.arguments["value"], self.signal, f"it is {spoken(now)}")

    def undo(self, cloud: "Cloud", step: Step, prior: Json, outcome: Json) -> Json:
        """The former value, unless somebody gave it a third one."""
        now = self.read(cloud, step)
        if now != prior["value"]:
            if now != step.arguments["value"]:
                raise Conflict(
                    f"{self.named(step)} is {spoken(now)} now, which neither was there nor is "
                    "ours.",
                    f"Leave it so: --leave {step.key}",
                )
            self.set(cloud, step, prior["value"])
        return None
