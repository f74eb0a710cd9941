# SPDX-License-Identifier: Apache-2.0
"""Sources of alerts as data: how a message is recognised, and which of its fields say what.

The language of `source.yaml`:

    recognise: {detail-type: GuardDuty Finding}   # fields with these values; `true`: it is there
    each: detail                                  # where the alert is, or several are
    alert:
      id: id                                      # the field at this path
      severity: {from: severity, bands: {low: 1, medium: 4, high: 7}}
      time: [updatedAt, createdAt]                # the first that is there
    targets:
      - {kind: instance, id: resource.instanceDetails.instanceId}
      - {named: aws, from: Resources.Id}          # by the names in `named/aws.yaml`
      - {each: things, kind_from: what, id: name}
      - {kind: user, id: who.name, when: {who.type: IAMUser}, region: none}

A path follows lists into each of their elements; `^` at its front leads to the whole message.
"""

import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from locard.model.action import Json, Target
from locard.model.alert import AlertState, Said, Severity
from locard.model.errors import Unreadable
from locard.model.visible import visible
from locard.parsers.times import NotATime, any_time

LONGEST = 500
"""Characters of one text of an alert; the original holds the rest."""
LONGEST_ID = 4_096
MOST_TEXT = 1 << 16
MOST_TARGETS = 100
MOST_ALERTS = 500
MOST_FOUND = 1_000
"""Values that one path may lead to."""
_EXACT = re.compile(r"[\w.:/@+=,#*~()-]{1,2048}")
"""What can be the id of a resource: names of attackers do not get further."""

_SEVERITIES = frozenset(Severity)

Named = Mapping[str, Sequence[tuple[str, re.Pattern[str]]]]
"""How providers name their resources: kind and pattern with a group `id`, by provider."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Who reads: the mapping, and how providers name resources."""

    id: str
    data: Mapping[str, Any]
    named: Named
    now: int


def found(value: Json, path: str) -> list[Json]:
    """Every value at a path. Keys may have dots themselves: the longest that is there is taken."""
    results: list[Json] = []
    _follow(value, path.split("."), results)
    return results


def _follow(value: Json, parts: Sequence[str], results: list[Json]) -> None:
    if len(results) >= MOST_FOUND:
        return
    if isinstance(value, list):
        for one in value[:MOST_FOUND]:
            _follow(one, parts, results)
    elif not parts:
        if value is not None:
            results.append(value)
    elif isinstance(value, dict):
        for length in range(len(parts), 0, -1):
            key = ".".join(parts[:length])
            if key in value:
                _follow(value[key], parts[length:], results)
                return


def recognised(data: Mapping[str, Any], message: Json) -> bool:
    """Whether a message is of this source."""
    if not isinstance(message, dict):
        return False
    for path, wanted in data["recognise"].items():
        values = found(message, path)
        if wanted is True:
            if not values:
                return False
        else:
            choices = wanted if isinstance(wanted, list) else [wanted]
            if not any(_like(value, one) for value in values for one in choices):
                return False
    return True


def _like(value: Json, wanted: Json) -> bool:
    if isinstance(wanted, str) and isinstance(value, str):
        return fnmatch.fnmatchcase(value, wanted)
    return bool(value == wanted)


def read(reading: Reading, message: Json) -> list[Said]:
    """The alerts that a message says. Raises `Unreadable` when one cannot be told from others."""
    each = reading.data.get("each", "")
    bodies = found(message, each) if each else [message]
    bodies = [one for one in bodies if isinstance(one, dict)]
    if not bodies:
        raise Unreadable(
            f"The message of {reading.id} holds no alert where it should be: {each}.",
            "See what it holds; if the source has changed, its mapping has to follow.",
        )
    if len(bodies) > MOST_ALERTS:
        raise Unreadable(
            f"The message holds {len(bodies):,} alerts, and {MOST_ALERTS} are read at once.",
            "Let the source send fewer at a time.",
        )
    return [_Body(reading, message, one).said() for one in bodies]


class _Body:
    """One alert within its message."""

    def __init__(self, reading: Reading, message: Json, body: Mapping[str, Json]) -> None:
        self.reading, self.message, self.body = reading, message, body
        self.notes: list[str] = []

    def said(self) -> Said:
        rules = self.reading.data["alert"]
        original = self.text(rules["id"], longest=LONGEST_ID)
        if not original:
            raise Unreadable(
                f"An alert of {self.reading.id} has no id ({_paths(rules['id'])}), so that it "
                "cannot be told whether it came before.",
                "See what it holds; if the source has changed, its mapping has to follow.",
            )
        account, region = self.text(rules.get("account")), self.text(rules.get("region"))
        kind = self.text(rules.get("kind")) or self.reading.id
        return Said(
            source=self.reading.id,
            original=original,
            kind=kind,
            severity=self.severity(rules.get("severity")),
            title=self.text(rules.get("title")) or kind,
            time=self.time(rules.get("time")),
            account=account,
            region=region,
            targets=self.targets(account, region),
            state=self.state(rules.get("closed")),
            link=self.link(rules.get("link")),
            content=dict(self.body),
            notes=tuple(self.notes),
        )

    def values(self, rule: Any, within: Json = None) -> Iterator[Json]:
        """What the rule leads to: a path, several paths, or a rule with `from` or `const`."""
        if isinstance(rule, Mapping):
            if "const" in rule:
                yield rule["const"]
                return
            rule = rule.get("from", ())
        for path in (rule,) if isinstance(rule, str) else rule or ():
            if path.startswith("^"):
                yield from found(self.message, path[1:])
            else:
                yield from found(self.body if within is None else within, path)

    def first(self, paths: Sequence[Any], within: Json) -> list[Json]:
        """All that the first path leads to that leads anywhere."""
        for path in paths:
            if values := [one for one in self.values(path, within) if one]:
                return values
        return []

    def text(self, rule: Any, within: Json = None, longest: int = LONGEST) -> str:
        for value in self.values(rule, within):
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                text = visible(str(value)[:MOST_TEXT].strip())
                if isinstance(rule, Mapping) and (pattern := rule.get("match")):
                    match = re.fullmatch(pattern, text[:4096])
                    text = match["text"] if match else ""
                if text:
                    return text if len(text) <= longest else text[: longest - 1] + "…"
        return ""

    def time(self, rule: Any) -> int:
        for value in self.values(rule):
            try:
                return any_time(value)
            except NotATime:
                self.notes.append(f"{str(value)[:40]!r} is no time.")
        self.notes.append("The alert says no time; when it came is taken instead.")
        return self.reading.now

    def severity(self, rule: Any) -> Severity:
        for value in self.values(rule):
            if isinstance(rule, Mapping) and "bands" in rule:
                number = _number(value)
                if number is not None:
                    bands = sorted(rule["bands"].items(), key=lambda one: float(one[1]))
                    fits = [name for name, least in bands if number >= least]
                    return Severity(fits[-1]) if fits else Severity.INFORMATIONAL
            word = str(value).strip().lower()
            word = rule.get("values", {}).get(word, word) if isinstance(rule, Mapping) else word
            if word in _SEVERITIES:
                return Severity(word)
            self.notes.append(f"{str(value)[:40]!r} is no severity that is known.")
        self.notes.append("Its severity is taken to be medium.")
        return Severity.MEDIUM

    def state(self, rule: Any) -> AlertState:
        for path, closing in (rule or {}).items():
            if any(_like(value, one) for value in self.values(path) for one in closing):
                return AlertState.CLOSED
        return AlertState.OPEN

    def link(self, rule: Any) -> str:
        link = self.text(rule)
        return link if link.startswith("https://") else ""

    def targets(self, account: str, region: str) -> tuple[Target, ...]:
        found_here: dict[str, Target] = {}
        for rule in self.reading.data.get("targets", ()):
            within = found(self.body, rule["each"]) if "each" in rule else [self.body]
            for one in within:
                if not recognised({"recognise": rule.get("when", {})}, one):
                    continue
                for target in self._target(rule, one, account, region):
                    if _EXACT.fullmatch(target.id):
                        found_here.setdefault(target.key, target)
                    else:
                        self.notes.append(f"{target.id[:80]!r} cannot be the id of a resource.")
        if len(found_here) > MOST_TARGETS:
            self.notes.append(f"It names {len(found_here):,} resources; {MOST_TARGETS} are taken.")
        return tuple(found_here.values())[:MOST_TARGETS]

    def _target(
        self, rule: Mapping[str, Any], one: Json, account: str, region: str
    ) -> list[Target]:
        provider = self.text(rule["provider"], one) if "provider" in rule else ""
        provider = provider.lower() or self.reading.data.get("provider", "")
        if rule.get("providers") and provider not in rule["providers"]:
            return []
        account = self.where(rule.get("account"), one, account)
        region = self.where(rule.get("region"), one, region)
        results = []
        paths = rule.get("from", rule.get("id"))
        for value in self.first(paths if isinstance(paths, list) else [paths], one):
            if not isinstance(value, str) or not value.strip():
                continue
            name = visible(value[:MOST_TEXT].strip())
            if "named" in rule:
                results.append(self._named(rule["named"], provider, name, account, region))
            else:
                kind = self.text(rule["kind_from"], one) if "kind_from" in rule else rule["kind"]
                results.append(Target(provider, account, region, kind or "resource", name))
        return results

    def where(self, rule: Any, within: Json, otherwise: str) -> str:
        """The account or region of a target: the alert's, its own, or `none`."""
        if rule is None:
            return otherwise
        return "" if rule == "none" else self.text(rule, within) or otherwise

    def _named(self, names: str, provider: str, name: str, account: str, region: str) -> Target:
        for kind, pattern in self.reading.named[names]:
            if match := pattern.fullmatch(name):
                said = match.groupdict()
                where = region if said.get("region") is None else said["region"]
                return Target(
                    provider or names, said.get("account") or account, where, kind, said["id"]
                )
        return Target(provider or names, account, region, "resource", name[:LONGEST])


def _number(value: Json) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    text = str(value).strip()
    return float(text) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text) else None


def _paths(rule: Any) -> str:
    rule = rule.get("from", "") if isinstance(rule, Mapping) else rule
    return rule if isinstance(rule, str) else ", ".join(rule)
