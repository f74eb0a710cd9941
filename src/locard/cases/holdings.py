# SPDX-License-Identifier: Apache-2.0
"""What a case holds, as people read it: each piece of evidence with its state and its counts."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from locard.model.errors import Missing
from locard.state.database import State
from locard.state.investigations import COPY, CaseRow, Holding, Place, Stage


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of evidence of a case. Records seen = rows + problems."""

    id: str
    """SHA-256 of the bytes."""
    name: str
    places: tuple[str, ...]
    """All names under which the same bytes were found."""
    parent: str
    member: str
    size: int
    blake2b: str
    kind: str
    parser: str
    parser_version: str
    stage: str
    reason: str
    attempts: int
    seen: int
    rows: int
    problems: int
    troubles: tuple[str, ...]
    """What could not be read and is no row, such as an encrypted member."""
    passed: tuple[str, ...]
    """Entries of an archive that have no bytes of their own, such as links."""
    check: str
    """Outcome of checking a CloudTrail digest against the logs, else empty."""
    layers: str
    copy: str
    """Of the triage of a disk: the id of the full copy, once its rows stand in the timeline as
    further places of the copy's; else empty."""
    added: int
    added_by: str


@dataclass(frozen=True, slots=True)
class Totals:
    """What a case holds, in numbers."""

    evidence: int
    bytes: int
    seen: int
    rows: int
    problems: int
    stages: dict[str, int]


def find_case(session: Session, name: str) -> CaseRow:
    """The case of that name. Raises `Missing`, naming the cases there are."""
    row = session.get(CaseRow, name)
    if row is None:
        names = session.scalars(select(CaseRow.name).order_by(CaseRow.name)).all()
        advice = (
            f"There are: {', '.join(names[:20])}." if names else "Make it: locard add CASE PATH."
        )
        raise Missing(f"There is no case called {name!r}.", advice)
    return row


def items(
    state: State,
    case: str,
    *,
    stage: str = "",
    text: str = "",
    evidence: str = "",
    limit: int = 500,
    offset: int = 0,
) -> tuple[list[Item], int]:
    """A page of the evidence of a case in the order it was added, and how many there are in all."""
    with state.session() as session:
        find_case(session, case)
        wanted = _wanted(case, stage, text, evidence)
        total = session.scalar(select(func.count()).select_from(Holding).where(*wanted)) or 0
        page = session.scalars(
            select(Holding).where(*wanted).order_by(Holding.id).limit(limit).offset(offset)
        ).all()
        return _with_places(session, page), total


def item(state: State, case: str, evidence: str) -> Item:
    """One piece of evidence, by its id or an unambiguous beginning of at least six digits.

    Raises `Missing` when the case does not hold it.
    """
    found, total = items(state, case, evidence=evidence, limit=2)
    if total != 1:
        reason = "more than one" if total else "no"
        raise Missing(
            f"Case {case} holds {reason} evidence {evidence[:16]!r}.",
            f"List it with `locard evidence {case}`.",
        )
    return found[0]


def names(state: State, case: str, evidence: Collection[str]) -> dict[str, str]:
    """The first name of each of these pieces of evidence, as far as the case holds them."""
    wanted = list(evidence)
    with state.session() as session:
        rows = session.execute(
            select(Holding.evidence, Place.name)
            .join(Place, Place.holding == Holding.id)
            .where(Holding.case == case, Holding.evidence.in_(wanted))
            .order_by(Place.id.desc())
        ).all()
    return {str(found): str(name) for found, name in rows}


def totals(state: State, case: str) -> Totals:
    """How much a case holds and how far parsing is."""
    with state.session() as session:
        sums = session.execute(
            select(
                func.count(),
                func.coalesce(func.sum(Holding.size), 0),
                func.coalesce(func.sum(Holding.seen), 0),
                func.coalesce(func.sum(Holding.rows), 0),
                func.coalesce(func.sum(Holding.problems), 0),
            ).where(Holding.case == case)
        ).one()
        stages = session.execute(
            select(Holding.stage, func.count()).where(Holding.case == case).group_by(Holding.stage)
        ).all()
    evidence, size, seen, rows, problems = (int(one) for one in sums)
    counts = {str(stage): int(number) for stage, number in stages}
    return Totals(evidence, size, seen, rows, problems, counts)


def _wanted(case: str, stage: str, text: str, evidence: str) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [Holding.case == case]
    if stage:
        wanted.append(Holding.stage == stage)
    if evidence:
        exact = len(evidence) == 64
        short = Holding.evidence.startswith(evidence, autoescape=True)
        wanted.append(Holding.evidence == evidence if exact or len(evidence) < 6 else short)
    if text:
        named = select(Place.holding).where(Place.name.icontains(text, autoescape=True))
        wanted.append(
            or_(
                Holding.id.in_(named),
                Holding.evidence.startswith(text.lower(), autoescape=True),
                Holding.parser.icontains(text, autoescape=True),
                Holding.reason.icontains(text, autoescape=True),
            )
        )
    return wanted


def _with_places(session: Session, page: Sequence[Holding]) -> list[Item]:
    places: dict[int, list[Place]] = {}
    for place in session.scalars(
        select(Place).where(Place.holding.in_([one.id for one in page])).order_by(Place.id)
    ):
        places.setdefault(place.holding, []).append(place)
    return [_item(one, places.get(one.id, [])) for one in page]


def _item(one: Holding, places: list[Place]) -> Item:
    first = places[0] if places else Place(name=one.evidence[:16], parent="", member="")
    return Item(
        id=one.evidence,
        name=first.name,
        places=tuple(place.name for place in places),
        parent=first.parent,
        member=first.member,
        size=one.size,
        blake2b=one.blake2b,
        kind=one.kind,
        parser=one.parser,
        parser_version=one.parser_version,
        stage=one.stage,
        reason=one.reason,
        attempts=one.attempts,
        seen=one.seen,
        rows=one.rows,
        problems=one.problems,
        troubles=tuple(json.loads(one.facts.get("problems", "[]"))),
        passed=tuple(json.loads(one.facts.get("passed", "[]"))),
        check=one.facts.get("check", ""),
        layers=one.facts.get("layers", ""),
        copy=str(one.facts.get(COPY, "")) if one.stage == Stage.PARSED else "",
        added=one.added,
        added_by=one.added_by,
    )


def failed(state: State, case: str, limit: int = 20) -> list[Item]:
    """Evidence that could not be parsed, for the overview."""
    return items(state, case, stage=Stage.FAILED.value, limit=limit)[0]
