# SPDX-License-Identifier: Apache-2.0
"""A playbook's file, read strictly: what is not understood is a fault with its line."""

import difflib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from locard.actions.catalogue import Catalogue
from locard.actions.contract import Action
from locard.cases import document
from locard.cases.document import BadDocument, Section, plain
from locard.cases.playbooks import conditions
from locard.cases.playbooks.conditions import When
from locard.cases.response.settings import patience
from locard.model.action import Json
from locard.model.errors import Missing
from locard.model.playbook import Asking, Doing, Measure, Playbook

KEYS = ("title", "about", "when", "then", "ask", "limits")
ADVICE = "docs/howto/respond-to-alerts.md shows a whole playbook."
MOST_MEASURES = 50
EVERY_CHANNEL = "all"
CASE = "case"
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class Written:
    """A playbook together with its condition."""

    playbook: Playbook
    when: When
    warnings: tuple[str, ...]
    """What it may do, but a careful person would look at again."""


def read(text: str, name: str, catalogue: Catalogue, *, shipped: bool = False) -> Written:
    """The playbook that a file called `name` says. Raises `BadDocument` with every fault."""
    title = f"The playbook {name}"
    if not _ID.fullmatch(name):
        raise BadDocument(
            title,
            ["its name has to be lower-case letters, digits and dashes"],
            "Rename the file: isolate-miners.yaml",
        )
    root = document.read(text, title, ADVICE)
    root.only(KEYS, ("title", "when", "then"))
    shown, about = root.text("title"), root.text("about")
    below = root.section("when")
    when = conditions.read(below) if below is not None else When({}, lambda _says: False)
    measures = _measures(root, catalogue)
    asking, approvers, within, remind_after = _ask(root)
    limits, most, collected = root.section("limits"), 5, 20
    if limits is not None:
        limits.only(("targets_per_hour", "collected_per_hour"))
        most = limits.number("targets_per_hour", 5, 1, 1_000)
        collected = limits.number("collected_per_hour", 20, 1, 10_000)
    if root.faults:
        raise BadDocument(title, root.faults, ADVICE)
    made = Playbook(
        id=name,
        title=shown,
        about=about.strip(),
        when=plain(root.node_of("when")),
        then=tuple(measures),
        asking=asking,
        approvers=approvers,
        within=within,
        remind_after=remind_after,
        targets_per_hour=most,
        collected_per_hour=collected,
        shipped=shipped,
        text=text,
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )
    return Written(made, when, tuple(_warnings(made)))


def _measures(root: Section, catalogue: Catalogue) -> list[Measure]:
    found: list[Measure] = []
    entries = root.sections("then")
    if "then" in root and plain(root.node_of("then")) == []:
        root.fault("then", "then: has nothing to do")
    for one in entries:
        one.only((*Doing, "with", "text"))
        verbs = [verb for verb in Doing if verb.value in one]
        if len(verbs) != 1:
            words = ", ".join(Doing)
            one.fault(one.node, f"{one.path[:-1]}: has to say exactly one of {words}")
            continue
        found += _entry(one, verbs[0], catalogue, found)
    if len(found) > MOST_MEASURES:
        root.fault("then", f"has {len(found)} measures, and may have {MOST_MEASURES}")
    return found


def _entry(one: Section, verb: Doing, catalogue: Catalogue, before: list[Measure]) -> list[Measure]:
    given = one.value(verb.value, (str, list), "")
    names = given if isinstance(given, list) else [given]
    if not names or any(not isinstance(name, str) or not name for name in names):
        one.fault(verb.value, f"{one.path}{verb.value} has to name what, or a list of it")
        return []
    if "text" in one and verb is not Doing.NOTIFY:
        one.fault("text", f"{one.path}text belongs to notify")
    if "with" in one and verb not in (Doing.COLLECT, Doing.ISOLATE):
        one.fault("with", f"{one.path}with belongs to collect and isolate")
    if verb is Doing.NOTIFY:
        return [Measure(verb, name, text=one.text("text")) for name in names]
    if verb is Doing.ANALYSE:
        if names != [CASE]:
            one.fault(verb.value, f"{one.path}analyse can only be {CASE!r}: all that waits in it")
        return [Measure(verb, CASE)]
    measures = []
    for name in names:
        action = _action(one, verb, name, catalogue)
        if action is None:
            continue
        options = one.section("with")
        chosen = _options(options, action) if options is not None else {}
        measures.append(Measure(verb, name, chosen))
        earlier = {measure.what for measure in before}
        if lacking := [lost for lost in action.loses if lost not in earlier]:
            one.fault(
                verb.value,
                f"{one.path}isolate: {name} may lose what {', '.join(lacking)} takes; put a "
                f"collect of it before, for it is not done otherwise",
            )
    return measures


def _action(one: Section, verb: Doing, name: str, catalogue: Catalogue) -> Action | None:
    try:
        action = catalogue.get(name)
    except Missing as error:
        near = [x.id for x in catalogue.of(verb.value)]
        close = difflib.get_close_matches(name, near, 1, 0.3)
        meant = f"did you mean {str(close[0])!r}?" if close else error.advice
        one.fault(verb.value, f"{one.path}{verb.value}: there is no action {name[:80]!r}; {meant}")
        return None
    if action.verb != verb.value:
        one.fault(verb.value, f"{one.path}{verb.value}: {name} is to {action.verb}")
        return None
    return action


def _options(section: Section, action: Action) -> Mapping[str, Json]:
    known = {option.name: option for option in action.options}
    section.only(tuple(known) or ("(no options)",))
    found = {}
    for name in section:
        if name in known:
            default = known[name].default
            kind = (bool,) if isinstance(default, bool) else (str, int)
            found[name] = section.value(name, kind, default)
    return found


def _ask(root: Section) -> tuple[Asking, int, int, int]:
    """When who is asked, for how many seconds it waits, and after how many it reminds."""
    if "ask" not in root:
        return Asking.BEFORE_CONTAINING, 1, 0, 0
    words = tuple(one.value for one in Asking)
    if isinstance(plain(root.node_of("ask")), str):
        return Asking(root.choice("ask", words, "always")), 1, 0, 0
    below = root.section("ask")
    if below is None:
        return Asking.ALWAYS, 1, 0, 0
    below.only(("approval", "approvers", "within", "remind_after"), ("approval",))
    asking = Asking(below.choice("approval", words, "always"))
    approvers = below.number("approvers", 1, 1, 2)
    within, remind_after = patience(below, 0)
    for name in ("approvers", "within", "remind_after"):
        if asking is Asking.NEVER and name in below:
            below.fault(name, f"ask.{name}: nobody is asked, for approval is never")
    return asking, approvers, within, remind_after


def _warnings(one: Playbook) -> list[str]:
    found = []
    contains = any(measure.does is Doing.ISOLATE for measure in one.then)
    if contains and one.asking is Asking.NEVER:
        found.append("It isolates without asking anybody (ask: never).")
    if contains and one.targets_per_hour > 20:
        found.append(f"It may isolate {one.targets_per_hour} targets within an hour.")
    return found
