# SPDX-License-Identifier: Apache-2.0
"""Queues are watched for alerts: a message is deleted once what it says is recorded, not before.

What no alert can be read from is kept and counted, and then deleted too: it would come for ever.
When the disk is full nothing is deleted, and the queue hands it out again.
"""

import time
from collections.abc import Callable, Sequence
from threading import Event, Thread

from sqlalchemy import select

from locard.cases.alerts.inflow import Alerts
from locard.cases.response.connecting import Messages
from locard.cases.response.settings import Queue
from locard.model.alert import Alert, Message, Watched
from locard.model.custody import Hand
from locard.model.errors import Error, Unreadable
from locard.state import accounts
from locard.state.accounts import Account
from locard.state.alerts import QueueRow

WAIT = 20
"""Seconds that a queue is asked to wait for a message."""
PAUSE = 5
LONGEST_PAUSE = 300
"""Seconds until a queue is asked again that could not be read."""

Open = Callable[[Account, str], Messages]
"""Opens a queue of an account at an address."""


class Watcher:
    """Watches the queues of one installation, each in a thread of its own."""

    def __init__(
        self, alerts: Alerts, open_queue: Open, told: Callable[[], object] = lambda: None
    ) -> None:
        self.alerts, self.open_queue, self.told = alerts, open_queue, told
        self._stop = Event()
        self._threads: dict[Queue, Thread] = {}

    def begin(self, queues: Sequence[Queue]) -> None:
        """Watch these queues from now on, until `close`."""
        for queue in queues:
            self._note(queue, fresh=True)
            self._begin(queue)

    def _begin(self, queue: Queue) -> None:
        thread = Thread(target=self._watch, args=(queue,), name="alerts", daemon=True)
        self._threads[queue] = thread
        thread.start()

    def revive(self) -> None:
        """Begin again what ended by a defect of ours; standard error has it, and the queue says so.

        The message that it stumbled over comes again after those that came meanwhile.
        """
        for queue, thread in list(self._threads.items()):
            if not thread.is_alive() and not self._stop.is_set():
                self._note(
                    queue, error="Reading it ended by a defect of Locard; it was begun anew."
                )
                self._begin(queue)

    def close(self) -> None:
        """Watch no more. A message that is being taken is taken to its end, or comes again."""
        self._stop.set()
        for thread in self._threads.values():
            thread.join(1)

    def watched(self) -> list[Watched]:
        """How it goes with each queue that was ever watched, by any process."""
        with self.alerts.state.session() as session:
            rows = session.scalars(select(QueueRow).order_by(QueueRow.address)).all()
        return [
            Watched(one.account, one.address, one.messages, one.alerts, one.unread, one.error,
                    one.last)
            for one in rows
        ]  # fmt: skip

    def once(self, queue: Queue, seconds: int = WAIT) -> list[Alert]:
        """Read one batch of a queue; the alerts that it held. Raises `Error` when it cannot be."""
        opened = self.open_queue(self._account(queue), queue.address)
        return self._batch(queue, opened, seconds)

    def _account(self, queue: Queue) -> Account:
        with self.alerts.state.session() as session:
            return accounts.get(session, queue.account)

    def _watch(self, queue: Queue) -> None:
        opened, pause = None, PAUSE
        while not self._stop.is_set():
            try:
                opened = opened or self.open_queue(self._account(queue), queue.address)
                self._batch(queue, opened, WAIT)
                pause = PAUSE
            except Error as error:
                self._note(queue, error=f"{error.message} {error.advice}".strip())
                opened = None
                self._stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    def _batch(self, queue: Queue, opened: Messages, seconds: int) -> list[Alert]:
        messages = opened.receive(seconds)
        taken: list[Alert] = []
        failure: Error | None = None
        for message in messages:
            try:
                found = self._take(queue, message)
                taken += found
                self._note(queue, messages=1, alerts=len(found))
            except Unreadable:
                self._note(queue, messages=1, unread=1)
            except Error as error:
                failure = error  # it stays in the queue, and those after it are tried all the same
                continue
            opened.delete(message)
        if taken:
            self.told()
        if failure is not None:
            raise failure
        self._note(queue)
        return taken

    def _take(self, queue: Queue, message: Message) -> list[Alert]:
        name = queue.address.rstrip("/").rpartition("/")[2]
        return self.alerts.take(
            message.body,
            Hand(f"queue {name}", "automation", queue.address),
            door="queue",
            place=queue.address,
            sent=f"queue\0{queue.address}\0{message.id}",
            content=message.content,
        )

    def _note(
        self,
        queue: Queue,
        *,
        messages: int = 0,
        alerts: int = 0,
        unread: int = 0,
        error: str = "",
        fresh: bool = False,
    ) -> None:
        with self.alerts.state.session(alone=True) as session:
            row = session.get(QueueRow, queue.address)
            if row is None:
                row = QueueRow(address=queue.address, account=queue.account, messages=0, alerts=0,
                               unread=0)  # fmt: skip
                session.add(row)
            row.account = queue.account
            row.messages += messages
            row.alerts += alerts
            row.unread += unread
            row.error = error
            row.last = row.last if error or fresh else time.time_ns()
