# SPDX-License-Identifier: Apache-2.0
"""A cast of a lamp, read afterwards: the lamp may be put out meanwhile, and the cast stands.

A file `scan-0.shut` or `scan-1.shut` beside the room keeps a reader waiting, or, when `broken`
stands in it, makes it fail.
"""

import json
import time
from collections.abc import Mapping
from io import BytesIO

from locard.actions.contract import Action, Keep, Room
from locard.model.action import Json, Permission, Plan, Step, Target
from locard.model.custody import Acquisition, Method
from locard.model.errors import Error
from tests.toys.cloud import ToyCloud


class Made:
    """The cast, which is not made twice by one run."""

    def collect(self, cloud: ToyCloud, step: Step, keep: Keep, room: Room) -> Json:
        return {"cast": cloud.cast(step.arguments["lamp"])}


class Scanned:
    """One half of the cast becomes evidence."""

    def collect(self, cloud: ToyCloud, step: Step, keep: Keep, room: Room) -> Json:
        half = step.arguments["half"]
        gate = cloud.path.with_name(f"scan-{half}.shut")
        while gate.exists():
            if gate.read_text() == "broken":
                raise Error(f"Half {half} of the cast cannot be read.", "Look at the scanner.")
            room.progress("Reading the cast", half, 2)
            time.sleep(0.02)
        body = BytesIO(json.dumps({"half": half, **room.outcomes["make:lamp"]}).encode())
        got = Acquisition(method=Method(consistency="one instant"))
        return {"evidence": keep(f"cast-{half}.json", body, got)}


def plan(cloud: ToyCloud, target: Target, options: Mapping[str, Json]) -> Plan:
    """The cast, then its halves."""
    given = {"lamp": target.id}
    steps = (
        Step("make:lamp", "Make a cast of it", "toy:Cast", given, changes=False),
        *(
            Step(f"scan:{half}", f"Read half {half} of the cast", "toy:Scan",
                 {**given, "half": half}, changes=False, from_copy=True)
            for half in (0, 1)
        ),
    )  # fmt: skip
    return Plan("collect.toy.cast", "1", target, dict(options), steps, volatility=4)


ACTION = Action(
    id="collect.toy.cast",
    title="Make a cast of a lamp and read it",
    about="Its form.",
    kind="lamp",
    regional=False,
    names=r"lamp:(?P<id>\w+)",
    permissions=(Permission("toy:Cast", "lamp/{id}"), Permission("toy:Scan", "lamp/{id}")),
    plan=plan,
    steps={"make": Made(), "scan": Scanned()},
    volatility=4,
    within="collect.toy.lamp",
)
