# SPDX-License-Identifier: Apache-2.0
"""The walls, tried from inside a real worker by a parser that has been taken over."""

import os
import platform
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from locard.parsers import landlock, seccomp
from locard.parsers.contract import Limits
from locard.parsers.frames import Failed
from locard.parsers.pool import Pool, WorkerLost
from tests.parsers.confined_pool import TOYS, done, frames, rows

SMALL = Limits(memory_bytes=300 << 20, seconds=20, idle_seconds=10)

needs_landlock = pytest.mark.skipif(
    not landlock.version(), reason="this kernel has no Landlock: files cannot be confined"
)
on_x86 = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the probe names system calls by their x86-64 numbers"
)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    with Pool(1, tmp_path_factory.mktemp("scratch"), SMALL, more=(TOYS,)) as one:
        yield one


def probe(pool: Pool, folder: Path, what: str, argument: object = "-") -> str:
    told = frames(pool, folder, f"probe {what} {argument}".encode())
    assert done(told).written == 2, told
    return str(rows(told)[1]["message"])


def test_the_pool_says_what_is_in_force(pool: Pool) -> None:
    walls = pool.confinement()
    assert walls.seccomp and walls.memory and walls.capabilities
    assert "seccomp" in walls.network
    assert walls.landlock == landlock.version()
    assert walls.whole or walls.gaps
    assert "seccomp" in walls.describe()


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET"])
def test_no_socket_can_be_made(pool: Pool, tmp_path: Path, family: str) -> None:
    assert probe(pool, tmp_path, "socket", family) == "refused: PermissionError 1"


def test_nobody_can_be_reached(pool: Pool, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert probe(pool, tmp_path, "connect", f"127.0.0.1:{port}").startswith("refused")
    assert probe(pool, tmp_path, "pair").startswith("refused")


@needs_landlock
def test_files_outside_are_closed(pool: Pool, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    for path in ("/etc/passwd", "/proc/self/environ", "/proc/1/cmdline", secret, Path.home()):
        what = "list" if path == Path.home() else "read"
        assert probe(pool, tmp_path, what, path) == "refused: PermissionError 13", path
    assert probe(pool, tmp_path, "write", secret) == "refused: PermissionError 13"
    assert probe(pool, tmp_path, "write", tmp_path / "new") == "refused: PermissionError 13"
    assert probe(pool, tmp_path, "remove", secret) == "refused: PermissionError 13"
    assert probe(pool, tmp_path, "write", Path(seccomp.__file__)) == "refused: PermissionError 13"
    assert probe(pool, tmp_path, "thread") == "done: PermissionError"
    assert secret.read_text() == "secret"


def test_attributes_of_files_cannot_be_changed(pool: Pool, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o600)
    assert probe(pool, tmp_path, "chmod", secret) == "refused: PermissionError 1"
    assert secret.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("what", ["chmod", "time", "flags", "write"])
def test_the_evidence_cannot_be_changed(pool: Pool, tmp_path: Path, what: str) -> None:
    assert probe(pool, tmp_path, f"evidence-{what}").startswith("refused")


def test_no_program_and_no_process_can_be_started(pool: Pool, tmp_path: Path) -> None:
    assert probe(pool, tmp_path, "exec", "/bin/true").startswith("refused")
    assert probe(pool, tmp_path, "fork").startswith("refused")


def test_other_processes_are_out_of_reach(pool: Pool, tmp_path: Path) -> None:
    assert probe(pool, tmp_path, "kill", os.getpid()) == "refused: PermissionError 1"


@on_x86
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("ptrace", f"101 16 {os.getpid()}"),
        ("execve", "59 0 0 0"),
        ("io_uring_setup", "425 1 0"),
        ("unshare", "272 268435456"),
        ("bpf", "321 0 0 0"),
        ("mount", "165 0 0 0 0 0"),
        ("userfaultfd", "323 0"),
        ("capset", "126 0 0"),
        ("socket of the other numbering", f"{0x40000000 + 41} 2 1 0"),
        ("clone without a thread", "56 17 0 0 0 0"),
    ],
    ids=lambda value: value.split(" ")[0],
)
def test_system_calls_are_refused(pool: Pool, tmp_path: Path, name: str, call: str) -> None:
    assert probe(pool, tmp_path, "syscall", call) == "refused: PermissionError 1", name


def test_bounds_cannot_be_lifted(pool: Pool, tmp_path: Path) -> None:
    told = frames(pool, tmp_path, b"probe unlimit -")
    assert "done" not in str([row["message"] for row in rows(told)])


def test_the_environment_is_not_handed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very secret")
    with Pool(1, tmp_path / "scratch", SMALL, more=(TOYS,)) as pool:
        assert "AWS_SECRET_ACCESS_KEY" not in probe(pool, tmp_path, "environment")


def test_scratch_is_writable_and_empty_for_every_file(pool: Pool, tmp_path: Path) -> None:
    for word in ("one", "two"):
        assert probe(pool, tmp_path, "scratch", word) == f"done: ([], '{word}')"


def test_memory_is_capped_and_the_pool_goes_on(pool: Pool, tmp_path: Path) -> None:
    told = frames(pool, tmp_path, b"probe grow 100")
    assert [frame.reason for frame in told if isinstance(frame, Failed)] == [
        "It needs more memory than the limit of 300 MiB."
    ]
    assert [row["message"] for row in rows(told)] == ["begun"]
    assert done(told).retire
    assert probe(pool, tmp_path, "grow", 4) == "done: 4"


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGABRT"])
def test_a_dead_worker_is_replaced(pool: Pool, tmp_path: Path, name: str) -> None:
    with pytest.raises(WorkerLost, match=name):
        frames(pool, tmp_path, f"probe die {name}".encode())
    assert probe(pool, tmp_path, "grow", 1) == "done: 1"


def test_a_hanging_worker_is_ended(pool: Pool, tmp_path: Path) -> None:
    limits = Limits(idle_seconds=0.5)
    with pytest.raises(WorkerLost, match="no progress"):
        frames(pool, tmp_path, b"probe sleep 60", limits=limits)
    limits = Limits(seconds=0.5)
    with pytest.raises(WorkerLost, match="one file"):
        frames(pool, tmp_path, b"probe sleep 60", limits=limits)


def test_a_broken_parser_keeps_its_rows(pool: Pool, tmp_path: Path) -> None:
    told = frames(pool, tmp_path, b"probe raise something is wrong")
    assert [row["message"] for row in rows(told)] == ["begun"]
    failed = [frame for frame in told if isinstance(frame, Failed)]
    assert failed[0].reason == "RuntimeError: something is wrong"
    assert "parse.py" in failed[0].trace


@pytest.mark.parametrize("what", ["evidence", "utf8", "null", "schema", "compressed"])
def test_a_lying_worker_is_ended(pool: Pool, tmp_path: Path, what: str) -> None:
    with pytest.raises(WorkerLost, match="ended because it sent"):
        frames(pool, tmp_path, f"probe lie {what}".encode())
    assert probe(pool, tmp_path, "grow", 1) == "done: 1"


def test_evidence_that_is_open_for_writing_is_not_handed_over(pool: Pool, tmp_path: Path) -> None:
    from locard.parsers.pool import Task

    fd = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    try:
        with pytest.raises(ValueError, match="reading only"):
            list(pool.run(Task("0" * 64, "file", fd, 0)))
    finally:
        os.close(fd)
    assert probe(pool, tmp_path, "grow", 1) == "done: 1"
