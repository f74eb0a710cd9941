# SPDX-License-Identifier: Apache-2.0
"""No door reaches events or bytes of evidence but through the desk, which leaves an entry."""

import ast
from pathlib import Path

from tests.conftest import ROOT

DOORS = [ROOT / "src/locard/api", ROOT / "src/locard/cli"]
PAST_THE_DESK = {
    "timeline": {"event", "context", "values", "export"},
    "vault": {"open", "put", "store"},
}
"""What gives rows or bytes to whoever has no `Search`, which only the desk makes."""


def doors() -> list[Path]:
    found = [path for folder in DOORS for path in sorted(folder.rglob("*.py"))]
    assert len(found) > 20
    return found


def test_only_the_desk_makes_a_search() -> None:
    for path in doors():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "Search", f"{path}: ask desk.search, which leaves an entry"


def test_doors_ask_the_desk_for_events_and_bytes() -> None:
    for path in doors():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
                past = node.attr in PAST_THE_DESK.get(node.value.attr, ())
                assert not past, f"{path}, line {node.lineno}: {node.value.attr}.{node.attr}"
