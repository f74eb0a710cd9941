# SPDX-License-Identifier: Apache-2.0
"""From an alert to the first evidence in the vault, through a running server.

A GuardDuty finding about an instance of the simulated account is posted, signed, to the door of
detectors, or sent to the queue that the server watches (moto's). Measured from before it is sent to
the commit of the first step that took evidence: the exhibit is in vault and ledger then. What the
simulated cloud took of that itself, every call clocked in its own process, is shown beside and
taken off: the rest is our own time. The first alert comes when the server has just started, the
others one after the other. Aim: under 5 seconds of our own time.
"""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from measuring import Report, locard, options, say, scratch, stop, store_of
from sqlalchemy import select

from locard import providers
from locard.cases.demo.cloud import account, rehearsal
from locard.cases.demo.cloud.finding import finding
from locard.cases.demo.cloud.front import Front, Start, answer, serve
from locard.cases.desk import Desk
from locard.model.action import RunState
from locard.model.custody import Hand
from locard.state.playbooks import PlaybookRunRow
from locard.state.runs import RunRow, StepRow

AIM = 5.0
PLAYBOOK = "collect-instances"
PATIENCE = 120
WHO = Hand("bench", "command line")
SETTLE = 8.0
"""Seconds between two alerts: what the one set off has ended, and the next finds the server idle."""


class Clocked(Front):
    """The simulated cloud, with when each call came and was answered."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, int, int]] = []

    def answer(
        self, action: str, form: dict[str, list[str]], environ: dict[str, Any], start: Start
    ) -> Iterable[bytes]:
        begun = time.time_ns()
        try:
            return super().answer(action, form, environ, start)
        finally:
            self.calls.append((action, begun, time.time_ns()))

    def control(self, name: str, body: bytes, start: Start) -> Iterable[bytes]:
        if name == "calls":
            return answer(start, "200 OK", json.dumps(self.calls))
        return super().control(name, body, start)


@dataclass
class Cloud:
    """A simulated account in a process of its own."""

    endpoint: str

    def calls(self, since: int, until: int, handed: int = 0) -> list[tuple[str, int, int]]:
        """What was asked and answered between two moments, clipped to them.

        Of waiting at a queue only what ended until `handed` counts: then the alert was handed out.
        """
        with urllib.request.urlopen(f"{self.endpoint}/locard-simulation/calls") as told:
            found = json.loads(told.read())
        return [
            (action, max(begun, since), min(ended, until))
            for action, begun, ended in found
            if ended > since and begun < until
            and (action != "sqs:ReceiveMessage" or ended < handed)
        ]  # fmt: skip


@contextmanager
def cloud() -> Iterator[Cloud]:
    """The simulated account, clocked."""
    from socket import create_server

    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", __file__, "--cloud", str(port)],
        env=os.environ | {"MOTO_ACCOUNT_ID": account.ACCOUNT}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    found, until = Cloud(f"http://127.0.0.1:{port}"), time.monotonic() + 60
    try:
        while True:
            try:
                found.calls(0, 0)
                break
            except OSError:
                if time.monotonic() > until or process.poll() is not None:
                    raise
                time.sleep(0.1)
        yield found
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def server(home: Path) -> Iterator[str]:
    """`locard serve` over this home; its address, once it answers."""
    process = subprocess.Popen(
        locard("serve", "--port", "0"), env=os.environ | {"LOCARD_HOME": str(home)},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        address = line.split()[-1]
        threading.Thread(target=process.stdout.read, daemon=True).start()
        urllib.request.urlopen(f"{address}/api/health", timeout=60).close()
        yield address
    finally:
        process.terminate()
        process.wait(30)


@dataclass
class Sample:
    """One alert."""

    seconds: float
    cloud: float
    calls: int
    stages: dict[str, float]
    """Seconds after the alert at which each was reached."""

    @property
    def own(self) -> float:
        """What is ours of it."""
        return self.seconds - self.cloud


def union(calls: list[tuple[str, int, int]]) -> float:
    """Seconds in which at least one call was being answered."""
    total = last = 0
    for _, begun, ended in sorted(calls, key=lambda one: one[1]):
        total += max(0, ended - max(begun, last))
        last = max(last, ended)
    return total / 1e9


def sample(desk: Desk, simulated: Cloud, way: str, send: Callable[[], object]) -> Sample:
    """Send an alert and wait for what it brings."""
    with desk.state.session() as session:
        known = set(session.scalars(select(PlaybookRunRow.id)))
    since = time.time_ns()
    send()
    sent = time.time_ns()
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        time.sleep(0.2)
        with desk.state.session() as session:
            books = session.scalars(select(PlaybookRunRow)).all()
            (book,) = [one for one in books if one.id not in known] or [None]
            if book is None or book.ended is None:
                continue
            run = session.scalars(
                select(RunRow).where(RunRow.alert == book.alert, RunRow.rule == PLAYBOOK)
            ).one()
            assert run.state == RunState.DONE.value, run.error
            steps = session.scalars(select(StepRow).where(StepRow.run == run.id)).all()
            first = min((one for one in steps if one.evidence), key=lambda one: one.ended or 0)
            end = first.ended
            assert end is not None and first.started is not None
            stages = {"sent": sent, "judged": book.started, "planned": run.started,
                      "at work": first.started, "stored": end}  # fmt: skip
        calls = simulated.calls(since, end, book.started if way == "queue" else 0)
        return Sample(
            (end - since) / 1e9, union(calls), len(calls),
            {name: (moment - since) / 1e9 for name, moment in stages.items()},
        )  # fmt: skip
    raise SystemExit(f"No evidence came within {PATIENCE} s: see {desk.settings.home}/resume.log")


def prepared(home: Path, simulated: Cloud) -> tuple[Desk, str, str, Any]:
    """An installation with the account, the playbook and both ways in; secret, queue and client."""
    desk = Desk.at(home)
    secret = rehearsal.prepare(desk, simulated.endpoint, who=WHO)
    desk.response.shelf.disable(rehearsal.PLAYBOOK, WHO)
    desk.response.shelf.enable(PLAYBOOK, WHO)
    client = providers.session("aws").Cloud(
        account.ACCOUNT, account.REGION, "bench", endpoint=simulated.endpoint
    )
    # Of its own: what a server waited for that is gone would take the alert and keep it for 30 s.
    queue = client.call("sqs:CreateQueue", QueueName=f"alerts-{home.name}")["QueueUrl"]
    with (home / "response.yaml").open("a") as file:
        file.write(f"queues:\n  - {{account: {rehearsal.NAME}, address: {queue}}}\n")
    return desk, secret, queue, client


def add(report: Report, way: str, found: list[Sample]) -> None:
    """The figures of one way in: the first, and the median of the others."""
    first, others = found[0], found[1:]
    for what, own, total, floor, one in (
        (f"{way}, a server that has just started", first.own, first.seconds, first.cloud, first),
        (f"{way}, median of {len(others)}", median(x.own for x in others),
         median(x.seconds for x in others), median(x.cloud for x in others), others[-1]),
    ):  # fmt: skip
        stages = ", ".join(f"{name} {moment:.2f}" for name, moment in one.stages.items())
        report.add(
            what, f"{own:.2f} s of our own",
            f"aim < {AIM:.0f} s, {'met' if own < AIM else 'missed'}; {total:.2f} s in all, "
            f"{floor:.2f} s of them the cloud's ({one.calls} calls); {stages}",
            **{what: {"own": own, "total": total, "cloud": floor, "stages": one.stages}},
        )  # fmt: skip


def main() -> None:
    """Run it."""
    parser = options(__doc__)
    parser.add_argument("--alerts", type=int, default=6, help="alerts through each way")
    parser.add_argument("--cloud", type=int, help="be the simulated cloud at this port")
    given = parser.parse_args()
    if given.cloud:
        serve(Clocked(), given.cloud)
        return
    rehearsal.disguise()
    report = Report("From an alert to the first evidence in the vault")
    with scratch(given.folder) as folder, cloud() as simulated:
        say("Filling the simulated account ...")
        scene = account.fill(simulated.endpoint)
        for way in ("webhook", "queue"):
            home = folder / way
            desk, secret, queue, client = prepared(home, simulated)
            found: list[Sample] = []
            with server(home) as address:
                for number in range(given.alerts):
                    alert = finding(scene)

                    told = {"QueueUrl": queue, "MessageBody": alert.decode()}
                    ways: dict[str, Callable[[], object]] = {
                        "webhook": partial(rehearsal.send, address, secret, alert),
                        "queue": partial(client.call, "sqs:SendMessage", **told),
                    }
                    found.append(sample(desk, simulated, way, ways[way]))
                    say(f"  {way} {number}: {found[-1].own:.2f} s of {found[-1].seconds:.2f} s")
                    time.sleep(SETTLE)
            desk.close()
            if (home / "timeline" / "store.json").exists():
                stop(store_of(home / "timeline"))
            add(report, way, found)
    report.finish(given)


if __name__ == "__main__":
    main()
