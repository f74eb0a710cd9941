# SPDX-License-Identifier: Apache-2.0
"""Holdings that a run takes to parse them: small ones by the dozen, because a transaction for each
costs as much as parsing a hundred records.
"""

from collections.abc import Callable, Iterable
from threading import Lock
from typing import NamedTuple

from sqlalchemy import select

from locard.state.database import State
from locard.state.investigations import FINAL, Holding, Place, Stage

AT_ONCE = 16
SMALL = 1 << 20
"""Bytes of evidence; what is longer is taken by itself, when its turn has come."""


class Claim(NamedTuple):
    """A holding that is the run's to parse, under the first name that it was found by."""

    holding: Holding
    name: str
    open: bool
    """Whether it waited to be parsed; somebody else may have come to an end with it."""


class Claims:
    """The holdings that were taken and whose turn has not come."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._lock = Lock()
        self._taken: dict[int, Claim] = {}

    def take(self, one: int, coming: Callable[[], Iterable[int]]) -> Claim:
        """Take a holding, which is being parsed from now on, and small ones of those to come."""
        with self._lock:
            if one not in self._taken:
                self._take(one, [n for n in coming() if n not in self._taken])
            return self._taken.pop(one)

    def _take(self, one: int, coming: list[int]) -> None:
        ids = [one, *coming]
        with self._state.session() as session:
            names: dict[int, str] = {}
            places = select(Place.holding, Place.name).where(Place.holding.in_(ids))
            for number, name in session.execute(places.order_by(Place.id)):
                names.setdefault(number, name)
            for holding in session.scalars(select(Holding).where(Holding.id.in_(ids))):
                if holding.id != one and holding.size > SMALL:
                    continue
                waits = Stage(holding.stage) not in FINAL
                if waits:
                    holding.stage = Stage.PARSING.value
                self._taken[holding.id] = Claim(holding, names.get(holding.id, ""), waits)
