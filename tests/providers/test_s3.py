# SPDX-License-Identifier: Apache-2.0
"""S3 with Object Lock against a real server: what must fail is tried, and really fails."""

import contextlib
import os
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from locard.evidence.place import Place
from locard.model.custody import Verb
from locard.model.errors import Denied, Error, Missing, Storage, Tampered
from locard.providers import connect
from locard.providers.aws.store import PART, S3Store, part_size
from tests.providers.vaults import LARGE, put, spooled, told, vault_over
from tests.servers.proxy import proxy
from tests.servers.seaweedfs import Seaweed
from tests.waiting import eventually

pytestmark = pytest.mark.server

DAY = 86_400_000_000_000


def store_at(server: Seaweed, bucket: str, endpoint: str = "", more: str = "&retain=1d") -> S3Store:
    text = f"s3://{bucket}/locard?endpoint={endpoint or server.endpoint}{more}"
    made = connect(Place.of(text))
    assert isinstance(made, S3Store)
    return made


@pytest.fixture
def bucket(as_admin: Seaweed) -> str:
    return as_admin.bucket()


@pytest.fixture
def store(as_admin: Seaweed, bucket: str) -> S3Store:
    made = store_at(as_admin, bucket)
    made.prepare()
    return made


@pytest.mark.parametrize("data", [b"", b"every contact leaves a trace", b"x" * PART, LARGE])
def test_bytes_come_back_and_the_store_says_the_same_checksum(
    store: S3Store, tmp_path: Path, data: bytes
) -> None:
    vault = vault_over(store, tmp_path)
    taken = put(vault, data)
    assert taken.new
    kept = vault.stat(taken.evidence.id)
    assert kept == taken.kept
    assert kept.protection == "COMPLIANCE"
    assert kept.until is not None and 0.9 * DAY < kept.until - time.time_ns() < 1.1 * DAY
    assert kept.version and kept.checksum
    if len(data) <= PART:
        assert kept.checksum == f"SHA-256 {taken.evidence.id}"
    with vault.open(taken.evidence.id, case="c", actor="bo", reason="look") as file:
        assert os.pread(file.fileno(), 50 << 20, 0) == data
    assert vault.verify(taken.evidence.id, case="c", actor="bo", reason="t").size == len(data)
    assert list(store.names()) == [taken.evidence.id]
    assert list(vault.incoming.iterdir()) == []
    details = taken.entry.details
    assert details["storage place"].endswith(taken.evidence.id)
    assert details["storage retention"].startswith("COMPLIANCE until 20")
    again = put(vault, data, "b.log")
    assert not again.new
    assert again.kept.version == kept.version


def versions(server: Seaweed, bucket: str) -> list[dict]:
    return server.client().list_object_versions(Bucket=bucket).get("Versions", [])


def test_nobody_deletes_overwrites_or_shortens(
    as_admin: Seaweed, bucket: str, store: S3Store, tmp_path: Path
) -> None:
    """The administrator of the server tries, past Locard."""
    vault = vault_over(store, tmp_path)
    taken = put(vault, LARGE)
    kept, key, client = taken.kept, f"locard/objects/{taken.evidence.id}", as_admin.client()
    where = {"Bucket": bucket, "Key": key}
    refused: list[Callable[[], object]] = [
        lambda: client.delete_object(**where, VersionId=kept.version),
        lambda: client.delete_object(
            **where, VersionId=kept.version, BypassGovernanceRetention=True
        ),
        lambda: client.put_object_retention(
            **where,
            VersionId=kept.version,
            Retention={"Mode": "COMPLIANCE", "RetainUntilDate": time.time() + 60},
        ),
        lambda: client.put_object_retention(
            **where,
            VersionId=kept.version,
            Retention={"Mode": "GOVERNANCE", "RetainUntilDate": time.time() + 9 * 86400},
            BypassGovernanceRetention=True,
        ),
        lambda: client.put_object_retention(**where, VersionId=kept.version, Retention={}),
        lambda: client.delete_bucket(Bucket=bucket),
    ]
    for attempt in refused:
        with pytest.raises(ClientError):
            attempt()
    several = client.delete_objects(
        Bucket=bucket, Delete={"Objects": [{"Key": key, "VersionId": kept.version}]}
    )
    assert several["Errors"][0]["Code"] == "AccessDenied"
    client.put_object(**where, Body=b"forged")
    client.delete_object(**where)
    with pytest.raises(ClientError):
        client.head_object(**where)
    assert vault.stat(taken.evidence.id) == kept
    assert list(store.names()) == [taken.evidence.id]
    with vault.open(taken.evidence.id, case="c", actor="bo", reason="look") as file:
        assert file.read() == LARGE


def test_a_hold_outlasts_and_a_retention_only_grows(store: S3Store, tmp_path: Path) -> None:
    name, path, content = spooled(tmp_path, b"held")
    kept, _ = store.place(name, path, content)
    assert not kept.held
    assert store.hold(name, True).held
    with pytest.raises(Denied, match="legal hold"):
        store.remove(name)
    assert not store.hold(name, False).held
    with pytest.raises(Denied, match="is kept until"):
        store.remove(name)
    later = (time.time_ns() + 5 * DAY) // 10**9 * 10**9
    assert store.retain(name, later).until == later
    assert store.retain(name, time.time_ns()).until == later
    assert store.stat(name) is not None


def test_what_is_no_longer_kept_can_be_removed(as_admin: Seaweed, tmp_path: Path) -> None:
    bucket = as_admin.bucket()
    store = store_at(as_admin, bucket)
    store.prepare()
    name, path, content = spooled(tmp_path, b"short-lived")
    store.lock = False
    store.place(name, path, content)
    store.lock = True
    until = store.retain(name, time.time_ns() + 10 * 10**9).until
    store.hold(name, True)
    eventually(lambda: time.time_ns() > (until or 0) + 10**9)
    with pytest.raises(Denied, match="legal hold"):
        store.remove(name)
    store.hold(name, False)
    store.remove(name)
    assert store.stat(name) is None
    assert versions(as_admin, bucket) == []
    with pytest.raises(Missing):
        store.remove(name)


def test_adding_again_lengthens_the_retention(
    as_admin: Seaweed, bucket: str, store: S3Store, tmp_path: Path
) -> None:
    name, path, content = spooled(tmp_path, b"again")
    first, _ = store.place(name, path, content)
    second, new = store_at(as_admin, bucket, more="&retain=9d").place(name, path, content)
    assert not new and second.version == first.version
    assert first.until and second.until and second.until - first.until > 7 * DAY


def test_other_bytes_under_the_name_are_noticed(
    as_admin: Seaweed, bucket: str, store: S3Store, tmp_path: Path
) -> None:
    for data in (b"true bytes", LARGE):
        name, path, content = spooled(tmp_path, data)
        as_admin.client().put_object(
            Bucket=bucket, Key=f"locard/objects/{name}", Body=data[:-1] + b"!"
        )
        with pytest.raises(Tampered, match="holds other bytes"):
            store.place(name, path, content)
        with pytest.raises(Tampered, match="were changed"):
            vault = vault_over(store, tmp_path / "v")
            vault.open(name, case="c", actor="a", reason="t")
        assert list(vault.ledger.entries())[-1].verb is Verb.VERIFICATION_FAILED


def test_a_bucket_without_a_lock_or_a_time_is_refused(as_admin: Seaweed) -> None:
    open_bucket = as_admin.bucket(lock=False)
    with pytest.raises(Error, match="has no Object Lock"):
        store_at(as_admin, open_bucket).prepare()
    with pytest.raises(Error, match="how long evidence is to be kept"):
        store_at(as_admin, as_admin.bucket(), more="").prepare()
    store_at(as_admin, open_bucket, more="&lock=off").prepare()
    with pytest.raises(Denied, match="without Object Lock"):
        store_at(as_admin, open_bucket, more="&lock=off").hold("0" * 64, True)


def test_the_bucket_s_own_default_counts(as_admin: Seaweed, bucket: str, tmp_path: Path) -> None:
    as_admin.client().put_object_lock_configuration(
        Bucket=bucket,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 3}},
        },
    )
    store = store_at(as_admin, bucket, more="")
    store.prepare()
    for data in (b"small", LARGE):
        name, path, content = spooled(tmp_path, data)
        kept, _ = store.place(name, path, content)
        assert kept.until and 2.9 * DAY < kept.until - time.time_ns() < 3.1 * DAY


def test_who_may_only_read_is_told_what_is_missing(
    seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bucket = seaweed.bucket()
    for name, value in seaweed.environment(seaweed.reader).items():
        monkeypatch.setenv(name, value)
    name, path, content = spooled(tmp_path, b"x")
    with pytest.raises(Denied, match="refused s3:PutObject"):
        store_at(seaweed, bucket).place(name, path, content)


def test_unknown_and_missing_credentials_are_sentences_without_the_key(
    seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bucket = seaweed.bucket()
    for name, value in seaweed.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODYKNOWSTHIS")
    with pytest.raises(Storage, match="does not know the credentials") as caught:
        store_at(seaweed, bucket).prepare()
    assert "AKIA" not in caught.value.message + caught.value.advice
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(Storage, match="There are no credentials"):
        store_at(seaweed, bucket).prepare()


def test_expired_credentials_are_a_sentence(as_admin: Seaweed, bucket: str, tmp_path: Path) -> None:
    """SeaweedFS gives no credentials that expire, so the answer is that of the documentation."""
    store = store_at(as_admin, bucket)
    name, path, content = spooled(tmp_path, LARGE)
    with Stubber(store._client) as stub:
        stub.add_client_error("list_object_versions", "ExpiredToken", "AKIAEXAMPLE", 400)
        with pytest.raises(Storage, match="have expired") as caught:
            store.place(name, path, content)
    assert "AKIA" not in caught.value.message


def test_a_bucket_that_does_not_exist_is_a_sentence(as_admin: Seaweed) -> None:
    with pytest.raises(Missing, match="does not exist"):
        store_at(as_admin, "no-such-bucket-here").prepare()


def test_a_network_that_goes_away_leaves_nothing(
    as_admin: Seaweed, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with proxy(as_admin.ports["s3"]) as between:
        vault = vault_over(store_at(as_admin, bucket, between.endpoint), tmp_path)
        between.cut_after(20 << 20)
        with pytest.raises(Storage, match=r"connection to .* was lost"):
            put(vault, LARGE)
    assert versions(as_admin, bucket) == []
    assert told(vault) == [Verb.FAILED]
    assert list(vault.incoming.iterdir()) == []
    with pytest.raises(Storage, match=r"connection to .* was lost"):
        vault.open("0" * 64, case="c", actor="a", reason="t")


def test_bytes_altered_on_the_way_are_never_taken_for_evidence(
    as_admin: Seaweed, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with proxy(as_admin.ports["s3"]) as between:
        vault = vault_over(store_at(as_admin, bucket, between.endpoint), tmp_path)
        between.up = lambda data: data.replace(b"\x11" * 100, b"\x12" * 100)
        with pytest.raises(Storage):
            put(vault, LARGE)
        assert versions(as_admin, bucket) == []
        assert told(vault) == [Verb.FAILED]
        between.up = lambda data: data
        taken = put(vault, LARGE)
        between.down = lambda data: data.replace(b"\x11" * 100, b"\x12" * 100)
        with pytest.raises(Tampered, match="were changed"):
            vault.open(taken.evidence.id, case="c", actor="a", reason="t")
        with pytest.raises(Tampered, match="were changed"):
            vault.verify(taken.evidence.id, case="c", actor="a", reason="t")
    assert list(vault.incoming.iterdir()) == []


def test_a_spooled_file_that_changes_is_never_stored(
    as_admin: Seaweed, bucket: str, store: S3Store, tmp_path: Path
) -> None:
    for data in (b"small", LARGE):
        name, path, content = spooled(tmp_path, data)
        path.write_bytes(data[:-1] + b"!")
        with pytest.raises(Tampered, match="on its way"):
            store.place(name, path, content)
    assert versions(as_admin, bucket) == []
    assert as_admin.client().list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def test_parts_stay_below_ten_thousand() -> None:
    for size in (1, PART, PART + 1, 160 << 30, (160 << 30) + 1, 5 << 40):
        assert -(-size // part_size(size)) <= 10_000
        assert part_size(size) % (1 << 20) == 0


def refuses_strangers(port: int) -> bool:
    """Whether a gRPC port ends a connection that shows no certificate, over TLS or without it."""
    with socket.create_connection(("127.0.0.1", port), 10) as plain:
        plain.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        with contextlib.suppress(ConnectionError):
            if plain.recv(100)[:1] not in (b"", b"\x15"):  # the end, or a TLS alert
                return False
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    try:
        with (
            socket.create_connection(("127.0.0.1", port), 10) as raw,
            context.wrap_socket(raw) as wrapped,
        ):
            return wrapped.recv(100) == b""
    except (ssl.SSLError, ConnectionError):
        return True


def test_the_server_s_other_ports_let_nobody_past_the_lock(
    as_admin: Seaweed, bucket: str, store: S3Store, tmp_path: Path
) -> None:
    """What would delete the bucket of a SeaweedFS that is left as it comes."""
    vault = vault_over(store, tmp_path)
    taken = put(vault, b"locked")
    ports = as_admin.ports

    def answer(port: int, path: str, method: str) -> int:
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as found:
                return found.status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    assert answer(ports["filer"], f"/buckets/{bucket}?recursive=true", "DELETE") == 404
    assert answer(ports["filer"], f"/buckets/{bucket}/", "GET") == 404
    assert answer(ports["master"], f"/col/delete?collection={bucket}", "GET") == 404
    assert answer(ports["volume"], "/1,01637037d6", "DELETE") == 401
    assert answer(ports["volume"], "/1,01637037d6", "GET") == 401
    for port in ("filer.grpc", "master.grpc", "volume.grpc", "s3.grpc"):
        assert refuses_strangers(ports[port])
    assert vault.verify(taken.evidence.id, case="c", actor="a", reason="t").size == 6


def test_the_server_is_bound_to_loopback_only(seaweed: Seaweed) -> None:
    outside = [
        address[4][0]
        for address in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        if not str(address[4][0]).startswith("127.")
    ]
    for address in outside:
        for port in seaweed.ports.values():
            with socket.socket() as one:
                one.settimeout(1)
                assert one.connect_ex((str(address), port)) != 0
