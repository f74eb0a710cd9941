# SPDX-License-Identifier: Apache-2.0
"""The actions there are: every module below `collect` and `isolate` that exports `ACTION`."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType

from locard import actions
from locard.actions.contract import Action
from locard.model.errors import Error, Missing


@dataclass(frozen=True, slots=True)
class Named:
    """What the name of a target says."""

    action: Action
    id: str
    account: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Actions by id."""

    actions: Mapping[str, Action]

    def get(self, name: str) -> Action:
        """The action of that id. Raises `Missing`."""
        if name not in self.actions:
            near = difflib.get_close_matches(name, self.actions, 1)
            raise Missing(
                f"There is no action called {name[:80]!r}.",
                f"Did you mean {near[0]}?" if near else f"There are: {', '.join(self.actions)}.",
            )
        return self.actions[name]

    def of(self, verb: str, provider: str = "") -> list[Action]:
        """Those that collect, or isolate, the most volatile first."""
        found = [one for one in self.actions.values() if one.verb == verb]
        if provider:
            found = [one for one in found if one.provider == provider]
        return sorted(found, key=lambda one: (one.volatility, one.id))

    def meant(self, verb: str, target: str) -> list[Named]:
        """The actions whose targets are named like this. Raises `Error` when there is none."""
        found = []
        for action in self.of(verb):
            match = re.fullmatch(action.names, target)
            if match:
                said = match.groupdict(default="")
                found.append(
                    Named(action, said["id"], said.get("account", ""), said.get("region", ""))
                )
        if not found:
            kinds = sorted({one.kind for one in self.of(verb)})
            raise Error(
                f"{target[:120]!r} is no target that can be {verb.rstrip('e')}ed.",
                f"Name one of these by its id or ARN: {', '.join(kinds)}.",
            )
        return found


def within(package: ModuleType) -> Catalogue:
    """The actions below a package. Raises `ValueError` when an id is not its path."""
    found: dict[str, Action] = {}
    for one in walk_packages(package.__path__, f"{package.__name__}."):
        made = getattr(import_module(one.name), "ACTION", None)
        if isinstance(made, Action):
            if made.id != one.name.removeprefix(f"{package.__name__}."):
                raise ValueError(f"{one.name} calls itself {made.id}")
            found[made.id] = made
    return Catalogue(dict(sorted(found.items())))


@cache
def catalogue() -> Catalogue:
    """The actions of this installation."""
    return within(actions)
