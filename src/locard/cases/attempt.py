# SPDX-License-Identifier: Apache-2.0
"""One attempt at parsing one holding: what a worker said, and the bytes of members it hands out."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from locard.cases.writing import Outcome
from locard.parsers import catalogue
from locard.parsers import frames as f
from locard.state.investigations import ASKED, Stage

PROBLEMS_KEPT = 100
"""Problems of one holding that are kept word for word; all are counted."""

Said = TypeVar("Said")


@dataclass(slots=True)
class Attempt:
    """What one worker said about one holding."""

    known: f.Recognised | None = None
    done: f.Done | None = None
    rows: int = 0
    """Rows that arrived, those with a problem included."""
    problem_rows: int = 0
    told: int = 0
    """Problems that were told and are no row."""
    members: int = 0
    """Members that came out whole."""
    troubles: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What is odd and no problem, such as a name that points outside of the archive."""
    passed: list[str] = field(default_factory=list)
    """The first entries of an archive that have no bytes of their own."""
    links: dict[str, str] = field(default_factory=dict)
    """Those of them that say the zone of a machine, and where they lead."""
    passed_over: int = 0
    """How many of them there were in all."""
    lost: str = ""
    """Why the attempt failed, or empty."""
    bomb: bool = False
    """Whether it failed in a way that another attempt would repeat."""
    advanced: int = 0

    @property
    def problems(self) -> int:
        """Records with a problem, as they arrived."""
        return self.problem_rows + self.told

    @property
    def seen(self) -> int:
        """Records that arrived: whole rows, whole members and problems."""
        return self.rows + self.members + self.told

    def miscount(self, done: f.Done) -> str:
        """Why the worker's own counts are not those of what arrived, or empty."""
        pairs = (
            ("records", done.seen, self.seen),
            ("rows", done.written, self.rows),
            ("problems", done.problems, self.problems),
        )
        wrong = [f"{said:,} {what} where {came:,} arrived" for what, said, came in pairs
                 if said != came]  # fmt: skip
        if not wrong:
            return ""
        return (
            f"The counts do not add up: the parser says {', '.join(wrong)}. Rows that arrived are "
            "kept and may not be all; report this with the name of the parser."
        )

    def outcome(self, one: int, attempts: int) -> Outcome:
        """What became of the holding `one`, which this is the last of so many attempts at."""
        known, done = self.known, self.done
        outcome = Outcome(
            holding=one,
            stage=Stage.FAILED,
            reason=self.lost or "the worker ended without a word",
            kind=known.kind if known else "",
            parser=known.parser if known else "",
            parser_version=known.version if known else "",
            attempts=attempts,
            seen=self.seen,
            rows=self.seen - self.problems,
            problems=self.problems,
        )
        if self.lost or known is None or done is None:
            return outcome
        facts = dict(done.facts)
        worded = [*self.troubles, *self.notes]
        if worded:
            facts["problems"] = json.dumps(worded[:PROBLEMS_KEPT])
        if self.passed_over:
            more = self.passed_over - len(self.passed)
            facts["passed"] = json.dumps(self.passed + [f"and {more:,} more"] * bool(more))
        if known.layers:
            facts["layers"] = " ".join(known.layers)
        if wrong := self.miscount(done):
            return replace(outcome, reason=wrong)
        stage, reason = Stage.PARSED, ""
        if known.kind == f.ARCHIVE:
            stage = Stage.UNPACKED
        elif not known.parser:
            stage, reason = Stage.NOT_PARSED, known.reason
            facts[ASKED] = catalogue.fingerprint()
        if worded:
            reason = worded[0]
        return replace(outcome, stage=stage, reason=reason, facts=facts)


class Members(Generic[Said]):
    """The bytes of one member, read from a run's frames up to the frame that ends it."""

    def __init__(
        self,
        frames: Iterator[Said],
        note: Callable[[Said], None],
        admit: Callable[[int], None] | None = None,
    ) -> None:
        self._frames, self._note = frames, note
        """`note` is told every frame that is none of the member's."""
        self._admit = admit
        """Told how long the member is so far; raises when that is too much."""
        self._length = 0
        self.end: f.MemberEnd | None = None

    def read(self, _size: int, /) -> bytes:
        """The next bytes, or none at the end of the member."""
        while self.end is None:
            match next(self._frames):
                case f.MemberBytes(data):
                    if data:
                        self._length += len(data)
                        if self._admit is not None:
                            self._admit(self._length)
                        return data
                case f.MemberEnd() as end:
                    self.end = end
                case frame:
                    self._note(frame)
        return b""
