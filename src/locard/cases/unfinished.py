# SPDX-License-Identifier: Apache-2.0
"""What is to be parsed: left by an earlier run, not met yet, or read by a parser of old."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from locard.parsers import catalogue
from locard.parsers.recognise import ARCHIVE_VERSION
from locard.state.database import State
from locard.state.investigations import ASKED, FINAL, Holding, Place, Stage
from locard.timeline import Search, Timeline

_FINAL = [stage.value for stage in FINAL]


def waiting(state: State, case: str) -> list[int]:
    """The holdings of the case that wait to be parsed, in the order in which they came."""
    with state.session() as session:
        return list(
            session.scalars(
                select(Holding.id)
                .where(Holding.case == case, Holding.stage.not_in(_FINAL))
                .order_by(Holding.id)
            )
        )


def lacking(state: State, timeline: Timeline, case: str | None = None) -> dict[str, int]:
    """The cases of which the timeline has no row though files gave some, and how many files did.

    Somebody removed its folder. Asked where nothing was found, and when a server begins.
    """
    gave = select(Holding.case, func.count()).where(*_gave_rows(case)).group_by(Holding.case)
    with state.session() as session:
        found = session.execute(gave).all()
    there = timeline.cases() if found else ()
    return {name: count for name, count in found if name not in there}


def lost(state: State, case: str, timeline: Timeline) -> list[int]:
    """The holdings whose rows the timeline lacks, queued anew: someone removed its folder.

    Told by a case without any event though its evidence gave rows. Events get the ids they had, so
    that tags and comments stand on them as before.
    """
    had = _gave_rows(case)
    with state.session() as session:
        gone = list(session.scalars(select(Holding.id).where(*had).order_by(Holding.id)))
        if not gone or timeline.count(Search(case)).rows:
            return []
        session.execute(
            update(Holding).where(*had).values(stage=Stage.QUEUED.value, attempts=0, reason="")
        )
    return gone


def _gave_rows(case: str | None) -> tuple[ColumnElement[bool], ...]:
    gave = Holding.stage == Stage.PARSED.value, Holding.rows + Holding.problems > 0
    return (Holding.case == case, *gave) if case else gave


def outermost(state: State, case: str, ids: Collection[int]) -> list[int]:
    """Those of the holdings that came out of no archive that waits itself; all, if there are none.

    What did, from a run that was killed, the archive gives once more, and says whose it is.
    """
    with state.session() as session:
        waits = select(Holding.evidence).where(Holding.case == case, Holding.stage.not_in(_FINAL))
        inside = set(
            session.scalars(
                select(Place.holding)
                .join(Holding, Place.holding == Holding.id)
                .where(Holding.case == case, Holding.stage.not_in(_FINAL), Place.parent.in_(waits))
            )
        )
    return [one for one in ids if one not in inside] or list(ids)


def outdated(holding: Holding) -> bool:
    """Whether it was read by another version of its parser than the one that is installed: its rows
    cannot be proved before it is read anew."""
    known = catalogue.own().sources.get(holding.parser)
    return known is not None and holding.parser_version not in ("", known.version)


def unasked(holding: Holding) -> bool:
    """Whether nothing recognised it, and there are other parsers now than those that were asked."""
    nothing = holding.stage == Stage.NOT_PARSED.value
    return nothing and holding.facts.get(ASKED) != catalogue.fingerprint()


def unpacked_by_another(holding: Holding) -> bool:
    """Whether an archive was unpacked by another version, which may have left members in it."""
    return holding.stage == Stage.UNPACKED.value and holding.parser_version != ARCHIVE_VERSION


def within(session: Session, holding: Holding) -> list[Holding]:
    """What was taken out of a holding, at any depth."""
    found: dict[int, Holding] = {}
    waiting = [holding]
    while waiting:
        one = waiting.pop()
        if one.stage == Stage.UNPACKED:
            inner = select(Holding).join(Place, Place.holding == Holding.id)
            inner = inner.where(Holding.case == one.case, Place.parent == one.evidence)
            new = {each.id: each for each in session.scalars(inner)}
            waiting += [each for each in new.values() if each.id not in found]
            found |= new
    found.pop(holding.id, None)
    return list(found.values())
