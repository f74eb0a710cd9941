# SPDX-License-Identifier: Apache-2.0
"""Logs that AWS delivers somewhere: the plan that takes them from there, whatever they tell of."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from locard.actions.collect.aws import buckets, groups, spans
from locard.actions.collect.aws.buckets import PLAIN, Days
from locard.actions.collect.aws.groups import Group
from locard.actions.collect.aws.spans import Span
from locard.actions.contract import Action, Change, Collection
from locard.model.action import Json, Plan, Step, Target

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud

OPTIONS = (*spans.WHEN, *spans.REGIONS, *spans.BUCKET)
OUT_OF_BUCKETS = (*spans.LOOKING, *buckets.PERMISSIONS)
PERMISSIONS = (*OUT_OF_BUCKETS, *groups.PERMISSIONS)
STEPS: dict[str, Change | Collection] = {"days": Days(), "group": Group()}


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where logs go."""

    bucket: str = ""
    """ARN of a bucket, with a prefix; or empty."""
    root: str = ""
    """The folder of the days, behind the prefix; a `*` stands for one folder."""
    form: str = PLAIN
    group: str = ""
    """Name of a log group; or empty."""
    elsewhere: str = ""
    """Where else, as a sentence: nothing is taken from there."""


def plan(
    action: Action,
    what: str,
    deliveries: Callable[["Cloud", str], Iterator[Delivery]],
    cloud: "Cloud",
    target: Target,
    options: Mapping[str, Json],
) -> Plan:
    """A step for each bucket and each log group, and a warning for the rest."""
    span, steps = Span.of(options), list[Step]()
    roots: dict[tuple[str, str], set[str]] = {}
    known: set[str] = set()
    warnings: list[str] = []
    for region in spans.regions(cloud, options):
        for one in deliveries(cloud.within(region), target.id):
            if one.bucket:
                bucket, prefix = spans.split(one.bucket)
                roots.setdefault((bucket, one.form), set()).add(prefix + one.root)
            elif one.group and one.group not in known:
                known.add(one.group)
                steps.append(groups.group(one.group, region, span, raw=True))
            elif one.elsewhere:
                warnings.append(one.elsewhere)
    for number, ((bucket, form), found) in enumerate(sorted(roots.items())):
        named = f"{what} {number + 1}" if number else what
        steps.append(spans.days(named, bucket, found, span, options, form))
    if not steps:
        warnings.append(f"No {what} are delivered anywhere: there is nothing to take.")
    held = tuple(sorted({bucket for bucket, _ in roots})) or (spans.NO_BUCKET,)
    return Plan(
        action.id, action.version, target, dict(options), tuple(steps), warnings=tuple(warnings),
        names={"bucket": held, "group": tuple(sorted(known)) or ("none",)},
        volatility=action.volatility,
    )  # fmt: skip
