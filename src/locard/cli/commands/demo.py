# SPDX-License-Identifier: Apache-2.0
"""`locard demo`: a simulated incident to look into, or a simulated account to respond in."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from locard import settings
from locard.cli.commands.serve import PORT, Port, serve_on
from locard.cli.terminal import desk, errors, hand, out, shown
from locard.model.errors import Missing

if TYPE_CHECKING:
    from locard.cases.desk import Desk

DEMO = "demo"
PATIENCE = 10
"""Seconds that processes have to end."""
EXAMPLES = """Examples:

    locard demo

    locard demo respond

The second starts a simulated account of AWS on this machine. As soon as you have signed in, an
alert comes: watch the evidence being taken, agree to the isolation, and release the instance again.
It needs the extra locard[demo]; nothing of it outlives Ctrl-C.
"""


class Scene(StrEnum):
    """What is shown."""

    INCIDENT = "incident"
    RESPOND = "respond"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLES)(demo)


def demo(
    scene: Annotated[
        Scene, typer.Argument(help="An incident to look into, or an alert to respond to.")
    ] = Scene.INCIDENT,
    port: Port = PORT,
    serving: Annotated[bool, typer.Option("--serve/--no-serve")] = True,
) -> None:
    """Write a simulated incident, add it as a case, and serve it; or rehearse a response."""
    if scene is Scene.RESPOND:
        _rehearse(port)
        return
    with desk() as at:
        _prepare(at)
        if serving:
            serve_on(at, "127.0.0.1", port, [], f"/cases/{DEMO}")


def _prepare(at: "Desk") -> None:
    from locard.cases import demo as incident

    folder = settings.from_environment().home / "demo"
    try:
        ready = at.case(DEMO).totals
        if ready.evidence and not any(
            ready.stages.get(stage) for stage in ("queued", "parsing", "failed")
        ):
            return
    except Missing:
        at.create(DEMO, "SIMULATED: stolen instance credentials", who=hand(), simulated=True)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    errors.print("Writing the simulated incident ...")
    paths = incident.write(folder)
    with shown() as watch:
        added = at.add(DEMO, _roots(folder, paths), who=hand(), begun=watch.begun)
    out.print(f"Case '{DEMO}' (SIMULATED) holds {added.files:,} files, {added.events:,} events.")


def _roots(folder: Path, paths: list[Path]) -> list[Path]:
    return sorted({folder / path.relative_to(folder).parts[0] for path in paths})


def _rehearse(port: int) -> None:
    from locard.cases.demo.cloud import rehearsal
    from locard.cases.demo.cloud.account import fill, simulated
    from locard.cases.demo.cloud.finding import finding

    rehearsal.disguise()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all of it is cleared away
    errors.print("Starting a simulated account of AWS ...")
    with simulated() as endpoint, _passing_home(), desk() as at:
        scene = fill(endpoint)
        secret = rehearsal.prepare(at, endpoint, who=hand())
        out.print(f"The account {scene.account} is SIMULATED, as is its instance {scene.instance}.")
        out.print("The alert comes as soon as you have signed in.")

        def ready(address: str) -> None:
            alert = finding(scene)
            words = (at, address, secret, alert)
            Thread(target=rehearsal.send_when_somebody_looks, args=words, daemon=True).start()

        serve_on(at, "127.0.0.1", port, [], "/respond", ready=ready)


@contextmanager
def _passing_home() -> Iterator[None]:
    """A LOCARD_HOME of its own for as long as this lasts: no case of anybody is touched."""
    above = settings.from_environment().home
    above.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(prefix="rehearsal-", dir=above, ignore_cleanup_errors=True) as folder:
        os.environ["LOCARD_HOME"] = folder
        try:
            yield
        finally:
            until = time.monotonic() + PATIENCE
            while (left := _below(folder)) and time.monotonic() < until:
                _end(left)  # one of them may have begun another meanwhile


def _below(home: str) -> list[int]:
    """The processes that were begun for this home: they outlive the server by design."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"LOCARD_HOME={home}".encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def _end(processes: list[int]) -> None:
    from locard.cases.progress import birth

    for one in processes:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while any(birth(one) for one in processes) and time.monotonic() < until:
        time.sleep(0.05)
