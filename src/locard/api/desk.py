# SPDX-License-Identifier: Apache-2.0
"""What the API asks of the conductor."""

from collections.abc import Collection
from typing import Protocol

from locard.model.event import Event


class Desk(Protocol):
    """The conductor, as far as the routes need it."""

    def case(self, name: str) -> object:
        """The case. Raises `Missing`."""

    def event(self, case: str, event: str) -> Event:
        """The event of this case. Raises `Missing`."""

    def known(self, case: str, ids: Collection[str]) -> set[str]:
        """Which of these ids are events of this case."""
