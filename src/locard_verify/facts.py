# SPDX-License-Identifier: Apache-2.0
"""What the entries of a ledger say, put together, and what was found wrong so far."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from locard_verify.examine import Record
from locard_verify.keys import Key
from locard_verify.merkle import Levels
from locard_verify.verdict import Clause, Fault, judged


@dataclass(slots=True)
class Facts:
    """The entries of one ledger in sum; whatever lies beside them is judged by this."""

    folder: Path
    keys: dict[str, Key]
    """All that are to be found, by key id."""
    head: bytes | None = None
    """The head as it lay beside the entries; None when it is missing."""
    notes: dict[str, bytes] = field(default_factory=dict)
    """The checkpoints by file name, as they lay there."""
    size: int = 0
    tree: Levels = field(default_factory=lambda: Levels(b""))
    told: list[dict[str, Any]] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    more: dict[str, int] = field(default_factory=dict)
    """By clause: further faults that were only counted."""
    rows: list[bytes] = field(default_factory=list)
    """Of each stretch of entries: the `row_digest` of each."""
    first_key: str = ""
    """The key that signed the first entry."""

    def fault(self, clause: str, detail: str, where: str = "") -> None:
        """Note something wrong."""
        self.faults.setdefault(clause, []).append(Fault(detail, where))

    def judged(self, clause: str, good: str) -> Clause:
        """The clause, as the faults noted so far say."""
        return judged(clause, self.faults.get(clause, ()), good, self.more.get(clause, 0))

    def about(self, verb: str) -> list[dict[str, Any]]:
        """The entries of a verb that are handed on whole."""
        return [one for one in self.told if one["verb"] == verb]
