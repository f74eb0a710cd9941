# SPDX-License-Identifier: Apache-2.0
"""What became of files of a case, and of whatever was taken out of them."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from locard.state.database import State
from locard.state.investigations import Holding, Place, Stage


@dataclass(slots=True)
class Trouble:
    """A file of the case that did not become rows in full, and why."""

    name: str
    evidence: str
    stage: str
    reason: str
    seen: int
    problems: int


def troubles(state: State, case: str, roots: Collection[int]) -> list[Trouble]:
    """Files among the holdings `roots`, and below them, that did not become rows in full."""
    with state.session() as session:
        family = _family(session, case, roots)
        rows = session.execute(
            select(Holding, func.min(Place.name))
            .join(Place, Place.holding == Holding.id)
            .where(
                Holding.case == case,
                Holding.stage.in_([Stage.FAILED.value, Stage.NOT_PARSED.value])
                | (Holding.problems > 0),
            )
            .group_by(Holding.id)
            .order_by(Holding.id)
        ).all()
    return [
        Trouble(name, one.evidence, one.stage, one.reason, one.seen, one.problems)
        for one, name in rows
        if one.id in family
    ]


def passed_over(state: State, case: str, roots: Collection[int]) -> list[str]:
    """Entries without bytes of their own of the archives among `roots` and below them."""
    with state.session() as session:
        family = _family(session, case, roots)
        rows = session.execute(
            select(Holding.id, Holding.facts, func.min(Place.name))
            .join(Place, Place.holding == Holding.id)
            .where(Holding.case == case, Holding.stage == Stage.UNPACKED.value)
            .group_by(Holding.id)
            .order_by(Holding.id)
        ).all()
    return [
        f"{name}/{entry}"
        for one, facts, name in rows
        if one in family
        for entry in json.loads(facts.get("passed", "[]"))
    ]


class Read(NamedTuple):
    """Files that were read, and the records of these and of whatever was taken out of them."""

    files: int = 0
    seen: int = 0
    problems: int = 0


def read(state: State, case: str, roots: Collection[int]) -> Read:
    """What the holdings `roots` gave, whoever read them."""
    if not roots:
        return Read()
    with state.session() as session:
        family = _family(session, case, roots)
        rows = session.execute(
            select(Holding.id, Holding.seen, Holding.problems).where(Holding.case == case)
        ).all()
    mine = [(seen, problems) for one, seen, problems in rows if one in family]
    return Read(len(roots), sum(seen for seen, _ in mine), sum(problems for _, problems in mine))


def _family(session: Session, case: str, roots: Collection[int]) -> set[int]:
    """`roots` and whatever was taken out of them, at any depth."""
    members: dict[str, list[int]] = {}
    hashes: dict[int, str] = {}
    for one, evidence, parent in session.execute(
        select(Holding.id, Holding.evidence, Place.parent)
        .join(Place, Place.holding == Holding.id)
        .where(Holding.case == case)
    ):
        hashes[one] = evidence
        if parent:
            members.setdefault(parent, []).append(one)
    family: set[int] = set()
    left = list(roots)
    while left:
        one = left.pop()
        if one not in family:
            family.add(one)
            left += members.get(hashes.get(one, ""), ())
    return family
