# SPDX-License-Identifier: Apache-2.0
"""What a log group of CloudWatch Logs holds of some time, every stream of it."""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

from locard.actions.collect.aws.answers import of
from locard.actions.collect.aws.spans import Span
from locard.actions.collect.aws.streams import Stream, lines
from locard.actions.contract import Keep, Room
from locard.model.action import Json, Permission, Step
from locard.model.errors import Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

PERMISSIONS = (
    Permission("logs:FilterLogEvents", "arn:{partition}:logs:*:{account}:log-group:{group}:*"),
)


class Group:
    """The events of a group, a line of JSON each: time, stream, message, id as AWS gives them.

    Arguments: `group`, `region`, `start`, `end`, `raw` when only the message is wanted.
    """

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Ask page by page, and keep what comes."""
        said, count = step.arguments, 0
        there = cloud.within(said["region"]).noting()
        times = {
            name: int(datetime.fromisoformat(said[key]).timestamp() * 1000)
            for name, key in (("startTime", "start"), ("endTime", "end"))
        }

        def events() -> Iterator[Json]:
            nonlocal count
            for one in there.pages(
                "logs:FilterLogEvents", "events", logGroupName=said["group"], **times
            ):
                count += 1
                room.progress(f"Reading {said['group']}", count, count + 1)
                yield one

        coming = events()
        try:
            first = next(coming, None)
        except Missing as error:
            return {"not collected": error.message}
        if first is None:
            return {"events": 0}

        whole = chain((first,), coming)
        covers = f"{said['group']} from {said['start']} to {said['end']}"
        name = f"{said['group'].strip('/')}.{'log' if said['raw'] else 'jsonl'}"
        body = (
            (str(one.get("message", "")).rstrip("\n").encode("utf-8", "replace") + b"\n"
             for one in whole)
            if said["raw"] else lines(whole)
        )  # fmt: skip
        kept = keep(name, Stream(body), of(there, covers=covers))
        return {"events": count, "evidence": kept}


def group(name: str, region: str, span: Span, *, raw: bool = False) -> Step:
    """The step that reads a group; `raw` keeps the messages alone, for logs that have a parser."""
    arguments = {"group": name, "region": region, "raw": raw, **span.words()}
    return Step(f"group:{region}:{name}", f"Read the log group {name} in {region}",
                "logs:FilterLogEvents", arguments, changes=False)  # fmt: skip
