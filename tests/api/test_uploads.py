# SPDX-License-Identifier: Apache-2.0
"""Large uploads are parsed while they come in, and end as if they had been added."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from shutil import copy
from typing import Any

import httpx
import pytest

from locard.cases.demo import SEED, disk
from locard.model.custody import CustodyEntry
from locard.timeline import Search
from tests.api.conftest import Api
from tests.waiting import eventually

SIZE = 96 << 20
HALF = SIZE // 2
HEADERS = {"content-type": "application/octet-stream"}


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulated disk, followed by zeros: large enough to be parsed ahead."""
    path = disk.write(tmp_path_factory.mktemp("image") / "disk.raw", SEED)
    os.truncate(path, SIZE)
    return path


@pytest.fixture
def image(written: Path, tmp_path: Path) -> Path:
    """That disk with an end of its own, so that no other test has made it known to the vault."""
    path = copy(written, tmp_path / "disk.raw")
    with path.open("r+b") as file:
        file.seek(-16, os.SEEK_END)
        file.write(os.urandom(16))
    return path


def events(client: httpx.Client, case: str) -> int:
    return int(client.get(f"/api/cases/{case}/events/count").json()["count"])


def rows(api: Api, case: str) -> dict[str, tuple[Any, ...]]:
    found: dict[str, tuple[Any, ...]] = {}
    columns = ("id", "time", "source", "message", "evidence", "locator", "raw")
    for batch in api.desk.timeline.export(Search(case), columns):
        for row in batch.to_pylist():
            assert row["id"] not in found
            found[row["id"]] = tuple(row[name] for name in columns)
    return found


def upload(
    client: httpx.Client,
    case: str,
    image: Path,
    halfway: Callable[[], None],
    name: str = "disk.raw",
) -> httpx.Response:
    """Send an image; `halfway` is called when half of it is on its way."""

    def pieces() -> Iterator[bytes]:
        with image.open("rb") as file:
            while piece := file.read(1 << 20):
                if file.tell() == HALF + (1 << 20):
                    halfway()
                yield piece

    return client.post(
        f"/api/cases/{case}/evidence", params={"name": name}, content=pieces(), timeout=300,
        headers={**HEADERS, "content-length": str(image.stat().st_size)},
    )  # fmt: skip


def receiving(api: Api) -> list[int]:
    """The runs that an upload was handed over to."""
    running = api.desk.background._running
    return [one.pid for said, one in running if said == ["receiving"] and one.poll() is None]


def test_rows_of_an_upload_are_seen_before_its_last_byte_came(
    api: Api, ada: httpx.Client, image: Path
) -> None:
    for case in ("sent", "plain"):
        ada.post("/api/cases", json={"name": case})
    seen: list[int] = []

    def job(client: httpx.Client) -> dict[str, Any]:
        newest: dict[str, Any] = client.get("/api/cases/sent/progress").json()[0]
        return newest

    def halfway() -> None:
        with api.signed_in("ada") as another:
            eventually(lambda: events(another, "sent"), "no row is seen while it comes in")
            seen.append(events(another, "sent"))
            eventually(lambda: job(another)["stage"] == "Taking in", "it is said nowhere")
            assert job(another)["what"] == "Adding disk.raw"
            assert not another.get("/api/cases/sent/evidence").json()["evidence"]

    answer = upload(ada, "sent", image, halfway)
    assert answer.status_code == 202, answer.text
    assert seen and seen[0] > 0
    evidence = answer.json()["evidence"]
    assert evidence["id"] == sha256(image.read_bytes()).hexdigest()
    assert evidence["name"] == "disk.raw"
    api.desk.wait()
    api.desk.add("plain", [image], who="ada")
    sent = rows(api, "sent")
    assert sent == rows(api, "plain")
    assert events(ada, "sent") == len(sent)
    (entry,) = [
        one for one in ada.get("/api/cases/sent/custody").json() if one["verb"] == "acquired"
    ]
    assert entry["reason"] == "uploaded to the case"
    small = ada.post("/api/cases/plain/evidence", params={"name": "x"}, content=b"x")
    assert small.status_code == 202, small.text

    def told(case: str) -> CustodyEntry:
        one, *_ = [
            entry for entry in api.desk.custody(case) if entry.reason == "uploaded to the case"
        ]
        return one

    mine, plain = told("sent"), told("plain")
    whose = [(one.actor, one.verb, one.door, one.address, one.agent) for one in (mine, plain)]
    assert whose[0] == whose[1]
    assert mine.details.keys() == plain.details.keys(), (mine.details, plain.details)
    proof = ada.post(f"/api/cases/sent/events/{next(iter(sent))}/prove").json()
    assert proof["passed"], proof


@pytest.mark.parametrize("who", ["sender", "run"])
def test_an_upload_that_breaks_off_amid_its_rows_leaves_none(
    api: Api, ada: httpx.Client, image: Path, who: str
) -> None:
    case = f"broken-{who}"
    ada.post("/api/cases", json={"name": case})

    def halfway() -> None:
        with api.signed_in("ada") as another:
            eventually(lambda: events(another, case), "no row is seen while it comes in")
        if who == "sender":
            raise ConnectionAbortedError
        (process,) = receiving(api)
        os.kill(process, signal.SIGKILL)

    with contextlib.suppress(ConnectionAbortedError):
        answer = upload(ada, case, image, halfway)
        assert who == "run"
        assert answer.status_code >= 400
        assert "Send it again" in answer.text
    eventually(lambda: not receiving(api), "the run goes on")
    eventually(lambda: events(ada, case) == 0, "its rows are seen still")
    assert not ada.get(f"/api/cases/{case}/evidence").json()["evidence"]
    (job,) = ada.get(f"/api/cases/{case}/progress").json()
    assert job["state"] == ("failed" if who == "sender" else "stopped")
    if who == "sender":
        assert "the sender went away" in " ".join(job["log"])
    again = upload(ada, case, image, lambda: None)
    assert again.status_code == 202, again.text
    api.desk.wait()
    assert len(rows(api, case)) == events(ada, case) > 0


def test_a_mistake_is_answered_as_for_any_upload(api: Api, ada: httpx.Client, image: Path) -> None:
    refused = ada.post(
        "/api/cases/one/evidence", params={"name": "disk.raw", "as": "no.such"}, headers=HEADERS,
        content=image.read_bytes(),
    )  # fmt: skip
    assert refused.status_code == 404
    assert "no.such" in refused.text
    assert not receiving(api)
