# SPDX-License-Identifier: Apache-2.0
"""Logs out of the bucket that AWS delivers them to: object by object, as they lie there.

Objects are found by the folders of their days, fetched a few ahead, and go into the vault under
their keys. What was kept is noted, so that a run that was killed takes none twice. An object that
cannot be had is a counted problem, and the others go on.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from locard.actions.collect.aws.answers import of
from locard.actions.contract import Keep, Room
from locard.evidence.spool import Readable
from locard.model.action import Json, Permission, Step
from locard.model.amount import size
from locard.model.errors import Busy, Error, Storage

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

AHEAD = 8
"""Objects on their way at once."""
SMALL = 8 << 20
"""Bytes up to which an object is fetched ahead; a larger one is streamed when its turn comes."""
TOLD = 100
"""Problems that are told word for word; all are counted."""
PLAIN, HIVE = "%Y/%m/%d/", "year=%Y/month=%m/day=%d/"
"""How the folders of days are called."""

PERMISSIONS = (
    Permission("s3:ListBucket", "arn:{partition}:s3:::{bucket}"),
    Permission("s3:GetObject", "arn:{partition}:s3:::{bucket}/*"),
    Permission("kms:Decrypt", "{key}", why="logs that are encrypted with a key"),
)


class Days:
    """The objects of some days below some folders of a bucket.

    Arguments: `bucket`, `roots` (a `*` stands for one folder), `form` of the days, `first`, `last`,
    `log_account`, `gib`.
    """

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Find them, and take them in."""
        said = step.arguments
        at = room.elsewhere(said["log_account"]) if said["log_account"] else cloud
        return Taking(at, said["bucket"], keep, room, step.key).take(
            found(at, said), int(said["gib"]) << 30
        )


@dataclass(frozen=True, slots=True)
class _Coming:
    """An object on its way, with the session that notes what is asked for it alone."""

    object: Mapping[str, Json]
    cloud: "Cloud"
    body: "Future[bytes] | None"
    """None for a large one, which is asked for when its turn comes."""


class Taking:
    """Objects of one bucket on their way into the vault."""

    def __init__(self, cloud: "Cloud", bucket: str, keep: Keep, room: Room, what: str) -> None:
        self.cloud, self.bucket, self._keep, self._room = cloud, bucket, keep, room
        name = sha256(what.encode()).hexdigest()[:16]
        self._notes = Path(room.folder) / f"{name}.objects"
        self._known = set(self._notes.read_text().splitlines()) if self._notes.exists() else set()
        self.objects = self.bytes = self.problems = self.left = 0
        self.told: list[str] = []

    def take(self, objects: Iterator[Mapping[str, Json]], most: int) -> dict[str, Json]:
        """Take them all in, up to so many bytes; the counts."""
        coming: deque[_Coming] = deque()
        with ThreadPoolExecutor(AHEAD, "bucket") as pool:
            while True:
                while len(coming) < AHEAD and (one := next(objects, None)) is not None:
                    self._begin(one, most, coming, pool)
                if not coming:
                    break
                self._settle(coming.popleft())
        return {
            "taken": self.objects, "bytes": self.bytes, "problems": self.problems,
            "over the limit": self.left, "told": self.told, "summary": self._summary(),
        }  # fmt: skip

    def _summary(self) -> str:
        text = f"{self.objects:,} objects, {size(self.bytes)}"
        text += f"; {self.left:,} over the limit" if self.left else ""
        return text + (f"; {self.problems:,} problems, first {self.told[0]}" if self.told else "")

    def _begin(
        self,
        one: Mapping[str, Json],
        most: int,
        coming: "deque[_Coming]",
        pool: ThreadPoolExecutor,
    ) -> None:
        if self.bytes + int(one["Size"]) > most:
            self.left += 1
            return
        self.objects += 1
        self.bytes += int(one["Size"])
        if _id(one) not in self._known:
            small = int(one["Size"]) <= SMALL
            noting = self.cloud.noting()
            body = pool.submit(self._whole, noting, one) if small else None
            coming.append(_Coming(one, noting, body))

    def _settle(self, coming: "_Coming") -> None:
        one, body = coming.object, coming.body
        self._room.progress(f"Taking {self.bucket}", self.objects, self.objects + 1)
        try:
            stream: Readable = BytesIO(body.result()) if body else self._open(coming.cloud, one)
        except (Busy, Storage):
            raise
        except Error as error:
            self.objects -= 1
            self.problems += 1
            if len(self.told) < TOLD:
                self.told.append(f"{one['Key']}: {error.message}")
            return
        got = of(coming.cloud, consistency="as delivered", covers="the object as it lies there")
        source = {"bucket": self.bucket, "key": one["Key"], "etag": str(one.get("ETag", "")),
                  "last modified": str(one.get("LastModified", "")),
                  "version": str(one.get("VersionId", ""))}  # fmt: skip
        name = one["Key"] + (f"@{one['VersionId']}" if one.get("VersionId") else "")
        self._keep(name, stream, replace(got, source={k: v for k, v in source.items() if v}))
        with self._notes.open("a") as notes:
            notes.write(f"{_id(one)}\n")

    def _whole(self, cloud: "Cloud", one: Mapping[str, Json]) -> bytes:
        data: bytes = self._open(cloud, one).read()
        return data

    def _open(self, cloud: "Cloud", one: Mapping[str, Json]) -> Any:
        version = {"VersionId": one["VersionId"]} if one.get("VersionId") else {}
        return cloud.answer(
            "s3:GetObject", Bucket=self.bucket, Key=one["Key"], **version
        )["Body"]  # fmt: skip


def found(cloud: "Cloud", said: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    """The objects of the days that a step names."""
    first, last = date.fromisoformat(said["first"]), date.fromisoformat(said["last"])
    for root in said["roots"]:
        for folder in folders(cloud, said["bucket"], root):
            for number in range((last - first).days + 1):
                day = (first + timedelta(days=number)).strftime(said["form"])
                yield from cloud.pages(
                    "s3:ListObjectsV2", "Contents", Bucket=said["bucket"], Prefix=folder + day
                )


def folders(cloud: "Cloud", bucket: str, root: str) -> Iterator[str]:
    """The folders that a root means; each `*` in it is looked up in the bucket."""
    before, star, after = root.partition("*")
    if not star:
        yield root
        return
    known = cloud.pages(
        "s3:ListObjectsV2", "CommonPrefixes", Bucket=bucket, Prefix=before, Delimiter="/"
    )
    for one in known:
        yield from folders(cloud, bucket, one["Prefix"].removesuffix("/") + after)


def _id(one: Mapping[str, Json]) -> str:
    return json.dumps([one["Key"], one.get("VersionId", ""), one.get("ETag", "")])
