# SPDX-License-Identifier: Apache-2.0
"""Rows of another version of a parser cannot be proved: adding the evidence again reads it anew."""

import zipfile
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from locard.cases.desk import Desk
from locard.model.errors import Error
from locard.state.investigations import ASKED, Holding, Place, Stage
from tests.cases.trails import trail


def aged(desk: Desk, parser: str) -> None:
    """Evidence as an older version of its parser would have left it."""
    with desk.state.session() as session:
        session.execute(update(Holding).where(Holding.parser == parser).values(parser_version="0"))


def versions(desk: Desk) -> set[str]:
    return {item.parser_version for item in desk.evidence("c")[0]}


@pytest.mark.parametrize("packed", [False, True])
def test_what_an_older_parser_read_is_read_anew(desk: Desk, tmp_path: Path, packed: bool) -> None:
    path = trail(tmp_path / "a.json.gz", range(5))
    if packed:
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            archive.write(path, "logs/a.json.gz")
        path = tmp_path / "all.zip"
    desk.add("c", [path], who="ana")
    before = versions(desk)
    assert desk.add("c", [path], who="ana").renewed_files == 0
    aged(desk, "aws.cloudtrail")
    again = desk.add("c", [path], who="ana")
    assert again.renewed_files == 1 and versions(desk) == before
    assert (again.seen, again.problems) == (5 + packed, 0), "what this run read, known or not"
    rows = desk.timeline.page(desk.search("c", "", who="ana"), 100).rows
    assert len(rows) == 5 and desk.prove(str(rows[0]["id"]), who="ana").passed
    assert desk.add("c", [path], who="ana").renewed_files == 0


def test_an_event_of_several_cases_is_proved_in_the_one_that_is_named(
    desk: Desk, tmp_path: Path
) -> None:
    path = trail(tmp_path / "a.json.gz", range(1))
    for case in ("c", "d"):
        desk.add(case, [path], who="ana")
    event = str(desk.timeline.page(desk.search("c", "", who="ana"), 1).rows[0]["id"])
    with pytest.raises(Error, match=r"2 cases hold event .*: c, d") as refused:
        desk.prove(event, who="ana")
    assert "--case c" in refused.value.advice
    for case in ("c", "d"):
        proof = desk.prove(event, who="ana", case=case)
        assert proof.passed and proof.case == case


@pytest.mark.parametrize("packed", [False, True])
def test_what_nothing_recognised_is_tried_again_once_by_other_parsers(
    desk: Desk, tmp_path: Path, packed: bool
) -> None:
    path, note = trail(tmp_path / "a.json", range(5)), tmp_path / "note.bin"
    note.write_bytes(bytes(range(200, 256)) * 9)
    paths = [path, note]
    if packed:
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            for one in paths:
                archive.write(one, one.name)
        paths = [tmp_path / "all.zip"]
    desk.add("c", paths, who="ana")
    log = next(one.id for one in desk.evidence("c")[0] if one.parser == "aws.cloudtrail")
    then = {"parser": "", "parser_version": "", "kind": "", "rows": 0, "seen": 0}
    then |= {"stage": Stage.NOT_PARSED.value, "facts": {ASKED: "other parsers"}}
    with desk.state.session() as session:  # as parsers would leave it that do not know CloudTrail
        session.execute(update(Holding).where(Holding.evidence == log).values(**then))
    desk.timeline.remove("c", [log])
    assert desk.add("c", paths, who="ana").events == 5
    stages = {one.name.rpartition("/")[2]: one.stage for one in desk.evidence("c")[0]}
    assert stages["a.json"] == "parsed" and stages["note.bin"] == "not parsed"
    before = desk.vault.ledger.size()
    assert desk.add("c", paths, who="ana").events == 0
    assert not any(
        one.verb == "processed" and one.sequence > before for one in desk.custody("c")
    ), "nothing is read once more"


def test_an_archive_that_another_version_unpacked_is_unpacked_again(
    desk: Desk, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.write(trail(tmp_path / "a.json", range(5)), "a.json")
        archive.write(trail(tmp_path / "b.json", range(5, 7)), "b.json")
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tmp_path / "in.zip", "in.zip")
    desk.add("c", [path], who="ana")
    left = next(one.id for one in desk.evidence("c")[0] if one.name.endswith("b.json"))
    with desk.state.session() as session:  # as a version would leave it that passed b.json over
        inner = select(Holding.id).where(Holding.evidence == left)
        session.execute(delete(Place).where(Place.holding.in_(inner)))
        session.execute(delete(Holding).where(Holding.evidence == left))
        unpacked = Holding.stage == Stage.UNPACKED
        session.execute(update(Holding).where(unpacked).values(parser_version="0"))
    desk.timeline.remove("c", [left])
    assert desk.add("c", [path], who="ana").events == 2
    assert desk.add("c", [path], who="ana").seen == 0
    assert len(desk.timeline.page(desk.search("c", "", who="ana"), 100).rows) == 7
