# SPDX-License-Identifier: Apache-2.0
"""The simulated incident: the same every time, readable by others' tools, and one story."""

import base64
import gzip
import hashlib
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from locard.cases import demo
from locard.cases.demo import signing, story
from locard.cases.demo.flows import FIELDS


@pytest.fixture(scope="module")
def incident(tmp_path_factory):
    folder = tmp_path_factory.mktemp("incident")
    return folder, demo.write(folder)


@pytest.fixture(scope="module")
def records(incident):
    folder, _ = incident
    found = []
    for path in sorted(folder.glob(f"{story.TRAIL_BUCKET}/AWSLogs/*/CloudTrail/**/*.json.gz")):
        found += json.loads(gzip.decompress(path.read_bytes()))["Records"]
    return sorted(found, key=lambda record: record["eventTime"])


@pytest.fixture(scope="module")
def flows(incident):
    folder, _ = incident
    rows = []
    for path in sorted(folder.glob("simulated-flow-logs/**/*.log.gz")):
        header, *lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        assert header == FIELDS
        rows += [dict(zip(header.split(), line.split(), strict=True)) for line in lines]
    return rows


def test_it_is_the_same_bytes_every_time(incident, tmp_path):
    folder, written = incident
    again = demo.write(tmp_path / "again")
    names = [path.relative_to(folder) for path in written]
    assert names == [path.relative_to(tmp_path / "again") for path in again]
    assert len(set(names)) == len(names)
    for first, second in zip(written, again, strict=True):
        assert first.read_bytes() == second.read_bytes(), first


def test_it_is_small_and_says_what_it_is(incident):
    folder, written = incident
    assert {p for p in folder.rglob("*") if p.is_file()} == set(written)
    assert sum(path.stat().st_blocks * 512 for path in written) < 5 << 20
    assert (folder / "README.txt").read_text().startswith("SIMULATED INCIDENT")
    for path in written:
        label = b"SIMULATED by Locard" if path.suffix == ".gz" else b"SIMULATED"
        assert label in path.read_bytes()[:200], path


def test_every_address_is_one_for_documentation(records, flows):
    text = json.dumps(records) + json.dumps(flows)
    private = re.compile(r"(10|127)\.|169\.254\.169\.254|192\.0\.2\.|198\.51\.100\.|203\.0\.113\.")
    agents = re.compile(r"(?:Chrome|AppleWebKit|Gecko|agent|Safari)/[\d.]+")
    addresses = set(re.findall(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])", agents.sub("", text)))
    assert {address for address in addresses if not private.match(address)} == set()
    assert set(re.findall(r"arn:aws:[a-z0-9]+:[a-z0-9-]*:(\d+):", text)) == {story.ACCOUNT}


def test_the_trail_is_of_a_believable_size_and_shape(records):
    assert 4_000 <= len(records) <= 6_000
    assert len({record["eventID"] for record in records}) == len(records)
    assert {record["awsRegion"] for record in records} == set(story.REGIONS)
    kinds = Counter(record["userIdentity"]["type"] for record in records)
    assert min(kinds[kind] for kind in ("AssumedRole", "IAMUser", "AWSService")) > 100
    assert {record["eventTime"][:10] for record in records} == {
        f"2026-03-{day:02}" for day in range(9, 13)
    }


def test_the_stolen_key_is_used_by_the_instance_and_from_outside(records):
    uses = [r for r in records if r["userIdentity"].get("accessKeyId") == story.STOLEN_KEY]
    assert {r["sourceIPAddress"] for r in uses} >= {story.WEB_PUBLIC, story.INTRUDER}
    outside = [r for r in uses if r["sourceIPAddress"] == story.INTRUDER]
    assert outside[0]["eventName"] == "GetCallerIdentity"
    assert sum(r["eventName"] == "GetObject" and "errorCode" not in r for r in outside) == 28
    assert sum(r.get("errorCode") == "AccessDenied" for r in outside) == 13
    issued = [r for r in records if story.STOLEN_KEY in json.dumps(r["responseElements"])]
    assert [r["eventName"] for r in issued] == ["AssumeRole"]


def test_the_trail_is_blind_between_stop_and_start(records):
    stopped, restarted = (
        next(r["eventTime"] for r in records if r["eventName"] == name)
        for name in ("StopLogging", "StartLogging")
    )
    assert (stopped, restarted) == ("2026-03-11T01:44:12Z", "2026-03-11T01:50:31Z")
    assert not [r for r in records if stopped < r["eventTime"] < restarted]


def test_digests_hold_the_hashes_of_the_logs_and_a_signed_chain(incident):
    folder, _ = incident
    bucket = folder / story.TRAIL_BUCKET
    digests = [
        json.loads(gzip.decompress(path.read_bytes()))
        for path in sorted(bucket.glob("AWSLogs/*/CloudTrail-Digest/**/*.json.gz"))
    ]
    named = {}
    key = signing.key(demo.SEED)
    for digest in digests:
        assert (bucket / digest["digestS3Object"]).is_file()
        for log in digest["logFiles"]:
            text = gzip.decompress((bucket / log["s3Object"]).read_bytes())
            assert hashlib.sha256(text).hexdigest() == log["hashValue"]
            times = [record["eventTime"] for record in json.loads(text)["Records"]]
            assert (min(times), max(times)) == (log["oldestEventTime"], log["newestEventTime"])
            named[log["s3Object"]] = named.get(log["s3Object"], 0) + 1
        if previous := digest["previousDigestS3Object"]:
            text = gzip.decompress((bucket / previous).read_bytes())
            assert hashlib.sha256(text).hexdigest() == digest["previousDigestHashValue"]
            _check_signature(json.loads(text), text, digest["previousDigestSignature"], key)
    logs = {
        str(path.relative_to(bucket)) for path in bucket.glob("AWSLogs/*/CloudTrail/**/*.json.gz")
    }
    assert set(named) == logs and set(named.values()) == {1}
    starts = [d for d in digests if d["previousDigestS3Object"] is None]
    assert len(starts) == 2 * len(story.REGIONS), "each region starts, and starts again after it"


def _check_signature(digest, text, signature, key):
    """What `aws cloudtrail validate-logs` does, in plain arithmetic (RFC 8017, section 8.2.2)."""
    assert digest["digestPublicKeyFingerprint"] == key.fingerprint
    signed = "\n".join(
        [
            digest["digestEndTime"],
            f"{digest['digestS3Bucket']}/{digest['digestS3Object']}",
            hashlib.sha256(text).hexdigest(),
            digest["previousDigestSignature"] or "null",
        ]
    )
    der = base64.b64decode(key.public)
    assert (len(der), der[:8].hex(), der[-5:].hex()) == (270, "3082010a02820101", "0203010001")
    opened = pow(int(signature, 16), 65537, int.from_bytes(der[9:265])).to_bytes(256)
    assert opened[:2] == b"\0\1" and opened.endswith(hashlib.sha256(signed.encode()).digest())


def test_flows_agree_with_the_story(flows):
    assert 13_000 <= len(flows) <= 18_000
    out = [f for f in flows if f["dstaddr"] == story.DROP and f["dstport"] == "443"]
    assert [int(f["bytes"]) for f in out] == [484_113_902]
    assert int(out[0]["start"]) == int(story.EXFILTRATED.timestamp())
    assert story.blind(story.EXFILTRATED), "only the flow log saw it"
    pool = [f for f in flows if f["dstaddr"] == story.POOL]
    isolated = int(story.ISOLATED.timestamp())
    assert {f["action"] for f in pool if int(f["start"]) < isolated} == {"ACCEPT"}
    assert {f["action"] for f in pool if int(f["start"]) >= isolated} == {"REJECT"}
    shell = [f for f in flows if f["srcaddr"] == story.INTRUDER_EXIT and f["action"] == "ACCEPT"]
    assert {(f["srcport"], f["dstport"]) for f in shell} == {(str(story.INTRUDER_PORT), "22")}
    assert {f["log-status"] for f in flows} == {"OK", "NODATA"}


def test_the_readme_asks_for_things_that_are_there(incident, records):
    text = (Path(incident[0]) / "README.txt").read_text()
    assert story.STOLEN_KEY in text and story.BACK_DOOR_KEY in text
    assert f"{len(records):,} records" in text
