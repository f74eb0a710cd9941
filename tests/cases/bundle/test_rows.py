# SPDX-License-Identifier: Apache-2.0
"""Rows of one exhibit: as it gives them itself, whichever evidence they stand on in the case."""

from pathlib import Path

import pyarrow.parquet as pq

from locard.cases.bundle.rows import Rows
from locard.cases.desk import Desk
from locard.model.event import Format
from locard.settings import Settings
from tests.cases.bundle.conftest import ANA
from tests.conftest import stop_store
from tests.timeline.rows import EVIDENCE, OTHER, batch


def test_a_record_in_part_is_counted_and_tells_nothing_of_the_whole(tmp_path: Path) -> None:
    desk = Desk(Settings(home=tmp_path / "home", workers=1))
    desk.create("c", who=ANA)
    same, more = {"identity": "a", "message": "same"}, {"identity": "b", "message": "and more"}
    desk.timeline.write("c", batch({**same, "locator": "x"}, {**more, "locator": "y"}))
    both = [{**same, "locator": "record=1"}, {**more, "locator": "row=2"}]
    own = {"locator": "record=3", "message": "its own"}
    desk.timeline.write("c", batch(*both, own, evidence=OTHER))
    rows = Rows(desk.timeline, desk.state, "c", OTHER, [("test.rows", "row=")])
    for _ in range(2):
        (tmp_path / "rows").write_bytes(b"".join(rows.written(Format.PARQUET)))
        assert (rows.count, rows.in_part) == (2, 1)
    found = pq.read_table(tmp_path / "rows").to_pylist()
    assert [(one["locator"], one["message"]) for one in found] == [
        ("record=1", "same"), ("record=3", "its own"),
    ]  # fmt: skip
    assert {one["evidence"] for one in found} == {OTHER}
    known = {one["id"] for one in desk.timeline.page(desk.search("c", who=ANA)).rows}
    assert {one["id"] for one in found} < known, "what is known by its content keeps its id"
    whole = Rows(desk.timeline, desk.state, "c")
    assert b"".join(whole.written(Format.PARQUET)) and (whole.count, whole.in_part) == (3, 0)
    assert EVIDENCE not in (tmp_path / "rows").read_bytes().decode("latin-1")
    desk.close()
    stop_store(tmp_path / "home")
