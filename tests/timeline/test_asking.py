# SPDX-License-Identifier: Apache-2.0
"""Queries end when nobody waits for them; names of attributes are told apart from unknown ones."""

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

import pytest

from locard.timeline import Search, Timeline, Unwanted, asking
from locard.timeline.client import Client
from tests.timeline.rows import batch
from tests.waiting import PATIENCE, eventually

ENDLESS = "SELECT count() AS n FROM system.numbers WHERE NOT ignore(number)"
RUNNING = "SELECT count() AS n FROM system.processes WHERE Settings['log_comment'] = {group:String}"


def test_a_query_ends_when_nobody_waits(shared: Timeline) -> None:
    client: Client = shared._client
    ended: list[BaseException] = []

    def ask() -> None:
        with pytest.raises(Unwanted) as caught:
            client.table(ENDLESS)
        ended.append(caught.value)

    with asking() as mine:
        context = copy_context()
    thread = threading.Thread(target=context.run, args=(ask,))
    thread.start()
    eventually(lambda: client.table(RUNNING, {"group": mine.group}).column("n")[0].as_py())
    shared.end(mine)
    thread.join(PATIENCE)
    assert ended, "the query went on"
    with pytest.raises(Unwanted):
        context.run(shared.count, Search("nowhere"))
    assert shared.count(Search("nowhere")).rows == 0


def test_what_an_ended_query_answers_is_not_taken(
    shared: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store may answer a query that it ends with a part of the rows, and with no error."""
    plain = Client._try

    def ended(self: Client, ask: Callable[[Any], Any]) -> Any:
        answer = plain(self, ask)
        mine.ended = True
        return answer

    monkeypatch.setattr(Client, "_try", ended)
    with asking() as mine, pytest.raises(Unwanted):
        shared.count(Search("nowhere"))


def test_an_unknown_attribute_gets_the_name_that_was_meant(timeline: Timeline) -> None:
    timeline.write(
        "case",
        batch(
            {"attributes": {"userAgent": "curl/8", "a b": "x"}, "locator": "l1"},
            {"attributes": {"userAgent": "aws-cli/2"}, "locator": "l2"},
        ),
    )
    assert timeline.values("case", "attributes") == [("userAgent", 2), ("a b", 1)]
    assert timeline.values("case", "attributes", "USER") == [("userAgent", 2)]
    assert timeline.values("case", "attributes.userAgent", "cu") == [("curl/8", 1)]
    assert timeline.count(Search("case", "attributes.userAgent:curl*")).notes == []
    told = timeline.count(Search("case", "attributes.useragnt:curl* AND action:x")).notes
    assert told[0] == (
        "No event of this case has attributes.useragnt. Did you mean attributes.userAgent?"
    )
    (note, *_) = timeline.count(Search("case", "attributes.zzz:1")).notes
    assert note == "No event of this case has attributes.zzz."
