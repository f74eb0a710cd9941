# SPDX-License-Identifier: Apache-2.0
"""How evidence is wished to be read: judged when it is said, not when it fails hours later."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import select

from locard.cases.intake import Wish
from locard.model.errors import Missing
from locard.model.evidence import printable
from locard.parsers import catalogue
from locard.parsers.contract import Limits
from locard.parsers.mapping import compile_columns
from locard.parsers.times import zone
from locard.settings import changed
from locard.state import mappings
from locard.state.database import State
from locard.state.mappings import MappingRow


def judged(state: State, limits: Limits, wish: Wish | None) -> Wish:
    """The wish with the limits in force. Raises `Missing` for a parser, mapping or zone of none."""
    wish = wish or Wish()
    wish = replace(wish, host=printable(wish.host))
    if wish.parser and not wish.parser.startswith("archive."):
        catalogue.load().get(wish.parser)
    if wish.mapping and wish.mapping not in mappings_of(state):
        raise Missing(
            f"There is no mapping called {wish.mapping!r}.",
            "Save one with `locard mapping save NAME FILE`.",
        )
    zone(wish.zone or "UTC")
    return replace(wish, limits={**changed(limits), **wish.limits})


def mappings_of(state: State) -> dict[str, dict[str, object]]:
    """The mappings that people saved, by name."""
    with state.session() as session:
        rows = session.scalars(select(MappingRow)).all()
    return {row.name: dict(row.mapping) for row in rows}


def save_mapping(state: State, name: str, found: object, who: str) -> None:
    """Keep a mapping for the generic parsers. Raises `BadMapping` that names every fault."""
    compile_columns(found)
    with state.session() as session:
        mappings.save(session, name, dict(cast(Mapping[str, Any], found)), who)
