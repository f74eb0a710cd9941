# SPDX-License-Identifier: Apache-2.0
"""The toy's cloud: lamps in a JSON file, which several processes may switch at once.

`TOY_DIE` kills the process for good around a call: `before:switch`, `after:switch`.
"""

import fcntl
import json
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from locard.actions.contract import Action
from locard.model.action import Target
from locard.model.custody import Request
from locard.model.errors import Denied, Missing
from locard.state.accounts import Account


class ToyCloud:
    """A session at the lamps."""

    def __init__(self, path: Path, run: str = "") -> None:
        self.path, self.run = path, run
        self.requests: list[Request] = []

    def get(self, lamp: str) -> dict[str, Any]:
        """The lamp as it is. Raises `Missing`."""
        with self._open() as world:
            if lamp not in world["lamps"]:
                raise Missing(f"There is no lamp {lamp}.", "Look in another room.")
            found: dict[str, Any] = json.loads(json.dumps(world["lamps"][lamp]))
            return found

    def switch(self, lamp: str, name: str, value: Any) -> None:
        """Set one property. Raises `Denied` for those that the world denies."""
        self._die("before", name)
        with self._open() as world:
            if name in world.get("denied", ()):
                raise Denied(f"toy:Switch on {name} is not allowed.", "Allow toy:Switch.")
            world["lamps"][lamp][name] = value
            world["calls"].append([self.run, lamp, name, value])
            self.path.write_text(json.dumps(world))
        self._die("after", name)

    def cast(self, lamp: str) -> dict[str, Any]:
        """A cast of the lamp as it is now, or the one that this run has made."""
        with self._open() as world:
            casts = world.setdefault("casts", {})
            if self.run not in casts:
                casts[self.run] = world["lamps"][lamp]
                world["calls"].append([self.run, lamp, "cast", None])
                self.path.write_text(json.dumps(world))
            found: dict[str, Any] = casts[self.run]
            return found

    def lacks(self, wanted: Sequence[tuple[str, tuple[str, ...]]]) -> dict[str, bool]:
        """This provider does not tell."""
        return {}

    def _die(self, when: str, name: str) -> None:
        if os.environ.get("TOY_DIE") == f"{when}:{name}":
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def _open(self) -> Iterator[dict[str, Any]]:
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield json.loads(self.path.read_text())


def make(path: Path) -> None:
    """A room with two lamps."""
    lamp = {"power": "on", "colour": "red", "friends": ["a", "b"]}
    path.write_text(json.dumps({"lamps": {"one": lamp, "two": lamp}, "calls": []}))


def world(path: Path) -> dict[str, Any]:
    """The whole of it."""
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def connect(
    account: Account,
    _action: Action,
    _target: Target,
    _names: Mapping[str, tuple[str, ...]],
    run: str,
) -> ToyCloud:
    """A session; the account's endpoint is the file."""
    return ToyCloud(Path(account.endpoint), run)
