# SPDX-License-Identifier: Apache-2.0
"""Whose evidence is: what is known of host, zone and accounts of a holding, and who said so."""

import json
from collections.abc import Mapping

from locard.state.investigations import ACCOUNTS, LEARNED, Holding


def said(holding: Holding) -> dict[str, str]:
    """Host and zone of a holding where a person said them."""
    found = learned(holding)
    values = {"host": holding.host, "zone": holding.zone}
    return {word: "" if word in found else value for word, value in values.items()}


def learned(holding: Holding) -> list[str]:
    """Which of `host` and `zone` the files of the machine said, and no person."""
    return holding.facts.get(LEARNED, "").split()


def with_learned(facts: Mapping[str, str], words: tuple[str, ...]) -> dict[str, str]:
    """The facts with what is known of where host and zone come from."""
    others = {name: fact for name, fact in facts.items() if name != LEARNED}
    return {**others, LEARNED: " ".join(words)} if words else others


def with_accounts(facts: Mapping[str, str], accounts: Mapping[str, str]) -> dict[str, str]:
    """The facts with what a passwd says, unless one that came before said so."""
    new = {ACCOUNTS: json.dumps(accounts)} if accounts and ACCOUNTS not in facts else {}
    return {**facts, **new}
