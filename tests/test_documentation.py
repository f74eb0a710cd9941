# SPDX-License-Identifier: Apache-2.0
"""What the documentation says that a machine can judge: its links, commands and generated pages.

`openapi.json` is judged beside the API, in tests/api/test_openapi.py.
"""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
import yaml

from locard.cli.main import application
from locard.parsers.catalogue import KEYS, Source, load
from locard.parsers.contract import Head
from locard.parsers.mapping import BadMapping, compile_columns
from locard.parsers.recognise import claim_of
from locard.timeline import Search
from locard.timeline.query.compiler import compile_query
from locard.timeline.query.fields import FIELDS
from tests.contracts import golden

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "scripts" / "reference.py"
PAGES = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
by_page = pytest.mark.parametrize("page", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])

_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"^```[^\n]*\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def code_of(text: str) -> list[str]:
    """The lines of all code, fenced or inline."""
    blocks = [block or inline for block, inline in _CODE.findall(text)]
    return [line.strip() for block in blocks for line in block.splitlines()]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them."""
    plain = _FENCE.sub("", text)
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", plain, re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        found.add(name if name not in found else f"{name}-1")
    return found


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """The script that writes the reference, as a module."""
    spec = importlib.util.spec_from_file_location("locard_reference", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_what_the_code_says_on_a_narrow_terminal_too() -> None:
    run = subprocess.run(
        [sys.executable, str(SCRIPT), "--check"],
        env={**os.environ, "COLUMNS": "37", "TERMINAL_WIDTH": "37", "FORCE_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", ""), "run: make docs"


def test_a_page_that_is_missing_or_differs_is_stale(reference: ModuleType, tmp_path: Path) -> None:
    same, other, missing = (tmp_path / name for name in ("same.md", "other.md", "missing.md"))
    same.write_text("true\n")
    other.write_text("true \n")
    expected = dict.fromkeys((same, other, missing), "true\n")
    assert reference.stale(expected) == [other, missing]


def test_the_reference_names_every_parser_command_and_field(reference: ModuleType) -> None:
    from locard.model.event import COLUMNS

    pages = {path.name: text for path, text in reference.pages().items()}
    for source in load():
        assert f"\n## {source.id}\n" in pages["parsers.md"]
    for column in COLUMNS:
        assert f"| `{column.name}` |" in pages["fields.md"]
    for words in commands():
        assert f"\n## locard {words}\n" in pages["commands.md"]


@cache
def program() -> Any:
    """The command line, as it is parsed."""
    return typer.main.get_command(application())


def commands() -> set[str]:
    """Every command, with the groups that it is in."""

    def below(one: Any, words: tuple[str, ...]) -> Iterator[str]:
        inner = getattr(one, "commands", None)
        if inner is None:
            yield " ".join(words)
        for name, command in (inner or {}).items():
            yield from below(command, (*words, name))

    return set(below(program(), ()))


@by_page
def test_relative_links_point_at_what_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    for target in _LINK.findall(_FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, fragment = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), f"{page.name} points at {target}"
        assert path.is_relative_to(ROOT), f"{page.name} points outside: {target}"
        if fragment:
            assert fragment in anchors(path.read_text("utf-8")), f"no heading for {target}"


@by_page
def test_every_make_that_is_named_is_a_target(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert {"demo", "install", "test", "check", "docs", "golden"} <= targets
    for line in code_of(page.read_text("utf-8")):
        if match := re.match(r"make((?: [a-z]+)+)", line):
            for word in match[1].split():
                assert word in targets, f"{page.name} says `make {word}`"


COMMAND = re.compile(r"(?:^|(?<=[\s`/('\"]))locard ([a-z][^`\n]*)")


def unknown(text: str) -> Iterator[str]:
    """The commands and options that a text tells people to type and that are none."""
    for match in COMMAND.finditer(text):
        at, path = program(), "locard"
        for word in match[1].split():
            name, inner = word.rstrip(".,;:)'\"").partition("=")[0], getattr(at, "commands", {})
            if not name or name in ("#", "|", "&&", ">"):
                break
            if name in inner:
                at, path = inner[name], f"{path} {name}"
            elif inner and not getattr(at, "default", "") and re.fullmatch("[a-z][a-z-]*", name):
                yield f"{path} {name}"
                break
            elif name.startswith("--") and name != "--help":
                options = {one for each in at.params for one in each.opts + each.secondary_opts}
                if name not in options:
                    yield f"{path} {name}"
            if word[-1] in ".,;:)":
                break


@by_page
def test_every_command_and_option_that_is_named_exists(page: Path) -> None:
    text = page.read_text("utf-8").replace("\\\n", " ")
    assert [fault for line in code_of(text) for fault in unknown(line)] == []


def test_every_command_and_option_that_the_program_advises_exists() -> None:
    found: list[str] = []
    advised = 0
    for path in (ROOT / "src" / "locard").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            text = "".join(
                part.value if isinstance(part, ast.Constant) else "X"
                for part in parts
                if isinstance(part, ast.FormattedValue)
                or (isinstance(part, ast.Constant) and isinstance(part.value, str))
            )
            advised += len(COMMAND.findall(text))
            found += [f"{path.name}: {fault}" for fault in unknown(text)]
    assert found == [] and advised > 100


def test_a_command_or_an_option_that_is_none_is_seen() -> None:
    assert list(unknown("locard case keping x, locard add x --as y")) == ["locard case keping"]
    assert list(unknown("locard serve --port 1 --nme x")) == ["locard serve --nme"]
    assert list(unknown("run `locard custody CASE` or (locard frob)")) == ["locard frob"]


def test_pages_that_the_program_sends_people_to_exist() -> None:
    found = {
        (path, name)
        for path in (ROOT / "src" / "locard").rglob("*.py")
        for name in re.findall(r"(?<![\w/])docs/[a-z0-9/.-]+\.md", path.read_text("utf-8"))
    }
    assert len(found) >= 2
    missing = [(path.name, name) for path, name in found if not (ROOT / name).is_file()]
    assert missing == []


def test_every_page_of_docs_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        for target in _LINK.findall(page.read_text("utf-8")):
            path = (page.parent / target.partition("#")[0]).resolve()
            waiting += [path] if path.is_file() and path.suffix == ".md" else []
            waiting += sorted(path.glob("*.md")) if path.is_dir() else []
    assert set(PAGES) - reached == set()


MAPPING_PAGE = ROOT / "docs" / "howto" / "map-your-own-logs.md"


def named_blocks(page: Path) -> dict[str, str]:
    """The fenced blocks of a page that carry a file's name behind their language."""
    return dict(
        re.findall(r"^```\w+ (\S+)\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    )


@pytest.mark.parametrize(
    ("log", "parser", "zone"),
    [("shop.jsonl", "generic.jsonl", "UTC"), ("visits.csv", "generic.csv", "Europe/Berlin")],
)
def test_the_examples_of_mappings_give_the_rows_that_the_page_shows(
    log: str, parser: str, zone: str
) -> None:
    blocks, name = named_blocks(MAPPING_PAGE), log.partition(".")[0]
    saved = yaml.safe_load(blocks[f"{name}.yaml"])
    found = golden.read(parser, blocks[log].encode(), log, saved=saved, zone=zone)
    wanted = [json.loads(line) for line in blocks[f"{name}.rows"].splitlines()]
    asked = {*saved, "problem"}
    assert len(found.rows) == len(wanted) > 1
    for row, told in zip(found.rows, wanted, strict=True):
        said = golden.decided(row)
        assert {k: v for k, v in said.items() if k in asked or k in told} == told


def test_the_page_of_mappings_names_every_word_of_the_language() -> None:
    from locard.parsers import mapping
    from locard.parsers.generic.guess import LISTS

    text = MAPPING_PAGE.read_text("utf-8")
    words = {*mapping._WORDS, *mapping._READINGS, *mapping._OURS, *LISTS}
    assert {word for word in words if f"`{word}`" not in text} == set()


def test_a_word_of_the_page_that_is_no_mapping_is_refused_as_it_says() -> None:
    for rule in ({"tiem": "ts"}, {"id": "ts"}, {"time": {"const": "2024-01-01"}}):
        with pytest.raises(BadMapping):
            compile_columns(rule)


PARSER_PAGE = ROOT / "docs" / "howto" / "add-a-parser.md"


@pytest.fixture
def parsers_of_the_page(tmp_path: Path) -> list[Source]:
    """The parsers that the page on adding a parser builds, in a folder of their own."""
    for name, text in named_blocks(PARSER_PAGE).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return [source for source in load(tmp_path) if source.id.startswith("acme.")]


def test_the_parsers_of_the_page_read_their_samples_as_it_says(
    parsers_of_the_page: list[Source],
) -> None:
    assert [source.id for source in parsers_of_the_page] == ["acme.gate", "acme.knock"]
    for source in parsers_of_the_page:
        (sample,) = golden.samples(source)
        data, name = sample.read_bytes(), golden.name_of(source, sample)
        found = golden.read(source, data, name)
        assert golden.lines(found.rows) == golden.expected(sample).read_text("utf-8")
        assert found.seen == len(found.rows) == 3
        for row in found.rows:
            (again,) = golden.read(source, data, name, only=row["locator"]).rows
            assert again == row
        head = Head(data, data, len(data), name)
        assert claim_of(source)(head).score >= 70
        assert claim_of(source)(Head(b"else", b"else", 4, name)).score == 0


def test_the_page_names_every_key_of_a_description() -> None:
    text = PARSER_PAGE.read_text("utf-8")
    assert {key for key in KEYS if f"`{key}`" not in text} == set()


def test_the_page_of_the_query_language_names_every_field() -> None:
    text = (ROOT / "docs" / "query.md").read_text("utf-8")
    assert {field for field in FIELDS if not re.search(rf"\b{field}\b", text)} == set()


def test_the_layers_of_the_architecture_are_those_that_are_held() -> None:
    held = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    packages = {path.parent.name for path in (ROOT / "src" / "locard").glob("*/__init__.py")}
    wanted = [
        " | ".join(sorted(name for name in layer.split(" | ") if name in packages))
        for layer in held["contracts"][0]["layers"]
    ]
    picture = code_of((ROOT / "ARCHITECTURE.md").read_text("utf-8"))
    shown = [re.split(r"\s{2,}", line)[0] for line in picture if re.match(r"[a-z |]+\s{2,}", line)]
    assert [" | ".join(sorted(line.split(" | "))) for line in shown][: len(wanted)] == [
        layer for layer in wanted if layer
    ]


def queries_of_the_page() -> list[str]:
    """Every query in the tables of docs/query.md, those with an ellipsis left out."""
    text = (ROOT / "docs" / "query.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return [q for row in rows for q in re.findall(r"`([^`]+)`", row) if "…" not in q]


@pytest.mark.parametrize("query", queries_of_the_page())
def test_every_query_of_the_page_is_understood(query: str) -> None:
    assert compile_query(Search(case="c", query=query, marks=lambda kind, pattern: ())).sql


def test_the_page_of_queries_has_queries() -> None:
    assert len(queries_of_the_page()) > 25
