# SPDX-License-Identifier: Apache-2.0
"""The parsers that exist, found by looking: a folder with `source.yaml` is a parser.

Nothing is registered anywhere. The id is the path below the root with dots. Code (`parse.py`) is
imported only when it is needed, because the parent lists parsers and must not run them.
"""

import difflib
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from locard import __version__
from locard.model.errors import Error, Missing
from locard.parsers.frames import IMAGE, RECORDS

OWN = Path(__file__).parent
"""The folder of the parsers that come with Locard."""

KINDS = (RECORDS, IMAGE)
ACCESS = ("stream", "random")
_EXCERPT = {"locator", "record"}
KEYS = (
    "title",
    "version",
    "kind",
    "access",
    "recognise",
    "recognised_by",
    "columns",
    "lists",
    "excerpt",
)
"""All that may stand in `source.yaml`; the last four are read by `mapping.py` and by people."""


@dataclass(frozen=True, slots=True)
class Source:
    """One parser as its `source.yaml` describes it."""

    id: str
    title: str
    version: str
    kind: str
    """`records`, or `image` for a disk image."""
    access: str
    """`stream` when it reads through compression layers, `random` when it must seek."""
    folder: Path
    data: Mapping[str, Any]
    """The whole of `source.yaml`."""
    module: str
    """Importable name of its code; empty when the folder is outside the package."""

    @property
    def excerpt(self) -> tuple[str, str] | None:
        """How locators of rows begin that tell a record in part, and the attribute that names it.

        `excerpt: {locator: row=, record: eventID}` in `source.yaml`; None without it.
        """
        found = self.data.get("excerpt")
        return (str(found["locator"]), str(found["record"])) if found else None

    @property
    def has_code(self) -> bool:
        """Whether a `parse.py` stands beside `source.yaml`."""
        return (self.folder / "parse.py").is_file()

    @property
    def specificity(self) -> int:
        """Breaks ties of recognition: what fits anything yields to what fits one thing."""
        return 0 if self.id.startswith("generic.") else self.id.count(".") + 1


class Catalogue:
    """All parsers below some folders, by id."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.sources = dict(sorted(sources.items()))

    def __iter__(self) -> Iterator[Source]:
        return iter(self.sources.values())

    def __len__(self) -> int:
        return len(self.sources)

    def get(self, parser: str) -> Source:
        """The parser of that id. Raises `Missing`, naming the nearest ids."""
        found = self.sources.get(parser)
        if found is None:
            raise unknown(parser, list(self.sources))
        return found


def unknown(parser: str, known: list[str]) -> Missing:
    """The error for a parser id that does not exist."""
    near = difflib.get_close_matches(parser, known, n=3, cutoff=0.4)
    tail = [name for name in known if name.rpartition(".")[2] == parser.rpartition(".")[2]]
    near = list(dict.fromkeys([*tail, *near]))[:3]
    advice = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(known)}."
    return Missing(f"There is no parser called {parser!r}.", advice)


def load(*more: Path) -> Catalogue:
    """The parsers of Locard and of the folders `more`.

    Raises `Error` that names every fault of every `source.yaml` with its line, so that an author
    mends them in one go.
    """
    sources: dict[str, Source] = {}
    faults: list[str] = []
    for root in (OWN, *more):
        for path in sorted(root.rglob("source.yaml")):
            parts = path.parent.relative_to(root).parts
            if not parts or "samples" in parts:
                continue
            module = ".".join((__package__, *parts, "parse")) if root == OWN else ""
            source = _read(path, ".".join(parts), module, faults)
            if source is None:
                continue
            if source.id in sources:
                faults.append(f"{path}: the id {source.id} is taken")
            sources[source.id] = source
    if faults:
        raise Error("Parsers are not described well:\n" + "\n".join(faults), "Mend source.yaml.")
    return Catalogue(sources)


def code(source: Source) -> ModuleType | None:
    """The parser's `parse.py`, imported; None when it is made of data alone."""
    if not source.has_code:
        return None
    if source.module:
        return importlib.import_module(source.module)
    return _foreign(source.folder / "parse.py", f"locard_parser_{source.id.replace('.', '_')}")


@cache
def own() -> Catalogue:
    """The parsers of Locard, looked at once: they stay what they are while a process runs."""
    return load()


@cache
def fingerprint() -> str:
    """Which parsers these are, down to their code: what none of them knew others may know.

    Their versions do not say it: what is recognised may change while the rows stay as they are.
    """
    digest = hashlib.sha256(__version__.encode())
    for path in sorted(OWN.rglob("*")):
        if path.suffix in (".py", ".yaml") and "samples" not in path.parts:
            digest.update(str(path.relative_to(OWN)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _foreign(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _read(path: Path, parser: str, module: str, faults: list[str]) -> Source | None:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = path.read_text("utf-8")
    try:
        node = yaml.compose(text, loader)
        data = yaml.load(text, loader)  # noqa: S506  (CSafeLoader is the safe loader in C)
    except yaml.YAMLError as error:
        faults.append(f"{path}: {error}")
        return None
    if not isinstance(data, dict) or not isinstance(node, yaml.MappingNode):
        faults.append(f"{path}:1: not a mapping of names to values")
        return None
    lines = {key.value: value.start_mark.line + 1 for key, value in node.value}
    before = len(faults)
    for name in data:
        if name not in KEYS:
            near = difflib.get_close_matches(str(name), KEYS, n=1)
            meant = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(KEYS)}"
            faults.append(f"{path}:{lines.get(name, 1)}: {name} means nothing here{meant}")
    for name in ("title", "version"):
        if name not in data:
            faults.append(f"{path}:1: {name} is missing")
        elif not isinstance(data[name], str) or not data[name].strip():
            faults.append(f"{path}:{lines[name]}: {name} must be text (put it in quotes)")
    for name, words, default in (("kind", KINDS, RECORDS), ("access", ACCESS, "stream")):
        if data.get(name, default) not in words:
            faults.append(f"{path}:{lines[name]}: {name} must be one of {', '.join(words)}")
    if set(data.get("excerpt", _EXCERPT)) != _EXCERPT:
        faults.append(f"{path}:{lines['excerpt']}: excerpt must have locator and record, no more")
    if not (path.parent / "parse.py").is_file() and "columns" not in data:
        faults.append(f"{path}:1: neither columns nor a parse.py beside it")
    if len(faults) > before:
        return None
    kind = data.get("kind", RECORDS)
    access = data.get("access", "random" if kind == IMAGE else "stream")
    return Source(parser, data["title"], data["version"], kind, access, path.parent, data, module)
