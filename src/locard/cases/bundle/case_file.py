# SPDX-License-Identifier: Apache-2.0
"""The case as CASE/UCO JSON-LD, the exchange language of digital investigations.

Every exhibit is a file with its hashes and a provenance record with its exhibit number; every entry
of the ledger is an investigative action that names the one before it about the same exhibit. What
CASE and UCO (1.4) have no word for (the place in the ledger, door, hash point, cloud resource)
carries names of our own namespace. Identifiers are made from content (UUID version 5), so that the
same case gives the same graph.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from locard.cases.bundle.told import Told
from locard.model.custody import Authority, CustodyEntry, Exhibit, Operator, Tool, Verb

CONTEXT = {
    "kb": "https://locard.dev/kb/",
    "locard": "https://locard.dev/ontology/",
    "action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
    "investigation": "https://ontology.caseontology.org/case/investigation/",
    "observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "tool": "https://ontology.unifiedcyberontology.org/uco/tool/",
    "types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

Node = dict[str, Any]

_TAKEN_IN = frozenset({Verb.ACQUIRED, Verb.DERIVED, Verb.TRANSFERRED_IN})


def written(told: Told) -> Iterator[bytes]:
    """The JSON-LD document, node by node, so that a case of any size is never whole in memory."""
    yield b'{"@context": ' + json.dumps(CONTEXT).encode() + b',\n"@graph": [\n'
    for number, node in enumerate(_nodes(told)):
        yield (b",\n" if number else b"") + json.dumps(node, ensure_ascii=False).encode(
            "utf-8", "replace"
        )
    yield b"\n]}\n"


def _nodes(told: Told) -> Iterator[Node]:
    names = _Names(told)
    numbers = {exhibit.evidence: exhibit for exhibit in told.exhibits}
    yield from _investigation(told, names)
    people: dict[str, Node] = {}
    tools: dict[tuple[str, str], Node] = {}
    authorities: dict[Authority, Node] = {}
    for exhibit in told.exhibits:
        yield from _exhibit(exhibit, names, told.names.get(exhibit.evidence, ""))
        tools.setdefault((exhibit.tool.name, exhibit.tool.version), names.tool(exhibit.tool))
        people.setdefault(exhibit.operator.name, names.person(exhibit.operator.name))
        if exhibit.authority != Authority():
            authorities.setdefault(exhibit.authority, names.authority(exhibit.authority))
    last: dict[str, CustodyEntry] = {}
    for entry in told.entries:
        people.setdefault(entry.actor, names.person(entry.actor))
        before = last.get(entry.evidence) if entry.evidence else None
        yield _action(entry, before, numbers.get(entry.evidence), names)
        last[entry.evidence] = entry
    yield from people.values()
    yield from tools.values()
    yield from authorities.values()


class _Names:
    """Identifiers within one case of one installation."""

    def __init__(self, told: Told) -> None:
        self._space = uuid5(NAMESPACE_URL, f"https://locard.dev/kb/{told.origin}/{told.case}")

    def of(self, kind: str, *what: object) -> str:
        """The identifier of a thing: its kind, and a UUID made of what it is."""
        return f"kb:{kind}-{uuid5(self._space, chr(0).join([kind, *map(str, what)]))}"

    def ref(self, kind: str, *what: object) -> Node:
        """A reference to a thing."""
        return {"@id": self.of(kind, *what)}

    def person(self, name: str) -> Node:
        """Somebody who is named in the ledger."""
        return {
            "@id": self.of("identity", name),
            "@type": "identity:Identity",
            "core:name": name or "not recorded",
        }

    def tool(self, tool: Tool) -> Node:
        """The program that took evidence in."""
        node = {
            "@id": self.of("tool", tool.name, tool.version),
            "@type": "tool:Tool",
            "core:name": tool.name or "Locard",
        }
        return node | _given({"tool:version": tool.version, "locard:codeDigest": tool.digest})

    def authority(self, authority: Authority) -> Node:
        """What allowed the taking."""
        node: Node = {
            "@id": self.of("authorization", authority),
            "@type": "investigation:Authorization",
        }
        for name, text in (("startTime", authority.valid_from), ("endTime", authority.valid_to)):
            if moment := _moment(text):
                node[f"core:{name}"] = moment
        return node | _given(
            {
                "investigation:authorizationType": authority.kind,
                "investigation:authorizationIdentifier": authority.reference,
                "core:description": authority.scope,
                "locard:issuedBy": authority.issued_by,
            }
        )


def _investigation(told: Told, names: _Names) -> Iterator[Node]:
    node: Node = {
        "@id": names.of("investigation"),
        "@type": "investigation:Investigation",
        "core:name": told.case,
        "core:description": told.title,
        "core:startTime": _time(told.created),
        "locard:ledger": told.origin,
        "core:object": [names.ref("provenance", exhibit.number) for exhibit in told.exhibits],
    }
    authorities = dict.fromkeys(one.authority for one in told.exhibits)
    authorities.pop(Authority(), None)
    if authorities:
        node["investigation:relevantAuthorization"] = [
            names.ref("authorization", one) for one in authorities
        ]
    if told.simulated:
        node["locard:simulated"] = True
    yield node


def _exhibit(exhibit: Exhibit, names: _Names, name: str) -> Iterator[Node]:
    ref = names.ref
    source = {f"locard:{_word(key)}": text for key, text in exhibit.source.items() if text}
    yield {
        "@id": names.of("evidence", exhibit.evidence),
        "@type": ["observable:ObservableObject", "observable:File"],
        "core:hasFacet": [ref("file", exhibit.number), ref("content", exhibit.number)],
    } | ({"investigation:wasDerivedFrom": _parent(exhibit, names)} if _derived(exhibit) else {})
    yield {
        "@id": names.of("file", exhibit.number),
        "@type": "observable:FileFacet",
        "observable:fileName": name.replace("\\", "/").rpartition("/")[2] or name or "unnamed",
        "observable:filePath": name or "unnamed",
        "observable:sizeInBytes": exhibit.size,
    }
    yield {
        "@id": names.of("content", exhibit.number),
        "@type": "observable:ContentDataFacet",
        "observable:sizeInBytes": exhibit.size,
        "observable:hash": [ref("hash", exhibit.number)],
    } | _given({"locard:blake2b-256": exhibit.blake2b})
    yield {
        "@id": names.of("hash", exhibit.number),
        "@type": "types:Hash",
        "types:hashMethod": "SHA256",
        "types:hashValue": {"@type": "xsd:hexBinary", "@value": exhibit.evidence.upper()},
    }
    if source:
        yield {
            "@id": names.of("source", exhibit.number),
            "@type": ["core:UcoObject", "locard:Source"],
            "core:name": exhibit.source.get("resource") or exhibit.source.get("name") or "source",
        } | source
    yield _provenance(exhibit, names, bool(source))


def _provenance(exhibit: Exhibit, names: _Names, source: bool) -> Node:
    node: Node = {
        "@id": names.of("provenance", exhibit.number),
        "@type": "investigation:ProvenanceRecord",
        "investigation:exhibitNumber": exhibit.number,
        "core:object": [names.ref("evidence", exhibit.evidence)],
    }
    if _derived(exhibit):
        node["investigation:rootExhibitNumber"] = exhibit.derived_from.number
    if source:
        node["locard:source"] = names.ref("source", exhibit.number)
    return node | _given(
        {
            "locard:hashPoint": exhibit.hash_point,
            "locard:covers": exhibit.covers,
            "locard:method": exhibit.method.id,
            "locard:methodVersion": exhibit.method.version,
            "locard:consistency": exhibit.method.consistency,
            "locard:rule": exhibit.operator.rule,
            "locard:alert": exhibit.operator.alert,
            "locard:unavoidableChange": list(exhibit.changes),
            "locard:apiRequest": [
                " ".join(filter(None, (one.call, one.id, one.time, one.status)))
                for one in exhibit.requests
            ],
            "locard:furtherApiRequests": exhibit.further_requests,
            "locard:derivedBy": exhibit.derived_from.how,
            "locard:member": exhibit.derived_from.member,
        }
    )


def _action(
    entry: CustodyEntry, before: CustodyEntry | None, exhibit: Exhibit | None, names: _Names
) -> Node:
    node: Node = {
        "@id": names.of("action", entry.sequence),
        "@type": "investigation:InvestigativeAction",
        "core:name": entry.verb.value,
        "action:startTime": _time(entry.time),
        "action:endTime": _time(entry.time),
        "action:performer": names.ref("identity", entry.actor),
        "locard:sequence": entry.sequence,
    }
    if before is not None:
        node["investigation:wasInformedBy"] = names.ref("action", before.sequence)
    if exhibit is not None:
        operator = exhibit.operator if exhibit.operator != Operator() else None
        node["action:object"] = [names.ref("evidence", entry.evidence)]
        if entry.verb in _TAKEN_IN:
            node["action:instrument"] = [names.ref("tool", exhibit.tool.name, exhibit.tool.version)]
            node["action:result"] = [names.ref("provenance", exhibit.number)]
            node |= _given({"locard:rule": operator.rule if operator else ""})
    details = [f"{key}: {text}" for key, text in sorted(entry.details.items())]
    return node | _given(
        {
            "core:description": entry.reason,
            "locard:detail": details,
            "locard:door": entry.door,
            "locard:address": entry.address,
            "locard:agent": entry.agent,
        }
    )


def _derived(exhibit: Exhibit) -> bool:
    return bool(exhibit.derived_from.evidence)


def _parent(exhibit: Exhibit, names: _Names) -> Node:
    return names.ref("evidence", exhibit.derived_from.evidence)


def _given(values: Node) -> Node:
    return {name: value for name, value in values.items() if value}


def _word(key: str) -> str:
    """A name that a JSON-LD term can have, in the style of the others."""
    parts = [part for part in "".join(c if c.isalnum() else " " for c in key).split() if part]
    joined = "".join(part[:1].upper() + part[1:] for part in parts)
    return "source" + joined if joined.isascii() else "sourceOther"


def _time(nanoseconds: int) -> Node:
    at = datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC)
    text = f"{at:%Y-%m-%dT%H:%M:%S}.{nanoseconds % 1_000_000_000:09d}+00:00"
    return {"@type": "xsd:dateTime", "@value": text}


def _moment(text: str) -> Node | None:
    """A time that a person wrote, when it is one; CASE takes no other."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return {"@type": "xsd:dateTime", "@value": at.isoformat()}
