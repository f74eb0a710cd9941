# SPDX-License-Identifier: Apache-2.0
"""YAML that people write, read strictly: every fault is named with its line, all at once.

A word that is not known is a fault and not passed over, for a limit that is spelt wrong would
otherwise be no limit.
"""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import yaml

from locard.model.errors import Error

MOST_BYTES = 1 << 17
MOST_NODES = 10_000
MOST_DEPTH = 20
_KINDS = {"str": "text", "int": "a number", "bool": "yes or no", "list": "a list",
          "dict": "keys with values", "NoneType": "nothing", "float": "a number"}  # fmt: skip


SPANS = {"m": 60, "h": 3_600, "d": 86_400}
"""Seconds by the letter that lengths of time end with."""


class BadDocument(Error):
    """A file that is not in its language; the message names every fault with its line."""

    http_status = 422

    def __init__(self, name: str, faults: Sequence[str], advice: str) -> None:
        several = f"{len(faults)} faults" if len(faults) > 1 else "a fault"
        super().__init__(f"{name} has {several}:\n" + "\n".join(faults), advice)
        self.faults = tuple(faults)


class Section:
    """Keys and values at one place of a document, and the faults of the whole of it."""

    def __init__(self, node: yaml.MappingNode, path: str, faults: list[str]) -> None:
        self.node, self.path, self.faults = node, path, faults
        self._values: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if not name:
                self.fault(key, "a key has to be a word")
            elif name in self._values:
                self.fault(key, f"{name!r} stands here twice")
            else:
                self._values[name] = (key, value)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def only(self, known: Collection[str], needed: Collection[str] = ()) -> None:
        """Name every key that is not known, with what was probably meant, and those that lack."""
        for name, (key, _) in self._values.items():
            if name not in known:
                near = difflib.get_close_matches(name, known, 1, 0.5)
                meant = (
                    f"did you mean {str(near[0])!r}?" if near else f"there are {', '.join(known)}"
                )
                self.fault(key, f"{self._at()}there is no key {name!r}; {meant}")
        for name in needed:
            if name not in self._values:
                self.fault(self.node, f"{self._at()}{name!r} is missing")

    def fault(self, at: yaml.Node | str, what: str) -> None:
        """Note a fault at a node, or at the value of a key."""
        node = self._values[at][1] if isinstance(at, str) else at
        mark = node.start_mark
        self.faults.append(f"line {mark.line + 1}, column {mark.column + 1}: {what}")

    def value(self, name: str, kinds: tuple[type, ...], otherwise: Any = None) -> Any:
        """The plain value of a key, of one of these kinds; what else it is becomes a fault."""
        if name not in self._values:
            return otherwise
        found = plain(self._values[name][1])
        good = isinstance(found, kinds) and (bool in kinds or not isinstance(found, bool))
        if not good:
            wanted = " or ".join(dict.fromkeys(_KINDS[one.__name__] for one in kinds))
            given = _KINDS.get(type(found).__name__, "something else")
            self.fault(name, f"{self._at(name)}is {given}, and has to be {wanted}")
            return otherwise
        return found

    def text(self, name: str, otherwise: str = "") -> str:
        """The text of a key."""
        return str(self.value(name, (str,), otherwise))

    def number(self, name: str, otherwise: int, least: int, most: int) -> int:
        """A number within bounds."""
        found = self.value(name, (int,), otherwise)
        if not least <= found <= most:
            self.fault(name, f"{self._at(name)}is {found}, and has to be {least} to {most}")
            return otherwise
        return int(found)

    def span(self, name: str, otherwise: int, least: int, most: int) -> int:
        """A length of time in seconds, written as `90m`, `24h` or `7d`, within bounds."""
        found = self.text(name)
        if name not in self._values or not found:
            return otherwise
        number, unit = found[:-1], found[-1:]
        known = number.isascii() and number.isdigit() and len(number) < 8 and unit in SPANS
        seconds = int(number) * SPANS[unit] if known else 0
        if not least <= seconds <= most:
            self.fault(
                name,
                f"{self._at(name)}has to be {spelled(least)} to {spelled(most)}, written as 90m, "
                "24h or 7d",
            )
            return otherwise
        return seconds

    def choice(self, name: str, known: Collection[str], otherwise: str) -> str:
        """One of these words."""
        found = self.text(name, otherwise)
        if found not in known:
            near = difflib.get_close_matches(found, known, 1, 0.5)
            meant = f"did you mean {str(near[0])!r}?" if near else f"there are {', '.join(known)}"
            self.fault(name, f"{self._at(name)}cannot be {found[:60]!r}; {meant}")
            return otherwise
        return found

    def section(self, name: str) -> "Section | None":
        """The keys and values below a key."""
        if name not in self._values:
            return None
        node = self._values[name][1]
        if isinstance(node, yaml.MappingNode):
            return Section(node, f"{self.path}{name}.", self.faults)
        self.fault(name, f"{self._at(name)}has to be keys with values")
        return None

    def sections(self, name: str) -> list["Section"]:
        """The entries of a list, each with keys and values."""
        if name not in self._values:
            return []
        node = self._values[name][1]
        if not isinstance(node, yaml.SequenceNode):
            self.fault(name, f"{self._at(name)}has to be a list: each entry begins with a dash")
            return []
        found = []
        for number, one in enumerate(node.value, 1):
            if isinstance(one, yaml.MappingNode):
                found.append(Section(one, f"{self.path}{name}.{number}.", self.faults))
            else:
                self.fault(one, f"{self._at(name)}has entries of keys with values, and not text")
        return found

    def node_of(self, name: str) -> yaml.Node:
        """Where the value of a key stands."""
        return self._values[name][1]

    def _at(self, name: str = "") -> str:
        full = f"{self.path}{name}".rstrip(".")
        return f"{full}: " if full and not name else f"{full} " if full else ""


def read(text: str, name: str, advice: str) -> Section:
    """The document, its faults to be gathered. Raises `BadDocument` when it is no YAML."""
    if len(text) > MOST_BYTES:
        raise BadDocument(name, [f"it has {len(text):,} characters, more than anybody reads"], "")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        fault = _excess(root)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        said = getattr(error, "problem", None) or "it cannot be read"
        raise BadDocument(name, [f"{place}this is no YAML: {said}"], advice) from error
    if fault:
        raise BadDocument(name, [fault], advice)
    if not isinstance(root, yaml.MappingNode):
        raise BadDocument(name, ["line 1: it has to be keys with values"], advice)
    return Section(root, "", [])


def _excess(root: yaml.Node | None) -> str:
    """What makes a document too much, or different from what it looks like."""
    seen: set[int] = set()
    waiting: list[tuple[yaml.Node, int]] = [(root, 0)] if root is not None else []
    while waiting:
        node, depth = waiting.pop()
        line = f"line {node.start_mark.line + 1}: "
        if id(node) in seen:
            return f"{line}anchors and aliases are not understood here; write it out"
        seen.add(id(node))
        if len(seen) > MOST_NODES or depth > MOST_DEPTH:
            return f"{line}it is larger or deeper than anybody reads"
        if isinstance(node, yaml.MappingNode):
            waiting += [(one, depth + 1) for pair in node.value for one in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(one, depth + 1) for one in node.value]
    return ""


def plain(node: yaml.Node) -> Any:
    """The value of a node as plain data; dates stay text."""
    if isinstance(node, yaml.MappingNode):
        # A key is what is written: `true` and not Python's word for it.
        return {str(key.value): plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [plain(one) for one in node.value]
    kind = node.tag.rpartition(":")[2]
    if kind in ("int", "float", "bool", "null"):
        try:
            return yaml.safe_load(node.value) if node.value else None
        except (yaml.YAMLError, ValueError):
            return str(node.value)
    return str(node.value)


def spelled(seconds: int) -> str:
    """A length of time in words: `90 minutes`, `24 hours`, `7 days`."""
    for unit, name in ((86_400, "day"), (3_600, "hour")):
        if seconds >= 2 * unit or seconds == unit:
            number = round(seconds / unit)
            return f"{number} {name}" + ("s" if number != 1 else "")
    number = max(1, round(seconds / 60))
    return f"{number} minute" + ("s" if number != 1 else "")


def strings(found: Any) -> Mapping[str, str]:
    """A mapping as text by text."""
    return {str(name): str(value) for name, value in found.items()}
