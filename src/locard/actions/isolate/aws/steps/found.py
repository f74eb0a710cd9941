# SPDX-License-Identifier: Apache-2.0
"""What several kinds of steps look up, and how they wait for what AWS does in its own time."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from locard.model.action import Json
from locard.model.errors import Busy, Missing

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

PAUSE = 2.0
"""Seconds between two looks."""
LONGEST = 300.0
"""Seconds until a step gives up waiting; carried on later, it waits again."""
_GONE = ("terminated", "shutting-down")


def instance(cloud: "Cloud", name: str) -> dict[str, Json]:
    """The instance as it is. Raises `Missing` when it is being terminated."""
    found = cloud.call("ec2:DescribeInstances", InstanceIds=[name])
    for reservation in found["Reservations"]:
        for one in reservation["Instances"]:
            if one["State"]["Name"] in _GONE:
                raise Missing(
                    f"{name} was terminated meanwhile ({one.get('StateTransitionReason', '')}).",
                    "Collect what is left: its volumes' snapshots, the trail, the flow logs.",
                )
            return dict(one)
    raise Missing(f"There is no instance {name} in {cloud.region}.", "Check id and region.")


def interface(cloud: "Cloud", name: str) -> dict[str, Json]:
    """The network interface as it is. Raises `Missing`."""
    found = cloud.call("ec2:DescribeNetworkInterfaces", NetworkInterfaceIds=[name])
    return dict(found["NetworkInterfaces"][0])


def until(done: Callable[[], bool], what: str, longest: float = 0) -> None:
    """Wait for AWS, some minutes where nothing else is said. Raises `Busy` that says for `what`."""
    longest = longest or LONGEST
    end = time.monotonic() + longest
    while not done():
        if time.monotonic() > end:
            raise Busy(
                f"{what} takes longer than {longest / 60:.0f} minutes.",
                "Carry on later; it is waited for again.",
            )
        time.sleep(PAUSE)
