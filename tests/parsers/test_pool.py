# SPDX-License-Identifier: Apache-2.0
"""Runs of real evidence files through real confined workers."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from locard.parsers.pool import Pool
from tests.parsers.confined_pool import TOYS, done, frames, recognised, rows


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    with Pool(1, tmp_path_factory.mktemp("scratch"), more=(TOYS,)) as one:
        yield one


def test_lines_come_back_as_rows(pool: Pool, tmp_path: Path) -> None:
    told = frames(pool, tmp_path, b"toy\none\ntwo\n")
    assert recognised(told).parser == "toy.lines"
    assert [row["message"] for row in rows(told)] == ["toy", "one", "two"]
    assert (done(told).seen, done(told).written, done(told).problems) == (3, 3, 0)


def test_a_layer_is_read_through(pool: Pool, tmp_path: Path) -> None:
    told = frames(pool, tmp_path, gzip.compress(gzip.compress(b"toy\none\n")))
    assert recognised(told).layers == ("gzip", "gzip")
    assert [row["message"] for row in rows(told)] == ["toy", "one"]


def test_one_worker_serves_many_files(pool: Pool, tmp_path: Path) -> None:
    for count in range(20):
        told = frames(pool, tmp_path, b"toy\n" * (count + 1))
        assert done(told).written == count + 1
