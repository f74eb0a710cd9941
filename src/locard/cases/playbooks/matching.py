# SPDX-License-Identifier: Apache-2.0
"""Playbooks are held against alerts: which fit, on which resources, and what would be done."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from locard.actions.catalogue import Catalogue
from locard.cases.playbooks.conditions import Facts, Unknown
from locard.cases.playbooks.reading import Written
from locard.cases.response.runner import new_run
from locard.model.action import Target
from locard.model.alert import Alert, AlertState
from locard.model.errors import Error, Missing
from locard.model.playbook import Doing, Measure, Part, PartState, PlaybookState
from locard.state import accounts
from locard.state.accounts import Account
from locard.state.database import State
from locard.state.playbooks import PartRow, PlaybookRunRow, SwitchRow

Tags = Callable[[Account, Target], Mapping[str, str]]
"""Reads the tags of a resource. Raises `Error` when they cannot be read."""


@dataclass(frozen=True, slots=True)
class Match:
    """What holding a playbook against an alert came to."""

    fits: bool
    why: str
    targets: tuple[Target, ...] = ()
    """The resources that fit."""
    unknown: str = ""
    """What could not be looked up, so that nobody knows whether it fits."""


class Matching:
    """Holds playbooks against alerts."""

    def __init__(self, state: State, catalogue: Catalogue, tags: Tags) -> None:
        self.state, self.catalogue, self._read_tags = state, catalogue, tags

    def match(self, written: Written, alert: Alert) -> Match:
        """Whether it fits, on which of the alert's resources, and why or why not."""
        if alert.state is AlertState.CLOSED:
            return Match(False, "the source has closed the alert")
        fitting, whys, unknown = [], [], []
        for target in alert.targets or (None,):
            try:
                fits, why = written.when.judge(Facts(alert, target, self.tags))
            except Unknown as error:
                unknown.append(str(error))
                continue
            whys.append(f"{target.id}: {why}" if target and len(alert.targets) > 1 else why)
            if fits:
                fitting.append(target)
        told = "; ".join(dict.fromkeys(whys))[:2_000]
        return Match(bool(fitting), told, tuple(one for one in fitting if one), "; ".join(unknown))

    def tags(self, target: Target) -> Mapping[str, str]:
        """The tags of a resource. Raises `Unknown` when they cannot be read."""
        try:
            return self._read_tags(self.account(target), target)
        except Error as error:
            raise Unknown(f"the tags of {target.id} cannot be read: {error.message}") from error

    def account(self, target: Target) -> Account:
        """Our account that a target is in. Raises `Missing`.

        Where the alert says no account, it is the only one that we have of the provider.
        """
        with self.state.session() as session:
            known = [one for one in accounts.every(session) if one.provider == target.provider]
        fitting = [one for one in known if target.account in ("", one.number)]
        if len(fitting) == 1:
            return fitting[0]
        raise Missing(
            f"The account {target.account or '(none named)'} of {target.provider} is not known "
            "here.",
            "Add it: locard account add",
        )

    def parts(self, written: Written, match: Match) -> list[Part]:
        """What would be done, in order: each measure on each target that it can be done to."""
        found: list[Part] = []
        for measure in written.playbook.then:
            for target in self._on(measure, match):
                found.append(
                    Part(
                        len(found), measure.does, measure.what, target, measure.options,
                        measure.text, PartState.PENDING, "", "", None, None,
                    )
                )  # fmt: skip
        return found

    def _on(self, measure: Measure, match: Match) -> list[Target | None]:
        if measure.does not in (Doing.COLLECT, Doing.ISOLATE):
            return [None]
        action = self.catalogue.get(measure.what)
        return [
            self._placed(one, action.regional)
            for one in match.targets
            if (one.provider, one.kind) == (action.provider, action.kind)
        ]

    def _placed(self, target: Target, regional: bool) -> Target:
        """The target as actions know it: with its account, and with a region if it has one."""
        try:
            account = self.account(target)
        except Missing:
            return replace(target, region=target.region if regional else "")
        first = account.regions[0] if account.regions else ""
        region = (target.region or first) if regional else ""
        return replace(target, account=account.number, region=region)

    def begin(self, session: Session, written: Written, alert: Alert, match: Match) -> str:
        """Write down a run of the playbook on the alert; its id, or nothing if there is one."""
        one = written.playbook
        known = select(PlaybookRunRow.id).where(
            PlaybookRunRow.playbook == one.id, PlaybookRunRow.alert == alert.id
        )
        if session.scalar(known):
            return ""
        parts = self.parts(written, match) if match.fits else []
        acts = any(part.target is not None for part in parts)
        error = match.unknown if not match.fits else ""
        if match.fits and not acts and any(_acts(measure) for measure in one.then):
            kinds = sorted({self.catalogue.get(m.what).kind for m in one.then if _acts(m)})
            named = ", ".join(f"{t.kind} {t.id}" for t in match.targets) or "no resource"
            error = f"The alert names {named}, and this acts on: {', '.join(kinds)}."
        now, run = time.time_ns(), new_run("p")
        state = PlaybookState.DUE if parts else PlaybookState.FAILED
        switch = session.get(SwitchRow, one.id)
        session.add(
            PlaybookRunRow(
                id=run, playbook=one.id, title=one.title, digest=one.digest, text=one.text,
                alert=alert.id, case=alert.case, asker=alert.by, state=state.value,
                asking=one.asking.value, approvers=one.approvers, most=one.targets_per_hour,
                within=one.within, remind_after=one.remind_after,
                enabled_by=switch.who if switch else "",
                error=error, started=now, ended=None if parts else now,
            )
        )  # fmt: skip
        session.flush()
        for part in parts:
            session.add(
                PartRow(
                    playbook_run=run, number=part.number, does=part.does.value, what=part.what,
                    target=asdict(part.target) if part.target else None,
                    options=json.loads(json.dumps(part.options)), text=part.text,
                )
            )  # fmt: skip
        session.flush()
        return run


def _acts(measure: Measure) -> bool:
    return measure.does in (Doing.COLLECT, Doing.ISOLATE)
