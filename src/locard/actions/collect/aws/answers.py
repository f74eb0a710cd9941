# SPDX-License-Identifier: Apache-2.0
"""Answers of AWS as evidence: a document for each call, with what was asked and its request id."""

import json
from base64 import b64decode
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING

from locard.actions.contract import Keep, Room
from locard.model.action import Json, Step
from locard.model.custody import Acquisition, Method
from locard.model.errors import Denied, Error, Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


class Answer:
    """The answer to one call, as JSON. Arguments: `request`, `name`, `optional`."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Ask, and keep the answer; one that may be missing is told as missing."""
        try:
            answer = self.ask(cloud, step)
        except (Denied, Missing, Error) as error:
            if not step.arguments.get("optional"):
                raise
            return {"not collected": f"{error.message} {error.advice}".strip()}
        kept = {"evidence": keep(step.arguments["name"], _document(cloud, step, answer), of(cloud))}
        for name, body in self.inside(step, answer):
            kept[name] = keep(name, BytesIO(body), of(cloud))
        return kept

    def ask(self, cloud: "Cloud", step: Step) -> Mapping[str, Json]:
        """Make the call."""
        return cloud.call(step.call, **step.arguments["request"])

    def inside(self, step: Step, answer: Mapping[str, Json]) -> list[tuple[str, bytes]]:
        """What the answer carries that is evidence by itself."""
        return []


class UserData(Answer):
    """The script that the instance was started with."""

    def inside(self, step: Step, answer: Mapping[str, Json]) -> list[tuple[str, bytes]]:
        """The script, decoded."""
        value = answer.get("UserData", {}).get("Value", "")
        return [(step.arguments["inside"], b64decode(value))] if value else []


class Console(Answer):
    """What the instance wrote to its console; the newest where EC2 has it."""

    def ask(self, cloud: "Cloud", step: Step) -> Mapping[str, Json]:
        """Ask for the newest, and where that is not to be had, for what was kept at boot."""
        request = step.arguments["request"]
        try:
            return cloud.call(step.call, **request, Latest=True)
        except Denied:
            raise
        except Error:
            return cloud.call(step.call, **request)

    def inside(self, step: Step, answer: Mapping[str, Json]) -> list[tuple[str, bytes]]:
        """The text; the SDK has decoded it."""
        text = answer.get("Output", "")
        return [(step.arguments["inside"], text.encode("utf-8", "surrogateescape"))] if text else []


class Screenshot(Answer):
    """What its screen shows."""

    def inside(self, step: Step, answer: Mapping[str, Json]) -> list[tuple[str, bytes]]:
        """The picture, decoded."""
        return [(step.arguments["inside"], b64decode(answer.get("ImageData", "")))]


def of(cloud: "Cloud", *, consistency: str = "one instant", covers: str = "") -> Acquisition:
    """How it was got: by all that a session noted, also while it is kept, or by the last call."""
    return Acquisition(
        method=Method(consistency=consistency),
        requests=(cloud.requests[-1],) if cloud.made is None else cloud.made,
        covers=covers or "the answer as the SDK read it",
    )


def _document(cloud: "Cloud", step: Step, answer: Mapping[str, Json]) -> BytesIO:
    request = cloud.requests[-1]
    found = {
        "call": step.call,
        "account": cloud.account,
        "region": cloud.region,
        "request": step.arguments["request"],
        "request id": request.id,
        "time": request.time,
        "answer": answer,
    }
    return BytesIO(json.dumps(found, indent=1, ensure_ascii=False).encode("utf-8", "replace"))
