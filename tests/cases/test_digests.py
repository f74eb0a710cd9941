# SPDX-License-Identifier: Apache-2.0
"""CloudTrail digests against the logs and the digests before them that a case holds."""

import gzip
import hashlib
import json
import tarfile
from pathlib import Path

import pytest

from locard.cases.desk import Desk
from tests.cases.trails import record

PREFIX = "AWSLogs/111122223333/CloudTrail"


def chain(folder: Path, count: int = 3) -> list[Path]:
    """A log and a digest for each hour, as S3 keeps them; the digests, oldest first."""
    written, previous = [], ("", "")
    for hour in range(count):
        log = json.dumps({"Records": [record(hour)]}).encode()
        key = f"{PREFIX}/log-{hour}.json.gz"
        name = f"{PREFIX}-Digest/digest-{hour}.json.gz"
        digest = json.dumps({
            "awsAccountId": "111122223333", "digestStartTime": f"2024-03-05T{hour:02}:00:00Z",
            "digestEndTime": f"2024-03-05T{hour + 1:02}:00:00Z", "digestS3Bucket": "trail",
            "digestS3Object": name, "previousDigestS3Object": previous[0] or None,
            "previousDigestHashValue": previous[1] or None,
            "logFiles": [{"s3Bucket": "trail", "s3Object": key, "hashAlgorithm": "SHA-256",
                          "hashValue": hashlib.sha256(log).hexdigest()}],
        }).encode()  # fmt: skip
        for path, data in ((folder / key, log), (folder / name, digest)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(data, mtime=0))
        written.append(folder / name)
        previous = name, hashlib.sha256(digest).hexdigest()
    return written


def rewritten(path: Path, old: bytes, new: bytes) -> None:
    """Change what a gzip file holds."""
    data = gzip.decompress(path.read_bytes())
    assert old in data
    path.write_bytes(gzip.compress(data.replace(old, new), mtime=0))


@pytest.mark.parametrize("packed", [False, True])
def test_a_sound_chain(desk: Desk, tmp_path: Path, packed: bool) -> None:
    chain(tmp_path / "in")
    source = tmp_path / "in"
    if packed:
        source = tmp_path / "in.tar"
        with tarfile.open(source, "w") as archive:
            archive.add(tmp_path / "in", "in")
    added = desk.add("c", [source], who="ana")
    assert (added.altered, added.whole, len(added.digests)) == (0, True, 3)
    assert all("1 of 1 logs match" in line for line in added.digests)
    assert sum("the digest before it matches" in line for line in added.digests) == 2
    assert sum("the chain begins here" in line for line in added.digests) == 1
    assert all("signature not checked" in line for line in added.digests)


def test_a_digest_cut_short_vouches_for_nothing(desk: Desk, tmp_path: Path) -> None:
    (digest,) = chain(tmp_path / "in", 1)
    digest.write_bytes(gzip.compress(gzip.decompress(digest.read_bytes())[:-9]))
    added = desk.add("c", [tmp_path / "in"], who="ana")
    assert added.digests == [
        "digest-0.json.gz: it cannot be read, so that no log was compared with it"
    ]
    assert not added.whole


def test_a_changed_log_a_changed_digest_and_what_is_missing(desk: Desk, tmp_path: Path) -> None:
    digests = chain(tmp_path / "in", 5)
    logs = sorted((tmp_path / "in" / PREFIX).iterdir())
    rewritten(logs[0], b'"awsRegion"', b'"awsregion"')
    logs[1].unlink()
    rewritten(digests[1], b"T01:00:00Z", b"T01:30:00Z")
    digests[3].unlink()
    added = desk.add("c", [tmp_path / "in"], who="ana")
    lines = {line.partition(":")[0]: line for line in added.digests}
    assert "1 DIFFER from what AWS delivered: log-0.json.gz" in lines["digest-0.json.gz"]
    assert "1 not held by this case" in lines["digest-1.json.gz"]
    assert "the digest before it DIFFERS" in lines["digest-2.json.gz"]
    assert "the digest before it is not held" in lines["digest-4.json.gz"]
    assert added.altered == 2
