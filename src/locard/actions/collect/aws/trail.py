# SPDX-License-Identifier: Apache-2.0
"""CloudTrail of an account: out of the trails' buckets with their digests, or by LookupEvents.

A bucket has everything that the trail records, data events too, and the digests that prove it.
LookupEvents has the management events of 90 days of one region: it is asked in every region where
there is no trail, or when it is wanted.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

from locard.actions.collect.aws import buckets, spans
from locard.actions.collect.aws.answers import Answer, of
from locard.actions.collect.aws.buckets import Days
from locard.actions.collect.aws.spans import Span
from locard.actions.collect.aws.streams import Stream, document
from locard.actions.contract import Action, Keep, Option, Room
from locard.model.action import Json, Permission, Plan, Step, Target
from locard.model.errors import Error

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


class Lookup:
    """The management events of one region."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Ask page by page, and keep the answers as one document."""
        said, count = step.arguments, 0
        there = cloud.within(said["region"]).noting()

        def events() -> Iterator[Json]:
            nonlocal count
            times = {"StartTime": datetime.fromisoformat(said["start"]),
                     "EndTime": datetime.fromisoformat(said["end"])}  # fmt: skip
            for one in there.pages("cloudtrail:LookupEvents", "Events", **times, MaxResults=50):
                count += 1
                room.progress(f"LookupEvents in {said['region']}", count, count + 1)
                yield one

        coming = events()
        first = next(coming, None)
        if first is None:
            return {"events": 0}
        covers = f"management events of {said['region']} from {said['start']} to {said['end']}"
        name = f"cloudtrail-lookup-{said['region']}.json"
        kept = keep(
            name, Stream(document("Events", chain((first,), coming))), of(there, covers=covers)
        )
        return {"events": count, "evidence": kept}


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """A step for each trail with a bucket, and for each region without one."""
    span, places = Span.of(options), spans.regions(cloud, options)
    known = {
        one["TrailARN"]: one
        for region in places
        for one in cloud.within(region).call("cloudtrail:DescribeTrails")["trailList"]
        if one.get("S3BucketName")
    }
    accounts = _accounts(target, options)
    steps = [
        Step("answer:DescribeTrails", "Ask DescribeTrails", "cloudtrail:DescribeTrails",
             {"request": {}, "name": "cloudtrail-DescribeTrails.json"}, changes=False)
    ]  # fmt: skip
    covered: set[str] = set()
    for one in known.values():
        there = places if one.get("IsMultiRegionTrail") else [one["HomeRegion"]]
        covered |= set(there)
        steps.append(_days(one, accounts, there, span, options))
    if options["bucket"]:
        steps.append(_days({"Name": "the named trail", "S3BucketName": options["bucket"],
                            "S3KeyPrefix": options["prefix"], "IsOrganizationTrail": True},
                           accounts, places, span, options))  # fmt: skip
        covered |= set(places)
    lookup = places if options["lookup"] else [one for one in places if one not in covered]
    steps += [
        Step(f"lookup:{one}", f"Look events up in {one}", "cloudtrail:LookupEvents",
             {"region": one, **span.words()}, changes=False)
        for one in lookup
    ]  # fmt: skip
    warnings = []
    if lookup and not options["lookup"]:
        told = "of these there are the management events of 90 days and nothing else."
        warnings.append(f"No trail covers {', '.join(lookup)}: {told}")
    held = {one["S3BucketName"] for one in known.values()} | {str(options["bucket"])}
    keys = tuple(sorted({one["KmsKeyId"] for one in known.values() if one.get("KmsKeyId")}))
    return Plan(
        ACTION.id, ACTION.version, target, dict(options), tuple(steps), warnings=tuple(warnings),
        names={"bucket": tuple(sorted(held - {""})) or (spans.NO_BUCKET,), "key": keys or ("*",)},
        volatility=ACTION.volatility,
    )  # fmt: skip


def _accounts(target: Target, options: Mapping[str, Json]) -> list[str]:
    said = [one.strip() for one in str(options["of"]).split(",") if one.strip()]
    for one in said:
        if not re.fullmatch(r"\d{12}", one):
            raise Error(f"{one[:40]!r} is no id of an account.", "It has twelve digits.")
    return said or [target.id]


def _days(
    trail: Mapping[str, Json], accounts: list[str], places: list[str], span: Span,
    options: Mapping[str, Json],
) -> Step:  # fmt: skip
    prefix = str(trail.get("S3KeyPrefix") or "").strip("/")
    base = f"{prefix}/AWSLogs/" if prefix else "AWSLogs/"
    owners = [f"{base}{one}/" for one in accounts]
    if trail.get("IsOrganizationTrail"):
        owners += [f"{base}*/{one}/" for one in accounts]
    roots = [
        f"{owner}{kind}/{region}/"
        for owner in owners
        for kind in ("CloudTrail", "CloudTrail-Digest")
        for region in places
    ]
    return spans.days(f"the trail {trail['Name']}", trail["S3BucketName"], roots, span, options)


ACTION = Action(
    id="collect.aws.trail",
    title="Collect the CloudTrail logs of an account",
    about="Out of the trails' buckets with their digests, also a central one; where no trail is, "
    "by LookupEvents in every region.",
    kind="account",
    names=spans.ACCOUNT,
    permissions=(
        *spans.LOOKING,
        Permission("cloudtrail:DescribeTrails"),
        Permission("cloudtrail:LookupEvents"),
        *buckets.PERMISSIONS,
    ),
    plan=plan,
    steps={"answer": Answer(), "days": Days(), "lookup": Lookup()},
    volatility=7,
    options=(
        *spans.WHEN,
        *spans.REGIONS,
        *spans.BUCKET,
        Option("of", "Accounts that they are of, with commas; this one if empty", ""),
        Option("bucket", "A further bucket that a trail delivers to, such as a central one", ""),
        Option("prefix", "What stands before AWSLogs/ in it", ""),
        Option("lookup", "Ask LookupEvents in all regions besides"),
    ),
)
