# SPDX-License-Identifier: Apache-2.0
"""Adding: nothing is lost, nothing comes twice, and everything adds up."""

import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from locard.cases import settling
from locard.cases.adding import Adding
from locard.cases.desk import Desk
from locard.cases.intake import Wish
from locard.cases.parsing import GONE
from locard.evidence import Vault
from locard.model.errors import Missing
from locard.state import marks
from locard.state.investigations import Holding
from tests.cases.trails import record, trail
from tests.conftest import stop_store
from tests.waiting import eventually


def ids(desk: Desk, case: str = "c") -> list[str]:
    batches = desk.timeline.export(desk.search(case, who="ana"), ["id"])
    return sorted(one for batch in batches for one in batch.column("id").to_pylist())


def sums_hold(desk: Desk, case: str = "c") -> None:
    for item in desk.evidence(case)[0]:
        if item.stage == "parsed":
            assert item.seen == item.rows + item.problems, item


def test_adding_twice_adds_no_row_and_says_so(desk: Desk, tmp_path: Path) -> None:
    trail(tmp_path / "in" / "a.json.gz", range(100))
    first = desk.add("c", [tmp_path / "in"], who="ana")
    again = desk.add("c", [tmp_path / "in"], who="ana")
    assert (first.made, first.events, first.new_files) == (True, 100, 1)
    assert (again.made, again.events, again.known_files) == (False, 0, 1)
    assert len(ids(desk)) == 100
    sums_hold(desk)


def test_a_timeline_that_was_removed_is_made_again(desk: Desk, home: Path, tmp_path: Path) -> None:
    trail(tmp_path / "in" / "a.json.gz", range(100))
    lines = '{"time":"2024-01-01"}\n{"time":"2024-01-02"}\n{"time":"soon"}\n'
    (tmp_path / "in" / "b.jsonl").write_text(lines)
    desk.add("c", [tmp_path / "in"], who="ana")
    before = ids(desk)
    desk.timeline.close()
    del vars(desk)["timeline"]
    stop_store(home)
    shutil.rmtree(home / "timeline")
    assert ids(desk) == []
    added = desk.add("c", [], who="ana")
    assert (added.restored_files, added.events) == (2, 103)
    assert ids(desk) == before
    assert desk.add("c", [], who="ana").restored_files == 0
    sums_hold(desk)


def test_bytes_that_are_gone_cost_their_own_file_and_not_the_run(
    desk: Desk, home: Path, tmp_path: Path
) -> None:
    trail(tmp_path / "in" / "a.json", range(100))
    trail(tmp_path / "in" / "b.json", range(100, 200))
    desk.add("c", [tmp_path / "in"], who="ana")
    item = next(one for one in desk.evidence("c")[0] if one.name.endswith("a.json"))
    stored = home / "vault" / "objects" / item.id[:2] / item.id[2:]
    stored.unlink()
    added = desk.add("c", [tmp_path / "in" / "b.json"], who="ana", wish=Wish(host="web"))
    assert (added.renewed_files, added.failed) == (1, [])
    with desk.state.session() as session:
        session.execute(update(Holding).values(stage="queued", attempts=0))
    added = desk.add("c", [], who="ana")
    assert [(one.name, one.reason) for one in added.failed] == [("in/a.json", GONE)]
    assert [one.stage for one in desk.evidence("c")[0]] == ["failed", "parsed"]
    added = desk.add("c", [tmp_path / "in"], who="ana")
    assert [one.stage for one in desk.evidence("c")[0]] == ["parsed", "parsed"]
    assert stored.exists() and len(ids(desk)) == 200
    sums_hold(desk)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: path.write_bytes(b"x" * 1004), "changed while it was read: the 1,000"),
        (lambda path: path.write_bytes(b"y" * 1000), "changed while it was read: the 1,000"),
        (lambda path: os.truncate(path, 10), "shorter while it was read: 10 of 1,000"),
        (lambda path: path.unlink(), ""),
    ],
)
def test_a_file_that_becomes_another_while_it_is_read_is_told(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], object], said: str,
) -> None:  # fmt: skip
    path = tmp_path / "log.bin"
    path.write_bytes(b"x" * 1000)
    os.utime(path, (1, 1))
    take = Vault.arriving

    def meanwhile(vault: Vault, stream: Any, *more: Any) -> Any:
        if "10 of" in said:
            change(path)
            return take(vault, stream, *more)
        held = io.BytesIO(stream.read())
        change(path)
        return take(vault, held, *more)

    monkeypatch.setattr(Vault, "arriving", meanwhile)
    added = desk.add("c", [path], who="ana")
    assert [said in line for line in added.changed] == [True] * bool(said)
    assert added.whole == (not said)
    assert [one.stage for one in desk.evidence("c")[0]] == ["not parsed"]


def test_what_failed_in_an_archive_is_read_anew_when_that_is_added_again(
    desk: Desk, home: Path, tmp_path: Path
) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, numbers in (("a.json", range(100)), ("b.json", range(100, 200))):
            archive.write(trail(tmp_path / name, numbers), name)
    desk.add("c", [path], who="ana")
    item = next(one for one in desk.evidence("c")[0] if one.name.endswith("a.json"))
    stored = home / "vault" / "objects" / item.id[:2] / item.id[2:]
    stored.unlink()
    with desk.state.session() as session:
        lost = update(Holding).where(Holding.evidence == item.id)
        session.execute(lost.values(stage="queued", attempts=0))
    assert [one.reason for one in desk.add("c", [], who="ana").failed] == [GONE]
    again = desk.add("c", [path], who="ana")
    assert (again.failed, again.renewed_files) == ([], 0)
    assert stored.exists() and len(ids(desk)) == 200
    sums_hold(desk)


def test_a_record_in_two_files_is_one_event_that_names_both(desk: Desk, tmp_path: Path) -> None:
    trail(tmp_path / "in" / "a.json.gz", range(60))
    trail(tmp_path / "in" / "b.json", range(40, 100))
    added = desk.add("c", [tmp_path / "in"], who="ana")
    assert (added.events, added.sighted_events) == (100, 20)
    both = [one for one in ids(desk) if desk.event("c", one, who="ana").sightings]
    assert len(both) == 20
    event = desk.event("c", both[0], who="ana")
    files = {str(event.values["evidence"]), *(evidence for evidence, _ in event.sightings)}
    assert files == {item.id for item in desk.evidence("c")[0]}
    sums_hold(desk)


def test_the_same_event_id_with_other_content_stays_its_own_event(
    desk: Desk, tmp_path: Path
) -> None:
    trail(tmp_path / "in" / "a.json", range(10))
    trail(tmp_path / "in" / "forged.json", range(10), eventName="Forged")
    assert desk.add("c", [tmp_path / "in"], who="ana").events == 20


def test_archives_inside_archives_are_opened_and_their_origin_is_kept(
    desk: Desk, tmp_path: Path
) -> None:
    trail(tmp_path / "a.json.gz", range(30))
    with zipfile.ZipFile(tmp_path / "inner.zip", "w") as inner:
        inner.write(tmp_path / "a.json.gz", "logs/a.json.gz")
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as outer:
        outer.write(tmp_path / "inner.zip", "inner.zip")
    added = desk.add("c", [tmp_path / "outer.zip"], who="ana")
    assert added.events == 30
    by_name = {item.name: item for item in desk.evidence("c")[0]}
    leaf = by_name["outer.zip/inner.zip/logs/a.json.gz"]
    assert by_name["outer.zip/inner.zip"].id == leaf.parent
    proof = desk.prove(ids(desk)[0], who="ana")
    assert proof.passed, proof
    assert [step.name for step in proof.steps].count("Origin") == 2


def test_what_nothing_recognises_is_kept_and_listed(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "noise.bin").write_bytes(random.Random(7).randbytes(5000))
    (tmp_path / "in" / "empty").write_bytes(b"")
    added = desk.add("c", [tmp_path / "in"], who="ana")
    assert {one.name for one in added.not_parsed} == {"in/noise.bin", "in/empty"}
    assert all(one.reason for one in added.not_parsed)
    assert all(desk.vault.holds(item.id) for item in desk.evidence("c")[0])


def test_links_are_not_followed_and_said(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to("/etc/passwd")
    added = desk.add("c", [tmp_path / "in"], who="ana")
    assert added.files == 0
    assert "a link, not followed" in added.passed_over[0]


def test_links_of_an_archive_are_passed_over_and_no_damage(desk: Desk, tmp_path: Path) -> None:
    trail(tmp_path / "trail.json", range(3))
    with tarfile.open(tmp_path / "host.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "trail.json", "trail.json")
        for name, kind in (("rc5.d/S01", tarfile.SYMTYPE), ("again", tarfile.LNKTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "trail.json"
            archive.addfile(info)
    added = desk.add("c", [tmp_path / "host.tar.gz"], who="ana")
    assert added.whole
    assert (added.events, added.problems) == (3, 0)
    assert added.passed_over == [
        "host.tar.gz/rc5.d/S01: a link to 'trail.json', not followed",
        "host.tar.gz/again: a hard link to 'trail.json', not followed",
    ]
    (item,) = [one for one in desk.evidence("c")[0] if one.stage == "unpacked"]
    assert [f"host.tar.gz/{line}" for line in item.passed] == added.passed_over


def test_a_path_that_does_not_exist_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    trail(tmp_path / "trail.json", range(3))
    with pytest.raises(Missing) as caught:
        desk.add("c", [tmp_path / "trial.json"], who="ana")
    assert "trail.json" in caught.value.advice
    assert desk.cases() == []


def test_an_unknown_parser_changes_nothing_and_names_the_nearest(
    desk: Desk, tmp_path: Path
) -> None:
    trail(tmp_path / "trail.json", range(3))
    with pytest.raises(Missing) as caught:
        desk.add("c", [tmp_path / "trail.json"], who="ana", wish=Wish(parser="aws.cloudtrial"))
    assert "aws.cloudtrail" in caught.value.advice
    assert desk.cases() == []


def test_a_record_that_cannot_be_read_is_a_row_with_a_problem(desk: Desk, tmp_path: Path) -> None:
    lines = [json.dumps({"eventVersion": "1.08"}), "{broken", ""]
    good = trail(tmp_path / "x.json", range(5)).read_text()
    records = [json.dumps(one) for one in json.loads(good)["Records"]]
    (tmp_path / "t.jsonl").write_text("\n".join([*records, *lines]))
    added = desk.add("c", [tmp_path / "t.jsonl"], who="ana")
    assert added.events == 7
    assert added.problems == 2
    assert desk.timeline.count(desk.search("c", "_exists_:problem", who="ana")).rows == 2
    sums_hold(desk)


def written(home: Path) -> list[tuple[Path, int]]:
    """What changes as soon as a run has begun, which takes as long as a machine is slow."""
    kept = [*home.glob("state.sqlite*"), *home.glob("vault/ledger/*")]
    return sorted((path, path.stat().st_mtime_ns) for path in kept if path.exists())


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_moment_it_goes_on_to_the_same_rows(
    home: Path, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    for number in range(24):
        trail(tmp_path / "in" / f"{number}.json.gz", range(number * 500, number * 500 + 520))
    command = [sys.executable, "-m", "locard.cli.main", "add", "c", str(tmp_path / "in"), "--json"]
    environment = os.environ | {"LOCARD_HOME": str(home)}
    kills = 0
    for _ in range(6):
        before = written(home)
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        eventually(lambda: written(home) != before or process.poll() is not None)  # noqa: B023
        time.sleep(chance.random() * 1.2)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.communicate()
    run = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()[-1500:]
    assert kills > 0
    assert json.loads(run.stdout)["failed"] == []
    desk = Desk.at(home)
    try:
        found = ids(desk)
        assert len(found) == len(set(found)) == 23 * 500 + 520
        sums_hold(desk)
        assert desk.vault.ledger.check().passed
    finally:
        desk.timeline.close()
        desk.close()


@pytest.mark.evidence
def test_the_real_trail_gives_2900_events_however_often(desk: Desk, evidence: Path) -> None:
    folder = evidence / "aws_cloudtrail" / "invictus-ir_aws_dataset"
    assert desk.add("c", [folder], who="ana").events == 2900
    assert desk.add("c", [folder], who="ana").events == 0
    summary = desk.timeline.summary("c")
    assert (summary.rows, summary.problems) == (2900, 0)


EXCERPT = "eventID,eventTime,eventName,arn,userAgent\n"


def excerpt(number: int, agent: str = "tests") -> str:
    told = record(number)
    arn = told["userIdentity"]["arn"]
    return f"{told['eventID']},{told['eventTime']},{told['eventName']},{arn},{agent}\n"


@pytest.mark.parametrize("table_first", [True, False])
def test_a_row_of_a_table_that_tells_of_a_record_in_part_is_a_place_of_it(
    desk: Desk, tmp_path: Path, table_first: bool
) -> None:
    table = tmp_path / "of interest.csv"
    table.write_text(EXCERPT + excerpt(3) + excerpt(4) + excerpt(5, "forged") + excerpt(40))
    whole = trail(tmp_path / "in" / "a.json", range(20))
    steps = [table, whole] if table_first else [whole, table]
    added = [desk.add("c", [step], who="ana") for step in steps]
    assert len(ids(desk)) == 20 + 2, "what contradicts, and what is nowhere else, are their own"
    assert sum(one.events for one in added) == 22
    both = [one for one in ids(desk) if desk.event("c", one, who="ana").sightings]
    places = {place for one in both for place in desk.event("c", one, who="ana").sightings}
    csv = next(one.id for one in desk.evidence("c")[0] if one.name.endswith(".csv"))
    assert places == {(csv, "row=1"), (csv, "row=2")}
    assert desk.add("c", [table, whole], who="ana").events == 0
    assert len(ids(desk)) == 22
    assert all(desk.prove(one, who="ana").passed for one in both)
    sums_hold(desk)


def test_a_run_killed_after_its_last_row_leaves_the_rest_to_the_next(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "of interest.csv"
    table.write_text(EXCERPT + excerpt(3) + excerpt(4))
    paths = [table, trail(tmp_path / "in" / "a.json", range(20))]

    def killed(_adding: Adding) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Adding, "_fold", killed)
        with pytest.raises(KeyboardInterrupt):
            desk.add("c", paths, who="ana")
    assert len(ids(desk)) == 22
    assert settling.left(desk.settings.home, "c")
    added = desk.add("c", [], who="ana")
    assert (added.events, added.sighted_events, len(ids(desk))) == (0, 2, 20)
    assert not settling.left(desk.settings.home, "c")


def test_a_row_of_a_table_that_somebody_marked_stays(desk: Desk, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(EXCERPT + excerpt(3))
    desk.add("c", [table], who="ana")
    (mine,) = ids(desk)
    with desk.state.session() as session:
        marks.change(session, "c", [marks.Change((mine,), star=True)], "ana")
    desk.add("c", [trail(tmp_path / "in" / "a.json", range(20))], who="ana")
    assert len(ids(desk)) == 21


def column(desk: Desk, name: str, query: str = "") -> list[object]:
    return [row[name] for row in desk.timeline.page(desk.search("c", query, who="ana"), 100).rows]


def test_what_is_read_in_another_way_replaces_its_rows(desk: Desk, tmp_path: Path) -> None:
    log = tmp_path / "shop.jsonl"
    lines = [{"ts": f"2026-03-01 10:00:0{n}", "who": "eve", "what": "login"} for n in range(3)]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert desk.add("c", [log], who="ana").events == 3
    first = column(desk, "time")
    desk.save_mapping("shop", {"time": "ts", "actor": "who", "action": "what"}, who="ana")

    again = desk.add("c", [log], who="ana", wish=Wish(mapping="shop"))
    assert (again.renewed_files, again.events) == (1, 3)
    assert column(desk, "actor") == ["eve"] * 3
    again = desk.add("c", [log], who="ana", wish=Wish(zone="Europe/Berlin", host="web1"))
    assert (again.renewed_files, again.events) == (1, 3)
    assert column(desk, "time") == [time - 3_600_000_000_000 for time in first]  # type: ignore[operator]
    assert column(desk, "host") == ["web1"] * 3
    assert column(desk, "actor") == ["eve"] * 3
    assert desk.prove(ids(desk)[0], who="ana").passed

    again = desk.add("c", [log], who="ana")
    assert (again.renewed_files, again.events, len(ids(desk))) == (0, 0, 3)


def test_a_mapping_says_what_the_time_is_without_a_parser_being_named(
    desk: Desk, tmp_path: Path
) -> None:
    (tmp_path / "visits.csv").write_text("Tag,Uhr,Wer\n01.03.2026,10:00:00,eve\n")
    (tmp_path / "other.csv").write_text("a,b,c\n1,2,3\n")
    rules = {"time": {"join": ["Tag", "Uhr"], "form": "%d.%m.%Y %H:%M:%S"}, "actor": "Wer"}
    desk.save_mapping("visits", rules, who="ana")
    assert desk.add("c", [tmp_path], who="ana").events == 0
    ran = desk.add("c", [tmp_path], who="ana", wish=Wish(mapping="visits"))
    assert (ran.events, [Path(one.name).name for one in ran.not_parsed]) == (1, ["other.csv"])
    assert (column(desk, "actor"), column(desk, "problem")) == (["eve"], [""])
    assert desk.prove(ids(desk)[0], who="ana").passed


def test_another_parser_replaces_the_rows_of_the_first(desk: Desk, tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_text("Mar  1 10:00:00 web sshd[1]: Failed password for eve from 198.51.100.7\n" * 4)
    desk.add("c", [log], who="ana")
    assert set(column(desk, "source")) == {"linux.auth"}
    desk.add("c", [log], who="ana", wish=Wish(parser="linux.syslog"))
    assert column(desk, "source") == ["linux.syslog"] * 4
    sums_hold(desk)


def test_what_other_evidence_holds_too_stays(desk: Desk, tmp_path: Path) -> None:
    first = trail(tmp_path / "a.json", range(10))
    trail(tmp_path / "b.json", range(5, 15))
    desk.add("c", [first], who="ana")
    desk.add("c", [tmp_path / "b.json"], who="ana")
    desk.add("c", [first], who="ana", wish=Wish(parser="generic.jsonl"))
    assert desk.timeline.count(desk.search("c", "source:aws.cloudtrail", who="ana")).rows == 10
    sums_hold(desk)


def packed(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_archives_in_archives_are_bounded_together(desk: Desk, tmp_path: Path) -> None:
    block = os.urandom(4092)
    inner = {
        f"{n}.zip": packed({"x": (n.to_bytes(4, "big") + block) * 2500}) for n in range(12)
    }  # fmt: skip
    bomb = tmp_path / "bomb.zip"
    bomb.write_bytes(packed(inner))
    added = desk.add("c", [bomb], who="ana", wish=Wish(limits={"ratio": 100}))
    held = desk.evidence("c")[0]
    taken_out = sum(item.size for item in held if item.parent)
    at_work = 2 * (10 << 20)
    assert taken_out <= max(64 << 20, 100 * bomb.stat().st_size) + at_work
    assert 0 < len(added.failed) < 12
    assert "looks like a decompression bomb" in added.failed[0].reason
    assert not added.whole

    added = desk.add("c", [bomb], who="ana", wish=Wish(limits={"ratio": 50_000}))
    assert added.failed == []
    assert sum(item.name.endswith("/x") for item in desk.evidence("c")[0]) == 12


def test_the_record_of_an_exhibit_says_where_it_was_got_and_how(desk: Desk, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as archive:
        archive.writestr("in/a.txt", "hello")
    desk.add("c", [tmp_path / "logs.zip"], who="ana")
    whole, member = desk.vault.ledger.exhibits("c")
    assert (whole.number, whole.method.id) == ("C-0001", "file.read")
    assert whole.source["path"] == str(tmp_path / "logs.zip")
    assert whole.tool.name == "locard" and len(whole.tool.digest) == 64
    assert whole.time.start < whole.time.end
    assert whole.storage.place.endswith(whole.evidence[2:])
    assert (member.derived_from.number, member.derived_from.member) == ("C-0001", "in/a.txt")
    assert member.method.id == "archive.zip"
    assert member.derived_from.how.startswith("unpacked")
