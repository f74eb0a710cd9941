# SPDX-License-Identifier: Apache-2.0
"""Findings of GuardDuty of an account, in every region."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from locard.actions.collect.aws import spans
from locard.actions.collect.aws.answers import of
from locard.actions.collect.aws.spans import Span
from locard.actions.collect.aws.streams import Stream, document
from locard.actions.contract import Action, Keep, Room
from locard.model.action import Json, Permission, Plan, Step, Target

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

AT_ONCE = 50
"""Findings that GetFindings takes."""


class Findings:
    """The findings of one detector that were updated in some time."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """List them, and keep them as GuardDuty gives them."""
        said = step.arguments
        there = cloud.within(said["region"]).noting()
        ids = list(_ids(there, said))
        if not ids:
            return {"findings": 0}

        def whole() -> Iterator[Json]:
            for first in range(0, len(ids), AT_ONCE):
                yield from there.call(
                    "guardduty:GetFindings", DetectorId=said["detector"],
                    FindingIds=ids[first : first + AT_ONCE],
                )["Findings"]  # fmt: skip

        covers = f"findings updated from {said['start']} to {said['end']} in {said['region']}"
        name = f"guardduty-{said['region']}.json"
        kept = keep(name, Stream(document("Findings", whole())), of(there, covers=covers))
        return {"findings": len(ids), "evidence": kept}


def _ids(cloud: "Cloud", said: Mapping[str, Json]) -> Iterator[str]:
    def instant(name: str) -> int:
        return int(datetime.fromisoformat(said[name]).timestamp() * 1000)

    updated = {"GreaterThanOrEqual": instant("start"), "LessThanOrEqual": instant("end")}
    found = cloud.pages(
        "guardduty:ListFindings", "FindingIds", DetectorId=said["detector"],
        FindingCriteria={"Criterion": {"updatedAt": updated}},
    )  # fmt: skip
    yield from (str(one) for one in found)


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """A step for each region with a detector."""
    span = Span.of(options)
    steps = [
        Step(f"findings:{region}", f"Take the findings of {region}", "guardduty:GetFindings",
             {"detector": one, "region": region, **span.words()}, changes=False)
        for region in spans.regions(cloud, options)
        for one in cloud.within(region).pages("guardduty:ListDetectors", "DetectorIds")
    ]  # fmt: skip
    warnings = () if steps else ("GuardDuty is switched on in none of the regions.",)
    return Plan(ACTION.id, ACTION.version, target, dict(options), tuple(steps), warnings=warnings,
                volatility=ACTION.volatility)  # fmt: skip


ACTION = Action(
    id="collect.aws.findings",
    title="Collect the GuardDuty findings of an account",
    about="Every finding that was updated in a span of time, in every region.",
    kind="account",
    names=spans.ACCOUNT,
    permissions=(
        *spans.LOOKING,
        Permission("guardduty:ListDetectors"),
        Permission("guardduty:ListFindings"),
        Permission("guardduty:GetFindings"),
    ),
    plan=plan,
    steps={"findings": Findings()},
    volatility=7,
    options=(*spans.WHEN, *spans.REGIONS),
)
