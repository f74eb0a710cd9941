# SPDX-License-Identifier: Apache-2.0
"""CloudTrail digest files against the logs that a case holds.

AWS writes a digest file every hour that lists each log file it delivered with the SHA-256 of the
uncompressed log, and names the digest before it with its hash. A log or digest that differs was
changed after delivery. A digest's signature is checked with AWS's public key of that region and
time, which only AWS gives: so it is not checked here, and each line says so. Whoever could change a
log, its digest and all digests behind it would not be found out.
"""

import json
from dataclasses import dataclass

from sqlalchemy import select

from locard.state.database import State
from locard.state.investigations import Holding, Place, Stage

PARSER = "aws.cloudtrail_digest"
LOGS = "logs"
"""Fact of a digest: JSON list of {"object": key, "sha256": hex}."""
PREVIOUS = "previous"
"""The same of the digest before it; an empty list where the chain begins."""
DECODED = "decoded_sha256"
"""Fact of a log: SHA-256 of its uncompressed bytes."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A log file that a digest lists."""

    key: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking one digest found."""

    line: str
    altered: bool
    """Whether a log, or the digest before, is not what AWS delivered."""


def check(state: State, case: str) -> list[Checked]:
    """For each digest of the case how many logs match, differ, or are not held, and its chain.

    The outcome is kept as the holding's fact `check`, so that the page can show it.
    """
    found = []
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
        chain = {one.facts.get("object", ""): one.facts.get(DECODED, "") for one in digests}
        for digest in digests:
            logs = _listed(digest.facts, LOGS)
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
            link, broken = "read before chains were followed", False
            if PREVIOUS in digest.facts:
                link, broken = _link(_listed(digest.facts, PREVIOUS), chain)
            line += f"; {link}; signature not checked (AWS has the key)"
            if LOGS not in digest.facts:
                line = "it cannot be read, so that no log was compared with it"
            digest.facts = digest.facts | {"check": line}
            name = session.scalars(select(Place.name).where(Place.holding == digest.id)).first()
            shown = (name or digest.evidence).rpartition("/")[2]
            found.append(Checked(f"{shown}: {line}", bool(differ) or broken))
    return found


def _link(previous: list[Listed], chain: dict[str, str]) -> tuple[str, bool]:
    """What is known of the digest before, and whether it is another than the one delivered."""
    if not previous:
        return "the chain begins here", False
    held = chain.get(previous[0].key)
    if not held:
        return "the digest before it is not held by this case", False
    if held == previous[0].sha256:
        return "the digest before it matches", False
    return "the digest before it DIFFERS from what AWS delivered", True


def _listed(facts: dict[str, str], fact: str) -> list[Listed]:
    found = json.loads(facts.get(fact, "[]"))
    return (
        [Listed(one["object"], one["sha256"]) for one in found] if isinstance(found, list) else []
    )


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
