# SPDX-License-Identifier: Apache-2.0
"""What an earlier run left to be parsed, or this one has not met yet."""

from collections.abc import Collection

from sqlalchemy import select, update

from locard.state.database import State
from locard.state.investigations import FINAL, Holding, Place, Stage
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


def lost(state: State, case: str, timeline: Timeline) -> list[int]:
    """The holdings whose rows the timeline lacks, queued anew: someone removed its folder.

    Told by a case without any event though its evidence gave rows. Events get the ids they had, so
    that tags and comments stand on them as before.
    """
    had = (Holding.case == case, Holding.stage == Stage.PARSED, Holding.rows + Holding.problems > 0)
    with state.session() as session:
        gone = list(session.scalars(select(Holding.id).where(*had).order_by(Holding.id)))
        if not gone or timeline.count(Search(case)).rows:
            return []
        session.execute(
            update(Holding).where(*had).values(stage=Stage.QUEUED.value, attempts=0, reason="")
        )
    return gone


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
