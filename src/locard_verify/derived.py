# SPDX-License-Identifier: Apache-2.0
"""What a ledger keeps beside its entries to be quick, judged by the entries.

A wrong hash would make proofs that hold nowhere, and an edited record would be shown to people.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256

from locard_verify.examine import ROW, canonical, row_digest
from locard_verify.facts import Facts
from locard_verify.files import beginning
from locard_verify.verdict import Clause


def hashes(facts: Facts) -> None:
    """Note, under the clause of the tree, the first wrong hash of each file.

    A file that is missing or short is no fault: it is made again.
    """
    for level, right in enumerate(facts.tree.levels):
        path = facts.folder / "hashes" / f"{level:02d}"
        if not path.is_file():
            continue
        kept = beginning(path, len(right))
        if kept != right[: len(kept)]:
            place = next(
                i for i in range(0, len(kept), 32) if kept[i : i + 32] != right[i : i + 32]
            )
            detail = f"hash number {place // 32 + 1:,} is not that of the entries below it"
            facts.fault("tree", detail, f"hashes/{level:02d}")


def exhibits(facts: Facts) -> Clause:
    """The records of exhibits, each once in the entries, and the same in the index."""
    numbers: dict[str, int] = {}
    held: dict[tuple[str, str], int] = {}
    for record in facts.records:
        where = f"entries, entry {record.sequence}"
        if numbers.setdefault(record.number, record.sequence) != record.sequence:
            facts.fault("exhibits", f"{record.number} is made a second time", where)
        if held.setdefault((record.case, record.evidence), record.sequence) != record.sequence:
            detail = f"the evidence of {record.number} is an exhibit of that case already"
            facts.fault("exhibits", detail, where)
    path = facts.folder / "index.sqlite"
    if path.is_file():
        try:
            _index(facts)
        except sqlite3.Error as error:
            facts.fault("exhibits", f"the index cannot be read: {error}", path.name)
    return facts.judged("exhibits", f"{len(facts.records):,} records, the same in the index")


def _index(facts: Facts) -> None:
    uri = f"{(facts.folder / 'index.sqlite').absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=10)) as database:
        database.execute("BEGIN")
        (covered,) = database.execute("SELECT entries FROM covered").fetchone()
        covered = min(covered, facts.size)
        (listed,) = database.execute(
            "SELECT count(*) FROM entries WHERE sequence <= ?", (covered,)
        ).fetchone()
        if listed != covered:
            detail = f"it lists {listed:,} entries of the {covered:,} that it has read"
            facts.fault("exhibits", detail, "index.sqlite")
        kept = dict(_kept(database, facts.size))
        if wrong := _first_wrong(facts, database, covered):
            detail = f"what it says of entry {wrong} is not what the entry says"
            facts.fault("exhibits", detail, "index.sqlite")
    for record in facts.records:
        digest = kept.pop(record.number, None)
        if digest is None and record.sequence <= covered:
            facts.fault("exhibits", f"the record of {record.number} was taken out", "index.sqlite")
        elif digest is not None and digest != record.digest:
            detail = (
                f"the record of {record.number} was changed: it is not that of entry "
                f"{record.sequence}"
            )
            facts.fault("exhibits", detail, "index.sqlite")
    for number in kept:
        facts.fault("exhibits", f"no entry made the exhibit {number}", "index.sqlite")


def _first_wrong(facts: Facts, database: sqlite3.Connection, covered: int) -> int:
    """The first entry of which the index says something else, 0 when there is none.

    Rows that are missing are counted elsewhere: they make no other row wrong.
    """
    digests = b"".join(facts.rows)
    rows = database.execute(
        'SELECT sequence, verb, actor, evidence, "case", exhibit FROM entries '
        "WHERE sequence <= ? ORDER BY sequence",
        (covered,),
    )
    for sequence, *told in rows:
        start = (sequence - 1) * ROW
        if row_digest(*map(str, told)) != digests[start : start + ROW]:
            return int(sequence)
    return 0


def _kept(database: sqlite3.Connection, size: int) -> Iterator[tuple[str, bytes]]:
    rows = database.execute(
        'SELECT "case", evidence, number, record FROM exhibits WHERE sequence <= ?', (size,)
    )
    for case, evidence, number, text in rows:
        try:
            record = json.loads(text)
            same = (record["number"], record["case"], record["evidence"]["sha256"]) == (
                number,
                case,
                evidence,
            )
        except (ValueError, KeyError, TypeError):
            same = False
        yield str(number), sha256(canonical(record)).digest() if same else b""
