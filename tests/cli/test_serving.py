# SPDX-License-Identifier: Apache-2.0
"""`locard serve` as it stands alone, and behind a proxy that speaks TLS."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

import httpx2
import pytest

from tests.cases.trails import trail
from tests.cli.conftest import Locard, run
from tests.conftest import stop_store
from tests.waiting import PATIENCE, eventually, said

STRANGER = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
WRONG = {"username": "admin", "password": "not it at all"}


@dataclass(frozen=True)
class Serving:
    """A server, where it is reached here, and the secret of its link."""

    address: str
    said: str
    link: str

    def post(self, path: str, body: dict[str, str], **headers: str) -> httpx2.Response:
        return httpx2.post(self.address + path, json=body, headers=headers, timeout=60)


@contextmanager
def serving(home: Path, *options: str) -> Iterator[Serving]:
    with subprocess.Popen(
        [sys.executable, "-m", "locard.cli.main", "serve", "--port", "0", *options],
        env=os.environ | {"LOCARD_HOME": str(home), "PYTHONUNBUFFERED": "1", "COLUMNS": "400"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        text = said(process, "Stop it with")
        address = re.search(r"serves on (\S+)", text)
        link = re.search(r"Sign in once with: (\S+)#(\S+)", text)
        assert address
        assert link
        try:
            yield Serving(address[1], link[1], link[2])
        finally:
            process.send_signal(signal.SIGINT)
            patience = Timer(PATIENCE, process.kill)  # who leaves the block waits without a bound
            patience.start()
            process.wait()
            patience.cancel()
            stop_store(home)
            assert process.returncode != -signal.SIGKILL, "it did not end by itself"


def refused_from(home: Path) -> set[str]:
    """The addresses that the ledger names of refused sign-ins."""
    told = run(home, "custody", "show", "--json").json
    return {one["address"] for one in told if one["verb"] == "sign-in-refused"}


def test_alone_nobody_is_believed_who_names_another_address(home: Path) -> None:
    with serving(home) as server:
        assert server.said == f"{server.address}/sign-in"
        assert server.post("/api/session", WRONG, **STRANGER).status_code == 401
        answer = server.post("/api/session/link", {"token": server.link}, **STRANGER)
        assert answer.status_code == 204
        assert "secure" not in answer.headers["set-cookie"].lower()
        assert "strict-transport-security" not in answer.headers
    assert refused_from(home) == {"127.0.0.1"}


def test_behind_a_proxy_the_cookie_is_for_tls_and_the_stranger_is_named(home: Path) -> None:
    options = ("--name", "forensics.example.com", "--behind", "127.0.0.1")
    with serving(home, *options) as server:
        assert server.said == "https://forensics.example.com/sign-in"
        headers = STRANGER | {"host": "forensics.example.com"}
        assert server.post("/api/session", WRONG, **headers).status_code == 401
        answer = server.post("/api/session/link", {"token": server.link}, **headers)
        assert answer.status_code == 204
        assert "secure" in answer.headers["set-cookie"].lower()
        assert answer.headers["strict-transport-security"]
    assert refused_from(home) == {"203.0.113.9"}


def test_a_proxy_elsewhere_is_not_this_one(home: Path) -> None:
    with serving(home, "--name", "f.example.com", "--behind", "10.0.3.0/28") as server:
        assert server.post("/api/session", WRONG, **STRANGER).status_code == 401
    assert refused_from(home) == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--behind", "*", "--name", "f.example.com"), "'*' is no address of a proxy"),
        (("--behind", "proxy.local", "--name", "f"), "'proxy.local' is no address of a proxy"),
        (("--behind", "127.0.0.1"), "--name forensics.example.com"),
    ],
)
def test_mistakes(locard: Locard, options: tuple[str, ...], said: str) -> None:
    ran = locard("serve", *options)
    assert ran.status == 2
    assert said in ran.err


def test_a_timeline_that_was_removed_is_told_and_the_server_has_it_made_again(
    home: Path, tmp_path: Path
) -> None:
    trail(tmp_path / "in" / "a.json.gz", range(60))
    assert run(home, "add", "c", tmp_path / "in").status == 0
    event = run(home, "search", "c", "--limit", 1, "--json").json["id"]
    stop_store(home)
    shutil.rmtree(home / "timeline")
    asked: tuple[tuple[str, ...], ...] = (
        ("search", "c"),
        ("search", "c", "--count"),
        ("export", "c"),
        ("prove", event),
    )
    for words in asked:
        ran = run(home, *words)
        assert (ran.status, ran.out) == (2, ""), words
        assert "lost all rows of case c, those of its one file" in ran.err
        assert "locard resume c" in ran.err
    assert "lost all rows of c, those of 1 file: locard resume c" in run(home, "cases").out
    (told,) = run(home, "cases", "--json").json
    assert (told["events"], told["files_without_rows"]) == (0, 1)
    with serving(home):
        eventually(lambda: run(home, "search", "c", "--count").out == "60\n", "no row came back")
    (told,) = run(home, "cases", "--json").json
    assert (told["events"], told["files_without_rows"]) == (60, 0)
    assert run(home, "prove", event).status == 0
