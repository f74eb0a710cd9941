# SPDX-License-Identifier: Apache-2.0
"""Azure Blob: the data plane against Azurite; immutability by the shape of its requests.

No server that enforces immutability policies can be had here: that Azure refuses to delete is
Azure's word, and what is judged is that we ask for it.
"""

import base64
import os
import re
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path

import pytest
from azure.storage.blob import (
    AccountSasPermissions,
    BlobBlock,
    BlobClient,
    BlobServiceClient,
    ContentSettings,
    ResourceTypes,
    generate_account_sas,
)

from locard.evidence import Content
from locard.evidence.place import Place
from locard.model.custody import Verb
from locard.model.errors import Denied, Error, Missing, Storage, Tampered
from locard.providers import connect
from locard.providers.azure import blocks
from locard.providers.azure import store as azure_store
from locard.providers.azure.store import BLOCK, AzureStore
from tests.providers.vaults import LARGE, put, spooled, told, vault_over
from tests.servers.azurite import Azurite, azurite
from tests.servers.proxy import proxy
from tests.servers.recorder import Answer, Recorder, Request, forwarded, recorder

pytestmark = pytest.mark.server

DAY = 86_400_000_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with azurite(tmp_path_factory.mktemp("azurite")) as server:
        yield server


@pytest.fixture
def container(server: Azurite, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", server.connection())
    name = f"evidence-{secrets.token_hex(6)}"
    with BlobServiceClient.from_connection_string(server.connection()) as client:
        client.create_container(name)
    return name


def store_at(container: str, more: str = "lock=off") -> AzureStore:
    made = connect(Place.of(f"azure://{container}/locard?{more}"))
    assert isinstance(made, AzureStore)
    return made


@pytest.mark.parametrize("data", [b"", b"every contact", b"x" * BLOCK, LARGE])
def test_bytes_come_back_and_the_checksum_fits(container: str, tmp_path: Path, data: bytes) -> None:
    store = store_at(container)
    vault = vault_over(store, tmp_path)
    taken = put(vault, data)
    kept = vault.stat(taken.evidence.id)
    assert kept == taken.kept and kept.size == len(data)
    told = md5(data, usedforsecurity=False).hexdigest()
    assert kept.checksum == f"MD5 {told}, as it was told"
    with vault.open(taken.evidence.id, case="c", actor="bo", reason="t") as file:
        assert os.pread(file.fileno(), 50 << 20, 0) == data
    assert not put(vault, data).new
    assert list(store.names()) == [taken.evidence.id]
    store.remove(taken.evidence.id)
    assert store.stat(taken.evidence.id) is None


def test_other_bytes_under_the_name_are_noticed(
    server: Azurite, container: str, tmp_path: Path
) -> None:
    store = store_at(container)
    name, path, content = spooled(tmp_path, b"true")
    with BlobServiceClient.from_connection_string(server.connection()) as client:
        client.get_blob_client(container, f"locard/objects/{name}").upload_blob(b"fals")
    with pytest.raises(Tampered, match="holds other bytes"):
        store.place(name, path, content)
    with pytest.raises(Tampered, match="were changed"):
        vault_over(store, tmp_path / "v").open(name, case="c", actor="a", reason="t")


def test_a_spooled_file_that_changes_is_never_stored(container: str, tmp_path: Path) -> None:
    store = store_at(container)
    for data in (b"small", LARGE):
        name, path, content = spooled(tmp_path, data)
        path.write_bytes(data[:-1] + b"!")
        with pytest.raises(Tampered, match="on its way"):
            store.place(name, path, content)
        assert store.stat(name) is None


def written(server: Azurite, container: str, name: str) -> BlobClient:
    """The blob as somebody else writes it, who may."""
    service = BlobServiceClient.from_connection_string(server.connection())
    return service.get_blob_client(container, f"locard/objects/{name}")


def account_token(server: Azurite) -> str:
    """A signature that does not cover the requests themselves, so that they can be changed."""
    return generate_account_sas(
        server.account,
        server.key,
        ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(read=True, write=True, list=True, create=True, delete=True),
        datetime.now(UTC) + timedelta(hours=1),
    )


def lies(data: bytes) -> ContentSettings:
    return ContentSettings(content_md5=bytearray(md5(data, usedforsecurity=False).digest()))


@pytest.mark.parametrize("data", [b"true", LARGE])
def test_the_md5_that_a_blob_was_told_convinces_nobody(
    server: Azurite, container: str, tmp_path: Path, data: bytes
) -> None:
    store = store_at(container)
    name, path, content = spooled(tmp_path, data)
    with written(server, container, name) as blob:
        blob.stage_block("1", b"!" + data[1:])
        blob.commit_block_list([BlobBlock("1")], content_settings=lies(data))
    kept = store.stat(name)
    assert kept and kept.size == len(data), "size and MD5 are those of the evidence"
    assert kept.checksum == f"MD5 {md5(data, usedforsecurity=False).hexdigest()}, as it was told"
    with pytest.raises(Tampered, match="holds other bytes"):
        store.place(name, path, content)


def test_the_blocks_that_were_sent_are_those_that_the_service_lists(
    server: Azurite, container: str, tmp_path: Path
) -> None:
    store = store_at(container)
    name, path, content = spooled(tmp_path, LARGE)
    store.place(name, path, content)
    with written(server, container, name) as blob:
        listed = blocks.blocks(blob)
    expected = [LARGE[at : at + BLOCK] for at in range(0, len(LARGE), BLOCK)]
    assert [size for _, size in listed] == [len(one) for one in expected]
    digests = [md5(one, usedforsecurity=False).hexdigest() for one in expected]
    assert [one.split("-")[2] for one, _ in listed] == digests


@pytest.mark.parametrize("data", [b"small", LARGE])
def test_a_byte_that_changes_on_the_way_is_refused_by_the_service(
    server: Azurite, container: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    def flipped(request: Request) -> Answer:
        if request.method == "PUT" and request.query.get("comp") in (None, "block"):
            request.body = bytes([request.body[0] ^ 1]) + request.body[1:]
        return forwarded(request, server.port)

    with recorder(flipped) as between:
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", server.connection(between.port))
        name, path, content = spooled(tmp_path, data)
        with pytest.raises(Storage, match="refused: InvalidOperation"):  # Azurite's word for it
            store_at(container).place(name, path, content)
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", server.connection())
    assert list(store_at(container).names()) == []


def test_a_block_that_the_service_exchanges_is_missed(
    server: Azurite, container: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exchanged(request: Request) -> Answer:
        if request.query.get("comp") == "blocklist" and request.method == "PUT":
            first, second, *rest = re.findall(rb"<Latest>.*?</Latest>", request.body)
            body = b"".join([second, first, *rest])
            request.body = b"<?xml version='1.0'?><BlockList>" + body + b"</BlockList>"
            digest = md5(request.body, usedforsecurity=False).digest()
            request.headers["content-md5"] = base64.b64encode(digest).decode()
        answer = forwarded(request, server.port)
        answer.headers = {k: v for k, v in answer.headers.items() if k.lower() != "content-md5"}
        return answer

    assert len(LARGE) > 2 * BLOCK
    with recorder(exchanged) as between:
        monkeypatch.setenv(
            "AZURE_STORAGE_CONNECTION_STRING",
            f"BlobEndpoint=http://127.0.0.1:{between.port}/{server.account};"
            f"SharedAccessSignature={account_token(server)}",
        )
        name, path, content = spooled(tmp_path, LARGE)
        with pytest.raises(Storage, match="lists 3 blocks"):
            store_at(container).place(name, path, content)


def test_a_full_read_back_can_be_asked_for(
    server: Azurite, container: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = list[str]()

    def counted(request: Request) -> Answer:
        answer = forwarded(request, server.port)
        if request.method == "GET" and "comp" not in request.query:
            reads.append(request.path)
            answer.body = bytes([answer.body[0] ^ spoil]) + answer.body[1:]
        return answer

    with recorder(counted) as between:
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", server.connection(between.port))
        spoil = 0
        name, path, content = spooled(tmp_path, b"once")
        store_at(container).place(name, path, content)
        assert not reads
        name, path, content = spooled(tmp_path, b"twice")
        assert store_at(container, "lock=off&readback=on").place(name, path, content)[1]
        assert len(reads) == 1
        spoil = 1
        name, path, content = spooled(tmp_path, b"thrice")
        with pytest.raises(Storage, match="keeps other bytes than were sent"):
            store_at(container, "lock=off&readback=on").place(name, path, content)


def test_a_network_that_goes_away_leaves_nothing(
    server: Azurite, container: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(azure_store, "RETRIES", 0)
    with proxy(server.port) as between:
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", server.connection(between.port))
        store = store_at(container)
        vault = vault_over(store, tmp_path)
        between.cut_after(20 << 20)
        with pytest.raises(Storage, match=r"connection to .* was lost"):
            put(vault, LARGE)
    assert told(vault) == [Verb.FAILED]
    assert list(vault.incoming.iterdir()) == []
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", server.connection())
    assert list(store_at(container).names()) == []


def test_a_container_that_cannot_lock_or_is_not_there_is_refused(container: str) -> None:
    with pytest.raises(Error, match="no version-level immutability"):
        store_at(container, "retain=1d").prepare()
    with pytest.raises(Missing, match="does not exist"):
        store_at("nothing-here").prepare()
    with pytest.raises(Denied, match="without an immutability policy"):
        store_at(container).hold("0" * 64, True)


def test_a_wrong_key_is_a_sentence(
    server: Azurite, container: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = server.connection().replace(server.key, "A" * 86 + "==")
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", wrong)
    with pytest.raises((Storage, Denied)) as caught:
        store_at(container).prepare()
    assert server.key not in caught.value.message + caught.value.advice


NAME = "ab" * 32
KEY = f"locard/objects/{NAME}"


class Service:
    """Answers as the documentation of Azure's REST interface says, for one blob."""

    def __init__(self) -> None:
        self.until, self.held, self.made = "", False, False

    def __call__(self, request: Request) -> Answer:
        headers = {"x-ms-request-id": "1", "etag": '"1"'}
        if request.query.get("restype") == "container" and "comp" not in request.query:
            return Answer(
                headers=headers | {"x-ms-immutable-storage-with-versioning-enabled": "true"}
            )
        match request.method, request.query.get("comp"):
            case "GET", "list":
                return Answer(body=self.listing(), headers={"content-type": "application/xml"})
            case "PUT", "immutabilityPolicies":
                self.until = request.headers["x-ms-immutability-policy-until-date"]
            case "PUT", "legalhold":
                self.held = request.headers["x-ms-legal-hold"] == "true"
            case "PUT", None:
                self.made = True
                self.until = request.headers["x-ms-immutability-policy-until-date"]
                return Answer(201, headers=headers | {"x-ms-version-id": "v1"})
            case "DELETE", None:
                return Answer(409, headers={"x-ms-error-code": "BlobImmutableDueToPolicy"})
        return Answer(headers=headers)

    def listing(self) -> bytes:
        blob = f"""<Blob><Name>{KEY}</Name><VersionId>v1</VersionId>
            <IsCurrentVersion>true</IsCurrentVersion><Properties>
            <Content-Length>4</Content-Length>
            <Content-MD5>WwXeBVwMbKE6Lf4DmDJRiQ==</Content-MD5>
            <BlobType>BlockBlob</BlobType>
            <ImmutabilityPolicyUntilDate>{self.until}</ImmutabilityPolicyUntilDate>
            <ImmutabilityPolicyMode>locked</ImmutabilityPolicyMode>
            <LegalHold>{str(self.held).lower()}</LegalHold></Properties></Blob>"""
        return (
            '<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>'
            f"{blob if self.made else ''}</Blobs><NextMarker /></EnumerationResults>"
        ).encode()


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    with recorder(Service()) as made:
        said = Azurite(made.port, "tests", "A" * 86 + "==").connection()
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", said)
        yield made


def test_what_is_placed_carries_a_locked_policy(recorded: Recorder, tmp_path: Path) -> None:
    store = store_at("evidence", "retain=2d")
    store.prepare()
    path = tmp_path / "spooled"
    path.write_bytes(b"data")
    content = Content("3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7", 4)
    service = recorded.answer
    assert isinstance(service, Service)
    expected = md5(b"data", usedforsecurity=False)
    service_md5 = base64.b64encode(expected.digest()).decode()
    listing = service.listing
    service.listing = lambda: listing().replace(b"WwXeBVwMbKE6Lf4DmDJRiQ==", service_md5.encode())
    kept, new = store.place(NAME, path, content)
    assert new and kept.version == "v1" and kept.protection == "locked policy"
    assert kept.until and 1.9 * DAY < kept.until - time.time_ns() < 2.1 * DAY
    (sent,) = [one for one in recorded.requests if one.method == "PUT"]
    assert sent.path == f"/tests/evidence/{KEY}"
    assert sent.headers["x-ms-immutability-policy-mode"] == "Locked"
    assert sent.headers["if-none-match"] == "*"
    assert sent.headers["content-md5"] == service_md5

    recorded.requests.clear()
    assert store.hold(NAME, True).held
    (sent,) = [one for one in recorded.requests if one.method == "PUT"]
    assert sent.query == {"comp": "legalhold", "versionid": "v1"}
    assert sent.headers["x-ms-legal-hold"] == "true"
    with pytest.raises(Denied, match="legal hold"):
        store.remove(NAME)
    assert not store.hold(NAME, False).held

    recorded.requests.clear()
    later = (time.time_ns() + 9 * DAY) // 10**9 * 10**9
    assert store.retain(NAME, later).until == later
    assert store.retain(NAME, time.time_ns()).until == later
    (sent,) = [one for one in recorded.requests if one.method == "PUT"]
    assert sent.query == {"comp": "immutabilityPolicies", "versionid": "v1"}
    assert sent.headers["x-ms-immutability-policy-mode"] == "Locked"
    with pytest.raises(Denied, match="is kept until"):
        store.remove(NAME)


def test_what_is_placed_in_blocks_carries_a_locked_policy_too(
    recorded: Recorder, tmp_path: Path
) -> None:
    service = recorded.answer
    assert isinstance(service, Service)
    sizes: dict[str, int] = {}

    def in_blocks(request: Request) -> Answer:
        headers = {"x-ms-request-id": "1", "etag": '"1"'}
        match request.method, request.query.get("comp"):
            case "PUT", "block":
                told = md5(request.body, usedforsecurity=False).digest()
                assert request.headers["content-md5"] == base64.b64encode(told).decode()
                sizes[request.query["blockid"]] = len(request.body)
                return Answer(201, headers=headers)
            case "PUT", "blocklist":
                service.made = True
                service.until = request.headers["x-ms-immutability-policy-until-date"]
                return Answer(201, headers=headers | {"x-ms-version-id": "v1"})
            case "GET", "blocklist":
                found = "".join(
                    f"<Block><Name>{name}</Name><Size>{size}</Size></Block>"
                    for name, size in sorted(sizes.items())
                )
                text = f"<BlockList><CommittedBlocks>{found}</CommittedBlocks></BlockList>"
                return Answer(200, text.encode(), headers | {"content-type": "application/xml"})
        return service(request)

    told = md5(LARGE, usedforsecurity=False).digest()
    listing = service.listing
    service.listing = lambda: (
        listing()
        .replace(b"WwXeBVwMbKE6Lf4DmDJRiQ==", base64.b64encode(told))
        .replace(b"<Content-Length>4<", f"<Content-Length>{len(LARGE)}<".encode())
    )
    recorded.answer = in_blocks
    _, path, content = spooled(tmp_path, LARGE)
    kept, new = store_at("evidence", "retain=2d").place(NAME, path, content)
    assert new and kept.protection == "locked policy" and kept.version == "v1"
    (sent,) = [o for o in recorded.requests if o.method == "PUT" and o.query["comp"] == "blocklist"]
    assert sent.headers["x-ms-immutability-policy-mode"] == "Locked"
    assert sent.headers["if-none-match"] == "*"
    assert sent.headers["x-ms-blob-content-md5"] == base64.b64encode(told).decode()


def test_what_azure_says_of_a_checksum_that_does_not_fit_is_said(
    recorded: Recorder, tmp_path: Path
) -> None:
    service = recorded.answer
    recorded.answer = lambda request: (
        Answer(400, headers={"x-ms-error-code": "Md5Mismatch"})
        if request.method == "PUT"
        else service(request)
    )
    for data in (b"small", LARGE):
        with pytest.raises(Storage, match="got other bytes than were sent"):
            store_at("evidence", "retain=2d").place(*spooled(tmp_path, data))


def test_when_azure_refuses_to_delete_it_is_said(recorded: Recorder) -> None:
    service = recorded.answer
    assert isinstance(service, Service)
    service.made, service.until = True, "Fri, 03 Jan 2020 00:00:00 GMT"
    with pytest.raises(Denied, match="an immutability policy or a legal hold stands"):
        store_at("evidence", "retain=2d").remove(NAME)
