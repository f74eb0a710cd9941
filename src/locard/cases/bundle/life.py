# SPDX-License-Identifier: Apache-2.0
"""The life of an exhibit in plain sentences: each hand it passed through, when, how and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from locard.model.custody import CustodyEntry, Verb
from locard.model.visible import visible

_DEEDS: Mapping[Verb, str] = {
    Verb.ACQUIRED: "took it in",
    Verb.DERIVED: "took it out of {parent}",
    Verb.STORED: "had it stored",
    Verb.VERIFIED: "had its bytes hashed again: they were unchanged",
    Verb.VERIFICATION_FAILED: "had its bytes hashed again: THEY WERE NOT WHAT THEY HAD BEEN",
    Verb.OPENED: "had the program read its bytes",
    Verb.VIEWED: "looked at it",
    Verb.DOWNLOADED: "took a copy of its bytes",
    Verb.SEARCHED: "searched the rows that were read from it",
    Verb.PROCESSED: "had it processed",
    Verb.CORROBORATED: "found the calls by which it was taken in the log of the provider",
    Verb.COPIED: "copied its bytes",
    Verb.TRANSFERRED_OUT: "released it to {to}",
    Verb.TRANSFERRED_IN: "accepted it from {from}",
    Verb.EXPORTED: "exported it",
    Verb.HELD: "placed it under a legal hold",
    Verb.HOLD_RELEASED: "ended the legal hold",
    Verb.RETAINED: "set how long it is kept",
    Verb.DISPOSAL_ASKED: "asked for its disposal",
    Verb.DISPOSED: "disposed of it",
    Verb.AUTHORISED: "recorded the authority for it",
    Verb.FAILED: "tried something that failed",
}

_DOORS = {
    "command line": "at the command line",
    "page": "in the web page",
    "api": "through the programming interface",
    "automation": "by an automation rule",
}

LONGEST_REASON = 300
LONGEST_NAME = 160
MOST_STEPS = 60
"""Steps of one life that are told; the further ones are in the ledger's extract."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened. `until` differs from `at` when several are told as one."""

    at: str
    until: str
    text: str
    reason: str
    entries: str
    """The numbers of the ledger's entries that say so."""
    alarming: bool


@dataclass(frozen=True, slots=True)
class Life:
    """What happened to exhibits that all passed through the same hands in the same order."""

    numbers: str
    count: int
    name: str
    """The exhibit's name when it is one."""
    steps: tuple[Step, ...]
    more: int
    """Steps that are not told here."""


def moment(nanoseconds: int) -> str:
    """A time as people read it, in UTC to the second."""
    return f"{datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def deed(entry: CustodyEntry) -> str:
    """What was done, by whom and through which door: a sentence without its time."""
    said = _DEEDS.get(entry.verb, entry.verb.value.replace("-", " "))
    names = {
        "parent": "another exhibit",
        "to": _detail(entry, "to") or "somebody who is not named",
        "from": _detail(entry, "from") or "somebody who is not named",
    }
    door = _DOORS.get(entry.door, visible(entry.door, 40))
    where = visible(entry.address, 80)
    how = f" ({door}{', from ' if door and where else 'from ' if where else ''}{where})"
    who = visible(entry.actor, 80) or "Somebody who is not named"
    return f"{who}{how if how != ' ()' else ''} {said.format_map(names)}."


def lives(
    exhibits: Iterable[tuple[str, str, str]], entries: Sequence[CustodyEntry], most: int
) -> tuple[list[Life], int]:
    """The lives of exhibits (number, evidence, name), alike ones told once; and how many are left.

    An archive of ten thousand members is one acquisition and ten thousand times the same sentence:
    told once, with its span of time, a person can still read it. At most `most` lives are told.
    """
    about: dict[str, list[CustodyEntry]] = {}
    for entry in entries:
        if entry.evidence:
            about.setdefault(entry.evidence, []).append(entry)
    alike: dict[tuple[object, ...], list[tuple[str, str, list[CustodyEntry]]]] = {}
    for number, evidence, name in exhibits:
        found = about.get(evidence, [])
        shape = tuple((one.verb, one.actor, one.door, one.address, one.reason) for one in found)
        alike.setdefault(shape, []).append((number, name, found))
    told = [_life(group) for group in list(alike.values())[:most]]
    left = sum(len(group) for group in list(alike.values())[most:])
    return told, left


def _life(group: list[tuple[str, str, list[CustodyEntry]]]) -> Life:
    first = group[0][2]
    steps = tuple(
        _step([found[index] for _, _, found in group])
        for index in range(min(len(first), MOST_STEPS))
    )
    return Life(
        numbers=ranges([number for number, _, _ in group]),
        count=len(group),
        name=visible(group[0][1], LONGEST_NAME) if len(group) == 1 else "",
        steps=steps,
        more=max(0, len(first) - MOST_STEPS),
    )


def _step(same: list[CustodyEntry]) -> Step:
    one = same[0]
    times = [entry.time for entry in same]
    return Step(
        at=moment(min(times)),
        until=moment(max(times)),
        text=deed(one),
        reason=visible(one.reason, LONGEST_REASON),
        entries=ranges([str(entry.sequence) for entry in same], most=6),
        alarming=one.verb in (Verb.VERIFICATION_FAILED, Verb.FAILED),
    )


def ranges(numbers: Sequence[str], most: int = 12) -> str:
    """Numbers as a person would say them: NIGHT-0002 to NIGHT-0244, NIGHT-0300."""
    runs: list[tuple[str, str]] = []
    for number in numbers:
        if runs and _value(number) == _value(runs[-1][1]) + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    said = [first if first == last else f"{first} to {last}" for first, last in runs[:most]]
    if len(runs) > most:
        said.append(f"and {len(runs) - most:,} more ranges")
    return ", ".join(said)


def _value(number: str) -> int:
    digits = number.rpartition("-")[2]
    return int(digits) if digits.isdigit() else -1


def _detail(entry: CustodyEntry, name: str) -> str:
    return visible(entry.details.get(name, ""), 120)
