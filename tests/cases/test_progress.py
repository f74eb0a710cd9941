# SPDX-License-Identifier: Apache-2.0
"""Whether a process is still at work, by which locks and jobs are judged."""

import os
import subprocess
import sys

from locard.cases.progress import birth


def test_a_process_that_ended_is_not_at_work_though_nobody_asked_how_it_did() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert birth(child.pid) and birth(os.getpid())
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie from here on
    assert birth(child.pid) == ""
    child.communicate()
    assert birth(child.pid) == ""
