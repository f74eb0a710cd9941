# SPDX-License-Identifier: Apache-2.0
"""Alerts, playbooks and notices over the toy provider: the rest knows no provider by name."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from locard.actions import catalogue
from locard.cases.alerts import sources
from locard.cases.alerts.inflow import Alerts
from locard.cases.notices.sending import Notices
from locard.cases.playbooks.matching import Matching
from locard.cases.playbooks.running import Playbooks
from locard.cases.playbooks.shelf import Shelf
from locard.cases.response.runner import Runner
from locard.cases.response.settings import Responding, load
from locard.model.action import Target
from locard.model.alert import Alert
from locard.model.custody import Hand
from locard.state.accounts import Account
from tests import toys
from tests.response.conftest import toy_runner
from tests.toys import cloud

SOURCES = sources.within(Path(__file__).parent.parent / "toys" / "sources")
WATCHMAN = Hand("queue lamps", "automation")
BOOK = """
title: A lamp that flickers is described and put out
when:
  kind: flickers
  target.kind: lamp
then:
  - collect: collect.toy.lamp
  - isolate: isolate.toy.lamp
  - analyse: case
  - notify: all
    text: It is dark now.
ask: {ask}
limits: {{targets_per_hour: {most}}}
"""


@dataclass
class Bench:
    """All that responds, over one home and one room."""

    home: Path
    room: Path
    runner: Runner
    alerts: Alerts
    shelf: Shelf
    notices: Notices
    playbooks: Playbooks
    analysed: list[str]
    apart: list[str]
    """Runs that were to be carried on in a process of their own."""

    def write(self, name: str, text: str) -> None:
        """A playbook of the person's own."""
        folder = self.home / "playbooks"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.yaml").write_text(text)

    def on(self, ask: str = "never", most: int = 5, name: str = "dark") -> None:
        """The usual playbook, switched on."""
        self.write(name, BOOK.format(ask=ask, most=most))
        self.shelf.enable(name, Hand("ana", "command line"))

    def take(self, who: Hand = WATCHMAN, **values: Any) -> Alert:
        """Take an alert in."""
        return self.alerts.take(json.dumps(said(**values)).encode(), who)[0]


def said(**values: Any) -> dict[str, Any]:
    """What the watchman says."""
    given: dict[str, Any] = {"watchman": "w", "number": "1", "what": "flickers", "how bad": 8,
                             "at": time.time(), "room": "42", "lamps": ["one"]}  # fmt: skip
    return given | values


def tags(account: Account, target: Target) -> Mapping[str, str]:
    """The tags of a lamp are its properties that are text."""
    lamp = cloud.ToyCloud(Path(account.endpoint)).get(target.id)
    return {name: one for name, one in lamp.items() if isinstance(one, str)}


def bench(home: Path, room: Path) -> Bench:
    """The same over the same home again, as a process that begins anew would have it."""
    runner = toy_runner(home, room)
    known = catalogue.within(toys)

    def settings() -> Responding:
        return load(home, SOURCES.by_id)

    analysed: list[str] = []
    apart: list[str] = []
    shelf = Shelf(home, runner.state, runner.vault, known, own=home / "none")
    notices = Notices(home, runner.state, settings)
    playbooks = Playbooks(
        runner.state, runner.vault, shelf, runner, Matching(runner.state, known, tags), notices,
        runner.carry_on, lambda case, _who: analysed.append(case),
        lambda found, _who: apart.extend(found),
    )  # fmt: skip
    alerts = Alerts(home, runner.state, runner.vault, SOURCES, settings)
    return Bench(home, room, runner, alerts, shelf, notices, playbooks, analysed, apart)
