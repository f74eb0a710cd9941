# SPDX-License-Identifier: Apache-2.0
"""`locard demo respond` is stopped, early or late: nothing of it goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.waiting import PATIENCE, said

pytestmark = pytest.mark.server


@pytest.mark.parametrize("seconds", [0.0, 0.3], ids=["at once", "while the store begins"])
def test_ctrl_c_ends_all_that_was_begun(tmp_path: Path, seconds: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "locard.cli.main", "demo", "respond", "--port", "0"],
        env=os.environ | {"LOCARD_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    said(process, "Stop it with")
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, text
    assert list(tmp_path.iterdir()) == []
    home = f"LOCARD_HOME={tmp_path}".encode()
    left = []
    for one in Path("/proc").glob("[0-9]*"):
        try:
            if home in (one / "environ").read_bytes():
                left.append((one / "cmdline").read_bytes())
        except OSError:
            continue
    assert left == []
