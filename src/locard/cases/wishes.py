# SPDX-License-Identifier: Apache-2.0
"""How evidence is wished to be read: judged when it is said, not when it fails hours later."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import yaml
from sqlalchemy import select

from locard.cases import document
from locard.cases.document import BadDocument, Section
from locard.cases.intake import Wish
from locard.model.errors import Error, Missing
from locard.model.evidence import printable
from locard.parsers import catalogue
from locard.parsers.contract import Limits
from locard.parsers.mapping import BadMapping, compile_columns
from locard.parsers.times import zone
from locard.settings import changed
from locard.state import mappings
from locard.state.database import State
from locard.state.mappings import MappingRow

LONGEST_HOST = 255
"""Letters of the name of a host: no DNS name has more (RFC 1035, 2.3.4)."""
ADVICE = "See docs/howto/map-your-own-logs.md for the whole language."


def judged(state: State, limits: Limits, wish: Wish | None) -> Wish:
    """The wish with the limits in force. Raises `Error` for what cannot be met."""
    wish = wish or Wish()
    wish = replace(wish, host=printable(wish.host))
    if len(wish.host) > LONGEST_HOST:
        raise Error(
            f"The name of the host has {len(wish.host):,} letters, more than {LONGEST_HOST}.",
            "Give the name alone, such as web-1 or web-1.example.com.",
        )
    if wish.parser and not wish.parser.startswith("archive."):
        catalogue.load().get(wish.parser)
    if wish.mapping and wish.mapping not in mappings_of(state):
        raise Missing(
            f"There is no mapping called {wish.mapping!r}.",
            "Save one with `locard mapping save NAME FILE`.",
        )
    if wish.mapping and wish.parser and not wish.parser.startswith("generic."):
        raise BadMapping(
            f"A mapping says how generic.jsonl and generic.csv read; {wish.parser} takes none.",
            "Leave one of the two out.",
        )
    zone(wish.zone or "UTC")
    return replace(wish, limits={**changed(limits), **wish.limits})


def mappings_of(state: State) -> dict[str, dict[str, object]]:
    """The mappings that people saved, by name."""
    with state.session() as session:
        rows = session.scalars(select(MappingRow)).all()
    return {row.name: dict(row.mapping) for row in rows}


def read_mapping(text: str, name: str) -> dict[str, Any]:
    """The mapping that a file holds. Raises `BadDocument` that names every fault with its line."""
    top = document.read(text, name, ADVICE)
    for node in _tables(top.node):
        Section(node, "", top.faults)  # names what stands there twice
    found: dict[str, Any] = document.plain(top.node)
    if not top.faults:
        inner = top.node_of("columns") if "columns" in top else None
        at = Section(inner, "", []) if isinstance(inner, yaml.MappingNode) else top
        try:
            compile_columns(found)
        except BadMapping as error:
            if not error.faults:
                raise
            for fault in error.faults:
                column = fault.partition(":")[0]
                top.fault(at.node_of(column) if column in at else at.node, fault)
    if top.faults:
        raise BadDocument(name, top.faults, ADVICE)
    return found


def _tables(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from _tables(value)


def save_mapping(state: State, name: str, found: object, who: str) -> None:
    """Keep a mapping for the generic parsers. Raises `BadMapping` that names every fault."""
    compile_columns(found)
    with state.session() as session:
        mappings.save(session, name, dict(cast(Mapping[str, Any], found)), who)
