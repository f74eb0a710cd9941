# SPDX-License-Identifier: Apache-2.0
"""The runner over a provider that it does not know: crashes, failures, two people, strangers."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from locard.actions.catalogue import Catalogue
from locard.cases.response.orders import Order, Orders
from locard.cases.response.runner import Asked, Runner
from locard.model.action import Receipt, RunState, StepState, Target
from locard.model.custody import Verb
from locard.model.errors import Conflict, Denied, Error
from locard.state import accounts, runs
from tests.response.conftest import ANA, BEN, ONE, Isolate, apart, toy_runner
from tests.toys import cloud

FRESH = {"power": "on", "colour": "red", "friends": ["a", "b"]}
DARK = {"power": "off", "colour": "blue", "friends": ["nobody"]}


def lamp(room: Path, name: str = "one") -> object:
    return cloud.world(room)["lamps"][name]


def verbs(runner: Runner, run: str) -> list[tuple[Verb, str]]:
    entries = reversed(runner.vault.ledger.newest(case="c", limit=200))
    return [(e.verb, e.details.get("step", "")) for e in entries if e.details.get("run") == run]


def edit(room: Path, **changes: object) -> None:
    """Others change the lamp."""
    found = cloud.world(room)
    found["lamps"]["one"] |= changes
    room.write_text(json.dumps(found))


def test_a_plan_changes_nothing(runner: Runner, room: Path) -> None:
    before = room.read_text()
    plan = runner.plan("isolate.toy.lamp", "room", ONE, "c", {"off": False})
    assert [one.key for one in plan.steps] == ["switch:friends", "switch:colour"]
    assert room.read_text() == before
    assert type(plan).of(json.loads(json.dumps(plan.record()))) == plan
    with pytest.raises(Error, match="no option brightness"):
        runner.plan("isolate.toy.lamp", "room", ONE, "c", {"brightness": 1})


def test_applied_verified_released_and_the_ledger_says_it_in_order(
    runner: Runner, room: Path, begun: Isolate
) -> None:
    run = begun()
    done = runner.carry_on(run, ANA)
    assert done.state == RunState.DONE and lamp(room) == DARK
    assert [one.state for one in done.steps] == [StepState.VERIFIED] * 3
    after = runner.release(run, BEN, "false alarm")
    assert after.state == RunState.RELEASED and lamp(room) == FRESH
    told = verbs(runner, run)
    keys = ["switch:friends", "switch:colour", "switch:power"]
    forth = [(v, k) for k in keys for v in (Verb.CONTAIN_INTENDED, Verb.CONTAINED)]
    back = [(v, k) for k in reversed(keys) for v in (Verb.RELEASE_INTENDED, Verb.RELEASED)]
    assert told == [(Verb.PLANNED, ""), *forth, *back, (Verb.RELEASED, "")]
    with pytest.raises(Conflict, match="released already"):
        runner.release(run, BEN, "again")


def test_the_prior_state_is_in_the_ledger_before_the_change(
    runner: Runner, room: Path, home: Path, begun: Isolate
) -> None:
    run = begun()
    assert apart(home, room, f"runner.carry_on({run!r}, ANA)", "before:colour") == -9
    entries = [e for e in runner.vault.ledger.newest(case="c") if e.details.get("run") == run]
    assert (entries[0].verb, entries[0].details["step"]) == (
        Verb.CONTAIN_INTENDED,
        "switch:colour",
    )
    assert json.loads(entries[0].details["prior"]) == {"value": "red"}
    assert lamp(room) == FRESH | {"friends": ["nobody"]}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ["friends", "colour", "power"])
def test_killed_anywhere_and_carried_on_nothing_is_done_twice(
    runner: Runner, room: Path, home: Path, begun: Isolate, when: str, name: str
) -> None:
    run = begun()
    assert apart(home, room, f"runner.carry_on({run!r}, ANA)", f"{when}:{name}") == -9
    assert apart(home, room, f"runner.carry_on({run!r}, ANA)") == 0
    assert lamp(room) == DARK
    switched = [call[2] for call in cloud.world(room)["calls"]]
    assert switched == ["friends", "colour", "power"]
    assert runner.release(run, ANA, "over").state == RunState.RELEASED
    assert lamp(room) == FRESH


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ["friends", "colour", "power"])
def test_killed_anywhere_and_released_instead(
    runner: Runner, room: Path, home: Path, begun: Isolate, when: str, name: str
) -> None:
    run = begun()
    assert apart(home, room, f"runner.carry_on({run!r}, ANA)", f"{when}:{name}") == -9
    assert runner.release(run, BEN, "rather not").state == RunState.RELEASED
    assert lamp(room) == FRESH


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_release_that_was_killed_is_carried_on(
    runner: Runner, room: Path, home: Path, begun: Isolate, when: str
) -> None:
    run = begun()
    runner.carry_on(run, ANA)
    assert apart(home, room, f"runner.release({run!r}, ANA, 'x')", f"{when}:colour") == -9
    assert runner.release(run, BEN, "go on").state == RunState.RELEASED
    assert lamp(room) == FRESH


def test_what_others_changed_between_capture_and_act_is_captured_anew(
    runner: Runner, room: Path, begun: Isolate
) -> None:
    run = begun()
    with runner.state.session() as session:
        row = runs.steps(session, run)[1]
        row.state, row.prior = StepState.CAPTURED.value, {"value": "red"}
    edit(room, colour="green")
    runner.carry_on(run, ANA)
    runner.release(run, ANA, "over")
    assert lamp(room) == FRESH | {"colour": "green"}


def test_a_failure_half_way_stops_says_what_stands_and_can_be_released_or_carried_on(
    runner: Runner, room: Path, begun: Isolate
) -> None:
    room.write_text(json.dumps(cloud.world(room) | {"denied": ["colour"]}))
    run = begun()
    stopped = runner.carry_on(run, ANA)
    assert stopped.state == RunState.FAILED
    assert [one.state.value for one in stopped.steps] == ["verified", "failed", "planned"]
    assert "toy:Switch" in stopped.steps[1].error
    assert [one.step.key for one in runner.standing(run)] == ["switch:colour", "switch:friends"]
    assert (Verb.CONTAIN_FAILED, "switch:colour") in verbs(runner, run)
    with pytest.raises(Error, match=r"is held by isolate\.toy\.lamp of ana"):
        begun(BEN)
    room.write_text(json.dumps(cloud.world(room) | {"denied": []}))
    assert runner.carry_on(run, BEN).state == RunState.DONE and lamp(room) == DARK
    runner.release(run, BEN, "over")
    assert lamp(room) == FRESH


def test_released_after_a_failure_half_way(runner: Runner, room: Path, begun: Isolate) -> None:
    room.write_text(json.dumps(cloud.world(room) | {"denied": ["power"]}))
    run = begun()
    assert runner.carry_on(run, ANA).state == RunState.FAILED
    assert runner.release(run, ANA, "back").state == RunState.RELEASED
    assert lamp(room) == FRESH


def test_a_target_that_went_away_before_anything_was_done_leaves_nothing_standing(
    runner: Runner, room: Path, begun: Isolate
) -> None:
    run = begun()
    found = cloud.world(room)
    del found["lamps"]["one"]
    room.write_text(json.dumps(found))
    stopped = runner.carry_on(run, ANA)
    assert stopped.state == RunState.FAILED and "There is no lamp one" in stopped.steps[0].error
    assert runner.standing(run) == []
    cloud.make(room)
    begun(BEN)


def test_an_error_that_nobody_foresaw_is_never_taken_for_success(
    runner: Runner, room: Path, begun: Isolate, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun()
    kind = runner.catalogue.get("isolate.toy.lamp").steps["switch"]
    with monkeypatch.context() as patch:

        def broken(*_given: object) -> None:
            raise UnboundLocalError("body")

        patch.setattr(type(kind), "apply", broken)
        with pytest.raises(UnboundLocalError):
            runner.carry_on(run, ANA)
    with runner.state.session() as session:
        stands = runs.receipt(session, run)
    assert stands.state == RunState.APPLYING and stands.steps[0].state == StepState.INTENDED
    assert runner.carry_on(run, ANA).state == RunState.DONE
    assert runner.release(run, ANA, "over").state == RunState.RELEASED and lamp(room) == FRESH


def test_two_responders_at_once_the_second_is_told_who_and_what(
    runner: Runner, begun: Isolate, home: Path, room: Path
) -> None:
    days = {time.strftime("%Y-%m-%d", time.gmtime())}
    run = begun()
    days.add(time.strftime("%Y-%m-%d", time.gmtime()))
    plan = runner.plan("isolate.toy.lamp", "room", ONE, "c", {})
    assert any(f"ana began isolate.toy.lamp on one at {day}" in plan.refusals[0] for day in days)
    assert f"locard runs resume {run}" in plan.refusals[0]
    with runner._at_work(*runner._record(run, ANA)):
        with pytest.raises(Error, match="ana is at work on one since"):
            begun(BEN)
        assert apart(home, room, f"runner.carry_on({run!r}, ANA)") == 1
    assert begun(BEN, Target("toy", "42", "", "lamp", "two")) != run


def test_two_processes_at_one_target_at_the_same_moment(
    runner: Runner, home: Path, room: Path
) -> None:
    plan = runner.plan("isolate.toy.lamp", "room", ONE, "c", {})
    other = toy_runner(home, room)
    first = runner.begin(plan, "room", Asked("c", ANA, "r", exception="toy"))
    with pytest.raises(Conflict, match="ana began isolate"):
        other.begin(plan, "room", Asked("c", BEN, "r", exception="toy"))
    with runner.state.session() as session:
        assert len(session.query(runs.RunRow).all()) == 1
    assert runner.carry_on(first, ANA).state == RunState.DONE


def test_released_days_later_on_another_machine_from_the_receipt_alone(
    runner: Runner, room: Path, begun: Isolate, tmp_path: Path
) -> None:
    run = begun()
    runner.carry_on(run, ANA)
    with runner.state.session() as session:
        kept = runs.run(session, run).receipt
    with runner.vault.open(kept, case="c", actor="ana", reason="to carry it over") as file:
        record = json.loads(file.read())
    runner.state.close()
    elsewhere = toy_runner(tmp_path / "elsewhere", room)
    adopted = elsewhere.adopt(Receipt.of(record), "room", "c", BEN)
    assert adopted == run == elsewhere.adopt(Receipt.of(record), "room", "c", BEN)
    with pytest.raises(Error, match="is held by"):
        plan = elsewhere.plan("isolate.toy.lamp", "room", ONE, "c", {})
        elsewhere.begin(plan, "room", Asked("c", BEN, "r", exception="toy"))
    assert elsewhere.release(run, BEN, "all clear").state == RunState.RELEASED
    assert lamp(room) == FRESH


def test_what_others_added_meanwhile_is_kept_and_only_ours_goes(
    runner: Runner, room: Path, begun: Isolate
) -> None:
    run = begun()
    runner.carry_on(run, ANA)
    edit(room, friends=["nobody", "doctor"])
    runner.release(run, ANA, "over")
    assert lamp(room) == FRESH | {"friends": ["a", "b", "doctor"]}
    merged = [e.details["merged"] for e in runner.vault.ledger.newest() if "merged" in e.details]
    assert merged == ['{"kept": ["doctor"]}']


def test_what_others_changed_is_not_overwritten_until_a_person_says_leave_it(
    runner: Runner, room: Path, begun: Isolate
) -> None:
    run = begun()
    runner.carry_on(run, ANA)
    edit(room, colour="green")
    stopped = runner.release(run, ANA, "over")
    assert stopped.state == RunState.RELEASE_FAILED
    assert [one.state.value for one in stopped.steps] == ["verified", "conflict", "undone"]
    assert "colour of one is green now" in stopped.steps[1].error
    assert (Verb.RELEASE_FAILED, "switch:colour") in verbs(runner, run)
    done = runner.release(run, ANA, "over", leave={"switch:colour"})
    assert done.state == RunState.RELEASED
    assert lamp(room) == FRESH | {"colour": "green"}


def test_looking_again_notices_what_no_longer_holds(
    runner: Runner, room: Path, begun: Isolate
) -> None:
    run = begun()
    runner.carry_on(run, ANA)
    edit(room, power="on")
    seen = runner.verify(run, ANA).steps[2]
    assert seen.verdict is not None and seen.verdict.holds is False
    assert "shines again" in seen.verdict.detail


def test_no_isolation_before_what_would_be_lost_is_collected(runner: Runner) -> None:
    plan = runner.plan("isolate.toy.lamp", "room", ONE, "c", {})
    with pytest.raises(Error, match=r"collect\.toy\.lamp of one was not collected"):
        runner.begin(plan, "room", Asked("c", ANA, "flickers"))
    look = runner.plan("collect.toy.lamp", "room", ONE, "c", {})
    taken = runner.carry_on(runner.begin(look, "room", Asked("c", ANA, "flickers")), ANA)
    assert taken.state == RunState.DONE and len(taken.steps[0].evidence) == 1
    run = runner.begin(plan, "room", Asked("c", ANA, "flickers"))
    assert runner.carry_on(run, ANA).state == RunState.DONE


def test_collected_evidence_says_run_method_and_source(runner: Runner) -> None:
    look = runner.plan("collect.toy.lamp", "room", ONE, "c", {})
    run = runner.begin(look, "room", Asked("c", ANA, "flickers", rule="lamps", alert="a-1"))
    taken = runner.carry_on(run, ANA)
    exhibit = runner.vault.ledger.exhibits(case="c")[0]
    assert exhibit.evidence == taken.steps[0].evidence[0]
    assert exhibit.source == {
        "provider": "toy", "account": "42", "resource": "one", "run": run
    }  # fmt: skip
    assert exhibit.method.id == "collect.toy.lamp"
    assert (exhibit.operator.rule, exhibit.operator.alert) == ("lamps", "a-1")


def test_protected_targets_and_a_rule_that_runs_wild(runner: Runner, begun: Isolate) -> None:
    two = Target("toy", "42", "", "lamp", "two")
    begun(rule="flicker", most=1)
    with pytest.raises(Denied, match="flicker has isolated 1 targets within an hour"):
        begun(target=two, rule="flicker", most=1)
    with runner.state.session() as session:
        accounts.protect(session, "room", "two", True)
    with pytest.raises(Error, match="two is on the list of protected targets"):
        begun(target=two)


def test_a_release_is_judged_by_asking_again_what_stood_before(
    runner: Runner, room: Path, begun: Isolate
) -> None:
    run = begun()
    runner.carry_on(run, ANA)
    edit(room, friends=["nobody", "doctor"])
    after = runner.release(run, ANA, "over")
    verdicts = {one.step.key: one.verdict for one in after.steps}
    for key in ("switch:colour", "switch:power"):
        assert (verdicts[key].holds, verdicts[key].detail) == (True, "")
    assert verdicts["switch:friends"].holds is False
    assert verdicts["switch:friends"].detail == "value has doctor besides"
    told = runner.vault.ledger.newest(case="c", limit=20)
    assert [e.details["compared"] for e in told if "compared" in e.details] == [
        "2 of 3 are as they were before"
    ]


def test_an_isolation_carries_on_the_collections_that_it_waits_for(
    runner: Runner, room: Path, home: Path
) -> None:
    orders = Orders(runner)
    order = Order("c", "isolate", "lamp:one", "room")
    begun = orders.begin(order, ANA, "flickers", collecting=True)
    collecting, isolating = begun.runs
    assert begun.carry == (isolating,)
    assert apart(home, room, f"runner.carry_on({isolating!r}, ANA)", "before:colour") == -9
    with runner.state.session() as session:
        assert runs.run(session, collecting).state == RunState.DONE
    assert runner.stopped() == [isolating]
    assert runner.again(isolating, BEN).state == RunState.DONE and lamp(room) == DARK
    assert runner.stopped() == []


def test_nothing_is_isolated_when_collecting_before_fails(runner: Runner, room: Path) -> None:
    order = Order("c", "isolate", "lamp:one", "room")
    begun = Orders(runner).begin(order, ANA, "flickers", collecting=True)
    found = cloud.world(room)
    lamps = dict(found["lamps"])
    room.write_text(json.dumps(found | {"lamps": {"two": lamps["two"]}}))
    stopped = runner.carry_on(begun.carry[0], ANA)
    assert stopped.state == RunState.FAILED
    assert [one.state for one in stopped.steps] == [StepState.PLANNED] * 3
    with runner.state.session() as session:
        assert "collect.toy.lamp did not succeed" in runs.run(session, begun.carry[0]).error
    room.write_text(json.dumps(found | {"lamps": lamps}))
    assert runner.carry_on(begun.carry[0], ANA).state == RunState.DONE and lamp(room) == DARK


def test_a_plan_that_has_changed_since_it_was_seen_is_not_carried_out(
    runner: Runner, room: Path
) -> None:
    orders, order = Orders(runner), Order("c", "isolate", "lamp:one", "room")
    (seen,) = orders.propose(order)
    other = Order("c", "isolate", "lamp:one", "room", options={"off": False})
    with pytest.raises(Conflict, match="has changed since you looked"):
        orders.begin(other, ANA, "flickers", exception="toy", seen={seen.digest})
    assert orders.begin(order, ANA, "flickers", exception="toy", seen={seen.digest}).runs


def test_a_release_that_was_stopped_goes_on_backwards_with_its_own_reason(
    runner: Runner, room: Path, home: Path, begun: Isolate
) -> None:
    run = begun()
    runner.carry_on(run, ANA)
    assert apart(home, room, f"runner.release({run!r}, ANA, 'all clear')", "after:colour") == -9
    assert runner.stopped() == [run]
    assert runner.again(run, BEN).state == RunState.RELEASED and lamp(room) == FRESH
    with runner.state.session() as session:
        assert runs.run(session, run).released_reason == "all clear"


def test_what_no_plan_can_be_made_of_does_not_hinder_the_rest(
    runner: Runner, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = runner.catalogue.get("collect.toy.lamp")

    def denied(*_: object) -> None:
        raise Denied("toy:Look is not allowed.", "Allow toy:Look.")

    other = replace(one, id="collect.toy.dust", plan=denied)  # type: ignore[arg-type]
    both = Catalogue({one.id: one, other.id: other})
    orders = Orders(Runner(runner.home, runner.state, runner.vault, both, runner.connect))
    order = Order("c", "collect", "lamp:one", "room")
    found = {each.action.id: each for each in orders.propose(order)}
    assert "toy:Look is not allowed" in found[other.id].failed
    assert found[other.id].plan.refusals and not found[one.id].plan.refusals
    begun = orders.begin(order, ANA, "flickers")
    assert runner.carry_on(begun.runs[0], ANA).state == RunState.DONE and len(begun.runs) == 1
    with pytest.raises(Denied):
        orders.propose(replace(order, only=(other.id,)))
