# SPDX-License-Identifier: Apache-2.0
"""Names of files that end with the process that made them, also when it was killed.

A name begins with the process and the tick of the machine at which it began, so that another
process which is given the same number later is not taken for it: what a killed process left may be
plain bytes of evidence, and must not lie there for as long as its number is in use.
"""

import os
from functools import lru_cache
from pathlib import Path


def named(rest: str) -> str:
    """A name of this process: `4711.2285312-rest`."""
    pid = os.getpid()
    return f"{pid}.{_ours(pid)}-{rest}"


def lives(name: str) -> bool:
    """Whether the process that made a file of this name is still there."""
    pid, _, began = name.partition("-")[0].partition(".")
    if not (pid.isascii() and pid.isdigit()):
        return False
    now = started(int(pid))
    return bool(now) and began in ("", now)


def started(pid: int) -> str:
    """The tick since the machine started at which a process began; empty when there is none."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return ""
    return status.rpartition(")")[2].split()[19]


@lru_cache(maxsize=4)
def _ours(pid: int) -> str:
    return started(pid)
