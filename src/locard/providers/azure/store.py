# SPDX-License-Identifier: Apache-2.0
"""Azure Blob Storage with immutability policies on each version.

The container must have version-level immutability; each blob is placed with a *locked* policy,
which nobody shortens. What is larger than a block goes in blocks (`blocks.py`). The MD5 that Azure
shows of a blob is one that it was told, so what lies there already is read and hashed before it
passes for the evidence; `readback=on` does so with what was just sent, too.
"""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceModifiedError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import (
    BlobClient,
    BlobProperties,
    BlobServiceClient,
    ContainerClient,
    ContentSettings,
    ExponentialRetry,
    ImmutabilityPolicy,
)

from locard.evidence import Content, Kept
from locard.evidence.place import Place, days
from locard.evidence.remote import Remote, others
from locard.evidence.spool import Reread, measured
from locard.evidence.store import Watch, locked, unwatched
from locard.evidence.transfer import ahead
from locard.model.errors import Error, Storage
from locard.providers.azure import blocks
from locard.providers.azure.blocks import BLOCK
from locard.providers.azure.errors import sentences

OPTIONS = ("account", "endpoint", "retain", "lock", "readback")
RETRIES = 4
"""Tries after the first one, each after a longer wait: 19 seconds in all."""


def connect(place: Place) -> "AzureStore":
    """The store at `azure://container/prefix?account=NAME`.

    Credentials: `AZURE_STORAGE_CONNECTION_STRING` or `AZURE_STORAGE_KEY` when they are set, else
    the chain of `DefaultAzureCredential` (environment, managed identity, `az login`).
    """
    place.allow(OPTIONS)
    said = os.environ.get("AZURE_STORAGE_CONNECTION_STRING")
    account = place.options.get("account") or os.environ.get("AZURE_STORAGE_ACCOUNT")
    if not said and not account:
        raise Error(
            f"{place.address} does not name a storage account.",
            "Add ?account=NAME, or set AZURE_STORAGE_ACCOUNT.",
        )

    settings: dict[str, Any] = {
        "max_single_put_size": BLOCK,
        "connection_timeout": 10,
        "read_timeout": 120,
        "user_agent": "locard",
        "logging_enable": False,
        "retry_policy": ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=RETRIES),
    }
    if said:
        client = BlobServiceClient.from_connection_string(said, **settings)
    else:
        url = place.options.get("endpoint") or f"https://{account}.blob.core.windows.net"
        credential = os.environ.get("AZURE_STORAGE_KEY") or DefaultAzureCredential()
        client = BlobServiceClient(url, credential=credential, **settings)
    return AzureStore(place, client.get_container_client(place.bucket))


class AzureStore(Remote):
    """A prefix of a container that keeps evidence."""

    LOCK = "an immutability policy"
    ELSEWHERE = "Move the vault to a container with version-level immutability."

    def __init__(self, place: Place, container: ContainerClient) -> None:
        super().__init__(place)
        self.readback = place.switched("readback", False)
        self._container = container

    def describe(self) -> str:
        """Which policy is on what is placed."""
        if not self.lock or not self.retain_for:
            return "Azure Blob without an immutability policy: whoever may delete there can delete"
        return (
            f"Azure Blob with a locked immutability policy of {days(self.retain_for)} on each "
            "version: nobody deletes or overwrites it before"
        )

    def prepare(self) -> None:
        """Ask whether the container can lock versions. Raises `Error` when it cannot."""
        with sentences(self.address):
            found = self._container.get_container_properties()
        if not self.lock:
            return
        if not found.immutable_storage_with_versioning_enabled:
            raise Error(
                f"{self.address} has no version-level immutability, so whoever may delete there "
                "could delete evidence.",
                "Make a container with version-level immutability support, or add lock=off to go "
                "without.",
            )
        if self.retain_for is None:
            raise Error(
                f"{self.address} does not say how long evidence is to be kept.",
                "Add retain=7y to the place. It can be lengthened later and never shortened.",
            )

    def place(
        self, name: str, path: Path, content: Content, watch: Watch = unwatched
    ) -> tuple[Kept, bool]:
        """Send the file, and take nothing for granted that the service did not compute."""
        with sentences(self.address):
            if kept := self.stat(name):
                return self._known(name, kept, content), False
            blob = self._container.get_blob_client(self._prefix + name)
            try:
                if content.size > BLOCK:
                    checksum = blocks.send(blob, path, content, watch, self._policy())
                else:
                    checksum = self._send(blob, path, content, watch)
            except (ResourceExistsError, ResourceModifiedError):
                kept = self.stat(name)
                if kept is None:
                    raise
                return self._known(name, kept, content), False
            kept = self.stat(name)
        same = kept and kept.size == content.size and kept.checksum == _told(checksum)
        if kept is None or not same or (self.readback and not self._reread(name, content)):
            raise Storage(
                f"{self.address} keeps other bytes than were sent under {name[:16]}….",
                "Do not trust this store; the evidence was not taken in.",
            )
        self._assure(kept)
        return kept, True

    def read(self, name: str) -> Iterator[bytes]:
        """Ranges of the version, several at once."""
        kept = self.there(name)
        blob = self._container.get_blob_client(self._prefix + name, **_version(kept.version))

        def part(offset: int, count: int) -> bytes:
            with sentences(self.address):
                found = blob.download_blob(offset, count, max_concurrency=1)
                return found.readall()

        yield from ahead(part, kept.size)

    def stat(self, name: str) -> Kept | None:
        """The oldest version of the blob, with its policy."""
        with sentences(self.address):
            key = self._prefix + name
            wanted = [one for one in self._blobs(key) if one.name == key]
            return self._kept(min(wanted, key=lambda one: one.version_id or "")) if wanted else None

    def hold(self, name: str, held: bool) -> Kept:
        """Put Azure's legal hold on the version, or take it off."""
        kept = self._lockable(name)
        with sentences(kept.place):
            self._container.get_blob_client(self._prefix + name).set_legal_hold(
                held, **_version(kept.version)
            )
        return self._lockable(name)

    def retain(self, name: str, until: int) -> Kept:
        """Lengthen the locked policy; an earlier time changes nothing."""
        kept = self._lockable(name)
        if kept.until and kept.until >= until:
            return kept
        date = datetime.fromtimestamp(-(-until // 1_000_000_000), UTC)
        with sentences(kept.place):
            self._container.get_blob_client(self._prefix + name).set_immutability_policy(
                ImmutabilityPolicy(expiry_time=date, policy_mode="Locked"),
                **_version(kept.version),
            )
        return self._lockable(name)

    def remove(self, name: str) -> None:
        """Delete every version. The service itself refuses while a policy or a hold stands."""
        kept = self.there(name)
        locked(kept, time.time_ns())
        key = self._prefix + name
        with sentences(kept.place):
            for one in [blob for blob in self._blobs(key) if blob.name == key]:
                current = one.is_current_version or not one.version_id
                wanted = {} if current else _version(one.version_id or "")
                self._container.delete_blob(key, **wanted)
            for one in [blob for blob in self._blobs(key) if blob.name == key]:
                self._container.delete_blob(key, **_version(one.version_id or ""))

    def names(self) -> Iterator[str]:
        """Every blob with a version, deleted or not."""
        last = ""
        with sentences(self.address):
            for one in self._blobs(self._prefix):
                if one.name != last:
                    last = one.name
                    yield last[len(self._prefix) :]

    # How it is done

    def _blobs(self, prefix: str) -> Iterator[BlobProperties]:
        include = ["versions", "immutabilitypolicy", "legalhold"] if self.lock else []
        yield from self._container.list_blobs(name_starts_with=prefix, include=include)

    def _kept(self, found: BlobProperties) -> Kept:
        policy = found.immutability_policy
        until = policy.expiry_time if policy else None
        checksum = found.content_settings.content_md5
        return Kept(
            kind="Azure Blob",
            place=f"azure://{self._place.bucket}/{found.name}",
            size=found.size,
            version=found.version_id or "",
            checksum=_told(bytes(checksum).hex()) if checksum else "",
            protection=f"{policy.policy_mode} policy" if policy and policy.policy_mode else "",
            until=int(until.timestamp()) * 1_000_000_000 if until else None,
            held=bool(found.has_legal_hold),
        )

    def _policy(self) -> dict[str, Any]:
        if not self.lock or not self.retain_for:
            return {}
        until = datetime.now(UTC) + self.retain_for
        return {"immutability_policy": ImmutabilityPolicy(expiry_time=until, policy_mode="Locked")}

    def _send(self, blob: BlobClient, path: Path, content: Content, watch: Watch) -> str:
        """One request, whose MD5 the service compares with that of what came in."""
        with Reread(path, content, watch) as source:
            body = source.read(max(content.size, 1))
        digest = md5(body, usedforsecurity=False)
        blob.upload_blob(
            body,
            length=content.size,
            overwrite=False,
            validate_content="md5",
            content_settings=ContentSettings(
                content_type="application/octet-stream", content_md5=bytearray(digest.digest())
            ),
            **self._policy(),
        )
        return digest.hexdigest()

    def _known(self, name: str, kept: Kept, content: Content) -> Kept:
        """What lies there already, when its bytes are the same; a policy is lengthened."""
        if kept.size != content.size or not self._reread(name, content):
            raise others(kept)
        return self.renew(name)

    def _reread(self, name: str, content: Content) -> bool:
        """Whether the bytes that lie there hash to what they should."""
        return measured(self.read(name)).id == content.sha256

    def _locks(self, kept: Kept) -> bool:
        return kept.protection.lower() == "locked policy" and kept.until is not None


def _told(checksum: str) -> str:
    """The MD5 that a blob bears: whoever writes it, or may change its properties, says it."""
    return f"MD5 {checksum}, as it was told"


def _version(version: str) -> dict[str, Any]:
    return {"version_id": version} if version else {}
