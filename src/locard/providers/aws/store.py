# SPDX-License-Identifier: Apache-2.0
"""S3 with Object Lock in compliance mode: nobody deletes before the retention ends, not even root.

Keys are `PREFIX/objects/SHA-256`. The bucket keeps versions; the *oldest* version of a key is the
evidence, so that what somebody writes over it later changes nothing, and a delete marker hides
nothing. Every part is sent with its SHA-256, which the store checks, and the checksum that it
computed of the whole is compared with ours at the end.
"""

import os
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from locard.evidence import Content, Kept
from locard.evidence.place import Place, days
from locard.evidence.remote import Remote, others
from locard.evidence.spool import Reread
from locard.evidence.store import Watch, locked, unwatched
from locard.evidence.transfer import ahead, in_order, parts
from locard.model.errors import Error, Storage
from locard.providers.aws.errors import code, sentences

OPTIONS = ("region", "endpoint", "profile", "owner", "retain", "lock")
PART = 16 << 20
"""Bytes of one part; larger ones for what would have more than 10,000."""
MOST_PARTS = 10_000
_EXISTS = {"PreconditionFailed", "ConditionalRequestConflict", "412"}


def connect(place: Place) -> "S3Store":
    """The store at `s3://bucket/prefix`; credentials by the SDK's own chain."""
    place.allow(OPTIONS)
    options = place.options
    with sentences(place.address):
        region = options.get("region") or os.environ.get("AWS_REGION")
        session = boto3.session.Session(profile_name=options.get("profile"), region_name=region)
        config = Config(
            retries={"mode": "standard"},
            connect_timeout=10,
            read_timeout=60,
            max_pool_connections=32,
            s3={"addressing_style": "path"} if "endpoint" in options else None,
            user_agent_extra="locard",
        )
        client = session.client("s3", endpoint_url=options.get("endpoint"), config=config)
    return S3Store(place, client)


class S3Store(Remote):
    """A prefix of a bucket that keeps evidence."""

    LOCK = "Object Lock"
    ELSEWHERE = "Move the vault to a bucket with Object Lock: locard vault move s3://…"

    def __init__(self, place: Place, client: Any) -> None:
        super().__init__(place)
        self._client = client
        self._bucket = {"Bucket": place.bucket}
        if owner := place.options.get("owner"):
            self._bucket["ExpectedBucketOwner"] = owner

    def describe(self) -> str:
        """Which lock is on what is placed."""
        if not self.lock:
            return "S3 without Object Lock, as lock=off says: whoever may delete there can delete"
        kept = f"for {days(self.retain_for)}" if self.retain_for else "by the bucket's default"
        return (
            f"S3 Object Lock in compliance mode, kept {kept}: nobody deletes or overwrites it "
            "before, not even the root user of the account"
        )

    def prepare(self) -> None:
        """Ask whether the bucket keeps versions and locks them. Raises `Error` when it does not."""
        with sentences(self.address):
            if not self.lock:
                self._client.head_bucket(**self._bucket)
                return
            try:
                found = self._client.get_object_lock_configuration(**self._bucket)
            except ClientError as error:
                if code(error) != "ObjectLockConfigurationNotFoundError":
                    raise
                found = {}
        rule = found.get("ObjectLockConfiguration", {})
        if rule.get("ObjectLockEnabled") != "Enabled":
            raise Error(
                f"{self.address} has no Object Lock, so whoever may delete there could delete "
                "evidence.",
                "Make a bucket with Object Lock (aws s3api create-bucket "
                "--object-lock-enabled-for-bucket), or add lock=off to go without.",
            )
        default = rule.get("Rule", {}).get("DefaultRetention", {})
        if self.retain_for is None and default.get("Mode") != "COMPLIANCE":
            raise Error(
                f"{self.address} does not say how long evidence is to be kept.",
                "Add retain=7y to the place, or give the bucket a default retention in compliance "
                "mode. It can be lengthened later and never shortened.",
            )

    def place(
        self, name: str, path: Path, content: Content, watch: Watch = unwatched
    ) -> tuple[Kept, bool]:
        """Send the file in parts, several at once, and compare the store's checksum with ours."""
        with sentences(self.address):
            large = content.size > PART
            if large and (kept := self.stat(name)):
                return self._known(name, kept, path, content), False
            try:
                sent = (self._send_parts if large else self._send)(name, path, content, watch)
            except ClientError as error:
                kept = self.stat(name) if code(error) in _EXISTS else None
                if kept is None:
                    raise
                return self._known(name, kept, path, content), False
            version, checksum = sent
            kept = self._stat(name, version)
        if kept.size != content.size or not self._fits(kept, checksum, content):
            raise Storage(
                f"{kept.place} keeps other bytes than were sent: its checksum is "
                f"{kept.checksum or 'missing'}.",
                "Do not trust this store; the evidence was not taken in.",
            )
        self._assure(kept)
        return kept, True

    def read(self, name: str) -> Iterator[bytes]:
        """Ranges of the version, several at once."""
        kept = self.there(name)
        yield from ahead(partial(self._range, self._key(name), kept.version), kept.size)

    def stat(self, name: str) -> Kept | None:
        """The oldest version of the key, with its lock."""
        with sentences(self.address):
            versions = [one["VersionId"] for one in self._versions(self._key(name), "Versions")]
            return self._stat(name, versions[-1]) if versions else None

    def hold(self, name: str, held: bool) -> Kept:
        """Put S3's legal hold on, or take it off."""
        kept = self._lockable(name)
        with sentences(kept.place):
            self._client.put_object_legal_hold(
                **self._bucket,
                Key=self._key(name),
                VersionId=kept.version,
                LegalHold={"Status": "ON" if held else "OFF"},
            )
            return self._stat(name, kept.version)

    def retain(self, name: str, until: int) -> Kept:
        """Lengthen the retention in compliance mode; an earlier time changes nothing."""
        kept = self._lockable(name)
        if kept.until and kept.until >= until:
            return kept
        with sentences(kept.place):
            self._client.put_object_retention(
                **self._bucket,
                Key=self._key(name),
                VersionId=kept.version,
                Retention={"Mode": "COMPLIANCE", "RetainUntilDate": _date(until)},
            )
            return self._stat(name, kept.version)

    def remove(self, name: str) -> None:
        """Delete every version of the key. The store itself refuses while a lock stands."""
        kept = self.there(name)
        locked(kept, time.time_ns())
        key = self._key(name)
        with sentences(kept.place):
            for kind in ("Versions", "DeleteMarkers"):
                for one in list(self._versions(key, kind)):
                    self._client.delete_object(**self._bucket, Key=key, VersionId=one["VersionId"])

    def names(self) -> Iterator[str]:
        """Every key with a version, hidden by a delete marker or not."""
        last = ""
        with sentences(self.address):
            for one in self._versions(self._prefix, "Versions", below=True):
                if one["Key"] != last:
                    last = one["Key"]
                    yield last[len(self._prefix) :]

    # How it is done

    def _key(self, name: str) -> str:
        return self._prefix + name

    def _versions(self, prefix: str, kind: str, *, below: bool = False) -> Iterator[dict[str, Any]]:
        """Versions of one key, the newest first, or of all keys below a prefix."""
        pages = self._client.get_paginator("list_object_versions")
        for page in pages.paginate(**self._bucket, Prefix=prefix):
            for one in page.get(kind, ()):
                if below or one["Key"] == prefix:
                    yield one

    def _stat(self, name: str, version: str) -> Kept:
        key = self._key(name)
        wanted = {} if version == "null" else {"VersionId": version}
        found = self._client.head_object(**self._bucket, Key=key, ChecksumMode="ENABLED", **wanted)
        checksum = found.get("ChecksumSHA256", "")
        until = found.get("ObjectLockRetainUntilDate")
        return Kept(
            kind="S3",
            place=f"s3://{self._place.bucket}/{key}",
            size=found["ContentLength"],
            version=version,
            checksum=f"SHA-256 {_hex(checksum)}" if checksum else "",
            protection=found.get("ObjectLockMode", ""),
            until=int(until.timestamp()) * 1_000_000_000 if until else None,
            held=found.get("ObjectLockLegalHoldStatus") == "ON",
        )

    def _asked(self) -> dict[str, Any]:
        if not self.lock or self.retain_for is None:
            return {}
        until = datetime.now(UTC) + self.retain_for
        return {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}

    def _send(self, name: str, path: Path, content: Content, watch: Watch) -> tuple[str, str]:
        with Reread(path, content, watch) as source:
            body = source.read(content.size) if content.size else source.read(1)
        answer = self._client.put_object(
            **self._bucket,
            **self._asked(),
            Key=self._key(name),
            Body=body,
            IfNoneMatch="*",
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=_base64(bytes.fromhex(content.sha256)),
        )
        return answer.get("VersionId", "null"), content.sha256

    def _send_parts(self, name: str, path: Path, content: Content, watch: Watch) -> tuple[str, str]:
        where = {**self._bucket, "Key": self._key(name)}
        upload = self._client.create_multipart_upload(
            **where, **self._asked(), ChecksumAlgorithm="SHA256"
        )["UploadId"]

        def send(part: tuple[int, bytes]) -> dict[str, Any]:
            number, body = part
            digest = sha256(body).digest()
            answer = self._client.upload_part(
                **where,
                UploadId=upload,
                PartNumber=number,
                Body=body,
                ChecksumSHA256=_base64(digest),
            )
            return {
                "PartNumber": number,
                "ETag": answer["ETag"],
                "ChecksumSHA256": _base64(digest),
            }

        try:
            with Reread(path, content, watch) as source:
                done = list(in_order(send, parts(source, content.size, part_size(content.size))))
            answer = self._client.complete_multipart_upload(
                **where, UploadId=upload, MultipartUpload={"Parts": done}, IfNoneMatch="*"
            )
        except BaseException:
            with suppress(BotoCoreError, ClientError):
                self._client.abort_multipart_upload(**where, UploadId=upload)
            raise
        whole = sha256(b"".join(b64decode(one["ChecksumSHA256"]) for one in done)).hexdigest()
        return answer.get("VersionId", "null"), f"{whole} of {len(done)} parts"

    def _range(self, key: str, version: str, offset: int, count: int) -> bytes:
        wanted = {} if version == "null" else {"VersionId": version}
        with sentences(self.address):
            answer = self._client.get_object(
                **self._bucket, Key=key, Range=f"bytes={offset}-{offset + count - 1}", **wanted
            )
            return bytes(answer["Body"].read())

    def _known(self, name: str, kept: Kept, path: Path, content: Content) -> Kept:
        """What the store had already, when it is the same; a retention is lengthened."""
        same = kept.size == content.size and self._fits(kept, _checksum(path, content), content)
        if not same:
            raise others(kept)
        return self.renew(name)

    def _fits(self, kept: Kept, checksum: str, content: Content) -> bool:
        """Whether the store's checksum is ours; a store without one is read back."""
        if kept.checksum:
            return kept.checksum == f"SHA-256 {checksum}"
        key = kept.place.partition(f"//{self._place.bucket}/")[2]
        digest = sha256()
        for chunk in ahead(partial(self._range, key, kept.version), kept.size):
            digest.update(chunk)
        return digest.hexdigest() == content.sha256

    def _locks(self, kept: Kept) -> bool:
        return kept.protection == "COMPLIANCE" and kept.until is not None


def part_size(size: int) -> int:
    """Bytes of one part of an object of `size`; the same size always gives the same parts."""
    least = -(-size // MOST_PARTS)
    return max(PART, -(-least // (1 << 20)) << 20)


def _checksum(path: Path, content: Content) -> str:
    """What S3 computes of this file when we send it."""
    if content.size <= PART:
        return content.sha256
    part = part_size(content.size)
    with path.open("rb") as file:
        digests = [sha256(chunk).digest() for chunk in iter(partial(file.read, part), b"")]
    return f"{sha256(b''.join(digests)).hexdigest()} of {len(digests)} parts"


def _base64(digest: bytes) -> str:
    return b64encode(digest).decode()


def _hex(checksum: str) -> str:
    """S3's checksum, base64 with `-N` for N parts, as people compare it."""
    digest, _, count = checksum.partition("-")
    return b64decode(digest).hex() + (f" of {count} parts" if count else "")


def _date(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(-(-nanoseconds // 1_000_000_000), UTC)
