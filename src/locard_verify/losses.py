# SPDX-License-Identifier: Apache-2.0
"""Entries that say that others before them are gone.

A machine that stops may take with it what had not reached the disk; a tail that somebody cut off
looks the same in the files that are left. So it fails until a person signs for how it came about.
Then it is their word: the files cannot confirm it, and a checkpoint kept elsewhere may.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from locard_verify.verdict import Clause, Fault, State, judged

ELSEWHERE = "compare with a checkpoint kept elsewhere"


def judge(entries: Iterable[Mapping[str, Any]], where: str) -> Clause:
    """The clause on what these entries say is gone; `where` is their file."""
    lost: dict[str, Mapping[str, Any]] = {}
    explained: dict[str, Mapping[str, Any]] = {}
    for one in entries:
        if one["verb"] == "entries-lost":
            lost[str(one["sequence"])] = one
        elif one["verb"] == "loss-explained" and one["details"].get("entry") in lost:
            explained[one["details"]["entry"]] = one
    faults = [
        Fault(
            f"entries {_gone(one)} are gone, as entry {number} says: the machine stopped before "
            f"they reached the disk, or somebody cut them off; {ELSEWHERE}",
            f"{where}, entry {number}",
        )
        for number, one in lost.items()
        if number not in explained
    ]
    if faults or not explained:
        return judged("losses", faults, "no entry says that others are gone")
    told = [
        f"entries {_gone(lost[number])} are gone; {one['actor']} signed for it in entry "
        f"{one['sequence']}: {one['reason']}"
        for number, one in explained.items()
    ]
    return Clause("losses", State.NOT_CHECKED, f"{'; '.join(told)}; {ELSEWHERE}")


def _gone(entry: Mapping[str, Any]) -> str:
    return str(entry["details"].get("entries", "some"))
