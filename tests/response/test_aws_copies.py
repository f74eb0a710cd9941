# SPDX-License-Identifier: Apache-2.0
"""A triage and the copy that follows: what both say stands in the timeline once, in the copy."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import update

from locard.cases import copies
from locard.cases.bundle.export import Order
from locard.cases.desk import Desk
from locard.cases.intake import Wish
from locard.cases.response.runner import Asked, Runner
from locard.model.action import RunState
from locard.model.custody import Verb
from locard.settings import Settings
from locard.state import marks
from locard.state.investigations import Holding, Stage
from locard.state.marks import Change
from locard_verify.bundle import verify_bundle
from tests.parsers.test_disk import tool
from tests.response.aws import Scene
from tests.response.test_aws_collect import outcome
from tests.response.test_aws_instance import ANA, aws, here, runner, target
from tests.response.test_aws_triage import disk, volume

__all__ = ["aws", "disk", "here", "runner"]
pytestmark = pytest.mark.server


@pytest.fixture
def desk(runner: Runner) -> Iterator[Desk]:
    found = Desk(Settings(home=runner.home, workers=1))
    yield found
    found.close()


def begun(runner: Runner, here: Scene, **options: Any) -> str:
    options = {"above": "0", **options}
    plan = runner.plan("collect.aws.disks", "prod", target(here), "c", options)
    return runner.begin(plan, "prod", Asked("c", ANA, "beacons"))


def stopped_before_the_copy(runner: Runner, here: Scene, run: str) -> str:
    """The triage's exhibit of a run whose copy fails for now."""
    here.aws.fault("ebs:GetSnapshotBlock", "AccessDeniedException", after=40, times=99)
    plan = runner.carry_on(run, ANA)
    assert plan.state == RunState.FAILED
    (triage,) = [one for one in plan.steps if one.step.kind == "triage"]
    here.aws.forget()
    return str(triage.evidence[0])


def rows(desk: Desk, evidence: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows that stand on this evidence, those of which it is a further place left out."""
    search = desk.search("c", f"evidence:{evidence}", who="ana")
    found = desk.timeline.page(search, limit=5000).rows
    found = [one for one in found if one["evidence"] == evidence]
    return {(str(one["source"]), str(one["locator"])): one for one in found}


def test_marks_move_old_ids_lead_on_and_the_triage_stays_an_exhibit(
    runner: Runner, here: Scene, disk: Path, desk: Desk
) -> None:
    run = begun(runner, here)
    part = stopped_before_the_copy(runner, here, run)
    desk.add("c", [], who="ana")
    early = rows(desk, part)
    assert len(early) > 5
    first, second = (one["id"] for one in list(early.values())[:2])
    with desk.state.session() as session:
        changes = [Change((first,), star=True, add_tags=("keep",))]
        marks.change(session, "c", changes, "bo")
        marks.add_comment(session, "c", second, "look here", "bo")

    told = outcome(runner.carry_on(run, ANA), "agree")
    whole = told["whole"]
    assert (told["part"], rows(desk, whole)) == (part, {})
    added = desk.add("c", [], who="ana")
    late = rows(desk, whole)
    assert rows(desk, part) == {} and early.keys() < late.keys()
    assert added.sighted_events >= len(early)
    for place, one in early.items():
        same = {
            name: value for name, value in late[place].items() if name not in ("id", "evidence")
        }
        assert same == {k: v for k, v in one.items() if k not in ("id", "evidence")}
        assert desk.timeline.sightings("c", late[place]["id"]) == [(part, place[1])]

    now = {one["id"]: late[place]["id"] for place, one in early.items()}
    with desk.state.session() as session:
        assert marks.marked(session, "c") == {now[first], now[second]}
        found = marks.marks_of(session, "c", [now[first]])[now[first]]
        assert (found.starred, found.tags) == (True, ["keep"])
        (comment,) = marks.comments(session, "c", now[second])
        assert (comment.who, comment.text) == ("bo", "look here")
    assert desk.event("c", first, who="ana").id == now[first]
    proof = desk.prove(first, who="ana")
    assert proof.passed, proof.steps
    (further,) = [one for one in proof.steps if one.further]
    assert further.passed and further.detail.endswith("holds the same record")

    (entry,) = [
        one
        for one in desk.vault.ledger.entries(evidence=part)
        if one.verb == Verb.PROCESSED and "copy" in one.details
    ]
    assert entry.details["copy"] == whole and entry.details["marked"] == "2"
    assert entry.details["rows"] == f"{len(early):,}" and now[first] in entry.details["marks move"]
    assert desk.vault.ledger.exhibits("c", part) and desk.vault.holds(part)
    assert desk.vault.ledger.check().passed
    before = desk.vault.ledger.size()
    desk.add("c", [], who="ana")
    assert not [
        one for one in list(desk.vault.ledger.entries())[before:] if one.verb == Verb.PROCESSED
    ], "nothing is folded twice"


def test_cut_off_between_rows_and_marks_the_next_run_ends_it(
    runner: Runner, here: Scene, disk: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(runner, here)
    part = stopped_before_the_copy(runner, here, run)
    desk.add("c", [], who="ana")
    early = rows(desk, part)
    first = next(iter(early.values()))["id"]
    with desk.state.session() as session:
        marks.change(session, "c", [Change((first,), star=True)], "bo")
    whole = outcome(runner.carry_on(run, ANA), "agree")["whole"]

    def dies(*_given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(copies.marks, "follow", dies)
        with pytest.raises(KeyboardInterrupt):
            desk.add("c", [], who="ana")
    assert rows(desk, part) == {}
    desk.add("c", [], who="ana")
    with desk.state.session() as session:
        (now,) = marks.marked(session, "c")
    assert desk.event("c", first, who="ana").id == now
    assert now in {one["id"] for one in rows(desk, whole).values()}


def test_a_row_that_says_something_else_stays(
    runner: Runner, here: Scene, disk: Path, desk: Desk
) -> None:
    told = outcome(runner.carry_on(begun(runner, here, most="1"), ANA), "agree")
    desk.add("c", [], who="ana")
    left = rows(desk, told["part"])
    assert left and all("was not read" in str(one["problem"]) for one in left.values())
    entries = list(desk.vault.ledger.entries(evidence=told["part"]))
    assert not [one for one in entries if "copy" in one.details], "none of them was the same"


def test_what_is_read_in_another_way_is_taken_apart_first(
    runner: Runner, here: Scene, disk: Path, desk: Desk
) -> None:
    told = outcome(runner.carry_on(begun(runner, here), ANA), "agree")
    desk.add("c", [], who="ana")
    utc = rows(desk, told["whole"])
    assert rows(desk, told["part"]) == {}
    desk.add("c", [disk], wish=Wish(zone="Asia/Tokyo"), who="ana")
    late, few = rows(desk, told["whole"]), rows(desk, told["part"])
    moved = {place for place, one in late.items() if one["time"] != utc[place]["time"]}
    assert moved and late.keys() == utc.keys()
    assert few and few.keys() <= moved, "what both still say alike stands once"
    for place, one in few.items():
        assert one["time"] == utc[place]["time"]


def test_search_page_and_bundle_of_the_triage_have_the_rows_that_it_gave(
    runner: Runner, here: Scene, disk: Path, desk: Desk, tmp_path: Path
) -> None:
    run = begun(runner, here)
    part = stopped_before_the_copy(runner, here, run)
    desk.add("c", [], who="ana")
    early = rows(desk, part)
    assert desk.evidence_item("c", part).copy == ""
    whole = outcome(runner.carry_on(run, ANA), "agree")["whole"]
    desk.add("c", [], who="ana")
    assert rows(desk, part) == {}

    wanted = desk.search("c", f"evidence:{part}", who="ana")
    found = desk.timeline.page(wanted, limit=5000).rows
    assert {(one["source"], one["locator"]) for one in found} == early.keys()
    assert {one["evidence"] for one in found} == {whole}
    assert desk.timeline.count(wanted).rows == len(early)
    assert all(desk.prove(str(one["id"]), who="ana").passed for one in found[:3])
    others = desk.search("c", f"NOT evidence:{part}", who="ana")
    every = desk.search("c", "", who="ana")
    count = desk.timeline.count
    assert count(others).rows == count(every).rows - len(early)
    assert desk.evidence_item("c", part).copy == whole
    with desk.state.session() as session:
        session.execute(
            update(Holding).where(Holding.evidence == part).values(stage=Stage.QUEUED.value)
        )
    assert desk.evidence_item("c", part).copy == "", "it is read anew"
    with desk.state.session() as session:
        session.execute(
            update(Holding).where(Holding.evidence == part).values(stage=Stage.PARSED.value)
        )

    marked = next(one for one in early.values() if one["locator"] == found[0]["locator"])
    with desk.state.session() as session:
        marks.change(session, "c", [Change((str(found[0]["id"]),), add_tags=("keep",))], "bo")
    (exhibit,) = desk.vault.ledger.exhibits("c", part)
    order = Order(tmp_path / "one", "asked for", exhibit=exhibit.number)
    sealed = desk.bundles.export("c", order, who=ANA)
    assert (sealed.rows, sealed.in_part) == (len(early), 0)
    written = pq.read_table(tmp_path / "one/data/timeline/events.parquet").to_pylist()
    assert {one["id"] for one in written} == {one["id"] for one in early.values()}
    assert {one["evidence"] for one in written} == {part}
    assert [one["id"] for one in written if one["tag"] == "keep"] == [marked["id"]]
    (said,) = json.loads((tmp_path / "one/data/marks.json").read_text())
    assert (said["event"], said["text"]) == (marked["id"], "keep")
    assert verify_bundle(tmp_path / "one").passed


@pytest.mark.evidence
def test_a_booted_server_stands_once(
    runner: Runner, here: Scene, desk: Desk, evidence: Path, tmp_path: Path
) -> None:
    packed, image = evidence / "host/disk.raw.zst", tmp_path / "server.raw"
    if not packed.is_file():
        pytest.skip(f"There is no real disk at {packed}: set LOCARD_EVIDENCE to its folder.")
    subprocess.run([tool("zstd"), "-dq", packed, "-o", image], check=True)
    here.aws.show(volume(here), image)
    told = outcome(runner.carry_on(begun(runner, here), ANA), "agree")
    desk.add("c", [], who="ana")
    counts = desk.timeline.evidence_counts("c")
    assert counts.get(told["part"], 0) == 0, "all that the triage said, the copy says too"
    (entry,) = [
        one for one in desk.vault.ledger.entries(evidence=told["part"]) if "copy" in one.details
    ]
    assert int(entry.details["rows"].replace(",", "")) > 2_000
    sources = desk.timeline.summary("c").sources
    assert sources["linux.shell_history"] == 27
    assert sources["linux.auth"] == 13
    assert sources["linux.journal"] == 542
    assert sources["linux.cron"] == 9
    search = desk.search("c", "source:linux.shell_history", who="ana")
    for one in desk.timeline.page(search).rows:
        assert one["evidence"] == told["whole"]
        assert [part for part, _ in desk.timeline.sightings("c", one["id"])] == [told["part"]]
