# SPDX-License-Identifier: Apache-2.0
"""Work in a process of its own, which may be killed amid it."""

import multiprocessing
import signal
from collections.abc import Callable

from tests.waiting import PATIENCE

_CLEAN = multiprocessing.get_context("forkserver")
_CLEAN.set_forkserver_preload(["tests.response.test_playbooks"])


def apart(work: Callable[..., object], *given: object) -> int:
    """Do the work in a process of its own; the signal that killed it, or 0.

    It is forked from a process without threads: a fork of our own stands still for ever when one
    of our threads holds a lock in that moment, such as one inside SQLite.
    """
    process = _CLEAN.Process(target=work, args=given)
    process.start()
    process.join(PATIENCE)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise AssertionError(f"{work.__name__}{given} does not end")
    status = -process.exitcode
    process.close()
    assert status in (0, signal.SIGKILL), status
    return status
