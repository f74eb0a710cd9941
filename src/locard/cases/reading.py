# SPDX-License-Identifier: Apache-2.0
"""A holding opened for a worker: bytes leave the vault, and the ledger says who and why."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from locard.cases import segments
from locard.evidence import Vault
from locard.parsers.contract import Limits
from locard.parsers.pool import Task
from locard.settings import limited
from locard.state.database import State
from locard.state.investigations import Holding


@contextmanager
def opened(
    state: State,
    vault: Vault,
    holding: Holding,
    name: str,
    *,
    who: str,
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

        yield Task(
            evidence=holding.evidence,
            name=name,
            fd=descriptor(holding.evidence),
            siblings={leaf: descriptor(evidence) for leaf, evidence in beside.items()},
            size=holding.size,
            parser=parser,
            only=only,
            modified=holding.modified,
            zone=holding.zone,
            host=holding.host,
            mapping=mappings.get(holding.mapping),
            limits=limited(limits, holding.limits),
            depth=holding.depth,
        )
