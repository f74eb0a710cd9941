# SPDX-License-Identifier: Apache-2.0
"""By which requests a run made what its exhibits come of: snapshots, commands on a host.

Reading blocks or objects is a data event, which most accounts do not record; making a snapshot or
sending a command they do. It is written into the run's folder, since a later step needs it, also
after a crash.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from locard.model.action import Json
from locard.model.custody import Request


def note_request(folder: Path, names: Iterable[str], request: Request) -> None:
    """Write down by which request something was made: the exhibits that come of it say so."""
    file = folder / "requests.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    note(file, known | {name: asdict(request) for name in names})


def made_by(folder: Path, *names: str) -> tuple[Request, ...]:
    """The requests by which this run made what bears these names, as far as they are known."""
    file = folder / "requests.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    return tuple(Request(**known[name]) for name in names if name in known)


def note(file: Path, made: Mapping[str, Json]) -> None:
    """Write down what was made, so that it is not made again."""
    new = file.with_suffix(".new")
    new.write_text(json.dumps(made))
    new.replace(file)
