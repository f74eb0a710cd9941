# SPDX-License-Identifier: Apache-2.0
"""A playbook is tried on alerts of the past before it is switched on. Nothing is changed."""

from collections.abc import Iterator, Sequence

from locard.cases.playbooks.matching import Matching
from locard.cases.playbooks.reading import Written
from locard.cases.response.runner import Runner
from locard.cases.response.stepping import said
from locard.model.alert import Alert
from locard.model.errors import Error
from locard.model.playbook import Part, Trial


class Trials:
    """What playbooks, on or off, would do."""

    def __init__(self, runner: Runner, matching: Matching) -> None:
        self.runner, self.matching = runner, matching

    def of(self, written: Written, past: Sequence[Alert], *, plans: bool = False) -> list[Trial]:
        """What a playbook would do about these alerts; with `plans`, each call of it too."""
        return [self._one(written, alert, plans) for alert in past]

    def _one(self, written: Written, alert: Alert, plans: bool) -> Trial:
        match = self.matching.match(written, alert)
        parts = self.matching.parts(written, match) if match.fits else []
        made, errors = [], [match.unknown] if match.unknown else []
        for found in self._plans(parts, alert) if plans else ():
            if isinstance(found, str):
                errors.append(found)
            else:
                made.append(found)
        return Trial(alert.id, match.fits, match.why, tuple(parts), tuple(made), tuple(errors))

    def _plans(self, parts: Sequence[Part], alert: Alert) -> Iterator[dict[str, object] | str]:
        for part in parts:
            if part.target is None:
                continue
            try:
                account = self.matching.account(part.target).name
                plan = self.runner.plan(part.what, account, part.target, alert.case, part.options)
                yield plan.record()
            except Error as error:
                yield f"{part.what} of {part.target.id}: {said(error)}"
