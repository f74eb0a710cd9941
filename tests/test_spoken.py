# SPDX-License-Identifier: Apache-2.0
"""Verdicts are said in words: nothing of Python's or JSON's spelling reaches a person."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from locard.cases.response.stepping import differences
from locard.model.spoken import spoken

ROOT = Path(__file__).parent.parent / "src" / "locard" / "actions"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "on"),
        (False, "off"),
        (None, "not set"),
        ("", "not set"),
        ([], "none"),
        ({}, "none"),
        (["sg-1", "sg-2"], "sg-1, sg-2"),
        ({"BlockPublicAcls": True, "IgnorePublicAcls": False}, "BlockPublicAcls on, "
         "IgnorePublicAcls off"),
        ({"a": [{"b": None}]}, "a ((b not set))"),
        (60, "60"),
    ],
)  # fmt: skip
def test_values_are_said_as_a_person_would(value: Any, words: str) -> None:
    assert spoken(value) == words


@pytest.mark.parametrize(
    ("before", "now", "lines"),
    [
        ({"v": True}, {"v": False}, ["v was on and is off"]),
        ({"v": None}, {"v": 3}, ["v was not set and is 3"]),
        ({"v": ["a"]}, {"v": ["a", "b"]}, ["v has b besides"]),
        ({"v": ["a", "b"]}, {"v": ["c"]}, ["v has c besides and lacks a, b"]),
        ({"v": ["a", "b"]}, {"v": ["b", "a"]}, ["v has the same in another order or number"]),
        ({"v": []}, {"v": None}, ["v was none and is not set"]),
        ({"v": {"w": 1}}, {"v": {"w": 1}}, []),
    ],
)
def test_differences_are_said_as_a_person_would(before: Any, now: Any, lines: list[str]) -> None:
    assert differences(before, now) == lines
    assert not re.search(r"True|False|None|null|\[|\{", " ".join(lines))


def bare(path: Path) -> list[str]:
    """What verdicts put into their words as it is, of what may be no text."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Verdict"):
            continue
        found += [
            f"{path.name}: {part.value.id}"
            for part in ast.walk(node)
            if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name)
        ]
    return found


def test_verdicts_put_only_text_that_is_known_as_such_into_their_words() -> None:
    """Each name here was looked at: it is text or a number, whatever the provider answers."""
    known = {
        "database.py: now": "a status, or 'gone'",
        "function.py: now": "the state of a mapping",
        "identity.py: now": "Active or Inactive",
        "network.py: now": "a number of seconds",
        "parting.py: there": "said only when it is there",
        "silence.py: seen": "a number",
    }
    found = {one for path in ROOT.rglob("*.py") for one in bare(path)}
    assert found <= set(known), found - set(known)
