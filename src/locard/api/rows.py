# SPDX-License-Identifier: Apache-2.0
"""Rows of the timeline as the API shows them: with readable times and with the marks of people."""

import base64
from typing import Any

from locard.api.times import iso
from locard.model.event import COLUMNS, Event, Kind
from locard.state.database import State
from locard.state.marks import Marks, marks_of
from locard.timeline import Row

LISTED: tuple[str, ...] = tuple(c.name for c in COLUMNS if c.kind not in (Kind.BYTES, Kind.MAP))
"""The columns of a row in a list: those that may be long are shown with one event only."""

_NOTHING = Marks()


def listed(state: State, case: str, rows: list[Row]) -> list[Row]:
    """The rows of a list, changed in place."""
    with state.session() as session:
        known = marks_of(session, case, [row["id"] for row in rows])
    for row in rows:
        row.pop("raw", None)
        row.pop("attributes", None)
        row.pop("case", None)
        _timed(row)
        _marked(row, known.get(row["id"], _NOTHING))
    return rows


def whole(state: State, event: Event) -> Row:
    """One event with everything that is known of it, but for where it comes from."""
    with state.session() as session:
        known = marks_of(session, event.case, [event.id])
    row: dict[str, Any] = {"id": event.id, "time": event.time, **event.values}
    _timed(row)
    _marked(row, known.get(event.id, _NOTHING))
    row["attributes"] = event.attributes
    try:
        row["raw"], row["raw_base64"] = event.raw.decode(), None
    except UnicodeDecodeError:
        row["raw"] = event.raw.decode("utf-8", "replace")
        row["raw_base64"] = base64.b64encode(event.raw).decode()
    return row


def _timed(row: Row) -> None:
    ns = row["time"]
    row["time"] = None if ns is None else iso(ns)
    row["time_ns"] = None if ns is None else str(ns)


def _marked(row: Row, marks: Marks) -> None:
    row["tags"] = marks.tags
    row["starred"] = marks.starred
    row["comments"] = marks.comments
