# SPDX-License-Identifier: Apache-2.0
"""A lamp is isolated: no friends any more, blue, and off last."""

from collections.abc import Mapping

from locard.actions.contract import Action, Option
from locard.model.action import Json, Permission, Plan, Step, Target, Verdict
from locard.model.errors import Conflict
from tests.toys.cloud import ToyCloud


class Switched:
    """One property of the lamp is another; lists lose our part only."""

    def capture(self, cloud: ToyCloud, step: Step) -> Json:
        return {"value": cloud.get(step.arguments["lamp"])[step.arguments["name"]]}

    def apply(self, cloud: ToyCloud, step: Step, prior: Json) -> Json:
        cloud.switch(**step.arguments)
        return {"value": step.arguments["value"]}

    def applied(self, cloud: ToyCloud, step: Step, prior: Json) -> Json | None:
        now = self.capture(cloud, step)["value"]
        return {"value": now} if now == step.arguments["value"] else None

    def verify(self, cloud: ToyCloud, step: Step, prior: Json) -> Verdict:
        holds = self.applied(cloud, step, prior) is not None
        return Verdict(holds, "the lamp's own state", "" if holds else "it shines again")

    def undo(self, cloud: ToyCloud, step: Step, prior: Json, outcome: Json) -> Json:
        lamp, name = step.arguments["lamp"], step.arguments["name"]
        now, ours, before = (
            self.capture(cloud, step)["value"],
            step.arguments["value"],
            prior["value"],
        )
        if now == before:
            return None
        if isinstance(now, list) and all(one in now for one in ours):
            added = [one for one in now if one not in ours]
            cloud.switch(lamp, name, [*before, *added])
            return {"kept": added} if added else None
        if now != ours:
            raise Conflict(f"{name} of {lamp} is {now} now.", f"Leave it: --leave {step.key}")
        cloud.switch(lamp, name, before)
        return None


def plan(cloud: ToyCloud, target: Target, options: Mapping[str, Json]) -> Plan:
    """Reads the lamp; one with guests loses them too."""
    lamp = cloud.get(target.id)
    wanted = [("friends", ["nobody"]), ("colour", "blue"), ("power", "off")]
    if "guests" in lamp:
        wanted.insert(0, ("guests", []))
    steps = tuple(
        Step(
            f"switch:{name}", f"Switch {name} to {value}", "toy:Switch",
            {"lamp": target.id, "name": name, "value": value},
            breaks=("It is dark.",) if name == "power" else (), undo_title=f"Switch {name} back",
        )
        for name, value in wanted
        if name != "power" or options["off"]
    )  # fmt: skip
    return Plan("isolate.toy.lamp", "1", target, dict(options), steps)


ACTION = Action(
    id="isolate.toy.lamp",
    title="Isolate a lamp",
    about="No friends, blue, off.",
    kind="lamp",
    regional=False,
    names=r"lamp:(?P<id>\w+)",
    permissions=(Permission("toy:Switch", "lamp/{id}", reads=False),),
    plan=plan,
    steps={"switch": Switched()},
    harm="It is dark.",
    loses=("collect.toy.lamp",),
    options=(Option("off", "Switch it off", True),),
)
