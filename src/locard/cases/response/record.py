# SPDX-License-Identifier: Apache-2.0
"""What is written down about a run while it goes: in the state, in the ledger, and as a receipt."""

import json
import time
from dataclasses import asdict, replace
from io import BytesIO

from locard.cases.intake import Intake, Wish
from locard.cases.response import requested
from locard.cases.response.receipts import COVERS
from locard.evidence import Draft, Vault
from locard.evidence.spool import Readable
from locard.model.action import Json, Receipt, RunState, StepState, Taken, Verdict
from locard.model.custody import MOST_REQUESTS, Acquisition, Authority, Hand, Method, Verb
from locard.model.evidence import Origin
from locard.state import runs
from locard.state.authorities import in_force
from locard.state.database import State

LONGEST = 100_000
"""Characters of one value in an entry of the ledger; what is longer is in the receipt in full."""


class Record:
    """The record of one run."""

    def __init__(self, state: State, vault: Vault, run: str, hand: Hand) -> None:
        self.state, self.vault, self.run, self.hand = state, vault, run, hand
        receipt = self.receipt()
        self.case, self.plan, self.account = receipt.case, receipt.plan, receipt.account

    def receipt(self) -> Receipt:
        """The run as it stands."""
        with self.state.session() as session:
            return runs.receipt(session, self.run)

    def steps(self) -> list[Taken]:
        """The steps as they stand."""
        return list(self.receipt().steps)

    def step(self, number: int, state: StepState, **values: Json) -> None:
        """Write how far a step has come, durably, before anything else happens."""
        with self.state.session() as session:
            row = runs.steps(session, self.run)[number]
            row.state = state.value
            if state == StepState.CAPTURED:
                row.started = time.time_ns()
            elif state in (StepState.VERIFIED, StepState.FAILED, StepState.UNDONE):
                row.ended = time.time_ns()
            for name, value in values.items():
                setattr(row, name, asdict(value) if isinstance(value, Verdict) else value)

    def ended(self, state: RunState, error: str = "") -> None:
        """Write how the run ended, with a receipt in the vault.

        The receipt comes first: a run that has ended has one, also after a crash in between.
        """
        at = time.time_ns()
        receipt = json.dumps(replace(self.receipt(), state=state, ended=at).record(), indent=1)
        kept = self.keep(
            f"receipt-{self.run}-{state.value}.json",
            BytesIO(receipt.encode()),
            Acquisition(covers=COVERS),
            reason=f"receipt of run {self.run}",
        )
        with self.state.session() as session:
            row = runs.run(session, self.run)
            row.state, row.error, row.ended, row.receipt = state.value, error, at, kept

    def going(self, state: RunState) -> None:
        """Write that the run is at work again."""
        with self.state.session() as session:
            row = runs.run(session, self.run)
            row.state, row.error, row.ended = state.value, "", None

    def say(self, verb: Verb, reason: str, taken: Taken | None = None, **details: Json) -> None:
        """An entry of the ledger about the run, on the disk before this returns."""
        target = self.plan.target
        told = {"run": self.run, "action": self.plan.action, "target": target.key}
        if taken is not None:
            told |= {"step": taken.step.key, "what": taken.step.title, "call": taken.step.call}
        told |= {name: _text(value) for name, value in details.items()}
        self.vault.ledger.append([Draft(self.hand, verb, "", self.case, reason, told)])

    def keep(
        self, name: str, stream: Readable, acquisition: Acquisition, *, reason: str = ""
    ) -> str:
        """Take evidence into the vault and the case; its id."""
        target = self.plan.target
        source = {
            "provider": target.provider,
            "account": target.account,
            "region": target.region,
            "resource": target.id,
            "run": self.run,
            **acquisition.source,
        }
        acquisition = replace(
            acquisition,
            source={name: text for name, text in source.items() if text},
            method=Method(
                acquisition.method.id or self.plan.action,
                acquisition.method.version or self.plan.version,
                acquisition.method.consistency,
            ),
            rule=acquisition.rule or self._row("rule"),
            alert=acquisition.alert or self._row("alert"),
        )
        acquisition = replace(acquisition, authority=self._authority(acquisition))
        origin = Origin(name=name, acquisition=acquisition)
        intake = Intake(self.state, self.vault, self.case, self.hand, Wish())
        put = intake.put(stream, origin, reason or f"collected by run {self.run}")
        intake.register(put, origin, 0)
        intake.flush()
        return put.evidence.id

    def keep_requests(self, name: str, evidence: str, known: Acquisition) -> str:
        """Keep the list of all requests of evidence whose record has no room for them.

        Its id; empty when the record names them all.
        """
        if len(known.requests) <= MOST_REQUESTS:
            return ""
        about = requested.acquisition(known, evidence)
        return self.keep(requested.name_of(name), requested.written(known.requests), about)

    def _authority(self, known: Acquisition) -> Authority:
        """What it is taken under: what people entered for the case, or else the rule that acts."""
        if known.authority != Authority() or not known.rule:
            return known.authority
        with self.state.session() as session:
            entered = in_force(session, self.case)
        if entered != Authority():
            return entered
        return Authority("policy", f"playbook {known.rule}", scope=f"alert {known.alert}")

    def _row(self, name: str) -> str:
        with self.state.session() as session:
            return str(getattr(runs.run(session, self.run), name))


def _text(value: Json) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"
