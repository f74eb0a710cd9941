# SPDX-License-Identifier: Apache-2.0
"""The access trail: who saw what is in the ledger before they saw it, once for each question."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from locard.cases import trail as trails
from locard.cases.desk import Desk
from locard.cases.trail import Trail
from locard.evidence import Ledger
from locard.model.custody import CustodyEntry, Hand, Verb
from locard.model.errors import Missing, Storage
from locard.model.event import Format
from locard.timeline import Search
from tests.cases.trails import trail

OMAR = Hand("omar", "page", "10.0.0.7", "Firefox")


@pytest.fixture
def kept(desk: Desk, tmp_path: Path) -> Desk:
    trail(tmp_path / "in" / "a.json", range(60))
    desk.add("c", [tmp_path / "in"], who="ana")
    return desk


def seen(desk: Desk) -> list[CustodyEntry]:
    wanted = (Verb.SEARCHED, Verb.VIEWED, Verb.DOWNLOADED, Verb.EXPORTED)
    return [one for one in desk.vault.ledger.entries(case="c") if one.verb in wanted]


def test_one_question_of_one_person_is_one_entry(kept: Desk) -> None:
    for _ in range(3):
        kept.search("c", "action:GetObject", who=OMAR)
    kept.search("c", "action:PutObject", who=OMAR)
    kept.search("c", "action:GetObject", who=replace(OMAR, name="mei"))
    kept.search("c", "action:GetObject", who=replace(OMAR, address="10.0.0.8"))
    said = [(one.actor, one.address, one.details["query"]) for one in seen(kept)]
    assert said == [
        ("omar", "10.0.0.7", "action:GetObject"),
        ("omar", "10.0.0.7", "action:PutObject"),
        ("mei", "10.0.0.7", "action:GetObject"),
        ("omar", "10.0.0.8", "action:GetObject"),
    ]
    assert {one.evidence for one in seen(kept)} == {""}
    assert seen(kept)[0].door == "page"


def test_a_span_that_moves_with_the_clock_is_the_same_question(kept: Desk) -> None:
    minute = 60 * 10**9
    now = 1_772_000_000_000_000_000
    for at in (now, now + 3 * minute + 10**7, now + 5 * minute):
        kept.trail.searched(Search("c", "", at - 60 * minute, at, now=at), OMAR)
    kept.trail.searched(Search("c", "", now - 30 * minute, now, now=now), OMAR)
    assert [(one.details["from"], one.details["to"]) for one in seen(kept)] == [
        ("2026-02-25T05:13:20.000000000Z", "2026-02-25T06:13:20.000000000Z"),
        ("2026-02-25T05:43:20.000000000Z", "2026-02-25T06:13:20.000000000Z"),
    ]


def test_after_the_window_it_is_said_again(kept: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trails, "WINDOW", 0.0)
    for _ in range(2):
        kept.search("c", "a", who=OMAR)
    assert len(seen(kept)) == 2


def test_what_is_remembered_is_bounded(kept: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trails, "MOST", 10)
    for number in range(40):
        kept.trail.viewed("c", "e" * 64, f"{number:032x}", "line:1", OMAR)
    assert len(kept.trail._told) <= 11
    assert len(seen(kept)) == 40


def test_requests_that_come_at_once_are_one_entry(kept: Desk) -> None:
    begin = threading.Barrier(8)

    def ask() -> None:
        begin.wait()
        kept.search("c", "error:*", who=OMAR)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen(kept)) == 1


def test_an_event_that_is_seen_names_its_evidence_and_its_id(kept: Desk) -> None:
    (row,) = kept.timeline.page(kept.search("c", who=OMAR), 1).rows
    kept.event("c", row["id"], who=OMAR)
    kept.event("c", row["id"], who=OMAR)
    kept.context("c", row["id"], 5, 10, who=OMAR)
    kept.values("c", "actor", "a", who=OMAR)
    kept.values("c", "actor", "al", who=OMAR)
    said = [(one.verb, one.evidence, one.reason) for one in seen(kept)]
    assert said == [
        (Verb.SEARCHED, "", "looked at all events"),
        (Verb.VIEWED, row["evidence"], f"event {row['id']}"),
        (Verb.SEARCHED, "", f"looked at what happened within 5 minutes of event {row['id']}"),
        (Verb.SEARCHED, "", "looked up values of actor"),
    ]
    assert seen(kept)[1].details["locator"] == row["locator"]
    assert seen(kept)[1].exhibit == "C-0001"
    with pytest.raises(Missing):
        kept.event("c", "0" * 32, who=OMAR)
    assert len(seen(kept)) == 4


def test_a_download_and_an_export_say_who_and_why(kept: Desk) -> None:
    (item,) = kept.evidence("c")[0]
    with kept.download("c", item.id, who=OMAR, reason="for the lab") as file:
        assert file.read(1) == b"{"
    list(kept.export(kept.search("c", "tag:x", who=OMAR), Format.CSV, who=OMAR))
    assert [(one.verb, one.reason) for one in seen(kept)] == [
        (Verb.DOWNLOADED, "for the lab"),
        (Verb.SEARCHED, "looked for tag:x"),
        (Verb.EXPORTED, "0 rows exported as csv"),
    ]


def test_without_an_entry_there_is_no_answer(kept: Desk) -> None:
    class Full(Ledger):
        def append(self, drafts: object, *, durable: bool = True) -> list[CustodyEntry]:
            raise Storage("The custody ledger cannot be written: no space.", "Free space.")

    kept.trail = Trail(Full(kept.vault.ledger.folder, kept.vault.ledger.signer))
    for _ in range(2):
        with pytest.raises(Storage, match="custody ledger cannot be written"):
            kept.search("c", "a", who=OMAR)


def test_another_process_sees_it_at_once(kept: Desk) -> None:
    kept.search("c", "a", who=OMAR)
    other = Desk(kept.settings)
    assert seen(other)[-1].details == {"query": "a"}
    other.close()
