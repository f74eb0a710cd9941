# SPDX-License-Identifier: Apache-2.0
"""What people ask of a ledger: the exhibits of a case, the life of one, and who did what.

All of it comes from the index, which follows from the entries; the entries themselves are read.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from locard.evidence.index import Found
from locard.evidence.reader import LedgerReader
from locard.model.custody import CustodyEntry, Exhibit, Verb

OF_ALL = (
    Verb.AUTHORISED, Verb.HELD, Verb.HOLD_RELEASED, Verb.RETAINED, Verb.EXPORTED, Verb.SEARCHED,
    Verb.VERIFIED, Verb.VERIFICATION_FAILED, Verb.FAILED,
)  # fmt: skip
"""Entries about a case as a whole that are part of the life of each of its exhibits."""
OF_SOME = (Verb.DISPOSAL_ASKED, Verb.DISPOSAL_AGREED, Verb.DISPOSAL_REFUSED)
"""Entries about a case that are part of the life of some of its exhibits."""


@dataclass(frozen=True, slots=True)
class Last:
    """How many entries there are about an exhibit, and the newest of them."""

    entries: int
    sequence: int
    time: int
    """UTC nanoseconds."""
    verb: str
    actor: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How often each thing happened in a case, and how much each person did."""

    verbs: dict[str, int]
    actors: dict[str, int]


@dataclass(frozen=True, slots=True)
class Extent:
    """What a ledger has about one case."""

    exhibits: int
    entries: int
    last: int
    """When the newest entry was written, UTC nanoseconds."""


def entries(
    ledger: LedgerReader,
    case: str,
    *,
    evidence: str = "",
    whole: Collection[Verb] = (),
    verbs: Collection[str] = (),
    actor: str = "",
    before: int | None = None,
    limit: int = 200,
) -> list[CustodyEntry]:
    """Entries about a case or one exhibit of it, the newest first.

    `whole` are verbs of entries about all of the case that belong to the life of the exhibit.
    """
    ledger.index.catch_up()
    words, values = ['"case" = ?'], [case]
    if evidence and whole:
        marks = ", ".join("?" * len(whole))
        words.append(f"(evidence = ? OR (evidence = '' AND verb IN ({marks})))")
        values += [evidence, *whole]
    elif evidence:
        words.append("evidence = ? AND evidence <> ''")
        values.append(evidence)
    if verbs:
        words.append("verb IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(list(verbs)))
    if actor:
        words.append("actor = ?")
        values.append(actor)
    text = (
        f"SELECT sequence, start, length FROM entries WHERE {' AND '.join(words)} "  # noqa: S608
        "AND sequence < ? ORDER BY sequence DESC LIMIT ?"
    )
    rows = ledger.index.rows(text, *values, 1 << 62 if before is None else before, limit)
    return list(ledger.read([Found(*row) for row in rows]))


def tally(ledger: LedgerReader, case: str) -> Tally:
    """What happened in a case and by whom, the most frequent first."""
    ledger.index.catch_up()
    found = [
        dict(
            ledger.index.rows(
                f'SELECT {name}, count(*) FROM entries WHERE "case" = ? '  # noqa: S608
                f"GROUP BY {name} ORDER BY count(*) DESC LIMIT 200",
                case,
            )
        )
        for name in ("verb", "actor")
    ]
    return Tally(*found)


def exhibits(
    ledger: LedgerReader,
    case: str,
    *,
    text: str = "",
    derived: bool | None = None,
    among: Collection[str] | None = None,
    limit: int = 200,
    offset: int = 0,
) -> tuple[list[Exhibit], int]:
    """A page of the exhibits of a case in the order of their numbers, and how many there are.

    `text` is part of a number, a name, a hash or of who took it in; `among` are evidence ids.
    """
    ledger.index.catch_up()
    words, values = ['"case" = ?'], [case]
    if text:
        said = ["number", "evidence", "json_extract(record, '$.source')",
                "json_extract(record, '$.operator.name')",
                "json_extract(record, '$.derived_from.member')"]  # fmt: skip
        words.append("(" + " OR ".join(f"{one} LIKE ? ESCAPE '\\'" for one in said) + ")")
        values += [_like(text)] * len(said)
    if derived is not None:
        words.append(f"json_extract(record, '$.derived_from') IS {'NOT ' * derived}NULL")
    if among is not None:
        words.append("evidence IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(list(among)))
    where = f"FROM exhibits WHERE {' AND '.join(words)}"
    (total,) = ledger.index.rows(f"SELECT count(*) {where}", *values)[0]
    rows = ledger.index.rows(
        f"SELECT record {where} ORDER BY count LIMIT ? OFFSET ?",
        *values,
        limit,
        offset,
    )
    return [Exhibit.of(json.loads(row[0])) for row in rows], int(total)


def last(ledger: LedgerReader, case: str, evidence: Sequence[str]) -> dict[str, Last]:
    """The newest entry about each of these exhibits."""
    ledger.index.catch_up()
    rows = ledger.index.rows(
        "SELECT evidence, count(*), max(sequence), time, verb, actor FROM entries "
        "WHERE evidence IN (SELECT value FROM json_each(?)) AND evidence <> '' AND \"case\" = ? "
        "GROUP BY evidence",
        json.dumps(list(evidence)),
        case,
    )
    return {one: Last(*rest) for one, *rest in rows}


def extents(ledger: LedgerReader) -> dict[str, Extent]:
    """How much the ledger has about each case; about the installation under the empty name."""
    ledger.index.catch_up()
    rows = ledger.index.rows(
        'SELECT e."case", (SELECT count(*) FROM exhibits x WHERE x."case" = e."case"), count(*), '
        'max(e.time) FROM entries e GROUP BY e."case"'
    )
    return {case: Extent(*rest) for case, *rest in rows}


def _like(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
