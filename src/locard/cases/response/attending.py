# SPDX-License-Identifier: Apache-2.0
"""What the server does by itself: it watches queues, holds playbooks against what comes, and lets
runs go on, each in a process of its own that outlives the server."""

import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Protocol

from locard.cases.alerts.watching import Watcher
from locard.cases.playbooks.running import Playbooks
from locard.cases.response.settings import Responding
from locard.model.alert import Watched
from locard.model.errors import Error

TICK = 2.0
"""Seconds between two looks for what is due, when nothing says that something is."""
ALONE = 6.0
"""Seconds that a run has the machine to itself until another process gets ready to stand by: its
first evidence is in by then, and the run itself may take hours."""
AT_ONCE = 8
"""How many runs of playbooks are carried out at once."""


class Begun(Protocol):
    """A process that was begun."""

    def poll(self) -> int | None:
        """Its status once it has ended, None before."""


class Attending:
    """The server's own hand in responding."""

    def __init__(
        self,
        playbooks: Playbooks,
        responding: Callable[[], Responding],
        watcher: Watcher,
        carry_on: Callable[[str], Begun],
        stand_by: Callable[[], object] = lambda: None,
    ) -> None:
        self.playbooks, self.responding, self.watcher = playbooks, responding, watcher
        self.carry_on = carry_on
        """Begins to carry a run on, in a process of its own."""
        self.stand_by = stand_by
        """Has a process wait that has loaded what the next run needs."""
        self._stop, self._something = Event(), Event()
        self._thread: Thread | None = None
        self._begun: dict[str, Begun] = {}
        self._last = 0.0
        self.error = ""
        """Why the last look failed; empty when it did not."""
        watcher.told = self.look

    def begin(self) -> None:
        """Begin, in threads of its own. Raises `BadDocument` for faults in response.yaml."""
        self.watcher.begin(self.responding().queues)
        self._thread = Thread(target=self._tick, name="playbooks", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Look at once: an alert came, or somebody agreed to something."""
        self._something.set()

    def close(self) -> None:
        """Begin nothing any more. Runs that were begun go on."""
        self._stop.set()
        self._something.set()
        self.watcher.close()
        if self._thread is not None:
            self._thread.join(TICK)

    def watched(self) -> list[Watched]:
        """How it goes with the queues."""
        return self.watcher.watched()

    def once(self) -> None:
        """One look: alerts are judged, and what is due is begun."""
        self.playbooks.judge()
        self.playbooks.waiting.look()
        self.playbooks.copying.look()
        due = self.playbooks.due()
        self._begun = {run: one for run, one in self._begun.items() if one.poll() is None}
        for run in due[: max(0, AT_ONCE - max(self.playbooks.busy(), len(self._begun)))]:
            if run in self._begun:
                continue  # its process is on its way
            if self.playbooks.attempt(run):
                self._begun[run] = self.carry_on(run)
                self._last = time.monotonic()
        alone = self._begun and time.monotonic() - self._last < ALONE
        if not alone and self.playbooks.shelf.awake:
            self.stand_by()

    def _tick(self) -> None:
        while not self._stop.is_set():
            try:
                self.watcher.revive()
                self.once()
                self.error = ""
            except Error as error:
                self.error = error.message  # the state is full or locked: the next look tries again
            self._something.wait(TICK)
            self._something.clear()
