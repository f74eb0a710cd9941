# SPDX-License-Identifier: Apache-2.0
"""Mappings that people saved for logs in shapes of their own: which name fills which column.

A mapping is kept as the parsers read it and is judged by them, not here.
"""

import re
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from locard.model.errors import Error, Missing
from locard.state.database import Table

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class MappingRow(Table):
    """One saved mapping."""

    __tablename__ = "mappings"

    name: Mapped[str] = mapped_column(primary_key=True)
    mapping: Mapped[dict[str, Any]] = mapped_column(JSON)
    who: Mapped[str]
    at: Mapped[int]
    """UTC nanoseconds of the last change."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """A saved mapping; `at` is UTC nanoseconds."""

    name: str
    mapping: dict[str, Any]
    who: str
    at: int


def every(session: Session) -> list[Mapping]:
    """All saved mappings, by name."""
    return [_shown(row) for row in session.scalars(select(MappingRow).order_by(MappingRow.name))]


def find(session: Session, name: str) -> Mapping:
    """The mapping of this name. Raises `Missing`."""
    row = session.get(MappingRow, name)
    if row is None:
        known = ", ".join(mapping.name for mapping in every(session)) or "none"
        raise Missing(f"There is no saved mapping {name!r}.", f"Saved mappings: {known}.")
    return _shown(row)


def save(session: Session, name: str, mapping: dict[str, Any], who: str) -> Mapping:
    """Keep a mapping; one of the same name is replaced. Raises `Error` for a name that won't do."""
    if not _NAME.fullmatch(name):
        raise Error(
            f"{name!r} cannot be the name of a mapping.",
            "Use up to 64 of: letters, digits, dot, dash, underscore.",
        )
    row = session.get(MappingRow, name)
    if row is None:
        row = MappingRow(name=name)
        session.add(row)
    row.mapping, row.who, row.at = mapping, who, time.time_ns()
    session.flush()
    return _shown(row)


def remove(session: Session, name: str) -> None:
    """Forget a mapping. Raises `Missing`."""
    row = session.get(MappingRow, name)
    if row is None:
        raise Missing(f"There is no saved mapping {name!r}.")
    session.delete(row)


def _shown(row: MappingRow) -> Mapping:
    return Mapping(name=row.name, mapping=dict(row.mapping), who=row.who, at=row.at)
