# SPDX-License-Identifier: Apache-2.0
"""Every call that the sources make of AWS is one that the SDK knows, with parameters that it takes.

A simulation answers what it is asked, and a branch that no test enters is asked nothing: so the
calls are read out of the sources and held against the SDK's own models of the services.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import botocore.session
import pytest

import locard
from locard.providers.aws.session import _CLIENTS

ROOT = Path(locard.__file__).parent
SDK = botocore.session.get_session()
MAKING = {"call", "answer", "pages", "_call"}


class Made(NamedTuple):
    """One call in the sources."""

    where: str
    action: str
    given: tuple[str, ...]
    whole: bool
    """Whether all of its parameters stand there by name."""
    taken: tuple[str, ...]
    """What is taken out of the answer on the spot."""


def made() -> Iterator[Made]:
    """All calls in the sources that name what they call."""
    for file in sorted(ROOT.rglob("*.py")):
        if not {"actions", "providers"} & set(file.relative_to(ROOT).parts):
            continue
        tree = ast.parse(file.read_text())
        names = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        taken: dict[int, list[str]] = {}
        for node in ast.walk(tree):
            for inner, key in _taken(node):
                taken.setdefault(id(inner), []).append(key)
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr not in MAKING or not node.args:
                continue
            first = node.args[0]
            action = names.get(first.id) if isinstance(first, ast.Name) else None
            action = first.value if isinstance(first, ast.Constant) else action
            if not isinstance(action, str) or action.count(":") != 1:
                continue
            members = taken.get(id(node), [])
            if node.func.attr == "pages" and isinstance(node.args[1], ast.Constant):
                members = [str(node.args[1].value)]
            yield Made(
                f"{file.relative_to(ROOT)}:{node.lineno}", action,
                tuple(one.arg for one in node.keywords if one.arg),
                all(one.arg for one in node.keywords), tuple(members),
            )  # fmt: skip


def _taken(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """`CALL["X"]` and `CALL.get("X")`."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        yield node.value, str(node.slice.value)
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "get"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ):
        yield node.func.value, str(node.args[0].value)


CALLS = sorted(set(made()))


def test_the_calls_are_found() -> None:
    assert len(CALLS) > 100


@pytest.mark.parametrize("one", CALLS, ids=lambda one: f"{one.where}-{one.action}")
def test_a_call_is_one_of_the_sdk_with_parameters_that_it_takes(one: Made) -> None:
    service, _, operation = one.action.partition(":")
    model = SDK.get_service_model(_CLIENTS.get(service, service)).operation_model(operation)
    takes = set(model.input_shape.members) if model.input_shape else set()
    needs = set(model.input_shape.required_members) if model.input_shape else set()
    assert set(one.given) <= takes
    if one.whole:
        assert needs <= set(one.given)
    if one.taken:
        assert model.output_shape is not None
        assert set(one.taken) <= set(model.output_shape.members)
