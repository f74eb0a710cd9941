# SPDX-License-Identifier: Apache-2.0
"""The report that a court reads: the same contents as a web page and as a PDF/A document.

The page carries everything it needs within itself. The PDF is set by typst with the fonts of its
wheel and of this machine; a letter that no font has is written as its code point, because PDF/A
takes no letter that cannot be shown, and the report says that it was done.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import jinja2
import typst
import yaml

from locard.cases.bundle.life import LONGEST_NAME, Life, lives, moment, ranges
from locard.cases.bundle.told import Told
from locard.model.custody import Authority, Exhibit
from locard.model.visible import visible

MOST_CARDS = 100
"""Exhibits that were acquired themselves and are described one by one."""
MOST_LIVES = 200
MOST_ROWS = {"html": 20_000, "pdf": 2_000}
"""Rows of the list of exhibits. `data/exhibits/list.csv` has all of them."""
MOST_CHECKPOINTS = 60
LONGEST = 400
"""Characters of any other text."""

STANDARDS: "list[typst.PDFStandard]" = ["a-2a", "ua-1"]
"""PDF/A-2a keeps, PDF/UA-1 can be read aloud."""


@dataclass(frozen=True, slots=True)
class Pdf:
    """The PDF, and how many letters had to be written as code points."""

    content: bytes
    unshown: int


def contents(told: Told, most_rows: int) -> dict[str, Any]:
    """What the report says, as plain values; every text is bounded and safe to look at."""
    whole = [_row(exhibit, told) for exhibit in told.exhibits[:most_rows]]
    acquired = [one for one in told.exhibits if not one.derived_from.evidence]
    parts = [(one.number, one.evidence, told.names.get(one.evidence, "")) for one in told.exhibits]
    common, cards = _cards(acquired[:MOST_CARDS], told)
    found, left = lives(parts, told.entries, MOST_LIVES)
    return {
        "case": told.case,
        "title": visible(told.title, LONGEST),
        "only": told.only,
        "simulated": told.simulated,
        "created": moment(told.created),
        "created_by": visible(told.created_by, 80),
        "prepared": moment(told.prepared),
        "by": visible(told.by.name, 80),
        "reason": visible(told.reason, LONGEST),
        "version": told.version,
        "origin": told.origin,
        "references": told.references,
        "count": len(told.exhibits),
        "bytes": f"{sum(one.size for one in told.exhibits):,}",
        "acquired": len(acquired),
        "derived": len(told.exhibits) - len(acquired),
        "entries": len(told.entries),
        "hands": _hands(told),
        "authorities": _authorities(told.exhibits),
        "common": common,
        "cards": cards,
        "more_cards": max(0, len(acquired) - MOST_CARDS),
        "rows": whole,
        "more_rows": len(told.exhibits) - len(whole),
        "lives": [_told_life(one) for one in found],
        "more_lives": left,
        "checked": [
            {"name": one.name, "state": one.state, "detail": visible(one.detail, LONGEST)}
            for one in told.verdict
        ],
        "failed": sum(one.state == "fail" for one in told.verdict),
        "unchecked": sum(one.state == "not checked" for one in told.verdict),
        "keys": [asdict(one) for one in told.keys],
        "checkpoints": _checkpoints(told),
        "more_checkpoints": max(0, len(told.checkpoints) - MOST_CHECKPOINTS),
        "span": ranges([one.number for one in told.exhibits]) or "none",
        "unshown": 0,
        "unshown_places": 0,
        "text": yaml.safe_load(_template("report_text.yaml")),
    }


def html(told: Told) -> bytes:
    """The report as one page that needs nothing else."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(_template("report.html.j2"))
    return template.render(contents(told, MOST_ROWS["html"])).encode("utf-8", "replace")


def pdf(told: Told) -> Pdf:
    """The report as PDF/A-2a and PDF/UA-1."""
    found = contents(told, MOST_ROWS["pdf"])
    letters = {letter for text in _texts(found) for letter in text if ord(letter) > 0x24F}
    missing = _missing(letters)
    if missing:
        places = sum(letter in missing for text in _texts(found) for letter in text)
        found = _written_out(found, str.maketrans({one: f"[U+{ord(one):04X}]" for one in missing}))
        found["unshown"], found["unshown_places"] = len(missing), places
    compiled = typst.compile(
        _template("report.typ").encode(),
        sys_inputs={"data": json.dumps(found)},
        pdf_standards=STANDARDS,
        timestamp=datetime.fromtimestamp(told.prepared // 1_000_000_000, UTC),
    )
    return Pdf(compiled, len(missing))


def _template(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _row(exhibit: Exhibit, told: Told) -> dict[str, str]:
    return {
        "number": exhibit.number,
        "name": visible(told.names.get(exhibit.evidence, ""), LONGEST_NAME),
        "size": f"{exhibit.size:,}",
        "sha256": exhibit.evidence,
        "root": exhibit.derived_from.number,
    }


def _cards(exhibits: Sequence[Exhibit], told: Told) -> tuple[list[list[str]], list[dict[str, Any]]]:
    """What all of these exhibits have in common, and of each what it does not."""
    cards = [_card(one, told) for one in exhibits]
    if len(cards) < 2:
        return [], cards
    common = [fact for fact in cards[0]["facts"] if all(fact in one["facts"] for one in cards)]
    for one in cards:
        one["facts"] = [fact for fact in one["facts"] if fact not in common]
    return common, cards


def _card(exhibit: Exhibit, told: Told) -> dict[str, Any]:
    facts = [
        ("Name at the source", visible(told.names.get(exhibit.evidence, ""), LONGEST)),
        ("Size", f"{exhibit.size:,} bytes"),
        ("SHA-256", exhibit.evidence),
        ("BLAKE2b-256", exhibit.blake2b),
        ("Hashed", exhibit.hash_point),
        ("The digests cover", exhibit.covers),
        ("Authority", _authority(exhibit.authority)),
        ("Source", "; ".join(f"{name}: {text}" for name, text in exhibit.source.items())),
        ("Method", " ".join(filter(None, (exhibit.method.id, exhibit.method.version)))),
        ("Consistency", exhibit.method.consistency),
        ("Tool", " ".join(filter(None, (exhibit.tool.name, exhibit.tool.version)))),
        ("Digest of the tool", exhibit.tool.digest),
        ("Taken in by", _operator(exhibit)),
        ("From", exhibit.time.start),
        ("To", exhibit.time.end),
        ("Clock of this machine", exhibit.clocks.platform),
        ("Its offset in seconds", exhibit.clocks.offset),
        ("Measured against", exhibit.clocks.source),
        ("Skew of the provider's clock", exhibit.clocks.provider_skew),
        ("Skew of the suspect's clock", exhibit.clocks.suspect_skew),
        ("Kept in", " ".join(filter(None, (exhibit.storage.kind, exhibit.storage.place)))),
        ("Version in the store", exhibit.storage.version),
        ("Retention", exhibit.storage.retention),
        ("Legal hold", exhibit.storage.hold),
        ("Unavoidable changes", "; ".join(exhibit.changes)),
        ("Requests to the provider", _requests(exhibit)),
    ]
    return {
        "number": exhibit.number,
        "facts": [[name, visible(text, LONGEST * 2)] for name, text in facts if text],
    }


def _operator(exhibit: Exhibit) -> str:
    one = exhibit.operator
    how = f" ({one.door}, {one.address})" if one.door and one.address else ""
    rule = f", automation rule {one.rule} set off by alert {one.alert}" if one.rule else ""
    return f"{one.name}{how}{rule}"


def _requests(exhibit: Exhibit) -> str:
    said = [
        " ".join(filter(None, (one.call, one.id, one.time, one.status)))
        for one in exhibit.requests[:10]
    ]
    if len(exhibit.requests) > 10:
        said.append(f"and {len(exhibit.requests) - 10:,} more in the exhibit's record")
    if exhibit.further_requests:
        said.append(
            f"and {exhibit.further_requests:,} further ones, which the exhibit with the list of "
            "this one's requests has"
        )
    return "; ".join(said)


def _authority(one: Authority) -> str:
    by = f"issued by {one.issued_by}" if one.issued_by else ""
    valid = f"valid {one.valid_from or '…'} to {one.valid_to or '…'}" * bool(
        one.valid_from or one.valid_to
    )
    scope = f"scope: {one.scope}" if one.scope else ""
    named = " ".join(filter(None, (one.kind, one.reference)))
    return ", ".join(filter(None, (named, by, valid, scope)))


def _authorities(exhibits: Sequence[Exhibit]) -> list[dict[str, str]]:
    numbers: dict[str, list[str]] = {}
    for exhibit in exhibits:
        if said := _authority(exhibit.authority):
            numbers.setdefault(said, []).append(exhibit.number)
    return [
        {"said": visible(said, LONGEST), "exhibits": ranges(found)}
        for said, found in list(numbers.items())[:50]
    ]


def _hands(told: Told) -> list[str]:
    return list(dict.fromkeys(visible(one.actor, 80) for one in told.entries if one.evidence))[:50]


def _told_life(one: Life) -> dict[str, Any]:
    return {**asdict(one), "steps": [asdict(step) for step in one.steps]}


def _checkpoints(told: Told) -> list[dict[str, Any]]:
    first = told.checkpoints[: MOST_CHECKPOINTS // 2]
    rest = told.checkpoints[MOST_CHECKPOINTS // 2 :][-MOST_CHECKPOINTS // 2 :]
    return [
        asdict(one) | {"gap": visible(one.gap, 160), "authority": visible(one.authority, 120)}
        for one in [*first, *rest]
    ]


def _texts(value: Any) -> Sequence[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]


def _written_out(value: Any, table: dict[int, Any]) -> Any:
    if isinstance(value, str):
        return value.translate(table)
    if isinstance(value, dict):
        return {name: _written_out(one, table) for name, one in value.items()}
    return [_written_out(one, table) for one in value] if isinstance(value, list) else value


def _missing(letters: set[str]) -> set[str]:
    """The letters that no font here can show. typst names one in each refusal.

    With a missing letter its whole block of 128 is given up, so that a text in a script that this
    machine has no font for costs one refusal for each block and not one for each letter.
    """
    left: set[str] = set(letters)
    missing: set[str] = set()
    compiler = typst.Compiler()
    while left:
        page = '#set document(title: "x")\n#set text(lang: "en")\n' + "".join(
            f'#"{one}" \n' for one in sorted(left)
        )
        try:
            compiler.compile(page.encode(), pdf_standards=["a-2a"])
            return missing
        except typst.TypstError as error:
            named = re.search(r"the text `\"(.+)\"` could not be displayed", error.message)
            block = {ord(one) >> 7 for one in named.group(1)} if named else set()
            lost = {one for one in left if ord(one) >> 7 in block} or left
        missing |= lost
        left -= lost
    return missing
