# SPDX-License-Identifier: Apache-2.0
"""A whole installation over S3: adding, reading in confined workers, proving, moving there."""

import os
from pathlib import Path

import pytest

from locard.cases.desk import Desk
from locard.model.custody import Hand, Verb
from locard.model.errors import Storage
from locard.model.evidence import Origin
from locard.settings import Settings
from locard.state.verifications import Judged
from tests.cases.dying import killed_after
from tests.conftest import stop_store
from tests.servers.proxy import proxy
from tests.servers.seaweedfs import Seaweed

pytestmark = pytest.mark.server


def place(server: Seaweed, bucket: str, endpoint: str = "") -> str:
    return f"s3://{bucket}/locard?endpoint={endpoint or server.endpoint}&retain=1d"


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(6):
        text = f'{{"datetime": "2026-03-01T00:00:0{number}Z", "message": "line {number}"}}\n'
        (folder / f"{number}.jsonl").write_text(text)
    return folder


def test_evidence_in_s3_becomes_rows_that_can_be_proved(
    as_admin: Seaweed, home: Path, lines: Path
) -> None:
    bucket = as_admin.bucket()
    desk = Desk(Settings(home=home, workers=2, place=place(as_admin, bucket)))
    try:
        added = desk.add("c", [lines], who="ana")
        assert (added.files, added.events, added.whole) == (6, 6, True)
        assert not list((home / "vault" / "incoming").iterdir())
        row = desk.timeline.page(desk.search("c", who="ana"), 1).rows[0]
        proof = desk.prove(str(row["id"]), who="bo")
        assert proof.passed, proof.steps
        found = desk.storage.look()
        assert (found.objects, found.recorded, found.missing) == (6, 6, [])
        assert "compliance mode" in found.protection
        assert not (home / "vault" / "objects").exists()
        assert as_admin.admin.secret not in (home / "vault.toml").read_text()
    finally:
        desk.close()
        stop_store(home)


def test_what_is_changed_or_gone_in_the_bucket_is_named_when_the_case_is_verified(
    as_admin: Seaweed, home: Path, lines: Path
) -> None:
    bucket = as_admin.bucket(lock=False)
    where = f"s3://{bucket}/locard?endpoint={as_admin.endpoint}&lock=off"
    desk = Desk(Settings(home=home, workers=2, place=where))
    ana = Hand("ana", "page")
    client = as_admin.client()
    try:
        desk.add("c", [lines], who="ana")
        found = desk.verifying.verify("c", ana)
        clauses = {one.name: one for one in found.clauses}
        assert {one.state for one in found.clauses} <= {"pass", "not checked"}
        assert clauses["evidence"].state == "pass"
        assert "6 pieces" in clauses["evidence"].detail
        listed = client.list_objects_v2(Bucket=bucket)["Contents"]
        keys = sorted(one["Key"] for one in listed if "/objects/" in one["Key"])
        before = client.get_object(Bucket=bucket, Key=keys[0])["Body"].read()
        client.put_object(Bucket=bucket, Key=keys[0], Body=before.replace(b"line", b"lime"))
        clause = _evidence(desk, ana)
        assert clause.state == "fail"
        assert "were changed" in clause.detail
        client.put_object(Bucket=bucket, Key=keys[0], Body=before)
        assert _evidence(desk, ana).state == "pass"
        client.delete_object(Bucket=bucket, Key=keys[1])
        assert _evidence(desk, ana).state == "fail"
        verbs = [one.verb for one in desk.vault.ledger.entries(case="c")]
        assert verbs.count(Verb.VERIFICATION_FAILED) >= 2
    finally:
        desk.close()
        stop_store(home)


def _evidence(desk: Desk, who: Hand) -> Judged:
    found = desk.verifying.verify("c", who)
    return next(one for one in found.clauses if one.name == "evidence")


def test_a_move_to_s3_outlives_a_lost_network_and_a_kill(
    as_admin: Seaweed, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "big"
    folder.mkdir()
    for number in range(24):
        (folder / f"{number}.bin").write_bytes(os.urandom(3 << 20))
    desk.vault.prepare()
    pieces = set()
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            put = desk.vault.put(file, Origin(name=path.name), case="c", actor="a", reason="t")
            pieces.add(put.evidence.id)
    desk.vault.settle()
    bucket = as_admin.bucket()

    def stored() -> list[str]:
        return [one.evidence for one in desk.vault.ledger.entries() if one.verb is Verb.STORED]

    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with proxy(as_admin.ports["s3"]) as between:
        between.cut_after(20 << 20)
        with pytest.raises(Storage, match="was lost"):
            desk.storage.move(place(as_admin, bucket, between.endpoint), who="ana")
    after_cut = len(stored())
    assert 0 < after_cut < 24
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    writing = "locard.cases.moving:Moving:_write"
    killed_after(3, writing, desk.settings.home, "vault", "move", place(as_admin, bucket))
    assert after_cut + 3 <= len(stored()) < 24
    moved = desk.storage.move(place(as_admin, bucket), who="ana")
    assert moved.switched and moved.copied + moved.before == 24
    assert sorted(stored()) == sorted(pieces)
    for one in pieces:
        assert desk.vault.verify(one, case="c", actor="a", reason="t").id == one
        assert desk.vault.stat(one).protection == "COMPLIANCE"
    found = desk.storage.look()
    assert (found.objects, found.recorded, found.missing, found.unrecorded) == (24, 24, [], 0)
