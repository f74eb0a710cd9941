# SPDX-License-Identifier: Apache-2.0
"""A shell in a container of ECS for one command: what it answers, and what is said of that."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from locard.actions.collect.aws.answers import of
from locard.actions.collect.aws.inside import Answer
from locard.actions.contract import Room
from locard.model.action import Step
from locard.model.custody import Acquisition
from locard.model.errors import Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

SMEARED = "smeared: each file at the moment at which it was read"


def asked(
    cloud: "Cloud", step: Step, room: Room, command: str, nonce: str, most: int
) -> Answer:  # fmt: skip
    """Run a command in the container of a step: what it answers, of `most` bytes at most."""
    said = step.arguments
    channel = cloud.executed(said["cluster"], said["task"], said["container"], command)
    where = f"The container {said['container']}"

    def output() -> Iterator[bytes]:
        seconds = 60.0 * int(said["minutes"])
        yield from channel.output(
            seconds=seconds, most=most, told=lambda count: room.progress(step.title, count, most)
        )
        if "Unable to start command" in channel.farewell:
            raise Missing(
                f"{where} has no shell at /bin/sh ({channel.farewell}): nothing can be asked of "
                "it.",
                "Its image is taken by its digest, its logs by collect.aws.task; its files come "
                "only with its host, where that is an instance.",
            )

    return Answer(output(), nonce, where)


def acquired(cloud: "Cloud", step: Step, covers: str) -> Acquisition:
    """How what such a command gave was got; to be asked before another call is made."""
    container = step.arguments["container"]
    return replace(
        of(cloud, consistency=SMEARED, covers=covers),
        source={"container": container},
        changes=(
            f"/bin/sh ran in the container {container} and started what it names, as root or the "
            "user of the agent; times of last access may have changed; nothing was written there",
        ),
        hash_point="here, as it came through the session; each message was held against its own "
        "SHA-256",
    )
