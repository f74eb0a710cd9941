# SPDX-License-Identifier: Apache-2.0
"""Playbooks over a provider that they do not know: approvals, limits, protection, crashes."""

import json
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from locard.cases.records import Records
from locard.model.action import RunState, Target
from locard.model.custody import Hand, Verb
from locard.model.errors import Conflict, Denied
from locard.model.playbook import PartState, PlaybookRun, PlaybookState
from locard.state import accounts, runs
from locard.state.database import State
from tests.forked import apart
from tests.response.automation import BOOK, WATCHMAN, Bench, bench, said
from tests.response.conftest import ANA, BEN
from tests.response.test_runner import DARK, FRESH, lamp
from tests.toys import cloud

CAT = Hand("cat", "page")


@pytest.fixture
def all_of_it(home: Path, room: Path) -> Bench:
    """Everything that responds, over the toys."""
    return bench(home, room)


def go(at: Bench) -> PlaybookRun:
    """Judge what came and carry the one run on as far as it goes."""
    (run,) = at.playbooks.judge()
    return at.playbooks.carry_on(run)


def agree(at: Bench, run: str, who: Hand, reason: str) -> PlaybookRun:
    """Agree to the plan as it is shown now."""
    return at.playbooks.approve(run, who, reason, at.playbooks.asked(run).plan)


def states(run: PlaybookRun) -> list[str]:
    return [one.state.value for one in run.parts]


def verbs(at: Bench, case: str) -> list[Verb]:
    return [one.verb for one in reversed(at.runner.vault.ledger.newest(case=case, limit=200))]


def test_off_until_it_is_switched_on_and_off_again_when_its_text_changes(
    all_of_it: Bench, room: Path
) -> None:
    at = all_of_it
    at.write("dark", BOOK.format(ask="never", most=5))
    at.take()
    assert at.playbooks.judge() == [] and lamp(room) == FRESH
    at.shelf.enable("dark", ANA)
    assert at.playbooks.judge() == []  # what came before is not acted on
    at.write("dark", BOOK.format(ask="never", most=500))
    assert at.shelf.get("dark").changed and not at.shelf.get("dark").enabled
    at.take(number="2")
    assert at.playbooks.judge() == []
    at.shelf.enable("dark", BEN)
    at.take(number="3")
    assert len(at.playbooks.judge()) == 1
    told = [e.reason for e in at.runner.vault.ledger.newest(case="", limit=10)
            if e.verb is Verb.POLICY_CHANGED]  # fmt: skip
    assert told == ["playbook dark switched on"] * 2
    at.shelf.disable("dark", ANA)
    at.take(number="4")
    assert at.playbooks.judge() == []


def test_collected_isolated_analysed_and_the_exhibit_names_rule_and_alert(
    all_of_it: Bench, room: Path
) -> None:
    at = all_of_it
    at.on()
    alert = at.take()
    run = go(at)
    assert (run.state, states(run)) == (PlaybookState.DONE, ["done"] * 4)
    assert lamp(room) == DARK and at.analysed == [alert.case]
    kept = [e for e in at.runner.vault.ledger.newest(case=alert.case, limit=100)
            if e.verb is Verb.ACQUIRED and "collected by run" in e.reason]  # fmt: skip
    assert kept
    records = Records(at.runner.state, at.runner.vault.ledger)
    for entry in kept:
        exhibit = records.exhibit(alert.case, entry.evidence).exhibit
        assert (exhibit.operator.rule, exhibit.operator.alert) == ("dark", alert.id)
        assert exhibit.authority.kind == "policy"
        assert "dark" in exhibit.authority.reference and alert.id in exhibit.authority.scope
    told = verbs(at, alert.case)
    assert told.index(Verb.AUTHORISED) < told.index(Verb.PLANNED) < told.index(Verb.CONTAINED)
    assert told.index(Verb.COLLECTED) < told.index(Verb.CONTAIN_INTENDED)
    with pytest.raises(Conflict, match="nothing left to decide"):
        at.playbooks.refuse(run.id, BEN, "late")
    isolated = run.parts[1].run
    assert at.runner.release(isolated, BEN, "false alarm").state is RunState.RELEASED
    assert lamp(room) == FRESH


def test_the_same_alert_again_is_a_sighting_and_sets_nothing_off_twice(all_of_it: Bench) -> None:
    at = all_of_it
    at.on()
    first = at.take()
    go(at)
    again = at.take(words="the same in other words")
    assert (again.id, again.sightings, again.title) == (first.id, 2, "the same in other words")
    assert len(again.evidence) == 2 and again.case == first.case
    assert at.playbooks.judge() == [] and len(at.playbooks.runs()) == 1


def test_an_alert_that_becomes_worse_sets_off_what_it_did_not_before(all_of_it: Bench) -> None:
    at = all_of_it
    text = BOOK.format(ask="never", most=5).replace("kind: flickers", "severity|gte: high")
    at.write("dark", text)
    at.shelf.enable("dark", ANA)
    at.take(**{"how bad": 2})
    assert at.playbooks.judge() == []
    at.take(**{"how bad": 9})
    assert len(at.playbooks.judge()) == 1


def test_an_alert_that_its_source_has_closed_sets_nothing_off(all_of_it: Bench) -> None:
    at = all_of_it
    at.on()
    at.take(over=True)
    assert at.playbooks.judge() == []


def test_a_person_is_asked_before_containing_and_not_the_one_who_set_it_off(
    all_of_it: Bench, room: Path
) -> None:
    at = all_of_it
    at.on(ask="before-containing")
    alert = at.take(who=CAT)
    run = go(at)
    assert (run.state, states(run)[:2]) == (PlaybookState.WAITING, ["done", "pending"])
    assert lamp(room) == FRESH
    assert at.playbooks.carry_on(run.id).state is PlaybookState.WAITING
    with pytest.raises(Denied, match="cat brought in the alert"):
        agree(at, run.id, CAT, "fine")
    with pytest.raises(Denied, match="ana switched the playbook dark on, and does not count"):
        agree(at, run.id, ANA, "fine")
    agreed = agree(at, run.id, BEN, "beacon confirmed")
    assert agreed.state is PlaybookState.DUE
    done = at.playbooks.carry_on(run.id)
    assert done.state is PlaybookState.DONE and lamp(room) == DARK
    assert [(one.who, one.agrees, one.reason) for one in done.approvals] == [
        ("ben", True, "beacon confirmed")
    ]
    told = verbs(at, alert.case)
    assert told.index(Verb.APPROVED) < told.index(Verb.CONTAIN_INTENDED)


def test_two_different_people_have_to_agree(all_of_it: Bench, room: Path) -> None:
    at = all_of_it
    at.on(ask="{approval: always, approvers: 2}")
    at.take()
    run = go(at)
    assert (run.state, states(run)) == (PlaybookState.WAITING, ["pending"] * 4)
    assert agree(at, run.id, CAT, "yes").state is PlaybookState.WAITING
    assert at.playbooks.carry_on(run.id).state is PlaybookState.WAITING
    for name in ("cat", "Cat", " cat"):
        with pytest.raises(Conflict, match=r"agreed to run .* already"):
            agree(at, run.id, Hand(name, "page"), "yes, yes")
    assert agree(at, run.id, BEN, "yes").state is PlaybookState.DUE
    assert at.playbooks.carry_on(run.id).state is PlaybookState.DONE
    assert lamp(room) == DARK


def test_one_person_refuses_and_nothing_more_is_done(all_of_it: Bench, room: Path) -> None:
    at = all_of_it
    at.on(ask="{approval: before-containing, approvers: 2}")
    alert = at.take()
    run = go(at)
    agree(at, run.id, CAT, "yes")
    refused = at.playbooks.refuse(run.id, BEN, "known scanner")
    assert refused.state is PlaybookState.REFUSED
    assert states(refused) == ["done", "refused", "refused", "refused"]
    assert "ben refused it: known scanner" in refused.parts[1].error
    assert at.playbooks.carry_on(run.id).state is PlaybookState.REFUSED
    assert lamp(room) == FRESH and Verb.REFUSED in verbs(at, alert.case)
    with pytest.raises(Conflict):
        agree(at, run.id, CAT, "all the same")


def test_it_never_isolates_when_collecting_did_not_succeed(
    all_of_it: Bench, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = all_of_it
    at.on(ask="before-containing")

    def denied(_self: object, _lamp: str) -> object:
        raise Denied("toy:Get is not allowed.", "Allow toy:Get.")

    at.take()
    (run,) = at.playbooks.judge()
    with monkeypatch.context() as patch:
        from tests.toys.collect.toy.lamp import Described

        patch.setattr(Described, "collect", lambda *_given: denied(None, ""))
        failed = at.playbooks.carry_on(run)
    assert failed.state is PlaybookState.FAILED
    assert states(failed) == ["failed", "refused", "done", "done"]
    assert "toy:Get" in failed.parts[0].error
    assert "was not isolated, for collecting before did not succeed" in failed.parts[1].error
    assert lamp(room) == FRESH
    at.playbooks.retry(run, BEN)
    waiting = at.playbooks.carry_on(run)
    assert (waiting.state, states(waiting)[:2]) == (PlaybookState.WAITING, ["done", "pending"])
    agree(at, run, BEN, "yes")
    assert at.playbooks.carry_on(run).state is PlaybookState.DONE
    assert lamp(room) == DARK


def test_a_rule_isolates_no_more_targets_within_an_hour_than_it_may(
    all_of_it: Bench, room: Path
) -> None:
    at = all_of_it
    at.on(most=1)
    at.take(lamps=["one", "two"])
    run = go(at)
    assert run.state is PlaybookState.FAILED
    isolating = [one for one in run.parts if one.what == "isolate.toy.lamp"]
    assert [one.state.value for one in isolating] == ["done", "failed"]
    assert "dark has isolated 1 targets within an hour, and may isolate 1" in isolating[1].error
    assert lamp(room) == DARK and lamp(room, "two") == FRESH


def test_a_protected_resource_is_not_isolated(all_of_it: Bench, room: Path) -> None:
    at = all_of_it
    at.on()
    with at.runner.state.session() as session:
        accounts.protect(session, "room", "one", True)
    at.take()
    run = go(at)
    assert states(run) == ["done", "failed", "done", "done"]
    assert "protected" in run.parts[1].error and lamp(room) == FRESH


def test_tags_decide_and_tags_that_cannot_be_read_are_no_silence(
    all_of_it: Bench, room: Path
) -> None:
    at = all_of_it
    text = BOOK.format(ask="never", most=5).replace("kind: flickers", "tag.colour: red")
    at.write("dark", text)
    at.shelf.enable("dark", ANA)
    world = cloud.world(room)
    world["lamps"]["two"]["colour"] = "green"
    room.write_text(json.dumps(world))
    at.take(lamps=["one", "two"])
    run = go(at)
    assert {one.target.id for one in run.parts if one.target} == {"one"}
    at.take(number="2", lamps=["three"])
    (unknown,) = at.playbooks.judge()
    found = at.playbooks.run(unknown)
    assert found.state is PlaybookState.FAILED
    assert "the tags of three cannot be read" in found.error


def test_an_alert_about_nothing_that_it_can_act_on_says_so(all_of_it: Bench) -> None:
    at = all_of_it
    at.write("dark", BOOK.format(ask="never", most=5).replace("  target.kind: lamp\n", ""))
    at.shelf.enable("dark", ANA)
    at.take(lamps=[])
    run = go(at)
    assert (run.state, states(run)) == (PlaybookState.DONE, ["done", "done"])
    assert "The alert names no resource, and this acts on: lamp." in run.error


def test_a_trial_shows_what_it_would_have_done_and_changes_nothing(
    all_of_it: Bench, room: Path
) -> None:
    at = all_of_it
    at.write("dark", BOOK.format(ask="never", most=5))
    past = [at.take(), at.take(number="2", what="hums")]
    before = room.read_text()
    good, bad = at.playbooks.trials.of(at.shelf.written("dark"), past, plans=True)
    assert (good.matches, [one.what for one in good.parts]) == (
        True,
        ["collect.toy.lamp", "isolate.toy.lamp", "case", "all"],
    )
    assert [one["action"] for one in good.plans] == ["collect.toy.lamp", "isolate.toy.lamp"]
    assert not bad.matches and "kind: flickers (it is hums)" in bad.why
    assert room.read_text() == before and at.playbooks.runs() == []


def test_two_processes_do_not_carry_on_the_same_run(all_of_it: Bench) -> None:
    at = all_of_it
    at.on()
    at.take()
    (run,) = at.playbooks.judge()
    with at.playbooks._at_work(run):
        assert at.playbooks.due() == [] and at.playbooks.busy() == 1
        with pytest.raises(Conflict, match="Another process"):
            bench(at.home, at.room).playbooks.carry_on(run)
    assert at.playbooks.due() == [run]


def test_a_run_that_gets_no_further_is_given_up_after_a_few_processes(all_of_it: Bench) -> None:
    at = all_of_it
    at.on()
    at.take()
    (run,) = at.playbooks.judge()
    assert [at.playbooks.attempt(run) for _ in range(4)] == [True, True, True, False]
    assert "3 times" in at.playbooks.run(run).error
    at.playbooks.retry(run, BEN)
    assert at.playbooks.carry_on(run).state is PlaybookState.DONE


@contextmanager
def killed_at(number: int, before: bool) -> Iterator[None]:
    """This process dies for good at the commit of that number, just before it or just after."""
    commit, seen = Session.commit, 0
    real = State.session

    @contextmanager
    def counted(self: State, *, alone: bool = False) -> Iterator[Session]:
        nonlocal seen
        seen += 1
        mine = seen
        with real(self, alone=alone) as session:
            yield session
            if mine == number and before:
                os.kill(os.getpid(), signal.SIGKILL)
        if mine == number:
            os.kill(os.getpid(), signal.SIGKILL)

    State.session = counted  # type: ignore[method-assign]
    try:
        yield
    finally:
        State.session, Session.commit = real, commit  # type: ignore[method-assign]


def killed_while_at_it(number: int, before: bool, home: Path, room: Path, body: bytes) -> None:
    """From the message to the end of the run, as far as it comes."""
    one = bench(home, room)
    with killed_at(number, before):
        one.alerts.take(body, WATCHMAN, sent="message 1")
        one.playbooks.judge()
        for run in one.playbooks.due():
            one.playbooks.carry_on(run)


@pytest.mark.server
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_killed_at_every_commit_and_carried_on_nothing_is_done_twice(
    tmp_path: Path, before: bool
) -> None:
    """From the message that comes in to the last notice, as one process that dies at each step."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.bind(("127.0.0.1", 0))
        heard.settimeout(0.01)
        first = tmp_path / "first"
        first.mkdir()
        room = tmp_path / "room.json"
        cloud.make(room)
        at = bench(first, room)
        (first / "response.yaml").write_text(
            "notices: {siem: {kind: syslog, server: 127.0.0.1, "
            f"port: {heard.getsockname()[1]}, about: [done]}}}}\n"
        )
        at.on()
        at.runner.state.close()
        body = json.dumps(said()).encode()
        number = 0
        while True:
            number += 1 if before else 4  # after a commit is mostly before the next one
            here = tmp_path / str(number)
            shutil.copytree(first, here)
            cloud.make(room)
            ended = apart(killed_while_at_it, number, before, here, room, body) == 0
            one = bench(here, room)
            one.alerts.take(body, WATCHMAN, sent="message 1")  # nobody was told, so it comes again
            one.playbooks.judge()
            for run in one.playbooks.due():
                one.playbooks.carry_on(run)
            (run,) = one.playbooks.runs()
            assert (run.state, states(run)) == (PlaybookState.DONE, ["done"] * 4), number
            assert lamp(room) == DARK
            assert [c[2] for c in cloud.world(room)["calls"]] == ["friends", "colour", "power"]
            with one.runner.state.session() as session:
                ran = runs.page(session, runs.Wanted(run.case), limit=100)
            assert sorted(r.action for r in ran) == ["collect.toy.lamp", "isolate.toy.lamp"]
            (alert,) = one.alerts.every()
            assert len(alert.evidence) == 1 and alert.evidence[0]
            heard_now = _drained(heard)
            assert sum("|playbook|" in text for text in heard_now) <= 1, number
            assert sum("|done|" in text for text in heard_now) <= 1
            one.runner.state.close()
            shutil.rmtree(here)
            if ended:
                break
        assert number > 30


def _drained(heard: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(heard.recv(4096).decode())
        except TimeoutError:
            return found


def test_a_target_that_others_hold_is_left_to_them(all_of_it: Bench, room: Path) -> None:
    at = all_of_it
    target = Target("toy", "42", "", "lamp", "one")
    from locard.cases.response.runner import Asked

    plan = at.runner.plan("isolate.toy.lamp", "room", target, "c", {})
    at.runner.begin(plan, "room", Asked("c", BEN, "by hand", exception="a toy"))
    at.on()
    at.take()
    run = go(at)
    assert states(run)[:2] == ["done", "failed"] and "ben" in run.parts[1].error
    assert run.parts[1].state is PartState.FAILED and lamp(room) == FRESH


def test_a_rule_collects_from_no_more_targets_within_an_hour_than_it_may(
    all_of_it: Bench, room: Path
) -> None:
    """What it collected counts apart from what it isolated: evidence goes on being taken."""
    at = all_of_it
    text = BOOK.format(ask="never", most=1).replace("_hour: 1", "_hour: 1, collected_per_hour: 2")
    at.write("dark", text)
    at.shelf.enable("dark", ANA)
    world = cloud.world(room)
    world["lamps"]["three"] = world["lamps"]["two"]
    room.write_text(json.dumps(world))
    for number, name in enumerate(("one", "two", "three")):
        at.take(number=str(number), lamps=[name])
        go(at)
    parts = [one.parts for one in reversed(at.playbooks.runs())]
    assert [(one[0].state.value, one[1].state.value) for one in parts] == [
        ("done", "done"), ("done", "failed"), ("failed", "refused"),
    ]  # fmt: skip
    assert "has collected 2 targets within an hour, and may collect 2" in parts[2][0].error
