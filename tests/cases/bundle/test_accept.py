# SPDX-License-Identifier: Apache-2.0
"""From one installation to another: release, acceptance, receipt, and what is refused."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from locard.cases.bundle.adopt import adopted
from locard.cases.bundle.bag import Form
from locard.cases.desk import Desk
from locard.model.custody import Hand, Verb
from locard.model.errors import Conflict, Missing, Tampered, Unreadable
from locard.settings import Settings
from locard.state import marks
from locard.state.remarks import remarks
from locard.timeline import Search
from locard_verify.container import opened
from locard_verify.ledger import verify_ledger
from locard_verify.verdict import State
from tests.cases.bundle.conftest import ANA, Installation, running
from tests.conftest import stop_store

LAB = Hand("lea", "command line", "lea@laboratory", "locard")


@pytest.fixture
def giver(tmp_path: Path) -> Iterator[Installation]:
    """An installation of the test's own: what it releases nobody else waits for."""
    yield from running(tmp_path / "giver")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Desk]:
    home = tmp_path / "lab"
    desk = Desk(Settings(home=home, workers=2))
    yield desk
    if "timeline" in vars(desk):
        desk.timeline.close()
    desk.close()
    stop_store(home)


def transfers(desk: Desk) -> State:
    return verify_ledger(desk.vault.ledger.folder).clause("transfers").state


def test_evidence_changes_hands_and_both_sides_say_so(
    giver: Installation, lab: Desk, tmp_path: Path
) -> None:
    done = giver.export(tmp_path / "lab.tar", form=Form.TAR, to="State laboratory")
    exhibits = giver.desk.vault.ledger.exhibits("night")
    assert [one.to for one in giver.desk.bundles.waiting("night")] == ["State laboratory"] * 3
    assert transfers(giver.desk) is State.NOT_CHECKED

    taken = lab.bundles.accept(
        tmp_path / "lab.tar", trusted=[giver.key], reason="request 12/26", who=LAB
    )
    assert (taken.case, taken.made, taken.exhibits) == ("night", True, 3)
    assert taken.sender.name == "ana" and taken.sender.manifest == done.manifest
    added = lab.add("night", [], who=LAB)
    assert added.events == 60 and added.problems == 0
    assert (taken.marks.stars, taken.marks.tags, taken.marks.comments) == (3, 3, 1)
    assert lab.bundles.unmet("night", taken.marks) == 0

    mine = lab.vault.ledger.exhibits("night")
    by_evidence = {one.evidence: one for one in mine}
    for one in exhibits:
        here = by_evidence[one.evidence]
        assert here.source["exhibit"] == one.number
        assert here.source["ledger"] == giver.key.name
        assert here.source["bundle"] == done.manifest
        assert here.derived_from.evidence == one.derived_from.evidence
        verbs = [entry.verb for entry in lab.vault.ledger.entries(evidence=one.evidence)]
        assert verbs.count(Verb.TRANSFERRED_IN) == 1
    (record,) = [one for one in mine if one.evidence not in {e.evidence for e in exhibits}]
    kept = lab.vault.open(record.evidence, case="night", actor=LAB, reason="test")
    with kept, tarfile.open(fileobj=kept) as tar:
        names = set(tar.getnames())
        entries = tar.extractfile("data/ledger/entries.jsonl")
        assert entries is not None and entries.read().count(b"\n") > 5
    assert {"seal.json", "manifest-sha256.txt", "data/report.pdf"} <= names
    assert not any(one.startswith("data/evidence/") for one in names)
    assert transfers(lab) is State.PASS

    names = {
        side: {one.evidence: one.details["name"] for one in desk.vault.ledger.entries(case="night")
               if one.verb in (Verb.ACQUIRED, Verb.DERIVED)}
        for side, desk in (("there", giver.desk), ("here", lab))
    }  # fmt: skip
    assert {e: names["here"][e] for e in names["there"]} == names["there"]

    other = giver.desk.vault.ledger
    back = giver.desk.bundles.acknowledge(
        "night", taken.receipt, list(lab.vault.ledger.keys()), reason="receipt came", who=ANA
    )
    assert (back.exhibits, back.compared) == (3, True)
    assert giver.desk.bundles.waiting("night") == []
    assert transfers(giver.desk) is State.PASS
    entry = other.newest(case="night", limit=1)[0]
    assert entry.verb is Verb.TRANSFERRED_IN
    assert entry.details["accepted by"] == "lea"
    assert entry.details["accepted in"].startswith(lab.vault.ledger.keys()[0].name)
    with pytest.raises(Conflict, match="no release of case night that waits"):
        giver.desk.bundles.acknowledge("night", taken.receipt, [], reason="again", who=ANA)


def said(desk: Desk) -> list[tuple[str, str, str, int]]:
    batches = desk.timeline.export(Search(case="night"), ["id"])
    ids = [one for batch in batches for one in batch.column("id").to_pylist()]
    with desk.state.session() as session:
        return [(one.kind, one.text, one.who, one.at) for one in remarks(session, "night", ids)]


def test_what_people_said_comes_along_by_their_names(
    sealed: Path, ours: Installation, lab: Desk
) -> None:
    taken = lab.bundles.accept(sealed, reason="request", who=LAB)
    lab.add("night", [], who=LAB)
    theirs = [(k, t, f"{w} ({ours.key.name})", at) for k, t, w, at in said(ours.desk)]
    assert len(theirs) == 7 and said(lab) == theirs
    with lab.state.session() as session:
        assert len(marks.matching(session, "night", "comment", "first")) == 1
    (entry,) = (one for one in lab.vault.ledger.entries() if one.verb is Verb.PROCESSED
                and "marks" in one.details)  # fmt: skip
    assert entry.details["marks"] == taken.marks.text == "3 stars, 3 tags, 1 comment"

    again = lab.bundles.accept(sealed, case="night", reason="request", who=LAB)
    assert again.marks.text == "0 stars, 0 tags, 0 comments; 7 were here already"
    assert said(lab) == theirs


def test_marks_that_are_meant_to_hurt_are_counted_and_hurt_nobody(
    lab: Desk, tmp_path: Path
) -> None:
    event = "ab" * 16
    good = {"event": event, "kind": "tag", "text": "keep", "who": "ana",
            "at": "2026-01-02T03:04:05.000000006Z"}  # fmt: skip
    bad: list[object] = [
        good | {"event": "../../etc"},
        good | {"kind": "flag"},
        good | {"text": "a\u202eb"},
        good | {"text": "x" * 65},
        good | {"kind": "comment", "text": "x" * 10_001},
        good | {"kind": "comment", "text": " "},
        good | {"at": "yesterday"},
        good | {"at": "9999-99-99T00:00:00Z"},
        {"event": event},
        "text", None, 7, [],
    ]  # fmt: skip
    odd = good | {"kind": "star", "who": "\x1b[31m" + "y" * 500}
    lab.create("c", who=LAB)
    folder = tmp_path / "bag"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "marks.json").write_text(json.dumps([good, *bad, odd]))
    with opened(folder) as container:
        found = adopted(lab.state, "c", container, "locard/12")
    assert (found.tags, found.stars, found.passed_over) == (1, 1, len(bad))
    assert len(found.reasons) == len(bad)
    with lab.state.session() as session:
        tag, star = sorted(remarks(session, "c", [event]), key=lambda one: one.kind, reverse=True)
    assert (tag.who, tag.at % 1_000_000_000) == ("ana (locard/12)", 6)
    assert star.who.startswith("[31myyy") and len(star.who) < 150
    for text in ("{}", "[", "[" * 100_000, "\udcff", "[1" + "0" * 5_000 + "]"):
        (folder / "data" / "marks.json").write_text(text, errors="surrogateescape")
        with opened(folder) as container:
            assert adopted(lab.state, "c", container, "x").passed_over == 1


def test_a_bundle_that_fails_is_not_taken_in(bundle: Path, lab: Desk) -> None:
    path = bundle / "data/report.html"
    path.write_text("<p>All was well.</p>")
    with pytest.raises(Tampered, match=r"members: it was changed.*data/report.html"):
        lab.bundles.accept(bundle, reason="x", who=LAB)
    assert lab.cases() == []
    assert not (lab.settings.vault / "objects").exists()


def test_a_bundle_of_another_key_is_not_taken_in(
    sealed: Path, theirs: Installation, lab: Desk
) -> None:
    with pytest.raises(Tampered, match="another key than the trusted one"):
        lab.bundles.accept(sealed, trusted=[theirs.key], reason="x", who=LAB)
    assert lab.cases() == []


def test_a_case_of_that_name_is_not_mixed_by_chance(sealed: Path, lab: Desk) -> None:
    lab.create("night", who=LAB)
    with pytest.raises(Conflict, match="There is a case called night"):
        lab.bundles.accept(sealed, reason="x", who=LAB)
    taken = lab.bundles.accept(sealed, case="night", reason="x", who=LAB)
    assert not taken.made
    again = lab.bundles.accept(sealed, case="second", reason="x", who=LAB)
    assert again.made and again.exhibits == taken.exhibits


def test_references_alone_cannot_be_accepted(
    giver: Installation, lab: Desk, tmp_path: Path
) -> None:
    giver.export(tmp_path / "bundle", references=True)
    with pytest.raises(Missing, match="only references"):
        lab.bundles.accept(tmp_path / "bundle", reason="x", who=LAB)


def test_one_exhibit_out_of_an_archive_stands_by_itself(
    giver: Installation, lab: Desk, tmp_path: Path
) -> None:
    exhibits = giver.desk.vault.ledger.exhibits("night")
    member = next(one for one in exhibits if one.derived_from.evidence)
    giver.export(tmp_path / "one", exhibit=member.number)
    lab.bundles.accept(tmp_path / "one", reason="x", who=LAB)
    assert lab.add("night", [], who=LAB).events == 20
    here = lab.vault.ledger.exhibits("night", member.evidence)[0]
    assert not here.derived_from.evidence
    assert here.source["exhibit"] == member.number


def test_release_and_acceptance_by_hand(giver: Installation) -> None:
    bundles = giver.desk.bundles
    first = giver.desk.vault.ledger.exhibits("night")[0].number
    transfer, count = bundles.release("night", [first], "Court archive", reason="disk", who=ANA)
    assert count == 1
    assert [one.number for one in bundles.waiting("night")] == [first]
    assert bundles.accept_transfer("night", transfer, reason="receipt on paper", who=ANA) == 1
    assert bundles.waiting("night") == []
    with pytest.raises(Missing, match="waits under the transfer"):
        bundles.accept_transfer("night", transfer, reason="again", who=ANA)
    with pytest.raises(Missing, match="has no exhibit NIGHT-0099"):
        bundles.release("night", ["NIGHT-0099"], "x", reason="", who=ANA)


def test_a_receipt_that_does_not_hold(giver: Installation, lab: Desk, tmp_path: Path) -> None:
    giver.export(tmp_path / "bundle", to="Laboratory")
    taken = lab.bundles.accept(tmp_path / "bundle", reason="x", who=LAB)
    receipt = json.loads(taken.receipt)
    waiting = giver.desk.bundles.waiting("night")

    def refused(kind: type[Exception], **changes: object) -> None:
        content = json.dumps({**receipt, **changes}).encode()
        with pytest.raises(kind):
            giver.desk.bundles.acknowledge("night", content, [], reason="x", who=ANA)

    entry = receipt["entries"][0]
    forged = {**entry["envelope"], "payload": entry["envelope"]["payload"].replace("A", "B", 1)}
    refused((Tampered, Unreadable), entries=[{**entry, "envelope": forged}])
    refused(Tampered, entries=[{**entry, "inclusion": entry["inclusion"][:-1]}])
    refused(Unreadable, checkpoint="none")
    refused(Unreadable, keys=[])
    refused(Conflict, entries=[])
    assert giver.desk.bundles.waiting("night") == waiting
    giver.desk.bundles.acknowledge("night", taken.receipt, [], reason="x", who=ANA)


def test_the_same_bundle_gives_the_same_record(sealed: Path, lab: Desk) -> None:
    for case in ("first", "second"):
        lab.bundles.accept(sealed, case=case, reason="x", who=LAB)
    kept = [
        {
            one.evidence
            for one in lab.vault.ledger.exhibits(case)
            if "custody.tar" in _name(lab, one.evidence)
        }
        for case in ("first", "second")
    ]
    assert kept[0] == kept[1] and len(kept[0]) == 1


def _name(desk: Desk, evidence: str) -> str:
    return next(
        entry.details["name"]
        for entry in desk.vault.ledger.entries(evidence=evidence)
        if "name" in entry.details
    )
