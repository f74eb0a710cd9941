# SPDX-License-Identifier: Apache-2.0
"""What a lamp is like, as JSON."""

import json
from collections.abc import Mapping
from io import BytesIO

from locard.actions.contract import Action, Keep, Room
from locard.model.action import Json, Permission, Plan, Step, Target
from locard.model.custody import Acquisition, Method
from tests.toys.cloud import ToyCloud


class Described:
    """The lamp's state becomes evidence."""

    def collect(self, cloud: ToyCloud, step: Step, keep: Keep, room: Room) -> Json:
        found = cloud.get(step.arguments["lamp"])
        body = BytesIO(json.dumps({"lamp": found}).encode())
        kept = keep("lamp.json", body, Acquisition(method=Method(consistency="one instant")))
        return {"evidence": kept}


def plan(cloud: ToyCloud, target: Target, options: Mapping[str, Json]) -> Plan:
    """One step."""
    step = Step("describe:lamp", "Describe it", "toy:Get", {"lamp": target.id}, changes=False)
    return Plan("collect.toy.lamp", "1", target, dict(options), (step,))


ACTION = Action(
    id="collect.toy.lamp",
    title="Describe a lamp",
    about="Its state.",
    kind="lamp",
    regional=False,
    names=r"lamp:(?P<id>\w+)",
    permissions=(Permission("toy:Get", "lamp/{id}"),),
    plan=plan,
    steps={"describe": Described()},
    volatility=0,
)
