# SPDX-License-Identifier: Apache-2.0
"""Jobs: long work with its progress, written by whoever does it and read by every door."""

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from locard.state.database import Table


class Job(Table):
    """One piece of long work in a case."""

    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("cases.name"), index=True)
    what: Mapped[str]
    """For a person: 'Adding 3 files'."""
    who: Mapped[str]
    started: Mapped[int]
    """UTC nanoseconds."""
    ended: Mapped[int | None] = mapped_column(default=None)
    state: Mapped[str] = mapped_column(default="running")
    """running, done, failed, or stopped (its process is gone)."""
    pid: Mapped[int] = mapped_column(default=0)
    boot: Mapped[str] = mapped_column(default="")
    """Boot id and start time of the process, so that a reused pid is not mistaken for it."""
    stage: Mapped[str] = mapped_column(default="")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    unit: Mapped[str] = mapped_column(default="")
    rate: Mapped[float] = mapped_column(default=0.0)
    """Units a second."""
    beat: Mapped[int] = mapped_column(default=0)
    """When the progress was last written, UTC nanoseconds."""
    log: Mapped[list[str]] = mapped_column(JSON, default=list)
    summary: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
