# SPDX-License-Identifier: Apache-2.0
"""Runs of `locard` in processes of their own, for doors that must not wait.

A run outlives the process that began it: what it does is in the state, and whoever looks there sees
it. What it says on standard error is kept in `resume.log`, because nobody else hears it.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from threading import Lock, Thread

from locard.model.custody import Hand
from locard.model.errors import Error

Child = subprocess.Popen[bytes]
LOG = "resume.log"
LOG_BYTES = 1 << 20
"""A log that has grown longer is begun anew by the next run."""


HAND = "LOCARD_HAND"
"""The variable that hands a run on: who began it, through which door, from where."""


def handed_on() -> Hand | None:
    """By whose hand this process was begun, when another process of ours began it."""
    text = os.environ.get(HAND)
    return Hand(**json.loads(text)) if text else None


AGAIN = 300.0
"""Seconds until another process stands by when one has ended without having been asked: what ended
it would end the next one too."""
ENOUGH = 2
"""Runs at one case: one parses, and one waits to take what came after the first had looked."""


class Background:
    """The runs that one process began."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = home / LOG
        self._lock = Lock()
        self._running: list[tuple[list[str], Child]] = []
        self._standing: Child | None = None
        self._not_before = 0.0

    def begin(self, case: str, who: Hand) -> None:
        """Begin to parse what waits in a case, unless a run of ours waits to do that already."""
        words = ["resume", case]
        with self._lock:
            alive = [said for said, one in self._running if one.poll() is None]
        if alive.count(words) < ENOUGH:
            self.run(words, who)

    def run(self, words: Sequence[str], who: Hand, *, soon: bool = False) -> Child:
        """Begin a command of ours in a process of its own; `soon`: in that which stands by."""
        told = [*words, "--who", who.name]
        with self._lock:
            self._running = [one for one in self._running if one[1].poll() is None]
            child = self._handed(told, who) if soon else None
            if child is None:
                hand = {HAND: json.dumps(asdict(who))}
                child = self._start(["-m", "locard.cli.main", *told], hand, subprocess.DEVNULL)
            self._running.append((list(words), child))
        return child

    def receiving(self, who: Hand, most: int) -> Child | None:
        """Begin a run that is sent an upload on its standard input and answers on its output.

        None when there are `most` of them, or none can be begun.
        """
        words = ["receiving"]
        with self._lock:
            self._running = [one for one in self._running if one[1].poll() is None]
            if sum(said == words for said, _ in self._running) >= most:
                return None
            hand = {HAND: json.dumps(asdict(who))}
            module = ["-m", "locard.cli.receiving"]
            try:
                child = self._start(module, hand, subprocess.PIPE, subprocess.PIPE)
            except OSError:
                return None
            self._running.append((words, child))
        return child

    def stand_by(self) -> None:
        """Have a process wait that has loaded all it needs, unless one does: to begin takes it
        longer than a run may take until its first evidence."""
        with self._lock:
            if self._standing is not None and self._standing.poll() is not None:
                self._fallen(self._standing)
            if self._standing is None and time.monotonic() >= self._not_before:
                self._not_before = time.monotonic() + AGAIN  # unless it stands by until it is asked
                with suppress(OSError):  # a full disk, no room for a process: it goes without
                    self._standing = self._start(["-m", "locard.cli.waiting"], {}, subprocess.PIPE)

    def _handed(self, told: Sequence[str], who: Hand) -> Child | None:
        """The process that stood by, at work now; None when there is none or it has ended."""
        child, self._standing = self._standing, None
        if child is None or child.stdin is None:
            return None
        if child.poll() is not None:
            self._fallen(child)
            return None
        line = json.dumps({"words": told, "hand": asdict(who)})
        try:
            with child.stdin as waiting:
                waiting.write(line.encode() + b"\n")
        except OSError:
            self._fallen(child)
            return None
        self._not_before = 0.0
        return child

    def _fallen(self, child: Child) -> None:
        """The process that stood by has ended, and said why in the log."""
        _close(child)
        self._standing, self._not_before = None, time.monotonic() + AGAIN

    def _start(
        self,
        arguments: Sequence[str],
        more: dict[str, str],
        stdin: int,
        stdout: int = subprocess.DEVNULL,
    ) -> Child:
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        long = self.log.exists() and self.log.stat().st_size > LOG_BYTES
        with self.log.open("wb" if long else "ab") as log:
            return subprocess.Popen(
                [sys.executable, *arguments],
                env=os.environ | {"LOCARD_HOME": str(self.home)} | more,
                stdin=stdin,
                stdout=stdout,
                stderr=log,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until the runs that were begun here have ended."""
        with self._lock:
            running = [one for _, one in self._running]
        for child in running:
            child.wait()

    def close(self) -> None:
        """Let the runs go on, and leave no zombie of those that end before this process does."""
        with self._lock:
            left, self._running = [one for _, one in self._running], []
            standing, self._standing = self._standing, None
        if standing is not None:
            _close(standing)
            left.append(standing)
        for child in left:
            if child.poll() is None:
                Thread(target=child.wait, name=f"reaper-{child.pid}", daemon=True).start()


def _close(standing: Child) -> None:
    """Say nothing more to a process that stands by: it ends by itself."""
    if standing.stdin is not None:
        with suppress(OSError):
            standing.stdin.close()


def beside(work: Callable[[], object]) -> None:
    """Begin work that is needed soon; its errors are told to whoever asks for it then."""

    def run() -> None:
        with suppress(Error):
            work()

    Thread(target=run, daemon=True).start()
