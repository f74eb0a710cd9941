# SPDX-License-Identifier: Apache-2.0
"""An export is taken in by another case with each value in the column that it had."""

import json
from pathlib import Path

import pytest

from locard.model.event import COLUMNS, Format
from tests.cases.trails import trail
from tests.cli.conftest import Locard

OF_THE_ROW = ("id", "source", "source_version", "attributes", "raw", "evidence", "locator")


@pytest.mark.parametrize("form", Format)
def test_an_export_is_taken_in_again(locard: Locard, tmp_path: Path, form: Format) -> None:
    trail(tmp_path / "in" / "trail.json", range(50))
    events = [
        {"timestamp_desc": "Not a time", "datetime": "0", "timestamp": 0, "message": f"=1+{n}"}
        for n in range(300)
    ]
    marked = {"timestamp_desc": "login", "datetime": "2026-03-01T10:00:00.123456789Z"}
    events.append(
        {**marked, "message": "'+'\n\u00fc\0", "username": "'=x", "id": "own", "x.y": "z"}
    )
    lines = "\n".join(map(json.dumps, events))
    (tmp_path / "in" / "events.jsonl").write_text(lines)
    assert locard("add", "one", tmp_path / "in").status == 0
    exported = tmp_path / f"export.{form.value}"
    assert locard("export", "one", "--output", exported).status == 0
    added = locard("add", "two", exported, "--json")
    assert (added.status, added.json["events"]) == (0, 351), added

    rows = locard("search", "one", "--limit", 999, "--json").lines
    again = {
        row["attributes"]["id"]: row
        for row in locard("search", "two", "--limit", 999, "--json").lines
    }
    assert len(rows) == len(again) == 351
    for row in rows:
        found = again[row["id"]]
        for column in COLUMNS:
            if column.name not in OF_THE_ROW:
                assert found[column.name] == row[column.name], column.name
        kept = found["attributes"]
        for name in ("source", "evidence", "locator", "raw"):
            assert kept[name] == row[name]
        for name, value in row["attributes"].items():
            assert kept[f"attributes.{name}" if name in row else name] == value
    assert locard("prove", found["id"], "--case", "two").status == 0
