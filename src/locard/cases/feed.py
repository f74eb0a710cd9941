# SPDX-License-Identifier: Apache-2.0
"""Taking evidence in, in a thread of its own, while what has come in already is parsed."""

from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Thread
from typing import TypeAlias

from locard.cases.intake import Taken

Queued: TypeAlias = Callable[[list[int]], None]
Check: TypeAlias = Callable[[], None]


class Ended(Exception):
    """Nobody wants any more of it: the run that it feeds has ended."""


class Feed:
    """Hands on the ids of holdings while they are taken in.

    `take` does the taking in. It tells the ids of holdings that have to be parsed, and asks after
    every piece whether more is wanted, which raises `Ended` when nothing is.
    """

    def __init__(self, take: Callable[[Queued, Check], Taken]) -> None:
        self._take = take
        self._ids: SimpleQueue[list[int] | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._over = self._unwanted = False
        self._error: BaseException | None = None
        self.taken = Taken()

    def here(self) -> None:
        """Take everything in now; what is to be parsed is handed on later."""
        self.taken = self._take(self._ids.put, self._check)
        self._over = True
        self._ids.put(None)

    def start(self) -> None:
        """Begin to take in, unless that was done."""
        if not self._over:
            self._thread = Thread(target=self._run, name="feed", daemon=True)
            self._thread.start()

    def __iter__(self) -> Iterator[list[int]]:
        """The ids, until everything was taken in. Raises what stopped that."""
        while (ids := self._ids.get()) is not None:
            yield ids
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Take no more in, and wait until that is so."""
        self._unwanted = True
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            self.taken = self._take(self._ids.put, self._check)
        except BaseException as error:  # noqa: BLE001  (raised again by whoever iterates)
            self._error = error
        finally:
            self._ids.put(None)

    def _check(self) -> None:
        if self._unwanted:
            raise Ended
