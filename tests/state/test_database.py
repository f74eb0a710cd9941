# SPDX-License-Identifier: Apache-2.0
"""Several processes on one state file: nobody meets an error that another one's work makes."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from locard.state.database import State, open_state
from locard.state.investigations import CaseRow


def test_a_new_state_file_is_opened_by_many_at_once(tmp_path: Path) -> None:
    for round in range(5):
        path = tmp_path / str(round) / "state.sqlite"
        with ThreadPoolExecutor(6) as threads:
            opened = list(threads.map(lambda _: open_state(path), range(6)))  # noqa: B023
        for state in opened:
            with state.session() as session:
                assert session.get(CaseRow, "c") is None
            state.close()


def test_what_two_look_for_and_make_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    states = [open_state(path) for _ in range(4)]

    def make(state: State) -> bool:
        with state.session(alone=True) as session:
            if session.get(CaseRow, "c") is not None:
                return False
            time.sleep(0.05)
            session.add(CaseRow(name="c", title="c", created=0, created_by="ana"))
            return True

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(make, states))
    assert sorted(made) == [False, False, False, True]
    for state in states:
        state.close()
