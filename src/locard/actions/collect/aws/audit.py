# SPDX-License-Identifier: Apache-2.0
"""What CloudTrail wrote of a run of ours: the provider's own word that the calls were made.

A run that takes a role is the name of the role's session, and every call of it names the run in its
user agent. CloudTrail needs up to a quarter of an hour; so this is asked for later. What ties an
exhibit to an event is the id of the request, which both carry.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from locard.actions.collect.aws.answers import of
from locard.actions.collect.aws.streams import Stream, document
from locard.actions.contract import Action, Keep, Option, Room
from locard.model.action import Json, Permission, Plan, Step, Target
from locard.model.errors import Error

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

GLOBAL = "us-east-1"
"""Where CloudTrail writes what belongs to no region: IAM, STS."""
KEPT = timedelta(days=90)
LATE = (
    "CloudTrail has none: the run made no management call there, or it is too early. It takes a "
    "quarter of an hour; then ask again."
)


class Events:
    """The events of a run in one region."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Look them up by the session's name; where that finds none, by the user agent of all."""
        said = step.arguments
        there = cloud.within(said["region"]).noting()
        found = list(_looked_up(there, said, [
            {"AttributeKey": "Username", "AttributeValue": said["run"]}
        ]))  # fmt: skip
        if not found:
            found = list(_looked_up(there, said, []))
        if not found:
            return {"events": 0, "not collected": LATE}
        ids = {
            str(record.get("requestID", "")): str(record["eventID"])
            for record in (json.loads(one["CloudTrailEvent"]) for one in found)
        }
        covers = f"management events of {said['region']} that name {said['run']}"
        name = f"{said['run']}-cloudtrail-{said['region']}.json"
        kept = keep(name, Stream(document("Events", found)), of(there, covers=covers))
        return {
            "events": len(found), "evidence": kept, "run": said["run"], "event ids by request": ids,
        }  # fmt: skip


def _looked_up(
    cloud: "Cloud", said: Mapping[str, Json], attributes: list[Json]
) -> Iterator[Mapping[str, Json]]:
    times = {"StartTime": datetime.fromisoformat(said["start"]),
             "EndTime": datetime.fromisoformat(said["end"])}  # fmt: skip
    more = {"LookupAttributes": attributes} if attributes else {}
    for one in cloud.pages("cloudtrail:LookupEvents", "Events", **times, **more, MaxResults=50):
        try:
            record = json.loads(one.get("CloudTrailEvent", ""))
        except ValueError:
            continue
        if f"run/{said['run']}" in str(record.get("userAgent", "")) and record.get("eventID"):
            yield one


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """A step for the region of the run, and one for what belongs to no region."""
    day = datetime.strptime(target.id[1:7], "%y%m%d").replace(tzinfo=UTC)
    now = datetime.now(UTC)
    days = str(options["days"])
    if not days.isdecimal() or not 1 <= int(days) <= 90:
        raise Error(f"{days[:20]!r} is no number of days.", "Say 1 to 90: --set days=2")
    span = {"start": day.isoformat(), "end": min(day + timedelta(days=int(days)), now).isoformat()}
    steps = [
        Step(f"events:{one}", f"Look up what {target.id} called in {one}",
             "cloudtrail:LookupEvents", {"run": target.id, "region": one, **span}, changes=False)
        for one in dict.fromkeys((target.region, GLOBAL))
    ]  # fmt: skip
    old = f"{target.id} is older than the 90 days that LookupEvents has: collect the trail instead."
    return Plan(
        ACTION.id, ACTION.version, target, dict(options), tuple(steps),
        warnings=(old,) if now - day > KEPT else (), volatility=ACTION.volatility,
    )  # fmt: skip


ACTION = Action(
    id="collect.aws.audit",
    title="Collect what CloudTrail wrote of a run of ours",
    about="The events of the calls that a run made, with the ids of their requests, which the "
    "exhibits of the run carry too.",
    kind="run",
    names=r"(?P<id>r\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])-[0-9a-f]{8})",
    permissions=(Permission("cloudtrail:LookupEvents"),),
    plan=plan,
    steps={"events": Events()},
    volatility=8,
    options=(Option("days", "How many days from the run's first are looked through", "2"),),
)
