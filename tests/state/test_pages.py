# SPDX-License-Identifier: Apache-2.0
"""Lists are read page by page: nothing is left out, nothing stands twice."""

from pathlib import Path

import pytest

from locard.model.errors import Error
from locard.state import runs
from locard.state.database import open_state
from locard.state.investigations import CaseRow
from locard.state.pages import place_of, text_of
from locard.state.runs import RunRow, Wanted


def test_all_runs_come_once_however_many_began_at_once(tmp_path: Path) -> None:
    state = open_state(tmp_path / "state.sqlite")
    times = [3, 1, 1, 0, 2, 1, 3, 3, 0, 1, 2]
    with state.session() as session:
        session.add(CaseRow(name="c", title="", created=0, created_by="ana"))
        session.flush()
        for number, started in enumerate(times):
            session.add(
                RunRow(id=f"r{number:04d}", case="c", action="isolate.toy.lamp", account="a",
                       target="t", plan={}, who="ana", reason="x", started=started)
            )  # fmt: skip
    for limit in range(1, len(times) + 1):
        found: list[tuple[int, str]] = []
        while True:
            place = place_of(text_of(found[-1])) if found else None
            with state.session() as session:
                page = runs.page(session, Wanted("c"), limit=limit, before=place)
            found += [(one.started, one.id) for one in page]
            if not page:
                break
        assert found == sorted(((t, f"r{n:04d}") for n, t in enumerate(times)), reverse=True)
    state.close()


@pytest.mark.parametrize("text", ["", "x", "1", "1.", ".a", "1.a b", "-1.a", "1" * 20 + ".a"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(Error, match="no place in the list"):
        place_of(text)


def test_a_place_survives() -> None:
    assert place_of(text_of((1_764_000_000_000_000_000, "r261126-9f3a1c20"))) == (
        1_764_000_000_000_000_000,
        "r261126-9f3a1c20",
    )
