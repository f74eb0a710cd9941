# SPDX-License-Identifier: Apache-2.0
"""Google Cloud Storage with a locked retention policy of the bucket, or retentions of objects.

An object is written once. What is larger than a part goes in parts (`parts.py`); all else is one
request, on the condition that nothing is there. In both cases the CRC32C that the service computes
of the whole is compared with ours.
"""

import time
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import google_crc32c
import requests
from google.api_core.exceptions import GoogleAPIError
from google.cloud import storage
from google.cloud.storage.blob import _get_host_name, _quote
from google.cloud.storage.retry import DEFAULT_RETRY

from locard.evidence import Content, Kept
from locard.evidence.place import Place, days
from locard.evidence.remote import Remote, others
from locard.evidence.spool import Reread
from locard.evidence.store import Watch, locked, unwatched
from locard.evidence.transfer import ahead
from locard.model.errors import Error, Storage
from locard.providers.gcp import parts
from locard.providers.gcp.errors import sentences
from locard.providers.gcp.parts import PART

OPTIONS = ("project", "endpoint", "retain", "lock")
TIMEOUT = (10, 120)
PATIENCE = 60
"""Seconds for which a request that found no answer is sent again."""


def connect(place: Place) -> "GoogleStore":
    """The store at `gs://bucket/prefix`; application default credentials."""
    place.allow(OPTIONS)
    options: dict[str, Any] = {}
    if endpoint := place.options.get("endpoint"):
        options["client_options"] = {"api_endpoint": endpoint}
    with sentences(place.address):
        client = storage.Client(project=place.options.get("project"), **options)
    return GoogleStore(place, client)


class GoogleStore(Remote):
    """A prefix of a bucket that keeps evidence."""

    LOCK = "a retention"
    ELSEWHERE = "Move the vault to a bucket with a locked retention policy."

    def __init__(self, place: Place, client: Any) -> None:
        super().__init__(place)
        self._client = client
        self._bucket = client.bucket(place.bucket)

    def describe(self) -> str:
        """Which retention is on what is placed."""
        if not self.lock:
            return "Google Cloud Storage without a retention: whoever may delete there can delete"
        kept = f"of {days(self.retain_for)}" if self.retain_for else "of the bucket"
        return (
            f"Google Cloud Storage with a locked retention {kept}: nobody deletes or overwrites "
            "it before"
        )

    def prepare(self) -> None:
        """Ask whether the bucket retains what is placed. Raises `Error` when it does not."""
        with sentences(self.address):
            found = self._client.get_bucket(self._place.bucket, timeout=TIMEOUT)
        if not self.lock:
            return
        period = found.retention_period if found.retention_policy_locked else None
        objects = found.object_retention_mode == "Enabled"
        if not period and not objects:
            raise Error(
                f"{self.address} has neither a locked retention policy nor object retention, so "
                "whoever may delete there could delete evidence.",
                "Lock a retention policy on the bucket (gcloud storage buckets update "
                "--retention-period=7y --lock-retention-period), or add lock=off to go without.",
            )
        wanted = self.retain_for.total_seconds() if self.retain_for else 0
        if not objects and wanted > (period or 0):
            raise Error(
                f"{self.address} keeps objects for {(period or 0) // 86400} days only.",
                "Ask for less (retain=), or make a bucket with object retention.",
            )
        if not period and not wanted:
            raise Error(
                f"{self.address} does not say how long evidence is to be kept.",
                "Add retain=7y to the place. It can be lengthened later and never shortened.",
            )

    def place(
        self, name: str, path: Path, content: Content, watch: Watch = unwatched
    ) -> tuple[Kept, bool]:
        """Send the file, in parts or at once, when nothing is there yet."""
        with sentences(self.address):
            if kept := self.stat(name):
                return self._known(name, kept, path, content), False
            try:
                send = self._send_parts if content.size > PART else self._send
                checksum = send(name, path, content, watch)
            except (GoogleAPIError, requests.RequestException, ConnectionError):
                if (kept := self.stat(name)) is None:
                    raise
                return self._known(name, kept, path, content), False
            kept = self.stat(name)
        if kept is None or not _same(kept, content, checksum):
            raise Storage(
                f"{self.address} keeps other bytes than were sent under {name[:16]}….",
                "Do not trust this store; the evidence was not taken in.",
            )
        return self.renew(name), True

    def read(self, name: str) -> Iterator[bytes]:
        """Ranges of the generation, several at once."""
        kept = self.there(name)

        def part(offset: int, count: int) -> bytes:
            with sentences(self.address):
                return bytes(
                    self._blob(name).download_as_bytes(
                        start=offset,
                        end=offset + count - 1,
                        raw_download=True,
                        checksum=None,
                        if_generation_match=int(kept.version),
                        timeout=TIMEOUT,
                    )
                )

        yield from ahead(part, kept.size)

    def stat(self, name: str) -> Kept | None:
        """The object with its retention."""
        with sentences(self.address):
            found = self._bucket.get_blob(self._prefix + name, timeout=TIMEOUT)
        return self._kept(found) if found is not None else None

    def hold(self, name: str, held: bool) -> Kept:
        """Put a hold on, or take it off; Google calls one that is released `temporary`."""
        kept = self._lockable(name)
        blob = self._blob(name)
        with sentences(kept.place):
            blob.temporary_hold = held
            blob.patch(timeout=TIMEOUT)
        return self._lockable(name)

    def retain(self, name: str, until: int) -> Kept:
        """Lock a retention of the object, unless the bucket's keeps it as long already."""
        kept = self._lockable(name)
        slack = 60 * 1_000_000_000  # the bucket counts from the upload, we from now
        if kept.until and kept.until + slack >= until:
            return kept
        blob = self._blob(name)
        with sentences(kept.place):
            blob.reload(timeout=TIMEOUT)
            blob.retention.mode = "Locked"
            blob.retention.retain_until_time = datetime.fromtimestamp(
                -(-until // 1_000_000_000), UTC
            )
            blob.patch(timeout=TIMEOUT)
        return self._lockable(name)

    def remove(self, name: str) -> None:
        """Delete it. The service itself refuses while a retention or a hold stands."""
        kept = self.there(name)
        locked(kept, time.time_ns())
        with sentences(kept.place):
            self._blob(name).delete(if_generation_match=int(kept.version), timeout=TIMEOUT)

    def names(self) -> Iterator[str]:
        """Everything below the prefix."""
        with sentences(self.address):
            for one in self._client.list_blobs(self._bucket, prefix=self._prefix, timeout=TIMEOUT):
                yield one.name[len(self._prefix) :]

    # How it is done

    def _blob(self, name: str) -> Any:
        return self._bucket.blob(self._prefix + name)

    def _send(self, name: str, path: Path, content: Content, watch: Watch) -> str:
        checksum = _crc32c(path)
        with Reread(path, content, watch) as source:
            self._blob(name).upload_from_file(
                source,
                size=content.size,
                content_type="application/octet-stream",
                if_generation_match=0,
                checksum="crc32c",
                timeout=TIMEOUT,
                retry=_retry(),
            )
        return checksum

    def _send_parts(self, name: str, path: Path, content: Content, watch: Watch) -> str:
        """In parts; and what has the name then is what this made, and nothing else came."""
        before = self._generations(name)
        host = _get_host_name(self._client._connection)
        url = f"{host}/{self._place.bucket}/{_quote(self._prefix + name)}"
        checksum = parts.send(self._call, url, path, content, watch)
        if len(new := self._generations(name) - before) != 1:
            raise Storage(
                f"{self.address} has {len(new)} new generations of {name[:16]}…, and one was sent: "
                "somebody else wrote there at the same time.",
                "Find out who may write there, then run the same command again.",
            )
        return checksum

    def _generations(self, name: str) -> set[int]:
        """Every generation of the object, replaced and deleted ones that are kept included."""
        key = self._prefix + name
        found = self._client.list_blobs(self._bucket, prefix=key, versions=True, timeout=TIMEOUT)
        return {int(one.generation) for one in found if one.name == key}

    def _call(self, method: str, url: str, **more: Any) -> Any:
        def once() -> Any:
            answer = self._client._http.request(method, url, **({"timeout": TIMEOUT} | more))
            return parts.answered(answer)

        return _retry()(once)()

    def _kept(self, found: Any) -> Kept:
        times = [found.retention_expiration_time, found.retention.retain_until_time]
        until = max((one for one in times if one), default=None)
        return Kept(
            kind="Google Cloud Storage",
            place=f"gs://{self._place.bucket}/{found.name}",
            size=int(found.size),
            version=str(found.generation),
            checksum=f"CRC32C {b64decode(found.crc32c).hex()}" if found.crc32c else "",
            protection="locked retention" if until else "",
            until=int(until.timestamp()) * 1_000_000_000 if until else None,
            held=bool(found.temporary_hold or found.event_based_hold),
        )

    def _known(self, name: str, kept: Kept, path: Path, content: Content) -> Kept:
        if not _same(kept, content, _crc32c(path)):
            raise others(kept)
        return self.renew(name)


def _retry() -> Any:
    """A request that found no answer is sent again, for a while."""
    return DEFAULT_RETRY.with_timeout(PATIENCE)


def _same(kept: Kept, content: Content, checksum: str) -> bool:
    return kept.size == content.size and kept.checksum == f"CRC32C {checksum}"


def _crc32c(path: Path) -> str:
    found: Any = google_crc32c.Checksum()  # type: ignore[no-untyped-call]
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            found.update(chunk)
    return bytes(found.digest()).hex()
