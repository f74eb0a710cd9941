# SPDX-License-Identifier: Apache-2.0
"""Holds, retentions and disposal by two people: what stands against it, and what is gone after."""

import time
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from locard.cases.desk import Desk
from locard.evidence import Vault
from locard.model.custody import Authority, Hand, Verb
from locard.model.errors import Conflict, Denied, Error, Missing
from locard.state.keeping import Standing
from tests.cases.trails import trail

CUSTODIAN, SECOND = Hand("carla"), Hand("omar")
PAST = time.time_ns() - 10**9
YEAR = 365 * 86_400 * 10**9


@pytest.fixture
def held(desk: Desk, tmp_path: Path) -> Desk:
    """A case `c` of two files that share 20 of their 100 records, taken in by ana."""
    trail(tmp_path / "in" / "a.json", range(60))
    trail(tmp_path / "in" / "b.json", range(40, 100))
    desk.add("c", [tmp_path / "in" / "a.json"], who="ana")
    desk.add("c", [tmp_path / "in" / "b.json"], who="ana")
    return desk


def named(desk: Desk, name: str, case: str = "c") -> str:
    return next(one.id for one in desk.evidence(case)[0] if one.name.endswith(name))


def rows(desk: Desk, case: str = "c") -> int:
    return desk.timeline.count(desk.search(case, who="ana")).rows


def verbs(desk: Desk, case: str = "c") -> list[str]:
    return [entry.verb for entry in desk.vault.ledger.entries(case=case)]


def test_a_hold_keeps_the_store_from_deleting_until_the_last_one_is_released(held: Desk) -> None:
    first = held.keeping.hold("c", reference="2026/17", reason="order of the court", who=CUSTODIAN)
    second = held.keeping.hold("c", reference="", reason="insurer asks", who=CUSTODIAN)
    for one in held.evidence("c")[0]:
        assert held.vault.stat(one.id).held
        with pytest.raises(Denied, match="legal hold"):
            held.vault.store.remove(one.id)
    held.keeping.release("c", first.id, reason="order lifted", who=CUSTODIAN)
    assert held.vault.stat(named(held, "a.json")).held
    held.keeping.release("c", second.id, reason="paid", who=CUSTODIAN)
    assert not held.vault.stat(named(held, "a.json")).held
    with pytest.raises(Conflict, match="released by carla"):
        held.keeping.release("c", second.id, reason="again", who=CUSTODIAN)
    with pytest.raises(Missing, match="no hold 99"):
        held.keeping.release("c", 99, reason="none", who=CUSTODIAN)
    assert verbs(held).count(Verb.HELD) == 2
    assert verbs(held).count(Verb.HOLD_RELEASED) == 2


def test_a_hold_of_another_case_on_the_same_bytes_stands(held: Desk, tmp_path: Path) -> None:
    held.add("d", [tmp_path / "in" / "a.json"], who="ana")
    mine = held.keeping.hold("c", reference="", reason="court", who=CUSTODIAN)
    held.keeping.hold("d", reference="", reason="another court", who=CUSTODIAN)
    held.keeping.release("c", mine.id, reason="over", who=CUSTODIAN)
    assert held.vault.stat(named(held, "a.json")).held
    assert not held.vault.stat(named(held, "b.json")).held


def test_what_comes_into_a_held_case_is_held_too(held: Desk, tmp_path: Path) -> None:
    held.keeping.hold("c", reference="", reason="court", who=CUSTODIAN)
    until = time.time_ns() + YEAR
    held.keeping.retain("c", until, reason="policy: a year", who=CUSTODIAN)
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr("x.jsonl", '{"datetime": "2026-03-01T00:00:00Z", "message": "hello"}\n')
    held.add("c", [tmp_path / "more.zip"], who="ana")
    for one in held.evidence("c")[0]:
        kept = held.vault.stat(one.id)
        assert kept.held, one.name
        assert kept.until == until, one.name


def test_a_retention_is_lengthened_and_never_shortened(held: Desk) -> None:
    until = time.time_ns() + YEAR
    held.keeping.retain("c", until, reason="policy", who=CUSTODIAN)
    with pytest.raises(Conflict, match="cannot be shortened"):
        held.keeping.retain("c", until - 1, reason="sooner", who=CUSTODIAN)
    held.keeping.retain("c", until + YEAR, reason="appeal", who=CUSTODIAN)
    assert held.keeping.of("c").until == until + YEAR


def test_disposal_waits_for_hold_and_retention(held: Desk) -> None:
    with pytest.raises(Denied, match="Nobody has said how long"):
        held.keeping.ask("c", reason="done", who=CUSTODIAN)
    hold = held.keeping.hold("c", reference="17", reason="court", who=CUSTODIAN)
    held.keeping.retain("c", time.time_ns() + YEAR, reason="policy", who=CUSTODIAN)
    with pytest.raises(Denied, match=r"legal hold: 1 \(17\)"):
        held.keeping.ask("c", reason="done", who=CUSTODIAN)
    held.keeping.release("c", hold.id, reason="over", who=CUSTODIAN)
    with pytest.raises(Denied, match="The case is kept until"):
        held.keeping.ask("c", reason="done", who=CUSTODIAN)


def test_a_hold_that_comes_after_the_asking_stops_the_disposal(held: Desk) -> None:
    held.keeping.retain("c", PAST, reason="over", who=CUSTODIAN)
    asked = held.keeping.ask("c", reason="done", who=CUSTODIAN)
    held.keeping.hold("c", reference="", reason="court", who=CUSTODIAN)
    with pytest.raises(Denied, match="legal hold"):
        held.keeping.agree("c", asked.id, who=SECOND)
    assert rows(held) == 100


def test_it_takes_two_and_neither_took_it_in(held: Desk) -> None:
    held.keeping.retain("c", PAST, reason="over", who=CUSTODIAN)
    with pytest.raises(Denied, match=r"ana took .* nobody can both acquire and dispose"):
        held.keeping.ask("c", reason="done", who=Hand("ana"))
    assert held.keeping.of("c").disposals == ()
    asked = held.keeping.ask("c", reason="done", who=CUSTODIAN)
    with pytest.raises(Denied, match="cannot agree to it too"):
        held.keeping.agree("c", asked.id, who=CUSTODIAN)
    with pytest.raises(Denied, match="nobody can both acquire and dispose"):
        held.keeping.agree("c", asked.id, who=Hand("ana"))
    with pytest.raises(Conflict, match="carla asked for this already: disposal 1"):
        held.keeping.ask("c", [named(held, "a.json")], reason="done", who=SECOND)
    with pytest.raises(Error, match="A reason is needed"):
        held.keeping.refuse("c", asked.id, reason=" ", who=SECOND)
    held.keeping.refuse("c", asked.id, reason="not yet", who=SECOND)
    with pytest.raises(Conflict, match="refused already, by omar"):
        held.keeping.agree("c", asked.id, who=SECOND)


@pytest.mark.parametrize("name", ["ana@forensics-3", "Ana", " ana"])
def test_the_same_person_at_another_door_is_no_second_one(held: Desk, name: str) -> None:
    """The command line calls the page's `ana` by the user and host of the operating system."""
    other = Hand(name, "command line")
    held.keeping.retain("c", PAST, reason="over", who=CUSTODIAN)
    with pytest.raises(Denied, match="nobody can both acquire and dispose"):
        held.keeping.ask("c", reason="done", who=other)
    asked = held.keeping.ask("c", reason="done", who=CUSTODIAN)
    with pytest.raises(Denied, match="nobody can both acquire and dispose"):
        held.keeping.agree("c", asked.id, who=other)
    again = Hand(name.lower().replace("ana", CUSTODIAN.name), "command line")
    with pytest.raises(Denied, match="cannot agree to it too"):
        held.keeping.agree("c", asked.id, who=again)


def test_after_disposal_bytes_and_rows_are_gone_and_the_ledger_is_whole(held: Desk) -> None:
    a, b = named(held, "a.json"), named(held, "b.json")
    before = len(list(held.vault.ledger.entries(case="c")))
    held.keeping.retain("c", PAST, reason="over", who=CUSTODIAN)
    asked = held.keeping.ask("c", [a], reason="not of this case", who=CUSTODIAN)
    held.keeping.agree("c", asked.id, who=SECOND, reason="agreed")
    done = held.keeping.carry_out("c", asked.id, who=SECOND)
    assert (done.standing, done.decided_by) == (Standing.DONE, "omar")
    assert not held.vault.holds(a)
    assert held.vault.holds(b)
    stages = {one.id: one.stage for one in held.evidence("c")[0]}
    assert stages == {a: "disposed", b: "queued"}, "b holds records whose rows stood on a"
    held.add("c", [], who="ana")
    assert rows(held) == 60
    entries = list(held.vault.ledger.entries(case="c"))
    assert len(entries) > before
    last = [entry for entry in entries if entry.verb == Verb.DISPOSED]
    assert [(one.evidence, one.actor, one.details["bytes"]) for one in last] == [
        (a, "omar", "deleted")
    ]
    assert held.vault.ledger.check().passed
    with pytest.raises(Conflict, match="done already"):
        held.keeping.agree("c", asked.id, who=SECOND)


def test_bytes_that_another_case_holds_stay(held: Desk, tmp_path: Path) -> None:
    held.add("d", [tmp_path / "in" / "a.json"], who="ana")
    held.keeping.retain("c", PAST, reason="over", who=CUSTODIAN)
    asked = held.keeping.ask("c", reason="over", who=CUSTODIAN)
    held.keeping.agree("c", asked.id, who=SECOND)
    held.keeping.carry_out("c", asked.id, who=SECOND)
    assert held.vault.holds(named(held, "a.json", "d"))
    assert not held.vault.holds(named(held, "b.json"))
    assert (rows(held), rows(held, "d")) == (0, 60)
    said = {
        entry.evidence: entry.details["bytes"]
        for entry in held.vault.ledger.entries(case="c")
        if entry.verb == Verb.DISPOSED
    }
    assert said[named(held, "a.json")] == "kept: they belong to another case too"


def test_an_archive_goes_with_its_members_unless_they_were_found_elsewhere_too(
    held: Desk, tmp_path: Path
) -> None:
    line = '{"datetime": "2026-03-01T00:00:00Z", "message": "hello"}\n'
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr("x.jsonl", line)
        archive.writestr("y.jsonl", line * 2)
    (tmp_path / "y.jsonl").write_text(line * 2)
    held.add("c", [tmp_path / "more.zip", tmp_path / "y.jsonl"], who="ana")
    held.keeping.retain("c", PAST, reason="over", who=CUSTODIAN)
    asked = held.keeping.ask("c", [named(held, "more.zip")], reason="over", who=CUSTODIAN)
    assert set(asked.evidence) == {named(held, "more.zip"), named(held, "x.jsonl")}


def test_what_was_disposed_of_can_be_added_again(held: Desk, tmp_path: Path) -> None:
    held.keeping.retain("c", PAST, reason="over", who=CUSTODIAN)
    asked = held.keeping.ask("c", reason="over", who=CUSTODIAN)
    held.keeping.agree("c", asked.id, who=SECOND)
    held.keeping.carry_out("c", asked.id, who=SECOND)
    assert rows(held) == 0
    assert held.add("c", [tmp_path / "in"], who="ana").events == 100
    assert rows(held) == 100


def test_a_disposal_that_was_cut_off_is_carried_on(
    held: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    held.keeping.retain("c", PAST, reason="over", who=CUSTODIAN)
    asked = held.keeping.ask("c", reason="over", who=CUSTODIAN)
    held.keeping.agree("c", asked.id, who=SECOND)
    dispose, gone = Vault.dispose, list[str]()

    def cut(vault: Vault, evidence: str, **more: Any) -> Any:
        if gone:
            raise KeyboardInterrupt
        gone.append(evidence)
        return dispose(vault, evidence, **more)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Vault, "dispose", cut)
        held.keeping.carry_out("c", asked.id, who=SECOND)
    assert held.keeping.of("c").disposals[0].standing is Standing.AGREED
    assert [one.state for one in held.progress("c")][:1] == ["failed"]
    with pytest.raises(Conflict, match="carla has not agreed"):
        held.keeping.carry_out("c", asked.id, who=CUSTODIAN)
    held.keeping.carry_out("c", asked.id, who=SECOND)
    assert verbs(held).count(Verb.DISPOSED) == 2
    assert not any(held.vault.holds(one.id) for one in held.evidence("c")[0])


def test_a_plan_says_what_would_go_and_who_must_not_decide(held: Desk, tmp_path: Path) -> None:
    held.add("d", [tmp_path / "in" / "a.json"], who="ana")
    plan = held.keeping.plan("c", [named(held, "a.json")])
    assert [one.name for one in plan.items] == ["a.json"]
    assert (plan.rows, plan.shared, plan.again, plan.takers) == (60, 1, 1, ("ana",))
    assert plan.barred == "Nobody has said how long the case is kept."
    assert len(held.keeping.plan("c").items) == 2
    assert rows(held) == 100


def test_what_is_acquired_afterwards_carries_the_authority(held: Desk, tmp_path: Path) -> None:
    warrant = Authority("warrant", "AG 12/26", "Amtsgericht", "2026-03-01", "2027-03-01", "mail")
    held.keeping.authorise("c", warrant, who=CUSTODIAN)
    line = '{"datetime": "2026-03-01T00:00:00Z", "message": "hello"}\n'
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr("x.jsonl", line)
    held.add("c", [tmp_path / "more.zip"], who="ana")
    held.receive("c", BytesIO(line.encode() * 3), "up.jsonl", who="ana")
    held.wait()
    carried = [one.authority for one in held.vault.ledger.exhibits("c")]
    assert carried == [Authority(), Authority(), warrant, warrant, warrant]
    (entry,) = [one for one in held.vault.ledger.entries(case="c") if one.verb == Verb.AUTHORISED]
    assert (entry.actor, entry.reason) == ("carla", "warrant AG 12/26")
    assert entry.details["scope"] == "mail"
    kept = held.keeping.of("c")
    assert [one.authority for one in kept.authorities] == [warrant]
    old = Authority("consent", "letter", valid_to="2020-01-01")
    held.keeping.authorise("c", old, who=CUSTODIAN)
    assert held.keeping.of("c").lapsed == "It ended on 2020-01-01."


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Authority("hunch", "x"), "warrant, consent, policy or contract, not 'hunch'"),
        (Authority("warrant", " "), "needs a reference"),
        (Authority("warrant", "x", valid_to="soon"), "'soon' is not a day"),
        (Authority("warrant", "x", "", "2026-02-01", "2026-01-01"), "before it begins"),
        (Authority("warrant", "x" * 400), "reference has 400 characters"),
    ],
)
def test_an_authority_that_says_too_little_is_refused(
    held: Desk, wanted: Authority, said: str
) -> None:
    with pytest.raises(Error, match=said):
        held.keeping.authorise("c", wanted, who=CUSTODIAN)
    assert Verb.AUTHORISED not in verbs(held)
