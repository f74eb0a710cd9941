# SPDX-License-Identifier: Apache-2.0
"""The case file is judged by CASE's own validator."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from locard.cases.bundle import case_file
from locard.cases.bundle.told import Told
from tests.cases.bundle.telling import told

VALIDATE = Path(sys.executable).parent / "case_validate"


def validated(document: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [VALIDATE, "--built-version", "case-1.4.0", str(document)], capture_output=True, text=True
    )


def write(case: Told, folder: Path) -> Path:
    path = folder / "case.jsonld"
    path.write_bytes(b"".join(case_file.written(case)))
    return path


def test_validator_has_nothing_to_say(tmp_path: Path) -> None:
    found = validated(write(told(), tmp_path))
    assert found.returncode == 0, found.stdout + found.stderr
    assert "Conforms: True" in found.stdout
    assert "Warning" not in found.stdout, found.stdout


def test_validator_notices_a_digest_that_is_none(tmp_path: Path) -> None:
    case = told()
    broken = replace(case.exhibits[0], evidence="not a digest")
    found = validated(write(replace(case, exhibits=[broken]), tmp_path))
    assert found.returncode != 0


@pytest.fixture
def graph(tmp_path: Path) -> list[dict[str, object]]:
    document = json.loads(write(told(), tmp_path).read_text())
    return document["@graph"]


def test_actions_about_an_exhibit_form_a_chain(graph: list[dict[str, object]]) -> None:
    actions = {one["@id"]: one for one in graph if "InvestigativeAction" in str(one["@type"])}
    last = next(one for one in actions.values() if one["core:name"] == "verified")
    verbs = [last["core:name"]]
    while "investigation:wasInformedBy" in last:
        last = actions[last["investigation:wasInformedBy"]["@id"]]  # type: ignore[index]
        verbs.append(last["core:name"])
    assert verbs == ["verified", "transferred-out", "downloaded", "acquired"]


def test_every_reference_leads_to_a_node(graph: list[dict[str, object]]) -> None:
    known = {one["@id"] for one in graph}
    assert len(known) == len(graph)

    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            inner = [found for one in value.values() for found in references(one)]
            return [value["@id"], *inner] if set(value) == {"@id"} else inner
        return (
            [found for one in value for found in references(one)] if isinstance(value, list) else []
        )

    assert {one for node in graph for one in references(list(node.values()))} <= known


def test_derived_exhibits_name_their_root(graph: list[dict[str, object]]) -> None:
    records = [one for one in graph if one["@type"] == "investigation:ProvenanceRecord"]
    roots = {
        one["investigation:exhibitNumber"]: one.get("investigation:rootExhibitNumber")
        for one in records
    }
    assert roots == {"NIGHT-0001": None, **{f"NIGHT-{n:04d}": "NIGHT-0001" for n in (2, 3, 4)}}
