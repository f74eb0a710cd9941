# SPDX-License-Identifier: Apache-2.0
"""A disk that fills up while the engine writes a table's definition leaves the file empty."""

from pathlib import Path

import pytest

from locard.timeline import Search, Timeline, connect, definitions
from tests.timeline.conftest import end
from tests.timeline.rows import many


def emptied(home: Path) -> list[Path]:
    """The definitions of the tables, emptied as a full disk does it."""
    found = [
        one
        for name in ("events", "sightings")
        for one in (home / "chdb").glob(f"store/*/*/{name}.sql")
    ]
    for one in found:
        one.write_bytes(b"")
    return found


def test_a_store_in_use_mends_its_definitions(timeline: Timeline, home: Path) -> None:
    timeline.write("c", many(3))
    assert len(emptied(home)) == 2
    timeline.index("c")
    assert timeline.write("c", many(5)).new == 2
    assert timeline.count(Search("c")).rows == 5


def test_a_store_that_starts_mends_its_definitions(home: Path) -> None:
    with connect(home) as first:
        first.write("c", many(3))
    end(home)
    emptied(home)
    with connect(home) as second:
        assert second.count(Search("c")).rows == 3
        assert second.write("c", many(5)).new == 2


def test_a_table_that_was_never_made_is_made(tmp_path: Path) -> None:
    file = tmp_path / "chdb" / "store" / "abc" / "abcd" / "events.sql"
    file.parent.mkdir(parents=True)
    file.touch()
    with pytest.raises(OSError, match="No space left"):
        definitions.keep(tmp_path / "chdb")
    assert definitions.restore(tmp_path / "chdb")
    assert not file.exists()
    assert not definitions.restore(tmp_path / "chdb")
