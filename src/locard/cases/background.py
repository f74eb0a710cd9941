# SPDX-License-Identifier: Apache-2.0
"""Runs of `locard` in processes of their own, for doors that must not wait.

A run outlives the process that began it: what it does is in the state, and whoever looks there sees
it. What it says on standard error is kept in `resume.log`, because nobody else hears it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from threading import Lock, Thread

from locard.model.custody import Hand
from locard.model.errors import Error

LOG = "resume.log"
LOG_BYTES = 1 << 20
"""A log that has grown longer is begun anew by the next run."""


HAND = "LOCARD_HAND"
"""The variable that hands a run on: who began it, through which door, from where."""


def handed_on() -> Hand | None:
    """By whose hand this process was begun, when another process of ours began it."""
    text = os.environ.get(HAND)
    return Hand(**json.loads(text)) if text else None


ENOUGH = 2
"""Runs at one case: one parses, and one waits to take what came after the first had looked."""


def _does(child: subprocess.Popen[bytes], words: Sequence[str]) -> bool:
    return isinstance(child.args, list) and child.args[3 : 3 + len(words)] == words


class Background:
    """The runs that one process began."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = home / LOG
        self._lock = Lock()
        self._running: list[subprocess.Popen[bytes]] = []

    def begin(self, case: str, who: Hand) -> None:
        """Begin to parse what waits in a case, unless a run of ours waits to do that already."""
        words = ["resume", case]
        with self._lock:
            alive = [one for one in self._running if one.poll() is None]
        if sum(_does(one, words) for one in alive) < ENOUGH:
            self.run(words, who)

    def run(self, words: Sequence[str], who: Hand) -> "subprocess.Popen[bytes]":
        """Begin a command of ours in a process of its own."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        long = self.log.exists() and self.log.stat().st_size > LOG_BYTES
        with self._lock, self.log.open("wb" if long else "ab") as log:
            self._running = [one for one in self._running if one.poll() is None]
            child = subprocess.Popen(
                [sys.executable, "-m", "locard.cli.main", *words, "--who", who.name],
                env=os.environ | {"LOCARD_HOME": str(self.home), HAND: json.dumps(asdict(who))},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
            self._running.append(child)
        return child

    def wait(self) -> None:
        """Wait until the runs that were begun here have ended."""
        with self._lock:
            running = list(self._running)
        for child in running:
            child.wait()

    def close(self) -> None:
        """Let the runs go on, and leave no zombie of those that end before this process does."""
        with self._lock:
            left, self._running = self._running, []
        for child in left:
            if child.poll() is None:
                Thread(target=child.wait, name=f"reaper-{child.pid}", daemon=True).start()


def beside(work: Callable[[], object]) -> None:
    """Begin work that is needed soon; its errors are told to whoever asks for it then."""

    def run() -> None:
        with suppress(Error):
            work()

    Thread(target=run, daemon=True).start()
