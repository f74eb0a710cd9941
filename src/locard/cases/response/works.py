# SPDX-License-Identifier: Apache-2.0
"""Work on organizations that this process does: how far it is, by account, and how it ended.

An organization has thousands of accounts and each is tried; whoever asked may close the page
meanwhile. What is not through when the process ends is not lost: what was added stays, and a new
look goes on from there.
"""

import logging
import time
from collections.abc import Callable, Sequence
from itertools import count
from threading import Lock, Thread
from typing import Any, NamedTuple

from locard.cases.progress import Snapshot
from locard.cases.response.organizations import Found, Seen
from locard.cases.response.releasing import Watch
from locard.model.custody import Hand
from locard.model.errors import Conflict, Error, Missing

log = logging.getLogger("locard.cases")
AT_ONCE = 4
KEPT = 20
"""Works that ended and are still told of."""
LINES = 500
BROKEN = "It broke off by a fault of Locard's own; the log of the server has it."
AGAIN = "What was added stays. Look again: that goes on with the others."


class Work(NamedTuple):
    """One work at one moment."""

    progress: Snapshot
    external_id: str
    found: tuple[Found, ...]
    """What became of each account so far."""
    error: str
    """Why it failed, and what to do."""
    advice: str


class Works:
    """The works of this process, the newest of them. Used from several threads at once."""

    def __init__(self) -> None:
        self._lock, self._numbers = Lock(), count(1)
        self._known: dict[int, _Running] = {}

    def begin(
        self,
        what: str,
        who: Hand,
        external_id: str,
        do: Callable[[Watch, Seen], Sequence[Found]],
    ) -> Work:
        """Begin `do` in a thread of its own. Raises `Conflict` while too many are at work."""
        with self._lock:
            ended = [number for number, one in self._known.items() if one.ended is not None]
            if len(self._known) - len(ended) >= AT_ONCE:
                raise Conflict(
                    f"{AT_ONCE} organizations are being looked at.", "Wait until one is done."
                )
            for number in ended[: max(0, len(ended) - KEPT + 1)]:
                del self._known[number]
            one = _Running(next(self._numbers), what, who.name, external_id)
            self._known[one.number] = one
        Thread(target=one.run, args=(do,), name=f"organization {one.number}", daemon=True).start()
        return one.now()

    def get(self, number: int) -> Work:
        """One of them. Raises `Missing`, also for one of an earlier process."""
        with self._lock:
            one = self._known.get(number)
        if one is None:
            raise Missing("This work is not known: the server was started anew since.", AGAIN)
        return one.now()

    def every(self) -> list[Work]:
        """All that are known, the newest first."""
        with self._lock:
            known = list(self._known.values())
        return [one.now() for one in reversed(known)]


class _Running:
    def __init__(self, number: int, what: str, who: str, external_id: str) -> None:
        self.number, self.what, self.who, self.external_id = number, what, who, external_id
        self.started = time.time_ns()
        self.ended: int | None = None
        self._lock = Lock()
        self._stage, self._done, self._total = "Listing its accounts", 0, 0
        self._found: list[Found] = []
        self._state, self._error, self._advice = "running", "", ""

    def run(self, do: Callable[[Watch, Seen], Sequence[Found]]) -> None:
        """Do it; what it found, or why it failed."""
        values: dict[str, Any] = {"_state": "failed"}
        try:
            values = {"_state": "done", "_found": list(do(self._watch, self._seen))}
        except Error as error:
            values |= {"_error": error.message, "_advice": error.advice}
        except Exception:
            log.exception("%s broke off", self.what)
            values |= {"_error": BROKEN, "_advice": AGAIN}
        finally:
            with self._lock:
                for name, value in values.items():
                    setattr(self, name, value)
                self.ended = time.time_ns()

    def _watch(self, stage: str, done: int, total: int) -> None:
        with self._lock:
            self._stage, self._done, self._total = stage, done, total

    def _seen(self, found: Found) -> None:
        with self._lock:
            self._found.append(found)
            self._done = len(self._found)

    def now(self) -> Work:
        """How it stands."""
        with self._lock:
            past = max((self.ended or time.time_ns()) - self.started, 1) / 1e9
            rate = self._done / past if self.ended is None else 0.0
            left = (self._total - self._done) / rate if rate and self._total else None
            lines = [f"{one.name} ({one.number}): {one.state} {one.reason}".strip()
                     for one in self._found[-LINES:]]  # fmt: skip
            counts: dict[str, int] = {}
            for one in self._found:
                counts[one.state] = counts.get(one.state, 0) + 1
            shot = Snapshot(
                self.number, self.what, self.who, self._stage, self._done, self._total, "accounts",
                rate, left, self._state, self.started, self.ended, tuple(lines), counts,
            )  # fmt: skip
            return Work(shot, self.external_id, tuple(self._found), self._error, self._advice)
