# SPDX-License-Identifier: Apache-2.0
"""A holding opened for a worker: bytes leave the vault, and the ledger says who and why."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from locard.cases import segments
from locard.evidence import Vault
from locard.model.custody import Hand
from locard.parsers.contract import Limits
from locard.parsers.disk.image.companions import companions
from locard.parsers.pool import Task
from locard.settings import limited
from locard.state.database import State
from locard.state.investigations import ACCOUNTS, LEARNED, Holding

MOST_COMPANIONS = 512
"""Files that one image may draw in by naming them; each holds a descriptor open."""


@contextmanager
def opened(
    state: State,
    vault: Vault,
    holding: Holding,
    name: str,
    *,
    who: Hand | str,
    reason: str,
    limits: Limits,
    mappings: Mapping[str, dict[str, object]],
    parser: str | None = None,
    only: str | None = None,
) -> Iterator[Task]:
    """The task of parsing `holding`, with its files open as long as the context is."""
    beside: dict[str, str] = {}
    if not segments.later(name):
        with state.session() as session:
            beside = segments.segments(session, holding.case, name)
    with ExitStack() as stack:

        def descriptor(evidence: str) -> int:
            file = vault.open(evidence, case=holding.case, actor=who, reason=reason)
            return stack.enter_context(file).fileno()

        whole = descriptor(holding.evidence)
        siblings = {leaf: descriptor(evidence) for leaf, evidence in beside.items()}
        _draw_in(state, holding.case, name, whole, siblings, descriptor)
        yield Task(
            evidence=holding.evidence,
            name=name,
            fd=whole,
            siblings=siblings,
            size=holding.size,
            parser=parser,
            only=only,
            modified=holding.modified,
            zone=holding.zone or "UTC",
            host=holding.host,
            learned=tuple(holding.facts.get(LEARNED, "").split()),
            accounts=json.loads(holding.facts.get(ACCOUNTS, "{}")),
            mapping=mappings.get(holding.mapping),
            limits=limited(limits, holding.limits),
            depth=holding.depth,
        )


def _draw_in(
    state: State,
    case: str,
    name: str,
    fd: int,
    siblings: dict[str, int],
    descriptor: Callable[[str], int],
) -> None:
    """Add to `siblings` the files that the image names, and those that they name in turn."""
    todo = [fd]
    while todo:
        one = todo.pop()
        for leaf in companions(_reader(one)):
            if leaf in siblings or leaf == name.rpartition("/")[2]:
                continue
            with state.session() as session:
                evidence = segments.named(session, case, name, leaf)
            if evidence and len(siblings) < MOST_COMPANIONS:
                siblings[leaf] = descriptor(evidence)
                todo.append(siblings[leaf])


def _reader(fd: int) -> Callable[[int, int], bytes]:
    return lambda offset, count: os.pread(fd, count, offset)
