# SPDX-License-Identifier: Apache-2.0
import contextlib
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from tests.cases.trails import trail
from tests.waiting import eventually

from .conftest import Api

EVIDENCE = "/api/cases/one/evidence"


def held(client: httpx.Client, case: str = "one", **parameters: Any) -> dict[str, Any]:
    answer = client.get(f"/api/cases/{case}/evidence", params=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def leaf(one: dict[str, Any]) -> str:
    return str(one["name"]).rpartition("/")[2]


def test_evidence_is_listed_with_state_and_counts_that_add_up(ada: httpx.Client) -> None:
    found = held(ada)
    states = {leaf(one): one["state"] for one in found["evidence"]}
    assert states == {
        "a.json.gz": "parsed",
        "b.zip": "archive",
        "b.json": "parsed",
        "picture.png": "not parsed",
    }
    assert found["total"] == 4
    for one in found["evidence"]:
        if one["state"] == "parsed":
            assert one["seen"] == one["rows"] + one["problems"] == 60
        assert len(one["sha256"]) == 64 and len(one["blake2b"]) == 64
    archives = held(ada, state="archive")
    assert [leaf(one) for one in archives["evidence"]] == ["b.zip"] and archives["total"] == 1
    assert [leaf(one) for one in held(ada, q="picture")["evidence"]] == ["picture.png"]
    assert len(held(ada, limit=1, offset=3)["evidence"]) == 1


def test_the_case_in_numbers(ada: httpx.Client) -> None:
    case = ada.get("/api/cases/one").json()
    assert (case["events"], case["evidence"], case["problems"]) == (100, 4, 0)
    assert case["sources"] == [{"source": "aws.cloudtrail", "count": 100}]
    assert case["first"] == "2026-03-01T00:00:00Z" and case["last"] == "2026-03-01T00:01:39Z"
    assert {one["name"] for one in ada.get("/api/cases").json()} >= {"one", "two"}


def test_cases_are_made_once_and_with_a_good_name(ada: httpx.Client) -> None:
    made = ada.post("/api/cases", json={"name": "third", "title": "The third"})
    assert made.status_code == 201 and made.json()["events"] == 0
    assert made.json()["first"] is None
    assert ada.post("/api/cases", json={"name": "third"}).status_code == 409
    assert ada.post("/api/cases", json={"name": "../x"}).status_code == 400


def test_downloading_gives_the_bytes_and_is_in_the_ledger(ada: httpx.Client) -> None:
    (one,) = held(ada, q="a.json.gz")["evidence"]
    where = f"{EVIDENCE}/{one['id']}"
    assert ada.get(f"{where}/download").status_code == 422, "a reason is needed"
    got = ada.get(f"{where}/download", params={"reason": "for the other side"})
    assert sha256(got.content).hexdigest() == one["id"]
    assert got.headers["content-disposition"].startswith("attachment;")
    assert got.headers["content-security-policy"].startswith("sandbox")
    entries = ada.get(f"{where}/custody").json()
    assert entries[0]["actor"] == "ada" and "for the other side" in entries[0]["reason"]
    assert entries[-1]["verb"] == "acquired" and entries[0]["name"].endswith("a.json.gz")


def test_evidence_of_another_case_is_not_there(ada: httpx.Client) -> None:
    (one,) = held(ada, "two")["evidence"]
    for rest in ("", "/custody", "/download?reason=x"):
        assert ada.get(f"/api/cases/two/evidence/{one['id']}{rest}").status_code == 200
        assert ada.get(f"{EVIDENCE}/{one['id']}{rest}").status_code == 404


def test_the_ledger_is_paged_from_its_end(ada: httpx.Client) -> None:
    newest = ada.get("/api/cases/one/custody", params={"limit": 3}).json()
    sequences = [entry["sequence"] for entry in newest]
    assert sequences == sorted(sequences, reverse=True) and len(sequences) == 3
    older = ada.get("/api/cases/one/custody", params={"before": sequences[-1]}).json()
    assert older and max(entry["sequence"] for entry in older) < sequences[-1]
    assert all(entry["case"] == "one" for entry in newest + older)


def test_an_upload_goes_into_the_vault_and_is_parsed(
    api: Api, ada: httpx.Client, tmp_path: Path
) -> None:
    data = trail(tmp_path / "up.json", range(2000, 2400)).read_bytes()

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(data), 1000):
            yield data[start : start + 1000]

    ada.post("/api/cases", json={"name": "uploads"})
    headers = {"content-type": "application/octet-stream"}
    answer = ada.post(
        "/api/cases/uploads/evidence",
        params={"name": "../../up.json"},
        content=pieces(),
        headers=headers,
    )
    assert answer.status_code == 202, answer.text
    evidence = answer.json()["evidence"]
    assert evidence["id"] == sha256(data).hexdigest() and evidence["name"] == "up.json"
    eventually(lambda: held(ada, "uploads", state="parsed")["total"])
    assert ada.get("/api/cases/uploads/events/count").json()["count"] == 400
    jobs = ada.get("/api/cases/uploads/progress").json()
    assert jobs and jobs[0]["what"]
    unknown = ada.post(
        "/api/cases/uploads/evidence", params={"name": "x", "as": "no.such"}, headers=headers
    )
    assert unknown.status_code == 404


def test_a_form_is_not_taken_for_the_file_in_it(ada: httpx.Client) -> None:
    before = held(ada)["total"]
    answer = ada.post(EVIDENCE, params={"name": "a.json"}, files={"file": b"evidence"})
    assert answer.status_code == 415
    assert "--data-binary" in answer.json()["advice"]
    assert held(ada)["total"] == before


def test_an_upload_that_breaks_off_leaves_nothing(api: Api, ada: httpx.Client) -> None:
    before, incoming = held(ada)["total"], api.desk.settings.vault / "incoming"
    host, port = api.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        cookie = ada.cookies["locard_session"]
        connection.sendall(
            f"POST {EVIDENCE}?name=part HTTP/1.1\r\nHost: localhost\r\nX-Locard: 1\r\n"
            f"Cookie: locard_session={cookie}\r\nContent-Length: 100000000\r\n\r\n".encode()
            + bytes(300_000)
        )
        eventually(lambda: [*incoming.iterdir()], "it does not begin")
    eventually(lambda: not [*incoming.iterdir()], "what came of it stays")
    assert held(ada)["total"] == before
    objects = (api.desk.settings.vault / "objects").rglob("*")
    assert not [path for path in objects if path.is_file() and path.stat().st_size in (0, 300_000)]


def test_progress_is_streamed_as_events(api: Api, ada: httpx.Client) -> None:
    with ada.stream("GET", "/api/cases/one/progress/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        first = next(answer.iter_lines())
        assert first.startswith("data: ")
        jobs = json.loads(first.removeprefix("data: "))
        assert jobs[-1]["state"] == "done" and jobs[-1]["what"].startswith("Adding")
        with contextlib.suppress(httpx.HTTPError):
            answer.close()


def test_about_says_how_workers_are_confined(ada: httpx.Client) -> None:
    about = ada.get("/api/about").json()
    assert about["version"] and "network:" in about["confinement"]
    fields = ada.get("/api/fields").json()
    assert fields[0]["name"] == "time" and {"tag", "case", "src_ip"} <= {f["name"] for f in fields}


def test_an_upload_has_its_years_from_the_time_of_its_file(api: Api, ada: httpx.Client) -> None:
    log = "".join(
        f"Jul  1 12:00:{second:02} web sshd[7]: Failed password for eve from 203.0.113.7 port 4\n"
        for second in range(12)
    )
    ada.post("/api/cases", json={"name": "years"})
    where, when = "/api/cases/years/evidence", int(datetime(2019, 7, 2, tzinfo=UTC).timestamp())

    def sent(name: str, text: str, **said: int) -> list[str]:
        answer = ada.post(where, params={"name": name, **said}, content=text.encode())
        assert answer.status_code == 202, answer.text
        api.desk.wait()
        found = ada.get("/api/cases/years/events", params={"q": f"file:{name}"}).json()["events"]
        return [str(one["time"])[:16] for one in found]

    assert sent("auth.log", log, modified=when * 1000) == ["2019-07-01T12:00"] * 12
    # What came without it is read anew when it comes with it.
    other = log.replace("web", "db")
    assert sent("old.log", other) == ["None"] * 12
    assert sent("old.log", other, modified=when * 1000) == ["2019-07-01T12:00"] * 12
    one = ada.get("/api/cases/years/events", params={"q": "host:db"}).json()["events"][0]
    assert ada.post(f"/api/cases/years/events/{one['id']}/prove").json()["passed"]
