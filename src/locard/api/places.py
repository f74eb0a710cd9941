# SPDX-License-Identifier: Apache-2.0
"""The case and the event that an address names: both must exist, and belong together."""

from typing import Annotated

from fastapi import Depends, Path

from locard.api.allowed import MayView
from locard.api.door import TheDoor


def _case(case: Annotated[str, Path(max_length=200)], _who: MayView, door: TheDoor) -> str:
    door.desk.case(case)
    return case


TheCase = Annotated[str, Depends(_case)]
"""The name of a case that exists, and that the person may see."""


def _event(
    case: TheCase, event: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")], door: TheDoor
) -> str:
    door.desk.event(case, event)
    return event


TheEvent = Annotated[str, Depends(_event)]
"""The id of an event that the case has."""
