# SPDX-License-Identifier: Apache-2.0
"""A verdict: one clause for each thing that was looked at, and whether it passed."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What became of a clause. What was not checked is said, and is no pass."""

    PASS = "pass"  # noqa: S105 (a word, not a secret)
    FAIL = "fail"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing that was looked at."""

    name: str
    state: State
    detail: str
    where: str = ""
    """The file and entry of a failure."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """All clauses, in the order in which they were looked at."""

    clauses: tuple[Clause, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing failed. Clauses that could not be checked are for the reader to judge."""
        return all(one.state is not State.FAIL for one in self.clauses)

    def clause(self, name: str) -> Clause:
        """The clause of that name. Raises `KeyError`."""
        for one in self.clauses:
            if one.name == name:
                return one
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in one place."""

    detail: str
    where: str = ""


def judged(name: str, faults: Iterable[Fault], good: str, more: int = 0) -> Clause:
    """The clause that fails by its first fault, counting the others, or passes as `good` says.

    `more` are faults that were counted and not kept.
    """
    found = list(faults)
    if not found:
        return Clause(name, State.PASS, good)
    others = len(found) - 1 + more
    told = f" (and {others:,} more like it)" if others else ""
    return Clause(name, State.FAIL, found[0].detail + told, found[0].where)
