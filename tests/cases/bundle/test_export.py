# SPDX-License-Identifier: Apache-2.0
"""What a bundle holds, what it keeps to itself, and that it is whole or not there."""

import base64
import csv
import gzip
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import bagit
import pyarrow.parquet as pq
import pytest

from locard.cases.bundle.bag import Form
from locard.cases.bundle.export import Order
from locard.model.custody import Verb
from locard.model.errors import Missing, Tampered
from locard_verify.bundle import verify_bundle
from locard_verify.stamp import certificates
from locard_verify.verdict import State
from tests.cases.bundle.conftest import ANA, Installation
from tests.cases.bundle.test_case_file import validated

RECORDS = {
    "bagit.txt",
    "bag-info.txt",
    "manifest-sha256.txt",
    "tagmanifest-sha256.txt",
    "seal.json",
}


@pytest.mark.parametrize("form", Form)
def test_a_bundle_verifies_in_every_form(form: Form, ours: Installation, tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    ours.export(path, form=form)
    seen: list[tuple[int, int]] = []
    verdict = verify_bundle(
        path,
        [ours.key],
        certificates(ours.authority.root.read_bytes()),
        progress=lambda *at: seen.append(at),
    )
    assert [(one.name, one.state.value) for one in verdict.clauses] == [
        (name, "pass")
        for name in (
            "format", "members", "seal", "sequence", "signatures", "keys", "identity", "tree",
            "consistency", "time stamps", "clock", "losses", "exhibits", "evidence",
            "transfers",
        )
    ]  # fmt: skip
    assert seen[-1][0] == seen[-1][1] > 0


def test_bagit_and_case_find_it_valid(sealed: Path) -> None:
    assert bagit.Bag(str(sealed)).validate()
    found = validated(sealed / "data" / "case.jsonld")
    assert found.returncode == 0, found.stdout + found.stderr


def test_without_a_key_the_fingerprint_is_named_and_nothing_is_claimed(
    ours: Installation, sealed: Path
) -> None:
    identity = verify_bundle(sealed).clause("identity")
    assert identity.state is State.NOT_CHECKED
    assert ours.key.fingerprint in identity.detail


def test_the_members_are_those_that_the_form_names(sealed: Path, ours: Installation) -> None:
    names = {str(path.relative_to(sealed)) for path in sealed.rglob("*") if path.is_file()}
    top = {one for one in names if not one.startswith("data/")}
    assert top == RECORDS
    exhibits = ours.desk.vault.ledger.exhibits("night")
    assert {one for one in names if one.startswith("data/evidence/")} == {
        f"data/evidence/{one.evidence}" for one in exhibits
    }
    for one in exhibits:
        record = json.loads((sealed / f"data/exhibits/{one.number}.json").read_text())
        assert record == json.loads(json.dumps(one.record()))
    listed = list(csv.DictReader((sealed / "data/exhibits/list.csv").read_text().splitlines()))
    assert [one["sha256"] for one in listed] == [one.evidence for one in exhibits]
    assert {"data/report.html", "data/report.pdf", "data/case.jsonld", "data/marks.json"} <= names


def test_rows_carry_tags_and_comments(sealed: Path) -> None:
    table = pq.read_table(sealed / "data/timeline/events.parquet")
    assert table.num_rows == 60
    assert table.column("tag").to_pylist().count("keep") == 3
    comments = [one for one in table.column("comment").to_pylist() if one]
    assert comments == ["ana: =the first one"]
    text = gzip.decompress((sealed / "data/timeline/events.csv.gz").read_bytes()).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 60
    assert sum(row["tag"] == "keep" for row in rows) == 3
    marks = json.loads((sealed / "data/marks.json").read_text())
    assert sorted({one["kind"] for one in marks}) == ["comment", "star", "tag"]
    assert {one["who"] for one in marks} == {"ana"}


def test_the_report_says_what_was_verified(sealed: Path) -> None:
    text = (sealed / "data/report.html").read_text()
    assert "were hashed while they were copied" in text
    assert "CN=Stamper" in text
    assert "copied its bytes" in text


def test_the_ledger_says_that_it_left(ours: Installation, tmp_path: Path) -> None:
    done = ours.export(tmp_path / "bundle")
    entry = ours.desk.vault.ledger.proof(done.entry).entry
    assert (entry.verb, entry.reason) == (Verb.EXPORTED, "asked for by the court")
    assert entry.details["manifest-sha256.txt"] == done.manifest
    assert (tmp_path / "bundle/manifest-sha256.txt").exists()


def everything(folder: Path) -> bytes:
    """All that can be read in a bundle, unpacked: what somebody would find who looks for a word."""
    found = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        found.append(str(path.relative_to(folder)).encode())
        found.append(content)
        if path.suffix == ".gz":
            found.append(gzip.decompress(content))
        elif path.suffix == ".pdf":
            found.append(
                subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True).stdout
            )
        elif path.suffix == ".parquet":
            found.append(str(pq.read_table(path).to_pylist()).encode())
        elif path.name in ("entries.jsonl", "seal.json"):
            found += [_payloads(line) for line in content.splitlines() if b'"payload"' in line]
    return b"\n".join(found)


def _payloads(line: bytes) -> bytes:
    return b"\n".join(base64.b64decode(one) for one in re.findall(rb'"payload": ?"([^"]+)"', line))


def test_one_exhibit_discloses_nothing_about_other_cases(
    ours: Installation, tmp_path: Path
) -> None:
    exhibits = ours.desk.vault.ledger.exhibits("night")
    member = next(one for one in exhibits if one.derived_from.evidence)
    done = ours.export(tmp_path / "one", exhibit=member.number)
    assert (done.exhibits, done.rows) == (1, 20)
    verdict = verify_bundle(tmp_path / "one", [ours.key])
    assert verdict.passed, verdict
    assert verdict.clause("tree").state is State.PASS
    text = everything(tmp_path / "one")
    assert member.evidence.encode() in text and b"ana" in text
    for secret in ours.secrets:
        assert secret.encode() not in text, secret
    others = [
        one for one in exhibits if one.number not in (member.number, member.derived_from.number)
    ]
    assert others
    for one in others:
        assert one.evidence.encode() not in text
        assert one.number.encode() not in text


def test_a_whole_case_discloses_nothing_about_other_cases(ours: Installation, sealed: Path) -> None:
    text = everything(sealed)
    for secret in ours.secrets:
        assert secret.encode() not in text, secret


def test_references_say_where_the_bytes_are(ours: Installation, tmp_path: Path) -> None:
    ours.export(tmp_path / "bundle", references=True)
    places = json.loads((tmp_path / "bundle/data/evidence/references.json").read_text())
    exhibits = ours.desk.vault.ledger.exhibits("night")
    assert [one["sha256"] for one in places] == [one.evidence for one in exhibits]
    assert all(one["place"] for one in places)
    verdict = verify_bundle(tmp_path / "bundle", [ours.key])
    assert verdict.passed
    assert verdict.clause("evidence").state is State.NOT_CHECKED


def test_evidence_that_was_changed_stops_the_export(ours: Installation, tmp_path: Path) -> None:
    one = ours.desk.vault.ledger.exhibits("night")[0]
    path = ours.desk.settings.vault / "objects" / one.evidence[:2] / one.evidence[2:]
    before = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(before[:-1] + b"!")
    try:
        for form in Form:
            with pytest.raises(Tampered):
                ours.export(tmp_path / "bundle", form=form)
            assert list(tmp_path.iterdir()) == []
    finally:
        path.write_bytes(before)
        path.chmod(0o444)
    last = ours.desk.vault.ledger.newest(case="night", limit=2)
    assert [entry.verb for entry in last] == [Verb.FAILED, Verb.VERIFICATION_FAILED]
    job = ours.desk.progress("night", limit=1)[0]
    assert job.state == "failed" and job.log


def test_what_is_not_there_cannot_be_exported(ours: Installation, tmp_path: Path) -> None:
    with pytest.raises(Missing, match="has no exhibit NIGHT-9999"):
        ours.export(tmp_path / "bundle", exhibit="NIGHT-9999")
    ours.desk.create("empty", who="ana")
    with pytest.raises(Missing, match="has no exhibits"):
        ours.desk.bundles.export("empty", Order(tmp_path / "b", "x"), who=ANA)
    assert list(tmp_path.iterdir()) == []


def test_the_verifier_needs_nothing_of_locard(
    sealed: Path, ours: Installation, tmp_path: Path
) -> None:
    key = tmp_path / "sender.vkey"
    key.write_text(ours.key.vkey + "\n")
    program = (
        "import sys; from locard_verify.command import main; status = main(sys.argv[1:]); "
        "assert not [one for one in sys.modules if one.split('.')[0] == 'locard']; sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(sealed), "--key", str(key), "--json"],
        capture_output=True, text=True, env={**os.environ, "LOCARD_HOME": "/nonexistent"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["passed"]


def test_openssl_verifies_a_token_by_the_command_of_the_documentation(
    sealed: Path, ours: Installation
) -> None:
    token = min((sealed / "data/ledger/checkpoints").glob("*.tsr"))
    done = subprocess.run(
        ["openssl", "ts", "-verify", "-data", token.with_suffix(".note"), "-in", token,
         "-CAfile", ours.authority.root], capture_output=True, text=True,
    )  # fmt: skip
    assert "Verification: OK" in done.stdout + done.stderr
