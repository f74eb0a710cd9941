# SPDX-License-Identifier: Apache-2.0
"""The sources of alerts that can be read: every folder below `sources/` with a `source.yaml`."""

import difflib
import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from locard.cases.alerts import mapping
from locard.cases.alerts.mapping import Named, Reading
from locard.model.action import Json
from locard.model.alert import Said
from locard.model.errors import Missing, Unreadable
from locard.parsers.strict_json import BadRecord
from locard.parsers.strict_json import read as read_json

OWN = Path(__file__).parent / "sources"
KEYS = {"title", "about", "version", "provider", "recognise", "each", "alert", "targets",
        "signature"}  # fmt: skip
MOST_BYTES = 1 << 20
"""Of one message."""
MOST_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Source:
    """One source of alerts."""

    id: str
    """Its folder's path below `sources/`, with dots."""
    title: str
    about: str
    data: Mapping[str, Any]
    folder: Path

    @property
    def signature(self) -> Mapping[str, str]:
        """How its vendor signs what it sends; empty when it does not."""
        return dict(self.data.get("signature", {}))


@dataclass(frozen=True, slots=True)
class Sources:
    """All of them."""

    by_id: Mapping[str, Source]
    named: Named

    def get(self, name: str) -> Source:
        """The source of that id. Raises `Missing`."""
        if name not in self.by_id:
            near = difflib.get_close_matches(name, self.by_id, 1)
            raise Missing(
                f"There is no source of alerts called {name[:60]!r}.",
                f"Did you mean {near[0]}?" if near else f"There are: {', '.join(self.by_id)}.",
            )
        return self.by_id[name]

    def read(self, body: bytes, now: int, source: str = "") -> list[Said]:
        """The alerts that a message says, by the source that is named or recognised.

        Raises `Unreadable` when it is of none, or of another.
        """
        oddities: list[str] = []
        message = content(body, oddities)
        if source:
            chosen = self.get(source)
            if not mapping.recognised(chosen.data, message):
                raise Unreadable(
                    f"The message is none of {chosen.title}: {_expected(chosen)}.",
                    "Send it to the address of its own source, or look at what it holds.",
                )
            fits = [chosen]
        else:
            fits = [one for one in self.by_id.values() if mapping.recognised(one.data, message)]
        if not fits:
            raise Unreadable(
                "The message is of no source of alerts that is known.",
                f"Known are: {', '.join(self.by_id)}. See: locard alert sources",
            )
        best = max(fits, key=lambda one: len(one.data["recognise"]))
        says = mapping.read(Reading(best.id, best.data, self.named, now), message)
        return [replace(one, notes=(*one.notes, *oddities)) for one in says]


def content(body: bytes, oddities: list[str]) -> Json:
    """A message as JSON, and what is odd about it. Raises `Unreadable`."""
    if len(body) > MOST_BYTES:
        raise Unreadable(
            f"The message has {len(body):,} bytes, and an alert has {MOST_BYTES:,} at most.",
            "Add it as evidence instead: locard add CASE FILE",
        )
    try:
        message = read_json(body.removeprefix(BOM_UTF8), oddities)
    except BadRecord as error:
        raise Unreadable(
            f"The message is not JSON: {str(error)[:200]}.", "Let the source send JSON."
        ) from error
    level = [message]
    for _ in range(MOST_DEPTH):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return message
    raise Unreadable(
        f"The message is nested more than {MOST_DEPTH} deep.", "No detector writes such a message."
    )


def _inside(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _expected(source: Source) -> str:
    paths = ", ".join(source.data["recognise"])
    return f"it is recognised by {paths}"


def within(folder: Path) -> Sources:
    """The sources below a folder. Raises `ValueError` for what is not in the language."""
    found = {}
    for path in sorted(folder.rglob("source.yaml")):
        name = ".".join(path.parent.relative_to(folder).parts)
        data = yaml.safe_load(path.read_text("utf-8"))
        if strange := set(data) - KEYS:
            raise ValueError(f"{path}: {', '.join(strange)} is not in the language")
        found[name] = Source(name, data["title"], data.get("about", ""), data, path.parent)
    named = {
        path.stem: tuple(
            (one["kind"], re.compile(one["name"], re.ASCII))
            for one in yaml.safe_load(path.read_text("utf-8"))
        )
        for path in sorted((folder / "named").glob("*.yaml"))
    }
    return Sources(found, named)


@cache
def sources() -> Sources:
    """The sources of this installation."""
    return within(OWN)
