# SPDX-License-Identifier: Apache-2.0
"""Google Cloud Storage: the data plane against an emulator; retention by the shape of its requests.

No server that enforces retentions can be had here: that Google refuses to delete is Google's word,
and what is judged is that we ask for it.
"""

import base64
import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import google_crc32c
import pytest
from google.cloud import storage

from locard.evidence.place import Place
from locard.model.custody import Verb
from locard.model.errors import Denied, Error, Missing, Storage, Tampered
from locard.providers import connect
from locard.providers.gcp import store as gcs_store
from locard.providers.gcp.parts import PART
from locard.providers.gcp.store import GoogleStore
from tests.providers.vaults import LARGE, put, spooled, told, vault_over
from tests.servers.gcs import gcs
from tests.servers.gcs_parts import Parts, with_parts
from tests.servers.proxy import proxy
from tests.servers.recorder import Answer, Recorder, Request, recorder

pytestmark = pytest.mark.server

DAY = 86_400_000_000_000


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with gcs() as port:
        yield port


@pytest.fixture
def front(port: int) -> Iterator[tuple[Recorder, Parts]]:
    """The emulator with the multipart calls that it lacks before it."""
    with with_parts(port) as made:
        yield made


@pytest.fixture
def bucket(front: tuple[Recorder, Parts], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{front[0].port}")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "tests")
    name = f"evidence-{secrets.token_hex(6)}"
    storage.Client().create_bucket(name)
    return name


def store_at(bucket: str, more: str = "lock=off") -> GoogleStore:
    made = connect(Place.of(f"gs://{bucket}/locard?{more}"))
    assert isinstance(made, GoogleStore)
    return made


@pytest.mark.parametrize("data", [b"", b"every contact", b"x" * PART, LARGE])
def test_bytes_come_back_and_the_store_says_the_same_checksum(
    bucket: str, tmp_path: Path, data: bytes
) -> None:
    store = store_at(bucket)
    vault = vault_over(store, tmp_path)
    taken = put(vault, data)
    kept = vault.stat(taken.evidence.id)
    assert kept == taken.kept and kept.size == len(data)
    assert kept.checksum == f"CRC32C {google_crc32c.value(data):08x}"
    with vault.open(taken.evidence.id, case="c", actor="bo", reason="t") as file:
        assert os.pread(file.fileno(), 50 << 20, 0) == data
    assert not put(vault, data).new
    assert list(store.names()) == [taken.evidence.id]
    store.remove(taken.evidence.id)
    assert store.stat(taken.evidence.id) is None


def test_other_bytes_under_the_name_are_noticed(bucket: str, tmp_path: Path) -> None:
    store = store_at(bucket)
    name, path, content = spooled(tmp_path, b"true")
    storage.Client().bucket(bucket).blob(f"locard/objects/{name}").upload_from_string(b"fals")
    with pytest.raises(Tampered, match="holds other bytes"):
        store.place(name, path, content)
    with pytest.raises(Tampered, match="were changed"):
        vault_over(store, tmp_path / "v").open(name, case="c", actor="a", reason="t")


def test_a_spooled_file_that_changes_is_never_stored(bucket: str, tmp_path: Path) -> None:
    store = store_at(bucket)
    for data in (b"small", LARGE):
        name, path, content = spooled(tmp_path, data)
        path.write_bytes(data[:-1] + b"!")
        with pytest.raises(Tampered, match="on its way"):
            store.place(name, path, content)
        assert store.stat(name) is None


def test_a_bucket_that_cannot_lock_or_is_not_there_is_refused(bucket: str) -> None:
    with pytest.raises(Error, match="neither a locked retention policy nor object retention"):
        store_at(bucket, "retain=1d").prepare()
    with pytest.raises(Missing, match="does not exist"):
        store_at("nothing-here").prepare()
    with pytest.raises(Denied, match="without a retention"):
        store_at(bucket).hold("0" * 64, True)


NAME = "ab" * 32
KEY = f"locard/objects/{NAME}"


class Service:
    """Answers as the documentation of Google's JSON interface says, for one object."""

    def __init__(self, **bucket: object) -> None:
        self.bucket = {"name": "evidence", **bucket}
        self.object: dict[str, object] = {}
        self.refuse = False

    def __call__(self, request: Request) -> Answer:
        if request.method == "GET" and request.path == "/storage/v1/b/evidence":
            return self.json(self.bucket)
        if request.method == "DELETE":
            return Answer(403, b'{"error": {"code": 403, "message": "retention"}}')
        if request.path.startswith(("/upload/", "/resumable/")):
            checksum = google_crc32c.value(b"data").to_bytes(4, "big")
            self.object |= {
                "name": KEY,
                "size": "4",
                "generation": "7",
                "metageneration": "1",
                "crc32c": base64.b64encode(checksum).decode(),
            }
            return self.json(self.object)
        if request.method == "PATCH":
            self.object |= json.loads(request.body)
        return self.json(self.object) if self.object else Answer(404, b"{}")

    @staticmethod
    def json(value: object) -> Answer:
        return Answer(200, json.dumps(value).encode(), {"content-type": "application/json"})


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    with recorder(Service(objectRetention={"mode": "Enabled"})) as made:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{made.port}")
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "tests")
        yield made


def test_what_is_placed_gets_a_locked_retention(recorded: Recorder, tmp_path: Path) -> None:
    store = store_at("evidence", "retain=2d")
    store.prepare()
    _, path, content = spooled(tmp_path, b"data")
    kept, new = store.place(NAME, path, content)
    assert new and kept.version == "7" and kept.protection == "locked retention"
    assert kept.until and 1.9 * DAY < kept.until - time.time_ns() < 2.1 * DAY
    sent = next(one for one in recorded.requests if one.method == "POST")
    assert sent.query["ifGenerationMatch"] == "0"
    (locked,) = [json.loads(one.body) for one in recorded.requests if one.method == "PATCH"]
    assert locked["retention"]["mode"] == "Locked"

    recorded.requests.clear()
    assert store.hold(NAME, True).held
    assert [json.loads(o.body) for o in recorded.requests if o.method == "PATCH"] == [
        {"temporaryHold": True}
    ]
    with pytest.raises(Denied, match="legal hold"):
        store.remove(NAME)
    assert not store.hold(NAME, False).held

    later = (time.time_ns() + 9 * DAY) // 10**9 * 10**9
    assert store.retain(NAME, later).until == later
    recorded.requests.clear()
    assert store.retain(NAME, time.time_ns()).until == later
    assert not [one for one in recorded.requests if one.method == "PATCH"]
    with pytest.raises(Denied, match="is kept until"):
        store.remove(NAME)


def test_a_locked_policy_of_the_bucket_is_enough(recorded: Recorder) -> None:
    service = Service(retentionPolicy={"retentionPeriod": str(10 * 86400), "isLocked": True})
    recorded.answer = service
    store_at("evidence", "").prepare()
    store_at("evidence", "retain=10d").prepare()
    with pytest.raises(Error, match="keeps objects for 10 days only"):
        store_at("evidence", "retain=11d").prepare()
    service.bucket["retentionPolicy"] = {"retentionPeriod": "864000"}
    with pytest.raises(Error, match="neither a locked"):
        store_at("evidence", "").prepare()


def test_when_google_refuses_to_delete_it_is_said(recorded: Recorder) -> None:
    service = recorded.answer
    assert isinstance(service, Service)
    service.object = {"name": KEY, "size": "4", "generation": "7", "crc32c": "AAAAAA=="}
    with pytest.raises(Denied, match="refused it"):
        store_at("evidence", "retain=2d").remove(NAME)


def test_a_network_that_goes_away_leaves_nothing(
    front: tuple[Recorder, Parts], bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gcs_store, "PATIENCE", 1)
    with proxy(front[0].port) as between:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", between.endpoint)
        store = store_at(bucket)
        vault = vault_over(store, tmp_path)
        between.cut_after(20 << 20)
        with pytest.raises(Storage, match=r"connection to .* was lost"):
            put(vault, LARGE)
    assert told(vault) == [Verb.FAILED]
    assert list(vault.incoming.iterdir()) == []
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{front[0].port}")
    assert list(store_at(bucket).names()) == []


def parts_sent(front: tuple[Recorder, Parts]) -> list[Request]:
    return [one for one in front[0].requests if "partNumber" in one.query]


def test_what_is_larger_than_a_part_goes_in_parts_at_once(
    front: tuple[Recorder, Parts], bucket: str, tmp_path: Path
) -> None:
    store = store_at(bucket)
    _, new = store.place(*spooled(tmp_path, LARGE))
    assert new and front[1].finished == 1 and not front[1].uploads
    sent = sorted(parts_sent(front), key=lambda one: int(one.query["partNumber"]))
    assert [len(one.body) for one in sent] == [PART, PART, len(LARGE) - 2 * PART]
    assert b"".join(one.body for one in sent) == LARGE
    front[0].requests.clear()
    assert not store.place(*spooled(tmp_path, LARGE))[1], "it is there already"
    assert not parts_sent(front)


def test_a_part_that_changes_on_the_way_is_refused_by_the_service(
    front: tuple[Recorder, Parts], bucket: str, tmp_path: Path
) -> None:
    def flipped(request: Request) -> Answer:
        if request.query.get("partNumber") == "2":
            request.body = b"!" + request.body[1:]
        return front[1](request)

    front[0].answer = flipped
    store = store_at(bucket)
    with pytest.raises(Storage, match="got other bytes than were sent"):
        store.place(*spooled(tmp_path, LARGE))
    assert list(store.names()) == [] and not front[1].uploads, "nothing is left, parts included"


def test_parts_that_the_service_puts_together_wrongly_are_noticed(
    front: tuple[Recorder, Parts], bucket: str, tmp_path: Path
) -> None:
    def exchanged(request: Request) -> Answer:
        if request.method == "POST" and "uploadId" in request.query:
            one, two, *rest = re.findall(rb"<Part>.*?</Part>", request.body)
            request.body = b"".join([two, one, *rest])
        return front[1](request)

    front[0].answer = exchanged
    with pytest.raises(Storage, match="keeps other bytes than were sent"):
        store_at(bucket).place(*spooled(tmp_path, LARGE))


def test_what_is_under_a_retention_is_not_replaced(
    front: tuple[Recorder, Parts], bucket: str, tmp_path: Path
) -> None:
    name, path, content = spooled(tmp_path, LARGE)
    key = f"locard/objects/{name}"

    def first(request: Request) -> Answer:
        """Somebody else is there between our look and our last call."""
        if request.method == "POST" and "uploadId" in request.query:
            blob = storage.Client().bucket(bucket).blob(key)
            blob.upload_from_string(other)
            front[1].retained.add(f"/{bucket}/{key}")
        return front[1](request)

    front[0].answer = first
    other = b"another"
    with pytest.raises(Tampered, match="holds other bytes"):
        store_at(bucket).place(name, path, content)
    assert storage.Client().bucket(bucket).blob(key).download_as_bytes() == other
    assert not front[1].uploads, "the parts are gone"


def test_a_second_writer_at_the_same_time_is_named(
    front: tuple[Recorder, Parts], bucket: str, tmp_path: Path
) -> None:
    name, path, content = spooled(tmp_path, LARGE)

    def twice(request: Request) -> Answer:
        answer = front[1](request)
        if "versions" in request.query and (listed := json.loads(answer.body)).get("items"):
            older = dict(listed["items"][0], generation="1")
            answer = Service.json(listed | {"items": [*listed["items"], older]})
        return answer

    front[0].answer = twice
    with pytest.raises(Storage, match="has 2 new generations"):
        store_at(bucket).place(name, path, content)


def test_a_last_answer_that_is_lost_is_looked_up(
    front: tuple[Recorder, Parts], bucket: str, tmp_path: Path
) -> None:
    def busy(request: Request) -> Answer:
        answer = front[1](request)
        if request.method == "POST" and "uploadId" in request.query and answer.status == 200:
            return Answer(503)
        return answer

    front[0].answer = busy
    kept, _ = store_at(bucket).place(*spooled(tmp_path, LARGE))
    assert kept.checksum == f"CRC32C {google_crc32c.value(LARGE):08x}" and front[1].finished == 1
