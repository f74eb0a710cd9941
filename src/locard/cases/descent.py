# SPDX-License-Identifier: Apache-2.0
"""How much came out of what a person added, at any depth: the bound of nested bombs.

A worker bounds what one archive gives. An archive of small archives, each within its own bound,
gives the product: 230 KB become gigabytes after two steps and terabytes after three. So what comes
out of an archive inside another counts against the evidence that a person added, under the same
limits.
"""

from threading import Lock

from sqlalchemy import func, select

from locard.model.errors import Unreadable
from locard.parsers.contract import Limits
from locard.parsers.decode import Meter
from locard.state.database import State
from locard.state.investigations import Holding, Place


class NestedBomb(Unreadable):
    """What was taken out of one piece of evidence, all depths together, passed a limit."""


class Descent:
    """What was taken out of each root in one case. Safe between threads."""

    def __init__(self, state: State, case: str) -> None:
        self._state, self._case = state, case
        self._lock = Lock()
        self._roots: dict[str, str] = {}
        self._sizes: dict[str, int] = {}
        self._below: dict[str, set[str]] = {}
        self._taken: dict[str, int] = {}

    def of(self, holding: Holding) -> str:
        """The evidence that a person added and `holding` came out of; itself, when that was it."""
        with self._lock:
            root = self._roots.get(holding.evidence) or self._climb(holding)
            self._roots[holding.evidence] = root
            if root not in self._below:
                self._load(root)
            return root

    def count(self, root: str, evidence: str, size: int) -> None:
        """`evidence` came out of `root`, directly or not; the same bytes count once."""
        with self._lock:
            if evidence not in self._below[root]:
                self._below[root].add(evidence)
                self._taken[root] += size

    def require(self, root: str, more: int, limits: Limits) -> None:
        """Raise `NestedBomb` when `more` bytes out of `root` would pass a limit."""
        meter = Meter(limits, max(1, self._sizes[root]))
        try:
            meter.add(self._taken[root] + more)
        except Unreadable as error:
            raise NestedBomb(
                f"Together with the archives around it: {error.message}", error.advice
            ) from None

    def around(self, holding: Holding) -> set[str]:
        """`holding` and every evidence that it came out of, in any of its places."""
        found = {holding.evidence}
        left = [holding.evidence] if holding.depth else []
        with self._state.session() as session:
            while left:
                parents = session.scalars(
                    select(Place.parent)
                    .join(Holding, Place.holding == Holding.id)
                    .where(Holding.case == self._case, Holding.evidence == left.pop())
                )
                new = {one for one in parents if one} - found
                found |= new
                left += new
        return found

    def _climb(self, holding: Holding) -> str:
        one, seen = holding.evidence, set[str]()
        with self._state.session() as session:
            while one not in seen:
                seen.add(one)
                parents = session.scalars(
                    select(Place.parent)
                    .join(Holding, Place.holding == Holding.id)
                    .where(Holding.case == self._case, Holding.evidence == one)
                    .order_by(Place.id)
                ).all()
                if not parents or "" in parents:
                    break
                one = parents[0]
        return one

    def _load(self, root: str) -> None:
        """What runs before this one took out of `root`."""
        below: set[str] = set()
        todo, taken = [root], 0
        with self._state.session() as session:
            self._sizes[root] = (
                session.scalar(
                    select(func.max(Holding.size)).where(
                        Holding.case == self._case, Holding.evidence == root
                    )
                )
                or 0
            )
            while todo:
                found = session.execute(
                    select(Holding.evidence, Holding.size)
                    .join(Place, Place.holding == Holding.id)
                    .where(Holding.case == self._case, Place.parent == todo.pop())
                ).all()
                for evidence, size in found:
                    if evidence not in below and evidence != root:
                        below.add(evidence)
                        todo.append(evidence)
                        taken += size
        self._below[root], self._taken[root] = below, taken
