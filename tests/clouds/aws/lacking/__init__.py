# SPDX-License-Identifier: Apache-2.0
"""Calls that moto lacks, a module for each service; each exports `ANSWERS`, by the call's name.

Names are regular expressions as policies name calls (`ecs:UpdateTaskProtection`), or method and
path where a service has no names on the wire (`lambda:GET .*/url`). No list of them is edited.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One call."""

    name: str
    body: bytes
    form: dict[str, list[str]] = field(default_factory=dict)
    path: str = ""
    query: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What is answered."""

    body: str
    status: str = "200 OK"
    kind: str = "application/json"


Handler = Callable[[Asked], Answer | None]
"""None: moto is to answer it after all."""


def every() -> dict[str, Handler]:
    """All of them."""
    found: dict[str, Any] = {}
    for one in iter_modules(__path__, f"{__name__}."):
        found |= import_module(one.name).ANSWERS
    return found
