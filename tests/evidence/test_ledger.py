# SPDX-License-Identifier: Apache-2.0
"""The ledger: what is edited by hand is noticed, and what a crash left is mended."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from locard.evidence.ledger import Draft, Ledger
from locard.model.custody import Hand, Verb
from locard.model.errors import Tampered


def drafts(count: int) -> list[Draft]:
    return [Draft(Hand("ana"), Verb.OPENED, "e" * 64, "c", f"reason {n}", {}) for n in range(count)]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(tmp_path)
    ledger.append(drafts(5))
    return ledger


def edit(ledger: Ledger, change) -> None:
    lines = ledger.path.read_text().splitlines()
    ledger.path.write_text("".join(f"{line}\n" for line in change(lines)))


def test_a_clean_ledger_holds(ledger: Ledger) -> None:
    assert (ledger.check().entries, ledger.check().fault) == (5, "")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda lines: [*lines[:2], lines[2].replace("reason 2", "reason X"), *lines[3:]],
         "entry 3 was changed"),
        (lambda lines: [*lines[:2], *lines[3:]], "entry 3 carries number 4"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "entry 2 carries number 3"),
        (lambda lines: lines[:3], "the last 2 entries were cut off"),
        (lambda lines: [*lines[:4], "nonsense"], "line 5 is not a custody entry"),
        (lambda lines: [*lines[:4], lines[4].replace('":"', '": "')], "canonical"),
    ],
)  # fmt: skip
def test_an_edit_by_hand_is_named(ledger: Ledger, change, fault: str) -> None:
    edit(ledger, change)
    assert fault in ledger.check().fault


def test_a_rewritten_entry_with_a_fitting_hash_breaks_the_chain(ledger: Ledger) -> None:
    from dataclasses import replace

    from locard.evidence.ledger import _line, _with_hash, canonical, sha256

    entries = list(ledger.entries())
    forged = replace(entries[1], reason="forged")
    forged = _with_hash(forged, sha256(canonical(forged)).hexdigest())
    edit(ledger, lambda lines: [lines[0], _line(forged).decode().strip(), *lines[2:]])
    assert "entry 3 does not follow" in ledger.check().fault


def test_a_removed_head_is_noticed(ledger: Ledger) -> None:
    ledger.head.unlink()
    assert "head" in ledger.check().fault


def test_a_half_written_line_of_a_crash_is_cut_and_work_goes_on(ledger: Ledger) -> None:
    with ledger.path.open("ab") as file:
        file.write(b'{"actor":"an')
    again = Ledger(ledger.path.parent)
    assert again.append(drafts(1))[0].sequence == 6
    assert again.check().fault == ""


def test_nothing_follows_an_end_that_is_no_entry(ledger: Ledger) -> None:
    with ledger.path.open("ab") as file:
        file.write(b"nonsense\n")
    with pytest.raises(Tampered, match="last line"):
        Ledger(ledger.path.parent).append(drafts(1))


def test_many_writers_make_one_chain(tmp_path: Path) -> None:
    ledgers = [Ledger(tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(8) as executor:
        list(executor.map(lambda n: ledgers[n % 4].append(drafts(3), durable=False), range(40)))
    assert (ledgers[0].check().entries, ledgers[0].check().fault) == (120, "")


def test_a_line_is_json_that_anybody_can_read(ledger: Ledger) -> None:
    first = json.loads(ledger.path.read_text().splitlines()[0])
    assert first["previous"] == "0" * 64
    assert first["verb"] == "opened"


def test_nothing_follows_a_cut_tail(ledger: Ledger) -> None:
    edit(ledger, lambda lines: lines[:3])
    before = ledger.path.read_bytes()
    for writer in (ledger, Ledger(ledger.path.parent)):
        with pytest.raises(Tampered, match="last 2 entries were cut off"):
            writer.append(drafts(1))
    assert ledger.path.read_bytes() == before
    assert "cut off" in ledger.check().fault


def test_nothing_follows_an_emptied_ledger_or_a_missing_head(ledger: Ledger) -> None:
    text = ledger.path.read_bytes()
    ledger.path.write_bytes(b"")
    with pytest.raises(Tampered, match="last 5 entries"):
        Ledger(ledger.path.parent).append(drafts(1))
    ledger.path.write_bytes(text)
    ledger.head.unlink()
    with pytest.raises(Tampered, match="head"):
        Ledger(ledger.path.parent).append(drafts(1))


def test_entries_that_had_not_reached_the_disk_are_told_and_work_goes_on(ledger: Ledger) -> None:
    ledger.append(drafts(2), durable=False)
    edit(ledger, lambda lines: lines[:5])
    (entry,) = Ledger(ledger.path.parent).append(drafts(1))
    assert entry.sequence == 6
    assert entry.details["entries that are gone"].startswith("6 to 7")
    assert ledger.check().fault == ""


def test_settled_entries_cannot_be_cut(ledger: Ledger) -> None:
    ledger.append(drafts(2), durable=False)
    ledger.settle()
    edit(ledger, lambda lines: lines[:5])
    with pytest.raises(Tampered, match="cut off"):
        Ledger(ledger.path.parent).append(drafts(1))
