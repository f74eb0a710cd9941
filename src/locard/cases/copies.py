# SPDX-License-Identifier: Apache-2.0
"""A part of a disk and the whole of it tell of the same records: these stand in the timeline once.

A triage is searched while the copy is made. When the copy was read too, and a step of the run held
both against each other and found them the same, each row of the triage that the copy gives in the
same words at the same place becomes a further place of the copy's row. What was said about it moves
along, and its id still leads there. A row that differs in one word stays: it is what an examiner
has to see.
"""

import json
from collections.abc import Mapping

from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session

from locard.evidence import Draft, Vault
from locard.model.custody import Hand, Verb
from locard.parsers.rows import identify
from locard.state import marks, runs
from locard.state.database import State
from locard.state.investigations import COPY, REPLACE, Holding, Stage
from locard.timeline import Timeline

NAMED = 100
"""Marked events that an entry names; all are counted."""


def settle(state: State, vault: Vault, timeline: Timeline, case: str, who: Hand) -> int:
    """Fold the rows of every part into those of its whole, once both were read; how many rows."""
    with state.session() as session:
        ready = [
            (part, whole)
            for part, whole in runs.agreed(session, case)
            if (few := _read(session, case, part)) is not None
            and few.facts.get(COPY) != whole
            and _read(session, case, whole) is not None
        ]
    return sum(_fold(state, vault, timeline, case, who, *one) for one in ready)


def _fold(
    state: State, vault: Vault, timeline: Timeline, case: str, who: Hand, part: str, whole: str
) -> int:
    """The entry comes first; cut off after it, the next run finds the same and ends it."""
    alike = timeline.alike(case, part, whole)
    became = {**_became(timeline, case, part, whole), **alike}
    if became:
        with state.session() as session:
            marked = sorted(marks.marked(session, case) & became.keys())
        stay = timeline.rows_of(case, part) - len(alike)
        details = {
            "copy": whole, "rows": f"{len(became):,}", "marked": f"{len(marked):,}",
            "rows that the copy does not give alike, and that stay": f"{stay:,}",
        }  # fmt: skip
        if marked:
            details["marks move"] = json.dumps({one: became[one] for one in marked[:NAMED]})
        reason = f"{len(became):,} rows become places of those of the copy {whole[:16]}…"
        reason += f"; {stay:,} that say something else stay" if stay else ""
        vault.ledger.append([Draft(who, Verb.PROCESSED, part, case, reason, details)])
        timeline.fold_into(case, alike)
    with state.session(alone=True) as session:
        marks.follow(session, case, became)
        few = _read(session, case, part)
        if few is not None:
            few.facts = {**few.facts, COPY: whole}
    return len(alike)


def separate(state: State, timeline: Timeline, case: str, evidence: str) -> list[int]:
    """Take apart what was folded, before `evidence` is read in another way.

    Answers the holdings that have to be read again, since their rows are gone: they are queued
    before anything else happens, so that none is lost when this is cut off.
    """
    again: list[int] = []
    with state.session() as session:
        pairs = [one for one in runs.agreed(session, case) if evidence in one]
        for part, whole in pairs:
            few = _read(session, case, part)
            if whole == evidence and few is not None and COPY in few.facts:
                few.stage, few.attempts = Stage.QUEUED.value, 0
                again.append(few.id)
    for part, whole in pairs:
        timeline.separate(case, part, whole)
    return again


def successor(state: State, timeline: Timeline, case: str | None, event: str) -> str:
    """The id of the event that this one became a place of, or empty."""
    with state.session() as session:
        named = cast(Holding.facts, String).contains(COPY)
        wanted = select(Holding.case, Holding.evidence, Holding.facts)
        if case:
            wanted = wanted.where(Holding.case == case)
        folded = [
            (where, part, str(facts[COPY]))
            for where, part, facts in session.execute(wanted.where(named))
            if COPY in facts
        ]
    for where, part, whole in folded:
        if found := _became(timeline, where, part, whole).get(event.strip().lower()):
            return found
    return ""


def _became(timeline: Timeline, case: str, part: str, whole: str) -> Mapping[str, str]:
    """Ids that rows of the part had, with the ids of the rows whose places they are."""
    return {
        identify(source, [f"{part}\0{locator}"])[0]: one
        for one, source, locator in timeline.places(case, part, whole)
    }


def _read(session: Session, case: str, evidence: str) -> Holding | None:
    """The holding, if it was read and nobody wants it read in another way."""
    found = session.scalar(
        select(Holding).where(Holding.case == case, Holding.evidence == evidence)
    )
    if found is None or found.stage != Stage.PARSED or REPLACE in found.facts:
        return None
    return found
