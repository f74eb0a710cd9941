# SPDX-License-Identifier: Apache-2.0
"""Conditions on alerts in the words of Sigma: fields with modifiers, selections, and, or, not.

    when:
      source: aws.guardduty            # all of these have to hold
      kind: ["Backdoor:EC2/*", "UnauthorizedAccess:EC2/*"]      # one of the values
      severity|gte: high

    when:
      risky: {severity|gte: high}
      spared: {tag.env: lab}
      condition: risky and not spared

Text is compared without regard to case; `*` and `?` stand for anything, `\\*` for itself. A
condition is held against each resource of the alert by itself; what follows is done to those that
fit.
"""

import difflib
import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from locard.cases.alerts.mapping import found
from locard.cases.document import Section, plain
from locard.model.action import Json, Target
from locard.model.alert import Alert, Severity

FIELDS = (
    "source", "kind", "severity", "title", "account", "region", "target.provider",
    "target.account", "target.region", "target.kind", "target.id",
)  # fmt: skip
PREFIXES = ("tag.", "content.")
"""`tag.NAME` is a tag of the resource; `content.PATH` is anything that the source said."""
MODIFIERS = ("contains", "startswith", "endswith", "all", "cased", "exists", "gt", "gte", "lt",
             "lte")  # fmt: skip
_ORDERED = ("gt", "gte", "lt", "lte")
_WORDS = re.compile(r"\(|\)|[\w*-]+|\S")
CONDITION = "condition"


class Unknown(Exception):
    """What a condition asks for could not be looked up; the text says why."""


@dataclass(slots=True)
class Facts:
    """What conditions ask about one alert and one of its resources."""

    alert: Alert
    target: Target | None
    tags: Callable[[Target], Mapping[str, str]]
    """Looks the resource's tags up; raises `Unknown`."""
    _tags: Mapping[str, str] | None = field(default=None)

    def values(self, name: str) -> list[Json]:
        """What the field holds; nothing when it is not there."""
        if name.startswith("content."):
            return found(dict(self.alert.content), name.removeprefix("content."))
        if name.startswith("tag."):
            if self.target is None:
                return []
            if self._tags is None:
                self._tags = self.tags(self.target)
            tag = self._tags.get(name.removeprefix("tag."))
            return [] if tag is None else [tag]
        holder: object = self.alert
        if name.startswith("target."):
            holder, name = self.target, name.removeprefix("target.")
        value = getattr(holder, name, None)
        return [] if value in (None, "") else [value]


@dataclass(frozen=True, slots=True)
class Test:
    """One field that has to be like one of these values, or like all of them."""

    name: str
    modifiers: tuple[str, ...]
    values: tuple[Json, ...]

    def holds(self, facts: Facts) -> bool:
        """Whether it does."""
        here = facts.values(self.name)
        if "exists" in self.modifiers:
            return bool(here) == bool(self.values[0])
        if self.values == (None,):
            return not here
        every = all if "all" in self.modifiers else any
        return every(any(self._fits(one, value) for one in here) for value in self.values)

    def _fits(self, one: Json, value: Json) -> bool:
        for modifier in _ORDERED:
            if modifier in self.modifiers:
                return _compared(one, value, modifier)
        if isinstance(one, bool) or isinstance(value, bool) or value is None:
            return bool(one == value)
        text, wanted = str(one), str(value)
        if "cased" not in self.modifiers:
            text, wanted = text.lower(), wanted.lower()
        pattern = _pattern(wanted)
        front = "*" if {"contains", "endswith"} & set(self.modifiers) else ""
        back = "*" if {"contains", "startswith"} & set(self.modifiers) else ""
        return fnmatch.fnmatchcase(text, f"{front}{pattern}{back}")

    def told(self) -> str:
        """The test as it is written."""
        shown = [str(one) for one in self.values[:3]]
        return f"{'|'.join((self.name, *self.modifiers))}: {', '.join(shown)[:120]}"


Selection = Sequence[Sequence[Test]]
"""One of these groups has to hold, each with all of its tests."""


@dataclass(frozen=True, slots=True)
class When:
    """A whole condition."""

    selections: Mapping[str, Selection]
    holds: Callable[[Callable[[str], bool]], bool]
    """Judges, given what each selection says."""

    def judge(self, facts: Facts) -> tuple[bool, str]:
        """Whether it holds, and what matched or did not. Raises `Unknown`."""
        known: dict[str, bool] = {}

        def says(name: str) -> bool:
            if name not in known:
                groups = self.selections[name]
                known[name] = any(all(test.holds(facts) for test in tests) for tests in groups)
            return known[name]

        result = self.holds(says)
        parts = []
        for name, truth in known.items():
            failing = [] if truth else list(_failing(self.selections[name], facts))
            label = "" if len(self.selections) == 1 else f"{name}: "
            parts.append(f"{label}{'holds' if truth else 'no: ' + '; '.join(failing)}")
        return result, ", ".join(parts)


def _failing(groups: Selection, facts: Facts) -> Iterator[str]:
    for tests in groups:
        for test in tests:
            if not test.holds(facts):
                here = [str(one)[:60] for one in facts.values(test.name)[:3]]
                yield f"{test.told()} (it is {', '.join(here) or 'not there'})"
                break


def _compared(one: Json, value: Json, modifier: str) -> bool:
    if str(one).lower() in set(Severity) and str(value).lower() in set(Severity):
        left: float = Severity(str(one).lower()).rank
        right: float = Severity(str(value).lower()).rank
    else:
        try:
            left, right = float(one), float(value)
        except (TypeError, ValueError):
            return False
    return {"gt": left > right, "gte": left >= right, "lt": left < right, "lte": left <= right}[
        modifier
    ]


def _pattern(text: str) -> str:
    """Sigma's wildcards as those of `fnmatch`, which has no backslash but has brackets."""
    parts = re.split(r"(\\[*?\\]|\[)", text)
    kept = []
    for one in parts:
        if one == "[" or (one.startswith("\\") and len(one) == 2 and one[1] in "*?"):
            kept.append(f"[{one[-1]}]")
        else:
            kept.append("\\" if one == "\\\\" else one)
    return "".join(kept)


def read(section: Section) -> When:
    """The condition that is written below `when`; faults are noted in the section."""
    if CONDITION not in section:
        tests = _tests(section)
        if not list(section):
            section.fault(section.node, "when: says nothing, and would fit every alert")
        return When({"when": [tests]}, lambda says: says("when"))
    selections: dict[str, Selection] = {}
    for name in section:
        if name == CONDITION:
            continue
        if isinstance(section.node_of(name), yaml.SequenceNode):
            selections[name] = [_tests(one) for one in section.sections(name)]
        elif below := section.section(name):
            selections[name] = [_tests(below)]
    return When(selections, _condition(section, selections))


def _tests(section: Section) -> list[Test]:
    found_here = []
    for key in section:
        name, *modifiers = key.split("|")
        where = section.node_of(key)
        if name not in FIELDS and not (name.startswith(PREFIXES) and name.partition(".")[2]):
            near = difflib.get_close_matches(name, FIELDS, 1, 0.5)
            known = ", ".join((*FIELDS, "tag.NAME", "content.PATH"))
            meant = f"did you mean {str(near[0])!r}?" if near else f"there are {known}"
            section.fault(where, f"{section.path}{key}: there is no field {name!r}; {meant}")
        for one in modifiers:
            if one not in MODIFIERS:
                near = difflib.get_close_matches(one, MODIFIERS, 1, 0.5)
                meant = (
                    f"did you mean {str(near[0])!r}?"
                    if near
                    else f"there are {', '.join(MODIFIERS)}"
                )
                section.fault(where, f"{section.path}{key}: there is no modifier {one!r}; {meant}")
        value = plain(where)
        values = value if isinstance(value, list) else [value]
        if not values or any(isinstance(one, dict | list) for one in values):
            section.fault(where, f"{section.path}{key}: has to be a value or a list of values")
            continue
        if "exists" in modifiers and not isinstance(values[0], bool):
            section.fault(where, f"{section.path}{key}: has to be true or false")
        if name == "severity":
            _severities(section, key, where, values)
        found_here.append(Test(name, tuple(modifiers), tuple(values)))
    return found_here


def _severities(section: Section, key: str, where: yaml.Node, values: Sequence[Json]) -> None:
    for one in values:
        if str(one).lower() not in set(Severity) and "*" not in str(one):
            near = difflib.get_close_matches(str(one).lower(), list(Severity), 1, 0.4)
            meant = (
                f"did you mean {str(near[0])!r}?" if near else f"there are {', '.join(Severity)}"
            )
            section.fault(where, f"{section.path}{key}: {str(one)[:40]!r} is no severity; {meant}")


def _condition(
    section: Section, selections: Mapping[str, Selection]
) -> Callable[[Callable[[str], bool]], bool]:
    parser = _Expression(section.text(CONDITION), selections)
    try:
        holds = parser.whole()
    except ValueError as error:
        section.fault(CONDITION, f"{section.path}{CONDITION}: {error}")
        return lambda _says: False
    for name in selections:
        if name not in parser.used:
            section.fault(name, f"{section.path}{name} is not used in the condition")
    return holds


Holds = Callable[[Callable[[str], bool]], bool]


class _Expression:
    """`a and not (b or 1 of c*)`, read from the left. Raises `ValueError` that says the fault."""

    def __init__(self, text: str, names: Mapping[str, object]) -> None:
        self.words, self.at = _WORDS.findall(text), 0
        self.names, self.used = names, set[str]()
        if len(self.words) > 200:
            raise ValueError("it is longer than anybody reads")

    def whole(self) -> Holds:
        if not self.words:
            raise ValueError("it is empty; write the names of selections with and, or, not")
        holds = self.either()
        if self.at < len(self.words):
            raise ValueError(f"{self.words[self.at]!r} does not belong here")
        return holds

    def _next(self) -> str:
        word = self.words[self.at] if self.at < len(self.words) else ""
        self.at += 1
        return word

    def _take(self, word: str) -> bool:
        if self.at < len(self.words) and self.words[self.at].lower() == word:
            self.at += 1
            return True
        return False

    def either(self) -> Holds:
        parts = [self.both()]
        while self._take("or"):
            parts.append(self.both())
        return lambda says: any(one(says) for one in parts)

    def both(self) -> Holds:
        parts = [self.single()]
        while self._take("and"):
            parts.append(self.single())
        return lambda says: all(one(says) for one in parts)

    def single(self) -> Holds:
        if self._take("not"):
            inner = self.single()
            return lambda says: not inner(says)
        if self._take("("):
            inside = self.either()
            if not self._take(")"):
                raise ValueError("a parenthesis is not closed")
            return inside
        word = self._next()
        if word.lower() in ("1", "all", "any") and self._take("of"):
            return self._of(word.lower())
        return self._named(word)

    def _of(self, how: str) -> Holds:
        pattern = self._next()
        pattern = "*" if pattern == "them" else pattern
        names = [one for one in self.names if fnmatch.fnmatchcase(one, pattern)]
        if not names:
            raise ValueError(f"no selection is called like {pattern!r}")
        self.used.update(names)
        every = all if how == "all" else any
        return lambda says: every(says(one) for one in names)

    def _named(self, word: str) -> Holds:
        if word not in self.names:
            near = difflib.get_close_matches(word, self.names, 1, 0.5)
            meant = f"; did you mean {str(near[0])!r}?" if near else ""
            known = ", ".join(self.names) or "none"
            raise ValueError(
                f"there is no selection {word!r}{meant}" if meant
                else f"there is no selection {word!r}; there are {known}"
            )  # fmt: skip
        self.used.add(word)
        return lambda says: says(word)
