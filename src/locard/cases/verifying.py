# SPDX-License-Identifier: Apache-2.0
"""Verifying the custody of a case now: as a job with progress, whose verdict is kept.

The verdict is that of `locard verify CASE`.
"""

import time
from collections.abc import Callable

from locard.cases.progress import Progress, jobs
from locard.cases.verification import verify
from locard.evidence import Draft, Vault
from locard.model.custody import Hand, Verb
from locard.model.errors import Conflict, Error, Tampered
from locard.state import verifications
from locard.state.database import State
from locard.state.verifications import Judged, Verification

VERIFYING = "Verifying custody"
"""The job, as its name begins."""


class Verifying:
    """Verifications of one installation."""

    def __init__(self, state: State, vault: Vault) -> None:
        self.state, self.vault = state, vault

    def latest(self, case: str) -> Verification | None:
        """The last verification of a case that came to its end."""
        with self.state.session() as session:
            return verifications.latest(session, case)

    def require_none(self, case: str) -> None:
        """Raises `Conflict` while a verification of the case is running."""
        for job in jobs(self.state, case, limit=20):
            if job.state == "running" and job.what.startswith(VERIFYING):
                raise Conflict(f"{job.who} is verifying the case already.", "Wait for its result.")

    def verify(
        self,
        case: str,
        who: Hand,
        begun: Callable[[Progress], None] = lambda _progress: None,
    ) -> Verification:
        """Verify the case and keep the verdict. A ledger that holds gets an entry of it too."""
        progress = Progress(self.state, case, VERIFYING, who.name)
        begun(progress)
        at, ended = time.time_ns(), "failed"
        try:
            clauses = self._judge(case, progress)
            with self.state.session() as session:
                verifications.keep(session, case, at, who.name, clauses)
            self._say(case, who, clauses)
            failed = [one for one in clauses if one.state == "fail"]
            progress.summary = {"clauses": len(clauses), "failed": len(failed)}
            for one in failed:
                progress.log(f"{one.name}: {one.detail}")
            ended = "done"
        except Error as error:
            progress.log(error.message)
            raise
        finally:
            progress.finish(ended)
        found = self.latest(case)
        assert found is not None
        return found

    def _judge(self, case: str, progress: Progress) -> list[Judged]:
        done, whole = 0, 0

        def told(now: int, of: int) -> None:
            nonlocal done, whole
            if of != whole or now < done:
                if whole:
                    progress.stage("Hashing evidence", of, "pieces")
                else:
                    progress.stage("Reading the ledger", of, "bytes")
                done, whole = 0, of
            progress.advance(now - done)
            done = now

        progress.stage("Reading the ledger")
        verdict = verify(self.vault, case, [case], (), None, (), told)
        return [Judged(one.name, one.state.value, one.detail, one.where) for one in verdict.clauses]

    def _say(self, case: str, who: Hand, clauses: list[Judged]) -> None:
        failed = [one.name for one in clauses if one.state == "fail"]
        open_ = [one.name for one in clauses if one.state == "not checked"]
        details = {"clauses": str(len(clauses))}
        details |= {"failed": ", ".join(failed)} if failed else {}
        details |= {"not checked": ", ".join(open_)} if open_ else {}
        verb = Verb.VERIFICATION_FAILED if failed else Verb.VERIFIED
        reason = f"custody of the case: {', '.join(failed)} failed" if failed else (
            "custody of the case: no clause failed"
        )  # fmt: skip
        try:
            self.vault.ledger.append([Draft(who, verb, "", case, reason, details)])
        except Tampered:
            if not failed:
                raise
