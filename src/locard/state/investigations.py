# SPDX-License-Identifier: Apache-2.0
"""Cases, the evidence that belongs to them, and the places where that evidence was found.

The same bytes found twice in a case are parsed once: `Holding` is the bytes in the case with what
parsing made of them, `Place` is one name under which they were found.
"""

from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from locard.state.database import Table


class Stage(StrEnum):
    """How far a holding has come."""

    QUEUED = "queued"
    PARSING = "parsing"
    PARSED = "parsed"
    UNPACKED = "unpacked"
    """An archive: its members are holdings of their own."""
    PART = "part"
    """A further segment of a split image, read together with the first."""
    NOT_PARSED = "not parsed"
    """Kept, but nothing recognises it."""
    FAILED = "failed"
    DISPOSED = "disposed"
    """Bytes and rows are gone; the custody ledger keeps what happened to them."""


FINAL = frozenset(
    {Stage.PARSED, Stage.UNPACKED, Stage.PART, Stage.NOT_PARSED, Stage.FAILED, Stage.DISPOSED}
)


COPY = "rows taken up by"
"""Fact of the triage of a disk: the id of the full copy whose rows took its rows up."""
ACCOUNTS = "accounts"
"""Fact of a holding: JSON of what a passwd beside it says, as a parser's `Context` has it."""
LEARNED = "learned"
"""Fact of a holding whose `host`, `zone` or both were said by files beside it, and by nobody."""
ASKED = "asked"
"""Fact of a holding that nothing recognised: which set of parsers was asked."""
REPLACE = "replace"
"""Fact of a holding that is to be read in another way: its rows go before it is parsed."""


class CaseRow(Table):
    """One investigation."""

    __tablename__ = "cases"

    name: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    created: Mapped[int]
    """UTC nanoseconds."""
    created_by: Mapped[str]
    simulated: Mapped[bool] = mapped_column(default=False)


class Holding(Table):
    """Evidence in a case, and what parsing made of it."""

    __tablename__ = "holdings"
    __table_args__ = (
        UniqueConstraint("case", "evidence"),
        Index("holdings_by_stage", "case", "stage"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("cases.name"))
    evidence: Mapped[str]
    """SHA-256."""
    blake2b: Mapped[str]
    size: Mapped[int]
    modified: Mapped[int | None]
    added: Mapped[int]
    added_by: Mapped[str]
    depth: Mapped[int] = mapped_column(default=0)
    """How many archives it was inside."""
    wanted: Mapped[str] = mapped_column(default="")
    """Parser that the person asked for with `--as`."""
    zone: Mapped[str] = mapped_column(default="UTC")
    """Of logs that name none; empty when nobody said one, which is UTC."""
    host: Mapped[str] = mapped_column(default="")
    mapping: Mapped[str] = mapped_column(default="")
    """Name of the saved mapping to parse with."""
    limits: Mapped[dict[str, float]] = mapped_column(JSON, default=dict, server_default="{}")
    """Limits other than the usual ones that it was read under: a proof reads under the same."""
    stage: Mapped[str] = mapped_column(default=Stage.QUEUED.value)
    reason: Mapped[str] = mapped_column(default="")
    kind: Mapped[str] = mapped_column(default="")
    parser: Mapped[str] = mapped_column(default="")
    parser_version: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    seen: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int] = mapped_column(default=0)
    """Rows without a problem."""
    problems: Mapped[int] = mapped_column(default=0)
    """Rows that carry a problem."""
    facts: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)


class Place(Table):
    """One name under which a holding was found."""

    __tablename__ = "places"
    __table_args__ = (
        UniqueConstraint("holding", "name", "parent", "member"),
        Index("places_by_parent", "parent"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    holding: Mapped[int] = mapped_column(ForeignKey("holdings.id"))
    name: Mapped[str]
    parent: Mapped[str] = mapped_column(default="")
    """Evidence id of the archive or image that it was taken out of."""
    member: Mapped[str] = mapped_column(default="")
    """Its path inside `parent`."""
