# SPDX-License-Identifier: Apache-2.0
"""Whether a process is still at work, by which locks and jobs are judged; and how fast it is."""

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from locard.cases.progress import TICK, Progress, birth, jobs, seconds_left
from locard.cli.terminal import _line
from locard.state import database
from locard.state.investigations import CaseRow
from tests.waiting import eventually


def test_a_process_that_ended_is_not_at_work_though_nobody_asked_how_it_did() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert birth(child.pid) and birth(os.getpid())
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie from here on
    assert birth(child.pid) == ""
    child.communicate()
    assert birth(child.pid) == ""


def test_a_state_that_cannot_be_written_for_a_while_does_not_end_it(tmp_path: Path) -> None:
    state = database.open_state(tmp_path / "state.sqlite")
    with state.session() as session:
        session.add(CaseRow(name="c", title="", created=0, created_by="ana"))
    progress = Progress(state, "c", "Adding", "ana")
    try:
        with sqlite3.connect(tmp_path / "state.sqlite") as other:
            other.execute("ALTER TABLE jobs RENAME TO away")
        time.sleep(2.5 * TICK)
        with sqlite3.connect(tmp_path / "state.sqlite") as other:
            other.execute("ALTER TABLE away RENAME TO jobs")
        progress.stage("Parsing", 3, "files", 2)
        eventually(lambda: jobs(state, "c")[0].stage == "Parsing")
    finally:
        progress.finish("done")


def test_what_was_done_before_says_no_speed(tmp_path: Path) -> None:
    state = database.open_state(tmp_path / "state.sqlite")
    with state.session() as session:
        session.add(CaseRow(name="c", title="", created=0, created_by="ana"))
    progress = Progress(state, "c", "Collecting", "ana")
    try:
        progress.stage("Read vol-1 into the vault", 3, "steps", 2)
        assert progress.snapshot() == ("Read vol-1 into the vault", 2, 3, "steps", 0.0)
        progress.advance(1)
        assert progress.snapshot()[-1] > 0
    finally:
        progress.finish("done")


def test_the_first_bytes_say_nothing_about_the_rest() -> None:
    assert seconds_left(500, 66_800_000, 1_700) is None
    assert seconds_left(668_000, 66_800_000, 668_000) == 99
    assert seconds_left(0, 10, 1) is None
    assert seconds_left(10, 10, 1) is None
    assert "left" not in _line("Parsing", 500, 66_800_000, "bytes", 1_700)
    assert _line("Sealing", 0, 0, "", 0) == "Sealing"
    assert _line("Hashing", 3, 1200, "pieces", 0) == "Hashing: 3 of 1,200 pieces"
    begun = _line("Taking in", 1 << 20, 3 << 30, "bytes", 1 << 20)
    assert begun == "Taking in: 1.0 MiB of 3.0 GiB, 1.0 MiB/s"
    assert _line("Parsing", 33_400_000, 66_800_000, "bytes", 3_340_000).endswith(", 10 s left")
