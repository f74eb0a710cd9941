# SPDX-License-Identifier: Apache-2.0
"""CloudTrail digest files: one event for each, and the list of logs to compare with.

The hash of a log in a digest is the SHA-256 of the log *uncompressed* (aws-cli, `validate-logs`:
it inflates the object and hashes what comes out), so it is compared with the fact
`decoded_sha256` of the CloudTrail parser, however the log was stored since.
"""

import hashlib
import json
import re
from typing import Any

from locard.model.errors import Unreadable
from locard.parsers.contract import NO, Context, Head, Match, Opened
from locard.parsers.rows import Rows
from locard.parsers.strict_json import BadRecord, clean, read
from locard.parsers.times import NotATime, iso

_MOST = 64 << 20


_BEGINS = re.compile(
    rb'(?:\xef\xbb\xbf)?\s*\{(?:\s*"\w{1,64}"\s*:\s*(?:"(?:[^"\\]|\\.)*"|null|[\w.+-]+)\s*,)*?'
    rb'\s*"digestS3Bucket"\s*:'
)
"""Nothing but words and numbers in front of the name, which is one of the object itself then."""


def recognise(head: Head) -> Match:
    """By the two names that every digest starts with, where only a digest has them.

    Further in, as a tag or a parameter, anybody can have them written into a log of CloudTrail.
    """
    first = head.first[:8192]
    if b'"digestEndTime"' in first and _BEGINS.match(first):
        return Match(96, "a CloudTrail digest")
    return NO


def parse(opened: Opened, rows: Rows, context: Context) -> None:
    """Append one row, and keep what there is to be compared as facts.

    `logs` and `previous` are lists of `{"object": .., "sha256": ..}`; `decoded_sha256` is the hash
    by which the next digest names this one, `object` the key under which it was delivered.
    """
    try:
        raw = opened.whole(_MOST)
    except (Unreadable, EOFError) as error:
        raw, fault = None, f"cut short: {error}"
    else:
        fault = f"a digest of more than {_MOST:,} bytes"
    if raw is None:
        first = opened.first
        rows.problem(fault, first, f"byte=0+{len(first)}", provider="aws")
        return
    locator = f"byte=0+{len(raw)}"
    faults: list[str] = []
    kept = raw[: context.limits.record_bytes]
    try:
        digest = read(raw, faults)
    except BadRecord as error:
        rows.problem(str(error), kept, locator, provider="aws")
        return
    if not isinstance(digest, dict):
        rows.problem("not a digest", kept, locator, provider="aws")
        return
    logs = _logs(digest, faults)
    rows.facts["logs"] = json.dumps(logs)
    rows.facts["previous"] = json.dumps(_previous(digest))
    rows.facts["object"] = _word(digest, "digestS3Object")
    rows.facts["decoded_sha256"] = hashlib.sha256(raw).hexdigest()
    until = _word(digest, "digestEndTime")
    time = None
    try:
        time = iso(until)
    except NotATime as error:
        faults.append(f"digestEndTime: {error}")
    rows.row(
        time=time,
        time_meaning="digest",
        provider="aws",
        account=_word(digest, "awsAccountId"),
        region=_region(_word(digest, "digestS3Object")),
        actor="cloudtrail.amazonaws.com",
        actor_kind="AWSService",
        action="CloudTrailDigest",
        resource=_word(digest, "digestS3Object"),
        domain="cloudtrail.amazonaws.com",
        message=f"CloudTrail digest of {len(logs)} log file{'s' * (len(logs) != 1)} until {until}",
        attributes=sorted(
            (name, clean(value))
            for name, value in digest.items()
            if isinstance(value, str) and value and name not in ("awsAccountId", "digestS3Object")
        ),
        raw=kept,
        locator=locator,
        problem="; ".join(faults),
    )


def _logs(digest: dict[str, Any], faults: list[str]) -> list[dict[str, str]]:
    """The logs that the digest lists; a list or an entry that is damaged is a fault."""
    listed = digest.get("logFiles")
    if not isinstance(listed, list):
        faults.append("the digest has no list of log files")
        return []
    logs: list[dict[str, str]] = []
    for entry in listed:
        key, value = (entry.get(n) if isinstance(entry, dict) else None for n in _ENTRY)
        if isinstance(key, str) and isinstance(value, str):
            logs.append({"object": clean(key), "sha256": clean(value).lower()})
        else:
            faults.append("an entry of logFiles has no s3Object or no hashValue")
    return logs


def _previous(digest: dict[str, Any]) -> list[dict[str, str]]:
    """The digest before this one, or nothing where the chain begins."""
    name = _word(digest, "previousDigestS3Object")
    value = _word(digest, "previousDigestHashValue").lower()
    return [{"object": name, "sha256": value}] if name and value else []


def _region(key: str) -> str:
    """The region whose logs a digest lists, of the key that it was delivered under."""
    match = re.search(r"/CloudTrail-Digest/([a-z]{2}(?:-[a-z]+)+-\d{1,2})/", key)
    return match[1] if match else ""


_ENTRY = ("s3Object", "hashValue")


def _word(digest: dict[str, Any], name: str) -> str:
    value = digest.get(name)
    return clean(value) if isinstance(value, str) else ""
