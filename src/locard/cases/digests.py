# SPDX-License-Identifier: Apache-2.0
"""CloudTrail digest files against the logs that a case holds.

AWS writes a digest file every hour that lists each log file it delivered with the SHA-256 of the
uncompressed log. A log that differs was changed after delivery. The digest's own signature needs
AWS's public key of that region and time, which is fetched from AWS; that part is not checked here.
"""

import json
from dataclasses import dataclass

from sqlalchemy import select

from locard.state.database import State
from locard.state.investigations import Holding, Place, Stage

PARSER = "aws.cloudtrail_digest"
LOGS = "logs"
"""Fact of a digest: JSON list of {"object": key, "sha256": hex}."""
DECODED = "decoded_sha256"
"""Fact of a log: SHA-256 of its uncompressed bytes."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A log file that a digest lists."""

    key: str
    sha256: str


def check(state: State, case: str) -> list[str]:
    """One line for each digest of the case: how many logs match, differ, or are not held.

    The outcome is kept as the holding's fact `check`, so that the page can show it.
    """
    lines = []
    with state.session() as session:
        digests = session.scalars(
            select(Holding).where(
                Holding.case == case,
                Holding.parser == PARSER,
                Holding.stage == Stage.PARSED.value,
            )
        ).all()
        if not digests:
            return []
        held, names = _held(state, case)
        for digest in digests:
            logs = [Listed(one["object"], one["sha256"]) for one in _logs(digest.facts)]
            matched = [log for log in logs if log.sha256 in held]
            differ = [
                log
                for log in logs
                if log.sha256 not in held and log.key.rpartition("/")[2] in names
            ]
            absent = len(logs) - len(matched) - len(differ)
            line = f"{len(matched)} of {len(logs)} logs match"
            if differ:
                changed = ", ".join(log.key.rpartition("/")[2] for log in differ[:5])
                line += f"; {len(differ)} DIFFER from what AWS delivered: {changed}"
            if absent:
                line += f"; {absent} not held by this case"
            digest.facts = digest.facts | {"check": line}
            name = session.scalars(select(Place.name).where(Place.holding == digest.id)).first()
            lines.append(f"{(name or digest.evidence).rpartition('/')[2]}: {line}")
    return lines


def _logs(facts: dict[str, str]) -> list[dict[str, str]]:
    found = json.loads(facts.get(LOGS, "[]"))
    return found if isinstance(found, list) else []


def _held(state: State, case: str) -> tuple[set[str], set[str]]:
    """Decoded digests of the logs in the case, and the file names they have."""
    with state.session() as session:
        rows = session.execute(
            select(Holding.facts, Place.name)
            .join(Place, Place.holding == Holding.id)
            .where(Holding.case == case, Holding.parser == "aws.cloudtrail")
        ).all()
    digests = {facts[DECODED] for facts, _ in rows if DECODED in facts}
    return digests, {name.rpartition("/")[2] for _, name in rows}
