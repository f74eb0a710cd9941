# SPDX-License-Identifier: Apache-2.0
"""Runs of real evidence files through real confined workers."""

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from locard.model.errors import Error
from locard.parsers.frames import Failed, Problem
from locard.parsers.pool import Pool
from tests.conftest import goes_on
from tests.parsers.confined_pool import TOYS, done, frames, recognised, rows, task
from tests.waiting import eventually


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


def test_a_proof_gives_one_row_of_one_version(pool: Pool, tmp_path: Path) -> None:
    data = b"toy\none\ntwo\n"
    proof = {"parser": "toy.lines", "version": "1", "only": "byte=4"}
    told = frames(pool, tmp_path, data, **proof)
    assert [row["message"] for row in rows(told)] == ["one"]
    assert done(told).written == 1
    other = frames(pool, tmp_path, data, **{**proof, "version": "2"})
    assert [frame.reason for frame in other if isinstance(frame, Failed)] == [
        "toy.lines is version 1 now, not 2."
    ]
    assert rows(other) == []


def test_identifying_reads_no_rows(pool: Pool, tmp_path: Path) -> None:
    told = frames(pool, tmp_path, b"toy\none\n", identify=True)
    assert recognised(told).parser == "toy.lines"
    assert len(told) == 2


def test_an_unknown_parser_is_a_problem_that_names_the_nearest(pool: Pool, tmp_path: Path) -> None:
    told = frames(pool, tmp_path, b"toy\n", parser="toy.line", identify=True)
    assert isinstance(told[0], Problem)
    assert "toy.lines" in told[0].text


def test_a_layer_cut_short_is_one_problem_row(pool: Pool, tmp_path: Path) -> None:
    told = frames(pool, tmp_path, gzip.compress(b"toy\none\ntwo\n")[:-4])
    assert [row["message"] for row in rows(told)] == ["toy", "one", "two", ""]
    assert "cut short" in rows(told)[-1]["problem"]
    assert (done(told).seen, done(told).written, done(told).problems) == (4, 4, 1)


def test_damage_in_what_nobody_recognises_is_counted(pool: Pool, tmp_path: Path) -> None:
    told = frames(pool, tmp_path, gzip.compress(b"\x89PNG\r\n\x1a\n" * 100)[:-4])
    assert recognised(told).reason == "PNG image inside gzip"
    assert (done(told).seen, done(told).problems) == (1, 1)


def test_a_run_that_is_given_up_leaves_a_pool_that_works(pool: Pool, tmp_path: Path) -> None:
    with task(tmp_path, b"toy\n" * 1000) as one:
        run = pool.run(one)
        next(run)
        run.close()
    assert done(frames(pool, tmp_path, b"toy\n")).written == 1


def test_siblings_travel_beside(pool: Pool, tmp_path: Path) -> None:
    names = [f"segment-{number}" for number in range(450)]
    fds = {}
    for name in names:
        (tmp_path / name).write_text(name)
        fds[name] = os.open(tmp_path / name, os.O_RDONLY)
    try:
        told = frames(pool, tmp_path, b"siblings", parser="toy.siblings", siblings=fds)
    finally:
        for fd in fds.values():
            os.close(fd)
    assert [row["message"] for row in rows(told)] == names


def test_threads_share_a_pool(tmp_path: Path) -> None:
    with Pool(2, tmp_path / "scratch", more=(TOYS,)) as pool, ThreadPoolExecutor(4) as executor:

        def one(count: int) -> int:
            return done(frames(pool, tmp_path, b"toy\n" * count)).written

        assert list(executor.map(one, range(1, 41))) == list(range(1, 41))
        assert len(list((tmp_path / "scratch").glob("workers-*/worker-*"))) <= 2
    assert list((tmp_path / "scratch").iterdir()) == []


def test_workers_die_with_their_parent(tmp_path: Path) -> None:
    program = f"""
import os, pathlib, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.parsers.confined_pool import TOYS, frames
from locard.parsers.pool import Pool
folder = pathlib.Path({str(tmp_path)!r})
pool = Pool(1, folder / "scratch", more=(TOYS,))
pool.confinement()
print(pool._idle.queue[0]._child.pid, flush=True)
frames(pool, folder, b"probe sleep 600")
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    eventually(lambda: not goes_on(worker), "the worker outlived its parent")


def test_a_closed_pool_says_so(tmp_path: Path) -> None:
    pool = Pool(1, tmp_path / "scratch")
    pool.close()
    pool.close()
    with task(tmp_path, b"toy") as one, pytest.raises(Error, match="closed"):
        next(pool.run(one))
