# SPDX-License-Identifier: Apache-2.0
"""`locard` in a process that is killed at a place: at a time it is elsewhere on each machine."""

import os
import signal
import subprocess
import sys
from pathlib import Path

_DYING = """
import os, signal, sys
from importlib import import_module
from locard.cli.main import outcome

module, owner, name = sys.argv[1].split(":")
at, left = getattr(import_module(module), owner), int(sys.argv[2])
real = getattr(at, name)

def dies(*given, **named):
    global left
    answer = real(*given, **named)
    left -= 1
    if left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer

setattr(at, name, dies)
sys.exit(outcome(sys.argv[3:]))
"""


def killed_after(times: int, place: str, home: Path, *words: object) -> None:
    """Run a command that dies when a method, `module:class:name`, returns for that time."""
    command = [sys.executable, "-c", _DYING, place, str(times), *map(str, words)]
    environment = os.environ | {"LOCARD_HOME": str(home)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
