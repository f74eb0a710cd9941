# SPDX-License-Identifier: Apache-2.0
"""Real bundles, changed by hand as an opponent would: each change is named by its clause."""

import base64
import json
import shutil
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from locard_verify.bag import TAGS
from locard_verify.bundle import verify_bundle
from locard_verify.verdict import Clause, State
from tests.cases.bundle.conftest import Installation

MANIFEST = "manifest-sha256.txt"


def failed(bundle: Path, ours: Installation) -> dict[str, Clause]:
    """The clauses that fail, judged with the key that was got elsewhere."""
    verdict = verify_bundle(bundle, [ours.key])
    return {one.name: one for one in verdict.clauses if one.state is State.FAIL}


def fitted(bundle: Path) -> None:
    """Write the manifests anew, so that they fit what lies there."""
    files = sorted(path for path in (bundle / "data").rglob("*") if path.is_file())
    _listed(bundle, MANIFEST, [str(path.relative_to(bundle)) for path in files])
    _listed(bundle, "tagmanifest-sha256.txt", [*TAGS])


def _listed(bundle: Path, manifest: str, names: list[str]) -> None:
    lines = (f"{sha256((bundle / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
    (bundle / manifest).write_text("".join(sorted(lines, key=lambda one: one.split("  ")[1])))


def entries(bundle: Path) -> list[str]:
    return (bundle / "data/ledger/entries.jsonl").read_text().splitlines()


def write_entries(bundle: Path, lines: list[str]) -> None:
    (bundle / "data/ledger/entries.jsonl").write_text("\n".join(lines) + "\n")
    fitted(bundle)


def said(line: str) -> dict[str, object]:
    payload = json.loads(line)["envelope"]["payload"]
    return json.loads(base64.b64decode(payload))["predicate"]


def evidence(bundle: Path) -> Path:
    return min((bundle / "data/evidence").iterdir())


# Members


def test_a_member_that_was_changed(bundle: Path, ours: Installation) -> None:
    report = bundle / "data/report.html"
    report.write_bytes(report.read_bytes().replace(b"ana", b"eva"))
    found = failed(bundle, ours)
    assert set(found) == {"members"}
    assert "it was changed" in found["members"].detail
    assert found["members"].where == "data/report.html"


@pytest.mark.parametrize("name", ["data/extra.txt", "data/evidence/" + "0" * 64, "extra.txt"])
def test_a_member_that_was_added(name: str, bundle: Path, ours: Installation) -> None:
    (bundle / name).write_text("x")
    found = failed(bundle, ours)
    assert "it was added" in found["members"].detail
    assert found["members"].where == name


@pytest.mark.parametrize(
    "name", ["data/marks.json", "data/report.pdf", "bag-info.txt", "bagit.txt"]
)
def test_a_member_that_was_removed(name: str, bundle: Path, ours: Installation) -> None:
    (bundle / name).unlink()
    found = failed(bundle, ours)["members"]
    assert found.where == name
    assert "missing" in found.detail


def test_a_member_that_was_renamed(bundle: Path, ours: Installation) -> None:
    (bundle / "data/marks.json").rename(bundle / "data/remarks.json")
    found = failed(bundle, ours)
    assert "it was renamed to data/remarks.json" in found["members"].detail
    assert found["members"].where == "data/marks.json"


def test_a_member_that_became_a_link(bundle: Path, ours: Installation) -> None:
    path = evidence(bundle)
    copy = bundle.parent / "elsewhere"
    path.rename(copy)
    path.symlink_to(copy)
    found = failed(bundle, ours)
    assert "is a link" in found["members"].detail
    assert "evidence" in found


def test_a_byte_of_evidence(bundle: Path, ours: Installation) -> None:
    path = evidence(bundle)
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert set(failed(bundle, ours)) == {"members", "evidence"}
    fitted(bundle)
    found = failed(bundle, ours)
    assert set(found) == {"seal", "evidence"}
    assert "was changed" in found["evidence"].detail


def test_evidence_that_is_gone_and_referred_to_nowhere(bundle: Path, ours: Installation) -> None:
    evidence(bundle).unlink()
    fitted(bundle)
    assert set(failed(bundle, ours)) == {"seal", "evidence"}


# Manifest and seal


def test_a_manifest_rewritten_to_fit(bundle: Path, ours: Installation) -> None:
    (bundle / "data/report.html").write_text("<p>All was well.</p>")
    fitted(bundle)
    found = failed(bundle, ours)
    assert set(found) == {"seal"}
    assert "it names another manifest-sha256.txt" in found["seal"].detail


def test_a_bag_info_rewritten_to_fit(bundle: Path, ours: Installation) -> None:
    path = bundle / "bag-info.txt"
    path.write_text(path.read_text().replace("night", "day"))
    fitted(bundle)
    assert "another bag-info.txt" in failed(bundle, ours)["seal"].detail


def test_the_seal_of_another_bundle(bundle: Path, ours: Installation, tmp_path: Path) -> None:
    ours.export(tmp_path / "other")
    shutil.copy(tmp_path / "other/seal.json", bundle / "seal.json")
    fitted(bundle)
    found = failed(bundle, ours)
    assert set(found) == {"seal"}
    assert "it is the seal of another bundle" in found["seal"].detail


def test_a_seal_of_another_installation(
    bundle: Path, ours: Installation, theirs: Installation, tmp_path: Path
) -> None:
    theirs.export(tmp_path / "other")
    shutil.copy(tmp_path / "other/seal.json", bundle / "seal.json")
    fitted(bundle)
    assert "signed by a key that the bundle does not have" in failed(bundle, ours)["seal"].detail


@pytest.mark.parametrize(
    "change",
    [
        lambda seal: seal.pop("inclusion"),
        lambda seal: seal["inclusion"].reverse(),
        lambda seal: seal["consistency"].update({"from": 1}),
        lambda seal: seal["consistency"]["path"].pop(),
        lambda seal: seal.update(checkpoint=seal["checkpoint"].replace("\n", "\n\n", 1)),
        lambda seal: seal["envelope"].update(payload=seal["envelope"]["payload"][:-4] + "AAAA"),
        lambda seal: seal.update(envelope=[[]] * 5),
    ],
)
def test_a_seal_whose_proofs_do_not_hold(
    change: Callable[[dict[str, object]], object], bundle: Path, ours: Installation
) -> None:
    seal = json.loads((bundle / "seal.json").read_text())
    change(seal)
    (bundle / "seal.json").write_text(json.dumps(seal))
    fitted(bundle)
    assert "seal" in failed(bundle, ours)


def test_a_bundle_without_a_seal(bundle: Path, ours: Installation) -> None:
    (bundle / "seal.json").unlink()
    found = failed(bundle, ours)
    assert {"members", "seal"} <= set(found)
    assert "seal.json is missing" in found["seal"].detail


# The ledger's extract


def test_a_ledger_with_another_key(
    ours: Installation, theirs: Installation, tmp_path: Path
) -> None:
    theirs.export(tmp_path / "bundle")
    found = failed(tmp_path / "bundle", ours)
    assert set(found) == {"identity"}
    assert "another key than the trusted one" in found["identity"].detail
    assert theirs.key.fingerprint in found["identity"].detail


def test_a_key_that_was_exchanged(bundle: Path, ours: Installation, theirs: Installation) -> None:
    (path,) = (bundle / "data/ledger/keys").iterdir()
    path.write_text(theirs.key.vkey + "\n")
    fitted(bundle)
    verdict = verify_bundle(bundle)
    assert {one.name for one in verdict.clauses if one.state is State.FAIL} >= {"keys", "seal"}


def test_the_text_of_an_entry(bundle: Path, ours: Installation) -> None:
    lines = entries(bundle)
    number = next(n for n, line in enumerate(lines) if said(line)["verb"] == "opened")
    line = json.loads(lines[number])
    payload = base64.b64decode(line["envelope"]["payload"]).replace(b'"ana"', b'"eva"')
    line["envelope"]["payload"] = base64.b64encode(payload).decode()
    lines[number] = json.dumps(line, separators=(",", ":"))
    write_entries(bundle, lines)
    found = failed(bundle, ours)
    assert set(found) == {"seal", "signatures", "tree"}
    assert "was changed: its signature does not fit" in found["signatures"].detail
    assert found["signatures"].where.endswith(f"line {number + 1}")


def test_an_entry_removed_from_the_middle(bundle: Path, ours: Installation) -> None:
    lines = entries(bundle)
    number = next(n for n, line in enumerate(lines) if said(line)["verb"] == "opened")
    sequence = said(lines[number])["sequence"]
    write_entries(bundle, lines[:number] + lines[number + 1 :])
    found = failed(bundle, ours)
    assert set(found) == {"seal", "sequence"}
    assert f"entry {sequence} about" in found["sequence"].detail
    assert "is missing" in found["sequence"].detail


def test_the_tail_of_the_entries_cut_off(bundle: Path, ours: Installation) -> None:
    write_entries(bundle, entries(bundle)[:-1])
    assert set(failed(bundle, ours)) == {"seal"}


def test_the_entry_that_made_an_exhibit_removed(bundle: Path, ours: Installation) -> None:
    lines = entries(bundle)
    number = next(n for n, line in enumerate(lines) if said(line)["verb"] == "acquired")
    write_entries(bundle, lines[:number] + lines[number + 1 :])
    assert {"seal", "sequence", "exhibits", "evidence"} <= set(failed(bundle, ours))


def test_two_entries_swapped(bundle: Path, ours: Installation) -> None:
    lines = entries(bundle)
    lines[-1], lines[-2] = lines[-2], lines[-1]
    write_entries(bundle, lines)
    assert {"seal", "sequence", "clock"} <= set(failed(bundle, ours))


def test_an_entry_under_another_number(bundle: Path, ours: Installation) -> None:
    lines = entries(bundle)
    lines[-1] = lines[-1].replace('{"sequence":', '{"sequence":1', 1)
    write_entries(bundle, lines)
    assert {"seal", "sequence", "tree"} <= set(failed(bundle, ours))


def test_an_entry_of_another_ledger(
    bundle: Path, ours: Installation, theirs: Installation, tmp_path: Path
) -> None:
    theirs.export(tmp_path / "other")
    write_entries(bundle, [*entries(bundle), entries(tmp_path / "other")[-1]])
    assert {"seal", "keys", "tree"} <= set(failed(bundle, ours))


def test_a_tile_that_was_changed(bundle: Path, ours: Installation) -> None:
    tiles = [path for path in (bundle / "data/ledger/tile").rglob("*") if path.is_file()]
    assert tiles
    for path in tiles:
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        fitted(bundle)
        assert {"seal", "tree"} <= set(failed(bundle, ours)), path
        path.write_bytes(data)


def test_the_first_key_removed(bundle: Path, ours: Installation) -> None:
    write_entries(bundle, entries(bundle)[1:])
    assert {"seal", "keys", "identity"} <= set(failed(bundle, ours))


# Checkpoints and time stamps


def test_a_checkpoint_of_another_log(
    bundle: Path, ours: Installation, theirs: Installation, tmp_path: Path
) -> None:
    theirs.export(tmp_path / "other")
    mine = sorted((bundle / "data/ledger/checkpoints").glob("*.note"))[0]
    other = sorted((tmp_path / "other/data/ledger/checkpoints").glob("*.note"))[0]
    mine.write_bytes(other.read_bytes())
    fitted(bundle)
    found = failed(bundle, ours)
    assert {"seal", "consistency"} <= set(found)
    assert "of another log" in found["consistency"].detail


def test_a_checkpoint_under_another_name(bundle: Path, ours: Installation) -> None:
    note = sorted((bundle / "data/ledger/checkpoints").glob("*.note"))[0]
    note.rename(note.with_name("000000000001.note"))
    fitted(bundle)
    assert "under another name" in failed(bundle, ours)["consistency"].detail


def test_a_token_over_other_bytes(bundle: Path, ours: Installation) -> None:
    token = min((bundle / "data/ledger/checkpoints").glob("*.tsr"))
    token.write_bytes(ours.token(b"other bytes"))
    fitted(bundle)
    found = failed(bundle, ours)
    assert set(found) == {"seal", "time stamps"}
    assert "a token over other bytes" in found["time stamps"].detail


def test_a_token_of_an_authority_that_nobody_named(
    bundle: Path, ours: Installation, theirs: Installation
) -> None:
    token = min((bundle / "data/ledger/checkpoints").glob("*.tsr"))
    token.write_bytes(theirs.token(token.with_suffix(".note").read_bytes()))
    (bundle / "data/ledger/authorities/other.pem").write_bytes(theirs.authority.root.read_bytes())
    fitted(bundle)
    found = failed(bundle, ours)
    assert set(found) == {"seal", "time stamps"}
    assert "no entry names this root certificate" in found["time stamps"].detail


def test_a_token_that_is_none(bundle: Path, ours: Installation) -> None:
    token = min((bundle / "data/ledger/checkpoints").glob("*.tsr"))
    token.write_bytes(b"\x30\x82" + bytes(500))
    fitted(bundle)
    assert "time stamps" in failed(bundle, ours)


# Exhibits


def test_the_record_of_an_exhibit(bundle: Path, ours: Installation) -> None:
    path = min((bundle / "data/exhibits").glob("*.json"))
    record = json.loads(path.read_text())
    record["operator"]["name"] = "eva"
    path.write_text(json.dumps(record))
    fitted(bundle)
    found = failed(bundle, ours)
    assert set(found) == {"seal", "exhibits"}
    assert "it is not the record that entry" in found["exhibits"].detail


def test_a_record_of_no_exhibit_and_one_that_is_missing(bundle: Path, ours: Installation) -> None:
    path = min((bundle / "data/exhibits").glob("*.json"))
    path.rename(path.with_name("NIGHT-0099.json"))
    fitted(bundle)
    assert (
        "no entry made an exhibit NIGHT-0099 (and 1 more" in failed(bundle, ours)["exhibits"].detail
    )


# What is out of all bounds


BOMBS = {
    "deep": "[" * 100_000,
    "long number": '{"envelope": 1' + "0" * 100_000 + "}",
    "not text": "\udcff",
    "nothing": "",
    "null": "null",
    "twice": '{"envelope": {}, "envelope": {}}',
}


@pytest.mark.parametrize(
    "name", ["seal.json", "data/exhibits/NIGHT-0001.json", "data/ledger/entries.jsonl"]
)
@pytest.mark.parametrize("bomb", BOMBS)
def test_json_that_is_meant_to_hurt_is_a_fault(
    name: str, bomb: str, bundle: Path, ours: Installation
) -> None:
    (bundle / name).write_bytes(BOMBS[bomb].encode("utf-8", "surrogateescape"))
    fitted(bundle)
    assert "seal" in failed(bundle, ours)


def test_a_line_without_end_is_refused(bundle: Path, ours: Installation) -> None:
    with (bundle / "data/ledger/entries.jsonl").open("ab") as file:
        file.truncate(1 << 28)
    found = failed(bundle, ours)
    assert "line of more than" in found["format"].detail


def test_a_checkpoint_of_an_endless_ledger_is_a_fault(bundle: Path, ours: Installation) -> None:
    note = sorted((bundle / "data/ledger/checkpoints").glob("*.note"))[0]
    text = note.read_text().split("\n")
    text[1] = "9" * 5000
    note.write_text("\n".join(text))
    fitted(bundle)
    assert "consistency" in failed(bundle, ours)


def test_a_manifest_that_leads_out(bundle: Path, ours: Installation) -> None:
    with (bundle / MANIFEST).open("a") as file:
        file.write(f"{'0' * 64}  ../../etc/passwd\n{'0' * 64}  /etc/passwd\n")
    found = failed(bundle, ours)
    assert {"members", "seal"} <= set(found)


def test_what_is_no_bundle_is_said(tmp_path: Path, ours: Installation) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x/report.pdf").write_text("x")
    found = failed(tmp_path / "x", ours)
    assert set(found) == {"format"}
    assert "This is no bundle" in found["format"].detail
    assert "cannot be read" in failed(tmp_path / "nothing", ours)["format"].detail


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_byte_can_be_changed_unnoticed(
    data: st.DataObject, sealed: Path, ours: Installation, tmp_path: Path
) -> None:
    archive = tmp_path / "bundle.zip"
    files = sorted(path for path in sealed.rglob("*") if path.is_file())
    victim = data.draw(st.sampled_from(files))
    content = bytearray(victim.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    with zipfile.ZipFile(archive, "w") as packed:
        for path in files:
            changed = bytes(content) if path == victim else path.read_bytes()
            packed.writestr(f"b/{path.relative_to(sealed)}", changed)
    assert failed(archive, ours)
