# SPDX-License-Identifier: Apache-2.0
"""Every version of the objects of a bucket, those that were deleted too, and how the bucket is set.

Versions that are no longer current, and the marks of deletions, are what an attacker left behind.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from locard.actions.collect.aws.answers import Answer, of
from locard.actions.collect.aws.buckets import Taking
from locard.actions.collect.aws.spans import WHEN, Span
from locard.actions.collect.aws.streams import Stream, lines
from locard.actions.contract import Action, Keep, Option, Room
from locard.model.action import Json, Permission, Plan, Step, Target
from locard.model.errors import Error

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

CALLS = (
    "GetBucketPolicy", "GetBucketAcl", "GetBucketVersioning", "GetBucketLogging",
    "GetBucketReplication", "GetBucketNotificationConfiguration",
    "GetBucketLifecycleConfiguration", "GetPublicAccessBlock", "GetBucketEncryption",
)  # fmt: skip
"""How the bucket is set."""


class Listed:
    """What versions and marks of deletions there are: a line of JSON each."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """List them all, whatever is taken of them."""
        said, counts = step.arguments, {"versions": 0, "deletions": 0}
        noting = cloud.noting()

        def whole() -> Iterator[Json]:
            for one in versions(noting, said):
                counts["versions" if "Size" in one else "deletions"] += 1
                yield one

        covers = f"what is listed below {said['prefix'] or '/'} in {said['bucket']}"
        name = f"{said['bucket']}-versions.jsonl"
        kept = keep(name, Stream(lines(whole())), of(noting, covers=covers))
        return {**counts, "evidence": kept}


class Versions:
    """The versions that were written within a span of time."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Take them, up to so much."""
        said = step.arguments
        found = (
            one
            for one in versions(cloud, said)
            if "Size" in one and said["start"] <= str(one["LastModified"]) <= said["end"]
        )
        taking = Taking(cloud, said["bucket"], keep, room, step.key)
        return taking.take(found, int(said["gib"]) << 30)


def versions(cloud: "Cloud", said: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    """Versions and marks of deletions; of a bucket without versions its objects."""
    where: dict[str, Json] = {}
    while True:
        page = cloud.call(
            "s3:ListObjectVersions", Bucket=said["bucket"], Prefix=said["prefix"], **where
        )
        yield from page.get("Versions", ())
        yield from page.get("DeleteMarkers", ())
        if not page.get("IsTruncated"):
            return
        where = {"KeyMarker": page["NextKeyMarker"]}
        if page.get("NextVersionIdMarker"):
            where["VersionIdMarker"] = page["NextVersionIdMarker"]


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """How the bucket is set, what is in it, and the versions of some time."""
    gib, name = str(options["gib"]), target.id
    if not gib.isdecimal() or not int(gib):
        raise Error(f"{gib[:40]!r} is no number of GiB.", "Say it like this: --set gib=50")
    cloud.call("s3:HeadBucket", Bucket=name)
    said = {"bucket": name, "prefix": options["prefix"]}
    steps = [
        Step(f"answer:{call}", f"Ask {call}", f"s3:{call}",
             {"request": {"Bucket": name}, "name": f"s3-{call}.json", "optional": True},
             changes=False)
        for call in CALLS
    ]  # fmt: skip
    steps.append(
        Step("listed:all", f"List every version in {name}", "s3:ListObjectVersions", said,
             changes=False)
    )  # fmt: skip
    if options["take"]:
        arguments = {**said, **Span.of(options).words(), "gib": int(gib)}
        steps.append(
            Step("versions:all", f"Take versions of {name}, {gib} GiB at most",
                 "s3:GetObject", arguments, changes=False)
        )  # fmt: skip
    return Plan(ACTION.id, ACTION.version, target, dict(options), tuple(steps),
                volatility=ACTION.volatility)  # fmt: skip


_BUCKET = "arn:{partition}:s3:::{id}"

ACTION = Action(
    id="collect.aws.objects",
    title="Collect the objects of an S3 bucket",
    about="How the bucket is set, a list of every version and deletion, and the versions that were "
    "written in a span of time.",
    kind="bucket",
    names=r"(?:arn:[\w-]+:s3:::|s3://)(?P<id>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/?",
    permissions=(
        Permission("s3:ListBucket", _BUCKET),
        Permission("s3:ListBucketVersions", _BUCKET),
        Permission("s3:GetObject", f"{_BUCKET}/*"),
        Permission("s3:GetObjectVersion", f"{_BUCKET}/*"),
        Permission("s3:GetBucketPolicy", _BUCKET, optional=True),
        Permission("s3:GetBucketAcl", _BUCKET, optional=True),
        Permission("s3:GetBucketVersioning", _BUCKET, optional=True),
        Permission("s3:GetBucketLogging", _BUCKET, optional=True),
        Permission("s3:GetReplicationConfiguration", _BUCKET, optional=True),
        Permission("s3:GetBucketNotification", _BUCKET, optional=True),
        Permission("s3:GetLifecycleConfiguration", _BUCKET, optional=True),
        Permission("s3:GetBucketPublicAccessBlock", _BUCKET, optional=True),
        Permission("s3:GetEncryptionConfiguration", _BUCKET, optional=True),
        Permission("kms:Decrypt", "*", why="objects that are encrypted with a key"),
    ),
    plan=plan,
    steps={"answer": Answer(), "listed": Listed(), "versions": Versions()},
    volatility=6,
    options=(
        Option("prefix", "Only what begins with this", ""),
        Option("take", "Take the versions themselves too", True),
        Option("gib", "GiB that are taken at most", "50"),
        *WHEN,
    ),
)
