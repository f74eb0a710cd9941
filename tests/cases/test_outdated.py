# SPDX-License-Identifier: Apache-2.0
"""Rows of another version of a parser cannot be proved: adding the evidence again reads it anew."""

import zipfile
from pathlib import Path

import pytest
from sqlalchemy import update

from locard.cases.desk import Desk
from locard.model.errors import Error
from locard.state.investigations import Holding
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
