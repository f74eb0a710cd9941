# SPDX-License-Identifier: Apache-2.0
"""Disk images through the whole of adding: what lies beside an image is found."""

import subprocess
from pathlib import Path

import pytest

from locard.cases.desk import Desk
from locard.cases.holdings import Item
from tests.parsers.test_disk import image, tool  # noqa: F401  (image is a fixture)


def item(desk: Desk, name: str) -> Item:
    """A file of the case by its name; its counts must add up."""
    found = next(one for one in desk.evidence("c")[0] if one.name == name)
    assert found.seen == found.rows + found.problems
    return found


def column(desk: Desk, query: str, name: str) -> list[str]:
    """One column of everything that matches."""
    batches = desk.timeline.export(desk.search("c", query, who="ana"), [name])
    return [text for batch in batches for text in batch.column(name).to_pylist()]


@pytest.fixture
def overlay(image: Path, tmp_path: Path) -> Path:  # noqa: F811
    """A qcow2 image that names `base.raw`, which does not lie beside it yet."""
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "base.raw").write_bytes(image.read_bytes())
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "a-overlay.qcow2"
    command = [tool("qemu-img"), "create", "-q", "-f", "qcow2", "-F", "raw", "-b"]
    subprocess.run([*command, tmp_path / "away" / "base.raw", path], check=True)
    return path


def test_a_backing_file_in_the_same_folder_is_read_beneath(desk: Desk, overlay: Path) -> None:
    (overlay.parents[1] / "away" / "base.raw").rename(overlay.parent / "base.raw")
    assert not desk.add("c", [overlay.parent], who="ana").failed
    top, base = item(desk, "in/a-overlay.qcow2"), item(desk, "in/base.raw")
    assert (top.stage, top.problems) == ("parsed", 0)
    assert top.rows == base.rows > 10
    assert desk.prove(column(desk, f"evidence:{top.id}", "id")[0], who="ana").passed


def test_a_backing_file_that_is_not_there_is_named(desk: Desk, overlay: Path) -> None:
    desk.add("c", [overlay.parent], who="ana")
    top = item(desk, "in/a-overlay.qcow2")
    assert (top.stage, top.seen, top.problems) == ("parsed", 1, 1)
    (problem,) = column(desk, "", "problem")
    assert "backing file 'base.raw'" in problem
    assert "qemu-img convert" in problem
