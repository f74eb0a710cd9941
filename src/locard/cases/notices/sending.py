# SPDX-License-Identifier: Apache-2.0
"""Notices are written down, then sent; what becomes of each is recorded. None stops anything."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from locard.cases.notices import channels, messages
from locard.cases.notices.messages import Message
from locard.cases.playbooks.reading import EVERY_CHANNEL
from locard.cases.response.settings import Channel, Responding
from locard.model.alert import Alert, Severity
from locard.model.errors import Error, Missing
from locard.model.playbook import Notice, Part, PlaybookRun
from locard.state import playbooks
from locard.state.database import State
from locard.state.playbooks import NoticeRow

PAUSE = 60.0
"""Seconds in which new alerts are not told to a channel that failed: a storm of them would wait for
it each time. What needs a person is always tried."""
NOT_SENT = "It was not sent: the channel had failed a moment before, or the process ended."


class Notices:
    """The notices of one installation."""

    def __init__(self, home: Path, state: State, responding: Callable[[], Responding]) -> None:
        self.home, self.state, self.responding = home, state, responding
        self._failed: dict[str, float] = {}

    def every(self, case: str = "", *, limit: int = 200) -> list[Notice]:
        """Notices of a case, or all, the newest first."""
        with self.state.session() as session:
            return playbooks.notices(session, case, limit=limit)

    def alert(self, alert: Alert) -> None:
        """Tell that an alert is new, once."""
        with self.state.session() as session:
            known = select(NoticeRow.id).where(
                NoticeRow.alert == alert.id, NoticeRow.about == "alert"
            )
            if session.scalar(known.limit(1)):
                return
        self._tell(messages.of_alert(alert), self._subscribed("alert"))

    def run(self, run: PlaybookRun, alert: Alert, *, reminder: bool = False) -> None:
        """Tell what became of a run, if there is something to tell; or remind that it waits."""
        message = messages.of_run(run, alert)
        if message is None:
            return
        to = self._subscribed(message.about)
        self._tell(messages.reminding(message) if reminder else message, to)

    def copy_failed(self, run: PlaybookRun, part: Part, alert: Alert) -> None:
        """Tell that a copy could not be read to its end while a run waited, or after its end."""
        self._tell(messages.of_copy(run, part, alert), self._subscribed("failed"))

    def playbook(self, channel: str, run: PlaybookRun, alert: Alert, text: str) -> None:
        """Tell what a playbook says, through one channel or all; a failure is recorded only."""
        known = self._channels()
        message = messages.of_playbook(run, alert, text)
        if channel == EVERY_CHANNEL:
            self._tell(message, list(known.values()))
        elif channel in known:
            self._tell(message, [known[channel]])
        else:
            there = ", ".join(known) or "none"
            self._record(message, channel, f"There is no channel {channel!r}; there are: {there}.")

    def trial(self, channel: str) -> None:
        """Send a test through a channel. Raises `Error` that says why it cannot be sent."""
        known = self.responding().channels
        if channel not in known:
            raise Missing(
                f"There is no channel called {channel[:40]!r}.",
                f"There are: {', '.join(known) or 'none'}. Channels stand in response.yaml.",
            )
        facts = {"says": "This is a test. Nothing has happened."}
        channels.send(
            known[channel], Message("test", "Test", facts, Severity.INFORMATIONAL), self.home
        )

    def _leading(self, message: Message) -> Message:
        """The message with where the page shows it, if that is known."""
        page = self.settings().page
        if not page or not message.alert:
            return message
        link = f"{page}/respond?view=alerts&alert={message.alert}"
        return replace(message, facts={**message.facts, "open": link})

    def settings(self) -> Responding:
        """What response.yaml says; its faults are told to those who ask for it."""
        try:
            return self.responding()
        except Error:
            return Responding()

    def _channels(self) -> dict[str, Channel]:
        return dict(self.settings().channels)

    def _subscribed(self, about: str) -> list[Channel]:
        return [one for one in self._channels().values() if about in one.about]

    def _tell(self, message: Message, to: Sequence[Channel]) -> None:
        message = self._leading(message)
        for channel in to:
            number = self._record(message, channel.name, NOT_SENT)
            failed = self._failed.get(channel.name, -PAUSE)
            if message.about == "alert" and time.monotonic() - failed < PAUSE:
                continue
            try:
                channels.send(channel, message, self.home)
                error = ""
            except Error as failure:
                error = f"{failure.message} {failure.advice}".strip()
                self._failed[channel.name] = time.monotonic()
            with self.state.session() as session:
                row = session.get_one(NoticeRow, number)
                row.sent, row.error = not error, error

    def _record(self, message: Message, channel: str, error: str) -> int:
        with self.state.session() as session:
            row = NoticeRow(
                channel=channel, about=message.about, subject=message.subject, case=message.case,
                alert=message.alert, run=message.run, time=time.time_ns(), error=error,
            )  # fmt: skip
            session.add(row)
            session.flush()
            return row.id
