# SPDX-License-Identifier: Apache-2.0
"""The case and the event that an address names: both must exist, and belong together."""

from typing import Annotated

from fastapi import Depends, Path

from locard.api.allowed import MayView
from locard.api.door import TheDoor
from locard.model.errors import Missing


def _case(case: Annotated[str, Path(max_length=200)], _who: MayView, door: TheDoor) -> str:
    door.desk.case(case)
    return case


TheCase = Annotated[str, Depends(_case)]
"""The name of a case that exists, and that the person may see."""


EventId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


def _event(case: TheCase, event: EventId, door: TheDoor) -> str:
    if event not in door.desk.known(case, [event]):
        raise Missing(f"The case has no event {event}.", "Reload the timeline.")
    return event


TheEvent = Annotated[str, Depends(_event)]
"""The id of an event that the case has."""
