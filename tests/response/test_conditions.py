# SPDX-License-Identifier: Apache-2.0
"""What playbooks can say, what they cannot, and what a fault is told like."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locard.actions import catalogue
from locard.cases.alerts.sources import sources
from locard.cases.document import BadDocument
from locard.cases.playbooks import conditions, reading
from locard.cases.playbooks.conditions import Facts
from locard.cases.playbooks.shelf import OWN
from locard.cases.response import settings as responding
from locard.cases.response.settings import Responding
from locard.model.action import Target
from locard.model.alert import Alert, AlertState, Severity
from locard.model.playbook import Asking
from tests import toys

TOYS = catalogue.within(toys)
ALERT = Alert(
    id="a-1", source="toy.lamp", original="1", kind="Backdoor:Lamp/C&C[1]", severity=Severity.HIGH,
    title="It flickers", time=0, account="42", region="", targets=(), state=AlertState.OPEN,
    link="", case="c", placed="", evidence=(), sightings=1, first=0, last=0, by="w", door="queue",
    content={"service": {"count": 14, "role": "TARGET", "k8s.pod": "web", "hosts": ["x1", "y2"]},
             "null": None},
)  # fmt: skip
LAMP = Target("toy", "42", "", "lamp", "one")


def book(when: str, then: str = "- analyse: case") -> reading.Written:
    lines = "\n".join(f"  {line}" for line in when.splitlines())
    steps = "\n".join(f"  {line}" for line in then.splitlines())
    return reading.read(f"title: t\nwhen:\n{lines}\nthen:\n{steps}\n", "t", TOYS)


def judged(when: str, target: Target | None = LAMP, **tags: str) -> bool:
    return book(when).when.judge(Facts(ALERT, target, lambda _target: tags))[0]


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ("source: toy.lamp", True),
        ("source: TOY.LAMP", True),
        ("source|cased: TOY.LAMP", False),
        ("source: [other, toy.lamp]", True),
        ("kind: 'Backdoor:*'", True),
        ("kind: 'backdoor:????/*'", True),
        ("kind: '*C&C[1]'", True),
        ("kind: '*C&C\\[1]'", False),
        ("kind: 'Backdoor:\\*'", False),
        ("kind|contains: lamp", True),
        ("kind|startswith: lamp", False),
        ("kind|endswith: '[1]'", True),
        ("kind|contains|all: [lamp, door]", True),
        ("kind|contains|all: [lamp, window]", False),
        ("severity|gte: high", True),
        ("severity|gt: high", False),
        ("severity|lt: critical", True),
        ("severity: [low, high]", True),
        ("target.kind: lamp", True),
        ("target.id: two", False),
        ("tag.env: prod", True),
        ("tag.env|exists: true", True),
        ("tag.team|exists: false", True),
        ("tag.team: null", True),
        ("content.service.count|gte: 14", True),
        ("content.service.count: 14", True),
        ("content.service.count|gt: many", False),
        ("content.service.k8s.pod: web", True),
        ("content.service.hosts: y*", True),
        ("content.null|exists: true", False),
        ("source: toy.lamp\nseverity: low", False),
        ("a: {source: toy.lamp}\nb: {severity: low}\ncondition: a and not b", True),
        ("a: {source: toy.lamp}\nb: {severity: low}\ncondition: a and b", False),
        ("a: {source: x}\nb: {severity: high}\ncondition: (a or b) and not (a and b)", True),
        ("a1: {source: x}\na2: {severity: high}\ncondition: 1 of a*", True),
        ("a1: {source: x}\na2: {severity: high}\ncondition: all of them", False),
        ("a:\n  - {source: x}\n  - {severity: high}\ncondition: a", True),
    ],
)
def test_a_condition_holds_as_sigma_says(when: str, holds: bool) -> None:
    assert judged(when, env="prod") is holds


def test_without_a_resource_its_fields_are_not_there() -> None:
    assert not judged("target.kind: lamp", None) and judged("target.kind|exists: false", None)
    assert not judged("tag.env: prod", None)


def test_tags_are_looked_up_once_and_only_when_asked_for() -> None:
    asked = []

    def tags(_target: Target) -> dict[str, str]:
        asked.append(1)
        return {"env": "prod"}

    facts = Facts(ALERT, LAMP, tags)
    book("severity: low\ntag.env: prod").when.judge(facts)
    assert asked == []
    book("tag.env: prod\ntag.team: null").when.judge(facts)
    assert asked == [1]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("titel: t", 1, "there is no key 'titel'; did you mean 'title'?"),
        ("title: [1]", 1, "title is a list, and has to be text"),
        ("when: {sevrity: high}", 1, "no field 'sevrity'; did you mean 'severity'?"),
        ("when: {severity: hihg}", 1, "'hihg' is no severity; did you mean 'high'?"),
        ("when: {kind|contain: x}", 1, "no modifier 'contain'; did you mean 'contains'?"),
        ("when: {}", 1, "says nothing, and would fit every alert"),
        ("when: {kind: {a: b}}", 1, "has to be a value or a list of values"),
        ("when:\n  a: {kind: x}\n  condition: a and", 3, "there is no selection ''"),
        ("when:\n  a: {kind: x}\n  condition: (a", 3, "a parenthesis is not closed"),
        ("when:\n  a: {kind: x}\n  condition: a a", 3, "'a' does not belong here"),
        ("when:\n  a: {kind: x}\n  b: {kind: y}\n  condition: a", 3, "b is not used"),
        ("when:\n  kind: x\n  kind: y", 3, "'kind' stands here twice"),
        ("then: []", 1, "has nothing to do"),
        ("then:\n  - collect: collect.toy.lmp", 2, "did you mean 'collect.toy.lamp'?"),
        ("then:\n  - collect: isolate.toy.lamp", 2, "isolate.toy.lamp is to isolate"),
        ("then:\n  - isolate: isolate.toy.lamp", 2, "may lose what collect.toy.lamp takes"),
        ("then:\n  - {collect: collect.toy.lamp, notify: x}", 2, "exactly one of"),
        ("then:\n  - {notify: x, txt: y}", 2, "no key 'txt'; did you mean 'text'?"),
        ("then:\n  - analyse: everything", 2, "analyse can only be 'case'"),
        ("then:\n  - {collect: collect.toy.lamp, with: {off: 1}}", 2, "no key 'off'"),
        ("ask: nevr", 1, "ask cannot be 'nevr'; did you mean 'never'?"),
        ("ask: {approval: always, approvers: 3}", 1, "ask.approvers is 3, and has to be 1 to 2"),
        ("ask: {approval: never, approvers: 2}", 1, "nobody is asked"),
        ("limits: {targets_per_hour: yes}", 1, "is yes or no, and has to be a number"),
        ("limits: {targets: 5}", 1, "no key 'targets'; did you mean 'targets_per_hour'?"),
        ("about: &x a\ntitle: *x", 1, "anchors and aliases are not understood"),
        ("title: {", 1, "this is no YAML"),
    ],
)
def test_every_fault_is_told_with_its_line_and_what_was_meant(
    text: str, line: int, said: str
) -> None:
    with pytest.raises(BadDocument) as bad:
        reading.read(text, "mine", TOYS)
    assert any(fault.startswith(f"line {line}") and said in fault for fault in bad.value.faults), (
        bad.value.faults
    )
    assert "docs/howto/respond-to-alerts.md" in bad.value.advice


def test_what_is_left_out_is_the_careful_thing() -> None:
    one = book("kind: x", "- collect: collect.toy.lamp\n- isolate: isolate.toy.lamp").playbook
    assert (one.asking, one.approvers, one.targets_per_hour, one.enabled) == (
        Asking.BEFORE_CONTAINING, 1, 5, False,
    )  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_no_text_raises_anything_but_its_faults(text: str) -> None:
    for written in (text, f"when:\n  a: {{kind: x}}\n  condition: {text!r}"):
        try:
            reading.read(written, "mine", TOYS)
        except BadDocument as error:
            assert error.faults


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=20), st.text(max_size=20))
def test_no_pattern_raises_and_text_is_like_itself(text: str, pattern: str) -> None:
    def holds(value: str, wanted: str) -> bool:
        alert: Any = Facts(ALERT, None, lambda _t: {})
        alert.alert = Alert(**{**_fields(ALERT), "title": value})
        return conditions.Test("title", (), (wanted,)).holds(alert)

    holds(text, pattern)
    escaped = text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")
    if text and text.lower() == text.lower().lower():
        assert holds(text, escaped)


def _fields(alert: Alert) -> dict[str, Any]:
    return {name: getattr(alert, name) for name in Alert.__dataclass_fields__}


@pytest.mark.parametrize("path", sorted(OWN.glob("*.yaml")), ids=lambda one: one.stem)
def test_a_playbook_that_comes_with_locard_is_good_and_asks_before_it_isolates(
    path: Path,
) -> None:
    written = reading.read(path.read_text(), path.stem, catalogue.catalogue(), shipped=True)
    assert written.warnings == () and written.playbook.about
    assert not written.playbook.enabled


def test_the_files_of_the_page_are_good() -> None:
    page = Path(__file__).parent.parent.parent / "docs" / "howto" / "respond-to-alerts.md"
    texts = re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    assert len(texts) == 2
    made = responding.read(texts[0], "response.yaml", sources().by_id)
    assert (made.join, made.within_hours, made.most_per_hour, made.prefix) == (
        Responding().join, Responding().within_hours, Responding().most_per_hour,
        Responding().prefix,
    )  # fmt: skip
    assert set(made.channels) == {"oncall", "soc", "siem"} and len(made.queues) == 1
    written = reading.read(texts[1], "cut-off-miners", catalogue.catalogue())
    assert len(written.playbook.then) == 6 and written.playbook.approvers == 2
    (own,) = re.findall(r'```json\n(\{"format".*?)```', page.read_text(), re.DOTALL)
    (alert,) = sources().read(own.encode(), 0)
    assert alert.targets[0].key == "aws/123456789012/eu-central-1/instance/i-0abc1234def567890"
