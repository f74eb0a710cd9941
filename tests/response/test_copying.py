# SPDX-License-Identifier: Apache-2.0
"""Containment begins once what it could take is kept; what is read from copies goes on meanwhile.

Over a provider that the rest does not know: a cast of a lamp is made, and read afterwards.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from locard.actions.catalogue import Catalogue
from locard.cases.playbooks import copying
from locard.cases.response.orders import Order, Orders
from locard.cases.response.runner import Asked, Runner
from locard.model.action import Plan, RunState, Step, StepState
from locard.model.custody import Verb
from locard.model.errors import Error
from locard.model.playbook import PlaybookRun, PlaybookState
from locard.state import runs
from tests.forked import apart
from tests.response.automation import WATCHMAN, Bench, bench, said
from tests.response.conftest import ANA, BEN, ONE, toy_runner
from tests.response.test_playbooks import agree, killed_at, states, verbs
from tests.response.test_runner import DARK, FRESH, lamp
from tests.toys import cloud
from tests.waiting import PATIENCE, eventually

BOOK = """
title: A lamp that flickers is cast and put out
when: {kind: flickers, target.kind: lamp}
then:
  - collect: [collect.toy.lamp, collect.toy.cast]
  - isolate: isolate.toy.lamp
  - analyse: case
  - notify: all
ask: ASK
"""


@pytest.fixture
def at(home: Path, room: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Everything that responds, over the toys, with the playbook on."""
    monkeypatch.setattr(copying, "PAUSE", 0.02)
    monkeypatch.setattr(copying, "PATIENCE", 0.0)
    return on(bench(home, room), "before-containing")


def on(at: Bench, ask: str) -> Bench:
    at.write("dark", BOOK.replace("ASK", ask))
    at.shelf.enable("dark", ANA)
    return at


def shut(room: Path, half: int, how: str = "") -> Path:
    gate = room.with_name(f"scan-{half}.shut")
    gate.write_text(how)
    return gate


def waiting(at: Bench) -> PlaybookRun:
    """The run of an alert that came, as far as it goes by itself."""
    at.take()
    (run,) = at.playbooks.judge()
    return at.playbooks.carry_on(run)


def read_on(at: Bench) -> None:
    """What the process that was begun for the copies does."""
    runs_, at.apart[:] = list(at.apart), []
    for run in runs_:
        at.runner.carry_on(run, ANA)


def casts(at: Bench, case: str) -> list[dict[str, object]]:
    """What was read of the cast, as it is in the vault."""
    found = []
    for item in at.runner.vault.ledger.newest(case=case, limit=300):
        if item.verb is Verb.ACQUIRED and "cast-" in item.details.get("name", ""):
            with at.runner.vault.open(item.evidence, case=case, actor="ana", reason="t") as file:
                found.append(json.loads(file.read()))
    return sorted(found, key=lambda one: one["half"])


def test_people_are_asked_and_it_is_isolated_while_the_copy_is_still_to_be_read(
    at: Bench, room: Path
) -> None:
    run = waiting(at)
    assert (run.state, states(run)) == (
        PlaybookState.WAITING, ["done", "kept", "pending", "pending", "pending"]
    )  # fmt: skip
    assert at.apart == [run.parts[1].run] and casts(at, run.case) == []
    gates = [shut(room, half) for half in (0, 1)]
    agree(at, run.id, BEN, "yes")
    going = Thread(target=at.playbooks.carry_on, args=(run.id,), daemon=True)
    going.start()
    eventually(lambda: at.playbooks.run(run.id).parts[2].state.value == "done")
    now = at.playbooks.run(run.id)
    assert (now.state, states(now)[1:4]) == (PlaybookState.DUE, ["kept", "done", "pending"])
    assert lamp(room) == DARK and at.analysed == [] and casts(at, run.case) == []
    released = at.runner.release(now.parts[2].run, BEN, "a copy that goes on does not matter")
    assert released.state is RunState.RELEASED and lamp(room) == FRESH
    for gate in gates:
        gate.unlink()
    going.join(PATIENCE)
    done = at.playbooks.run(run.id)
    assert (done.state, states(done)) == (PlaybookState.DONE, ["done"] * 5)
    assert at.analysed == [run.case]
    assert casts(at, run.case) == [{"half": half, "cast": FRESH} for half in (0, 1)]
    receipt = at.runner.vault.ledger.made
    with at.runner.state.session() as session:
        row = runs.run(session, done.parts[1].run)
        taken = runs.receipt(session, row.id).steps
        isolated = runs.receipt(session, done.parts[2].run)
        assert receipt(run.case, row.receipt) is not None
    assert [one.state for one in taken] == [StepState.VERIFIED] * 3
    assert (taken[0].ended or 0) < isolated.started < (taken[1].ended or 0)  # as it really ran


def test_the_ledger_says_that_it_is_kept_before_it_says_that_anything_is_contained(
    at: Bench, room: Path
) -> None:
    run = waiting(at)
    agree(at, run.id, BEN, "yes")
    at.playbooks.carry_on(run.id)
    told = [(e.verb, e.reason) for e in reversed(
        at.runner.vault.ledger.newest(case=run.case, limit=300))]  # fmt: skip
    kept = f"what run {run.parts[1].run} needs one for is kept; it goes on from copies"
    done = f"run {run.parts[1].run} is done"
    assert [one for one in told if one[1] == kept] == [(Verb.COLLECTED, kept)]
    contained = [verb for verb, _ in told].index(Verb.CONTAIN_INTENDED)
    assert told.index((Verb.COLLECTED, kept)) < contained < told.index((Verb.COLLECTED, done))
    assert at.runner.vault.ledger.check().passed


@pytest.mark.parametrize("how", ["refused", "lapsed"])
def test_the_copy_is_read_to_its_end_though_people_refuse_or_say_nothing(
    at: Bench, room: Path, how: str
) -> None:
    run = waiting(at)
    if how == "refused":
        at.playbooks.refuse(run.id, BEN, "known scanner")
    else:
        with at.runner.state.session() as session:
            from locard.state import playbooks

            playbooks.row(session, run.id).lapses = 1
        at.playbooks.waiting.look()
    assert at.playbooks.run(run.id).state.value == how
    assert states(at.playbooks.run(run.id))[:2] == ["done", "kept"]
    read_on(at)
    now = at.playbooks.run(run.id)
    assert (now.state.value, states(now)[:2]) == (how, ["done", "done"])
    assert lamp(room) == FRESH and len(casts(at, run.case)) == 2
    if how == "lapsed":
        at.playbooks.retry(run.id, BEN)
        assert at.playbooks.carry_on(run.id).state is PlaybookState.WAITING


def test_a_copy_that_fails_is_said_on_the_run_and_carried_on_and_the_isolation_stands(
    at: Bench, room: Path
) -> None:
    gate = shut(room, 1, "broken")
    run = waiting(at)
    read_on(at)
    now = at.playbooks.run(run.id)
    assert states(now)[:3] == ["done", "failed", "pending"] and now.parts[1].kept
    agree(at, run.id, BEN, "yes")
    failed = at.playbooks.carry_on(run.id)
    assert (failed.state, states(failed)) == (
        PlaybookState.FAILED, ["done", "failed", "done", "done", "done"]
    )  # fmt: skip
    assert "Half 1 of the cast cannot be read" in failed.error and lamp(room) == DARK
    gate.unlink()
    at.playbooks.retry(run.id, BEN)
    done = at.playbooks.carry_on(run.id)
    assert (done.state, states(done)) == (PlaybookState.DONE, ["done"] * 5)
    assert lamp(room) == DARK and len(casts(at, run.case)) == 2
    calls = [one[2] for one in cloud.world(room)["calls"]]
    assert calls == ["cast", "friends", "colour", "power"]


def test_people_are_told_once_of_a_copy_that_fails_while_they_are_asked(
    at: Bench, room: Path
) -> None:
    (at.home / "response.yaml").write_text(
        "notices: {siem: {kind: syslog, server: 127.0.0.1, port: 9, about: [failed, done]}}\n"
    )
    shut(room, 0, "broken")
    run = waiting(at)
    read_on(at)
    for _ in range(3):
        at.playbooks.copying.look()
    told = [one.subject for one in at.notices.every() if one.about == "failed"]
    assert told == ["Failed, and can be carried on: collect.toy.cast one"]
    assert at.playbooks.run(run.id).state is PlaybookState.WAITING
    shut(room, 0).unlink()
    at.runner.carry_on(run.parts[1].run, BEN)  # by hand
    assert states(at.playbooks.run(run.id))[:2] == ["done", "done"]


def test_a_copy_whose_process_died_is_read_on_and_given_up_after_a_few(
    at: Bench, room: Path
) -> None:
    run = waiting(at)
    at.apart.clear()
    begun = []
    for _ in range(12):
        at.playbooks.copying.look()
        begun += at.apart
        at.apart.clear()
    assert begun == [run.parts[1].run] * 3
    now = at.playbooks.run(run.id)
    assert states(now)[:3] == ["done", "failed", "pending"]
    assert "ended 3 times without getting further" in now.parts[1].error
    agree(at, run.id, BEN, "yes")
    assert at.playbooks.carry_on(run.id).state is PlaybookState.FAILED and lamp(room) == DARK
    at.playbooks.retry(run.id, BEN)
    assert at.playbooks.carry_on(run.id).state is PlaybookState.DONE


def test_what_is_kept_later_is_read_beside_what_is_being_read(at: Bench, room: Path) -> None:
    later = "  - notify: all\n  - {collect: collect.toy.cast}\n  - isolate"
    text = BOOK.replace("ASK", "before-containing").replace("  - isolate", later)
    at.write("dark", text)
    at.shelf.enable("dark", ANA)
    run = waiting(at)
    first, second = run.parts[1].run, run.parts[3].run
    assert states(run)[:5] == ["done", "kept", "done", "kept", "pending"]
    assert at.apart == [first, second]
    read_on(at)
    assert states(at.playbooks.run(run.id))[:5] == ["done", "done", "done", "done", "pending"]


def test_what_needs_the_target_and_failed_keeps_it_from_being_isolated(
    at: Bench, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: object) -> None:
        raise Error("There is no plaster.", "Get some.")

    monkeypatch.setattr(cloud.ToyCloud, "cast", broken)
    run = waiting(at)
    assert (run.state, states(run)[:3]) == (PlaybookState.FAILED, ["done", "failed", "refused"])
    assert lamp(room) == FRESH and at.apart == []


def losing(home: Path, room: Path) -> Runner:
    """A runner for which isolating a lamp would lose its cast."""
    runner = toy_runner(home, room)
    known = dict(runner.catalogue.actions)
    known["isolate.toy.lamp"] = replace(known["isolate.toy.lamp"], loses=("collect.toy.cast",))
    runner.catalogue = Catalogue(known)
    return runner


def test_by_hand_too_it_is_isolated_once_it_is_kept_and_the_copy_is_read_afterwards(
    home: Path, room: Path
) -> None:
    runner, seen = losing(home, room), []
    order = Order("c", "isolate", "lamp:one")
    with pytest.raises(Error, match="was not collected"):
        Orders(runner).begin(order, ANA, "flickers")
    begun = Orders(runner).begin(order, ANA, "flickers", collecting=True)
    done = runner.carry_on(begun.carry[0], ANA, lambda stage, _done, _total: seen.append(stage))
    assert done.state is RunState.DONE and lamp(room) == DARK
    steps = ["Make a cast of it", "Switch friends to ['nobody']", "Switch colour to blue",
             "Switch power to off", "Read half 0 of the cast",
             "Read half 1 of the cast"]  # fmt: skip
    assert list(dict.fromkeys(seen)) == steps
    with runner.state.session() as session:
        assert runs.receipt(session, begun.runs[0]).state is RunState.DONE


@pytest.mark.parametrize("how", ["not begun", "failed"])
def test_by_hand_a_collection_whose_copies_are_not_read_does_not_stand_in_the_way(
    home: Path, room: Path, how: str
) -> None:
    runner = losing(home, room)
    plan = runner.plan("collect.toy.cast", "room", ONE, "c", {})
    cast = runner.begin(plan, "room", Asked("c", ANA, "flickers"))
    isolate = runner.plan("isolate.toy.lamp", "room", ONE, "c", {})
    assert runner.uncollected(isolate, "c") == ["collect.toy.cast"]
    if how == "failed":
        shut(room, 0, "broken")
        assert runner.carry_on(cast, ANA).state is RunState.FAILED
    else:
        assert runner.carry_on(cast, ANA, until_kept=True).state is RunState.APPLYING
        assert cast in runner.stopped()  # so a server that starts carries it on
    assert runner.uncollected(isolate, "c") == []
    run = runner.begin(isolate, "room", Asked("c", ANA, "flickers"))
    assert runner.carry_on(run, ANA).state is RunState.DONE and lamp(room) == DARK


def test_a_plan_of_before_reads_as_one_whose_steps_all_need_the_target() -> None:
    record = {"key": "a", "title": "A", "call": "x:Y", "arguments": {}, "changes": True,
              "breaks": [], "undo_title": ""}  # fmt: skip
    assert Step.of(record).from_copy is False
    plan = Plan("collect.toy.cast", "1", ONE, {}, (replace(Step.of(record), from_copy=True),))
    assert Plan.of(json.loads(json.dumps(plan.record()))) == plan


def all_of_it(one: Bench, body: bytes) -> None:
    """From the message to the end of the run, as a server, a person and the copies' process do."""
    one.alerts.take(body, WATCHMAN, sent="message 1")
    one.playbooks.judge()
    for _ in range(20):
        for run in one.playbooks.due():
            one.playbooks.carry_on(run)
        one.playbooks.copying.look()
        for run in dict.fromkeys(one.apart):
            with one.runner.state.session() as session:
                going = runs.run(session, run).state == RunState.APPLYING.value
            if going:
                one.runner.carry_on(run, ANA)
        one.apart.clear()
        for found in one.playbooks.runs():
            if found.state is PlaybookState.WAITING:
                agree(one, found.id, BEN, "yes")
            elif found.state is not PlaybookState.DUE:
                return


def killed_while_at_it(number: int, before: bool, home: Path, room: Path, body: bytes) -> None:
    """All of it, as far as it comes."""
    copying.PATIENCE = 0.0
    one = bench(home, room)
    with killed_at(number, before):
        all_of_it(one, body)


@pytest.mark.server
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_killed_anywhere_the_copy_is_read_once_and_the_rest_is_done_once(
    tmp_path: Path, before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the cast is made, people are asked, it is isolated, and the copies are read."""
    monkeypatch.setattr(copying, "PATIENCE", 0.0)
    first, room = tmp_path / "first", tmp_path / "room.json"
    first.mkdir()
    cloud.make(room)
    on(bench(first, room), "before-containing").runner.state.close()
    body, number = json.dumps(said()).encode(), 0
    while True:
        number += 3 if before else 7
        here = tmp_path / str(number)
        shutil.copytree(first, here)
        cloud.make(room)
        ended = apart(killed_while_at_it, number, before, here, room, body) == 0
        one = bench(here, room)
        all_of_it(one, body)
        (run,) = one.playbooks.runs()
        assert (run.state, states(run)) == (PlaybookState.DONE, ["done"] * 5), number
        assert lamp(room) == DARK
        calls = [c[2] for c in cloud.world(room)["calls"]]
        assert calls == ["cast", "friends", "colour", "power"], number
        found = casts(one, run.case)
        assert [half for half in (0, 1) if {"half": half, "cast": FRESH} not in found] == []
        with one.runner.state.session() as session:
            ran = runs.page(session, runs.Wanted(run.case), limit=100)
            assert len(ran) == 3 and all(one.receipt for one in ran)
        told = verbs(one, run.case)
        assert told.index(Verb.COLLECTED) < told.index(Verb.CONTAIN_INTENDED)
        one.runner.state.close()
        shutil.rmtree(here)
        if ended:
            break
    assert number > 60
