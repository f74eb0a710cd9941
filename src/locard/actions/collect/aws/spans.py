# SPDX-License-Identifier: Apache-2.0
"""What collections of logs share: from when to when, in which regions, out of whose account."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from locard.actions.collect.aws.buckets import PLAIN
from locard.actions.contract import Option
from locard.model.action import Json, Permission, Step
from locard.model.errors import Error

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

WEEK = timedelta(days=7)
ACCOUNT = r"(?:arn:[\w-]+:iam::)?(?=(?P<account>\d{12}))(?P<id>\d{12})(?::root)?"
WHEN = (
    Option("from", "First instant: 2026-11-20 or 2026-11-20T14:00, UTC; a week ago if empty", ""),
    Option("to", "Last instant, UTC; now if empty", ""),
)
REGIONS = (Option("regions", "Regions, with commas; all that are switched on if empty", ""),)
BUCKET = (
    Option("log_account", "Our account that has the bucket, by its name; the same if empty", ""),
    Option("gib", "GiB that are taken at most", "50"),
)
LOOKING = (Permission("ec2:DescribeRegions"),)
NO_BUCKET = "none"


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, options: Mapping[str, Json]) -> "Span":
        """The span that the options say. Raises `Error`."""
        now = datetime.now(UTC)
        end = _instant(str(options["to"]), late=True) or now
        start = _instant(str(options["from"]), late=False) or end - WEEK
        if start >= end:
            raise Error(f"{start.isoformat()} is not before {end.isoformat()}.", "Turn them round.")
        return cls(start, min(end, now))

    def words(self) -> dict[str, str]:
        """As steps carry it: instants."""
        return {"start": self.start.isoformat(), "end": self.end.isoformat()}

    def days(self) -> dict[str, str]:
        """As steps carry it: days of delivery, which may be a quarter of an hour late."""
        last = self.end + timedelta(minutes=15)
        return {"first": f"{self.start.date()}", "last": f"{last.date()}"}


def regions(cloud: "Cloud", options: Mapping[str, Json]) -> list[str]:
    """The regions that are looked at."""
    said = [one.strip() for one in str(options["regions"]).split(",") if one.strip()]
    for one in said:
        if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", one):
            raise Error(f"{one[:40]!r} is no region.", "Write it like eu-central-1.")
    if said:
        return said
    found = cloud.call("ec2:DescribeRegions")["Regions"]
    return sorted(one["RegionName"] for one in found)


def days(
    what: str, bucket: str, roots: Iterable[str], span: Span, options: Mapping[str, Json],
    form: str = PLAIN,
) -> Step:  # fmt: skip
    """The step that takes the days of a log out of a bucket."""
    gib = str(options["gib"])
    if not gib.isdecimal() or not int(gib):
        raise Error(f"{gib[:40]!r} is no number of GiB.", "Say it like this: --set gib=50")
    arguments = {
        "bucket": bucket, "roots": sorted(set(roots)), "form": form, **span.days(),
        "log_account": options["log_account"], "gib": int(gib),
    }  # fmt: skip
    return Step(f"days:{what}", f"Take {what} out of {bucket}", "s3:GetObject", arguments,
                changes=False)  # fmt: skip


def split(arn: str) -> tuple[str, str]:
    """The bucket and the prefix (ending with a slash, or empty) of arn:aws:s3:::bucket/prefix."""
    bucket, _, prefix = arn.partition(":::")[2].partition("/")
    prefix = prefix.strip("/")
    return bucket, f"{prefix}/" if prefix else ""


def _instant(text: str, *, late: bool) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Error(
            f"{text[:40]!r} is no instant.", "Write 2026-11-20 or 2026-11-20T14:00"
        ) from error
    if late and len(text) == len("2026-11-20"):
        found += timedelta(days=1)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
