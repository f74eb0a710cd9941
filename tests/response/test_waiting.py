# SPDX-License-Identifier: Apache-2.0
"""What waits for people: one plan and no other is agreed to, in time, by others."""

import json
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from locard.cases.document import BadDocument
from locard.cases.response.settings import read
from locard.model.custody import Hand, Verb
from locard.model.errors import Conflict, Denied
from locard.model.playbook import PlaybookRun, PlaybookState
from locard.state import playbooks
from tests.response.automation import SOURCES, Bench, bench
from tests.response.conftest import ANA, BEN
from tests.response.test_playbooks import CAT, agree, go, states, verbs
from tests.response.test_runner import DARK, FRESH, lamp
from tests.toys import cloud

MINUTE = 60 * 1_000_000_000
FOUR_EYES = "{approval: before-containing, approvers: 2, within: 8h, remind_after: 2h}"


@pytest.fixture
def at(home: Path, room: Path) -> Bench:
    """Everything that responds, over the toys, with a channel that nobody listens at."""
    home.mkdir(exist_ok=True)
    (home / "response.yaml").write_text(
        "notices:\n  siem: {kind: syslog, server: 127.0.0.1, port: 9, about: [approval, failed]}\n"
    )
    return bench(home, room)


def earlier(at: Bench, run: str, minutes: int) -> None:
    """Let it be as if it had been asked so many minutes before."""
    with at.runner.state.session() as session:
        row = playbooks.row(session, run)
        row.lapses = (row.lapses or 0) - minutes * MINUTE
        row.reminds = row.reminds and row.reminds - minutes * MINUTE


def told(at: Bench) -> list[str]:
    """What was told about runs, the oldest first."""
    return [one.about for one in reversed(at.notices.every()) if one.run]


def guests(room: Path, who: list[str]) -> None:
    """Somebody changes the lamp, so that isolating it is another plan."""
    cloud.ToyCloud(room).switch("one", "guests", who)


def test_it_says_how_long_it_waits_reminds_once_and_lapses(at: Bench, room: Path) -> None:
    at.on(ask="{approval: before-containing, within: 8h}")
    alert = at.take()
    run = go(at)
    left = ((run.lapses or 0) - time.time_ns()) / MINUTE
    assert 479 < left <= 480 and run.reminds is not None
    at.playbooks.waiting.look()
    assert told(at) == ["approval"]
    earlier(at, run.id, 241)
    at.playbooks.waiting.look()
    at.playbooks.waiting.look()
    assert told(at) == ["approval", "reminder"] and "Reminder" in at.notices.every()[0].subject
    earlier(at, run.id, 240)
    assert at.playbooks.run(run.id).state is PlaybookState.LAPSED, "before anybody looked"
    with pytest.raises(Conflict, match="has lapsed"):
        agree(at, run.id, BEN, "yes")
    at.playbooks.waiting.look()
    at.playbooks.waiting.look()
    lapsed = at.playbooks.run(run.id)
    assert lapsed.error.startswith("Nobody agreed by 20") and "asked again" in lapsed.error
    assert told(at) == ["approval", "reminder", "failed"]
    assert at.playbooks.due() == [] and at.playbooks.carry_on(run.id).state is PlaybookState.LAPSED
    assert lamp(room) == FRESH and Verb.LAPSED in verbs(at, alert.case)
    with pytest.raises(Conflict, match="has lapsed"):
        at.playbooks.refuse(run.id, BEN, "late")


def test_what_lapsed_is_asked_again_from_the_beginning(at: Bench, room: Path) -> None:
    at.on(ask=FOUR_EYES)
    at.take()
    run = go(at)
    assert run.reminds is not None and run.lapses is not None
    assert (run.lapses - run.reminds) // MINUTE in (359, 360)
    agree(at, run.id, BEN, "yes")
    earlier(at, run.id, 481)
    at.playbooks.waiting.look()
    assert at.playbooks.run(run.id).error.startswith("Only 1 of 2 people agreed by")
    again = at.playbooks.retry(run.id, ANA)
    assert (again.state, again.round, again.agreed) == (PlaybookState.DUE, 2, 0)
    asked = at.playbooks.carry_on(run.id)
    assert (asked.state, asked.changed) == (PlaybookState.WAITING, ())
    assert (asked.lapses or 0) > time.time_ns() and states(asked)[:2] == ["done", "pending"]
    assert agree(at, run.id, BEN, "still yes").state is PlaybookState.WAITING
    assert agree(at, run.id, CAT, "yes").state is PlaybookState.DUE
    done = at.playbooks.carry_on(run.id)
    assert done.state is PlaybookState.DONE and lamp(room) == DARK
    assert [(one.who, one.round) for one in done.approvals] == [("ben", 1), ("ben", 2), ("cat", 2)]
    with pytest.raises(Conflict, match="nothing to try again"):
        at.playbooks.retry(run.id, ANA)


@pytest.mark.parametrize("hours", [1, 9])
def test_what_failed_is_tried_again_on_an_approval_that_is_not_too_old(
    at: Bench, room: Path, hours: int
) -> None:
    at.on(ask="{approval: before-containing, within: 8h}")
    at.take()
    run = go(at)
    agree(at, run.id, BEN, "yes")
    world = cloud.world(room)
    room.write_text(json.dumps(world | {"denied": ["power"]}))
    assert at.playbooks.carry_on(run.id).state is PlaybookState.FAILED
    room.write_text(json.dumps({**cloud.world(room), "denied": []}))
    with at.runner.state.session() as session:
        (said,) = session.scalars(select(playbooks.ApprovalRow))
        said.time -= hours * 60 * MINUTE
    at.playbooks.retry(run.id, ANA)
    tried = at.playbooks.carry_on(run.id)
    if hours == 9:
        (planned,) = tried.planned
        assert (tried.state, tried.round, tried.agreed) == (PlaybookState.WAITING, 2, 0)
        assert planned.plan is not None and len(planned.plan.steps) == 3, "what was begun"
        assert lamp(room) != DARK
        agree(at, run.id, BEN, "still yes")
        tried = at.playbooks.carry_on(run.id)
    assert tried.state is PlaybookState.DONE and lamp(room) == DARK


def test_who_switched_it_on_does_not_count_also_when_it_is_switched_on_anew(at: Bench) -> None:
    at.on(ask="before-containing")
    at.shelf.disable("dark", ANA)
    at.shelf.enable("dark", BEN)
    at.take()
    run = go(at)
    assert run.enabled_by == "ben"
    for name in ("ben", "Ben", " BEN "):
        with pytest.raises(Denied, match="switched the playbook dark on, and does not count"):
            agree(at, run.id, Hand(name, "page"), "yes")
    assert agree(at, run.id, CAT, "yes").state is PlaybookState.DUE


def test_only_the_plan_that_is_shown_is_agreed_to(at: Bench, room: Path) -> None:
    at.on(ask=FOUR_EYES)
    at.take()
    run = go(at)
    (planned,) = run.planned
    assert planned.plan is not None and len(planned.plan.steps) == 3
    with pytest.raises(Conflict, match="has changed since you looked"):
        at.playbooks.approve(run.id, BEN, "yes", "0" * 64)
    assert at.playbooks.approve(run.id, BEN, "yes", run.plan).agreed == 1
    guests(room, ["mallory"])
    with pytest.raises(Conflict, match="would now also: Switch guests"):
        at.playbooks.approve(run.id, CAT, "yes", run.plan)
    asked = at.playbooks.run(run.id)
    assert (asked.round, asked.agreed) == (2, 0), "what was said of the other plan does not count"
    assert asked.changed == ("isolate.toy.lamp: would now also: Switch guests to []",)
    assert told(at) == ["approval", "approval"]
    assert at.playbooks.approve(run.id, CAT, "yes", asked.plan).state is PlaybookState.WAITING
    assert at.playbooks.approve(run.id, BEN, "yes", asked.plan).state is PlaybookState.DUE
    assert at.playbooks.carry_on(run.id).state is PlaybookState.DONE
    assert lamp(room) == {**DARK, "guests": []}


def test_a_plan_that_changes_after_they_agreed_is_not_carried_out(at: Bench, room: Path) -> None:
    at.on(ask="before-containing")
    alert = at.take()
    run = go(at)
    agree(at, run.id, BEN, "yes")
    guests(room, ["mallory"])
    asked = at.playbooks.carry_on(run.id)
    assert (asked.state, asked.round, asked.agreed) == (PlaybookState.WAITING, 2, 0)
    assert "would now also" in asked.changed[0] and asked.parts[1].run == ""
    assert lamp(room) == {**FRESH, "guests": ["mallory"]}
    assert Verb.CONTAIN_INTENDED not in verbs(at, alert.case)
    assert at.playbooks.asked(run.id).plan == asked.plan
    assert agree(at, run.id, BEN, "yes, them too").state is PlaybookState.DUE
    assert at.playbooks.carry_on(run.id).state is PlaybookState.DONE


def test_whoever_looks_sees_the_plan_as_it_is_now_and_what_is_new_in_it(
    at: Bench, room: Path
) -> None:
    at.on(ask="always")
    at.take()
    run = go(at)
    assert [one.number for one in run.planned] == [0, 1], "collecting is asked about too"
    guests(room, [])
    seen = at.playbooks.asked(run.id)
    assert seen.plan != run.plan and len(seen.changed) == 1
    assert at.playbooks.run(run.id).plan == run.plan, "looking changes nothing"
    assert at.playbooks.approve(run.id, BEN, "yes", seen.plan).state is PlaybookState.DUE
    assert at.playbooks.carry_on(run.id).state is PlaybookState.DONE


def test_what_cannot_be_planned_is_said_and_fails_by_itself(at: Bench, room: Path) -> None:
    at.on(ask="always")
    at.take(lamps=["gone"])
    run = go(at)
    errors = [one.error for one in run.planned]
    assert errors == ["", "There is no lamp gone. Look in another room."]
    agree(at, run.id, BEN, "try it")
    done: PlaybookRun = at.playbooks.carry_on(run.id)
    assert done.state is PlaybookState.FAILED and states(done)[:2] == ["failed", "refused"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{within: 90m}", (5_400, 2_700)),
        ("{within: 2d, remind_after: 1h}", (172_800, 3_600)),
        ("{remind_after: 6h}", (86_400, 21_600)),
        ("{within: soon}", "approvals.within has to be 5 minutes to 30 days"),
        ("{within: 1m}", "approvals.within has to be 5 minutes to 30 days"),
        ("{within: 8h, remind_after: 9h}", "remind_after has to be less than within"),
    ],
)
def test_how_long_is_waited_is_a_setting(text: str, expected: tuple[int, int] | str) -> None:
    if isinstance(expected, str):
        with pytest.raises(BadDocument, match=expected):
            read(f"approvals: {text}", "response.yaml", SOURCES.by_id)
        return
    made = read(f"approvals: {text}", "response.yaml", SOURCES.by_id)
    assert (made.within, made.remind_after) == expected
