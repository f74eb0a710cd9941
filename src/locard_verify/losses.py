# SPDX-License-Identifier: Apache-2.0
"""Entries that say that others before them are gone, or that the head was changed.

A machine that stops may take with it what had not reached the disk; a tail that somebody cut off
looks the same in the files that are left. A head that another hand wrote over was written anew, and
whoever did it wanted something. So it fails until a person signs for how it came about. Then it is
their word: the files cannot confirm it, and a checkpoint kept elsewhere may.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from locard_verify.verdict import Clause, Fault, State, judged

ELSEWHERE = "compare with a checkpoint kept elsewhere"
VERBS = frozenset({"entries-lost", "head-changed", "loss-explained"})


def judge(entries: Iterable[Mapping[str, Any]], where: str) -> Clause:
    """The clause on what these entries say is gone; `where` is their file."""
    said: dict[str, Mapping[str, Any]] = {}
    explained: dict[str, Mapping[str, Any]] = {}
    for one in entries:
        if one["verb"] in ("entries-lost", "head-changed"):
            said[str(one["sequence"])] = one
        elif one["verb"] == "loss-explained" and one["details"].get("entry") in said:
            explained[one["details"]["entry"]] = one
    faults = [
        Fault(f"{_what(one)}, as entry {number} says: {_why(one)}", f"{where}, entry {number}")
        for number, one in said.items()
        if number not in explained
    ]
    if faults or not explained:
        return judged(
            "losses", faults, "no entry says that others are gone or the head was changed"
        )
    told = [
        f"{_what(said[number])}; {one['actor']} signed for it in entry "
        f"{one['sequence']}: {one['reason']}"
        for number, one in explained.items()
    ]
    return Clause("losses", State.NOT_CHECKED, f"{'; '.join(told)}; {ELSEWHERE}")


def _what(entry: Mapping[str, Any]) -> str:
    entries = str(entry["details"].get("entries", "some"))
    if entry["verb"] == "head-changed":
        older = entry["details"].get("confirmed", "")
        known = f" (an older one confirms {older})" if older else ""
        return f"the head of {entries} entries was changed or emptied by another hand{known}"
    return f"entries {entries} are gone"


def _why(entry: Mapping[str, Any]) -> str:
    if entry["verb"] == "head-changed":
        return "somebody else wrote there; it was written anew, and the entry keeps what was found"
    return (
        "the machine stopped before they reached the disk, or somebody cut them off; " + ELSEWHERE
    )
