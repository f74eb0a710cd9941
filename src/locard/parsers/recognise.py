# SPDX-License-Identifier: Apache-2.0
"""What a file is: the parsers' claims on its head, and the highest one wins.

The name breaks ties inside parsers at most; it was chosen by whoever wrote the evidence.
"""

from collections.abc import Callable
from dataclasses import dataclass

from locard.parsers.catalogue import Catalogue, Source, code, unknown
from locard.parsers.contract import NO, Head, Match
from locard.parsers.frames import ARCHIVE, IMAGE, NOTHING, Recognised
from locard.parsers.looks import looks_like

Claim = Callable[[Head], Match]

ZIP = "archive.zip"
TAR = "archive.tar"
SEVEN = "archive.7z"
LAYER = "archive.layer"
ARCHIVES = (ZIP, TAR, SEVEN)
ARCHIVE_VERSION = "2"
"""Of the unpacking. The next one is due when archives give members that they did not give."""

CERTAIN = 95
"""A claim this high ends the asking. Parsers are asked by id, so the answer is always the same;
asking all of them takes longer than parsing a small file."""
LIKELY = 50
"""With a claim this high the generic parsers, which are asked last, are not asked any more."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the evidence is and what is to be done with it."""

    told: Recognised
    source: Source | None = None
    """The parser, when there is one."""
    faults: tuple[str, ...] = ()
    """Parsers whose recognition broke on this head: a defect of theirs, and no obstacle."""


class Recogniser:
    """Asks all parsers of a catalogue. Their code is imported at the first question."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._claims: list[tuple[Source, Claim]] = []
        self._broken: list[str] = []
        self._loaded = False

    def load(self) -> None:
        """Import every parser's recognition; one that cannot be imported is out of the game."""
        if self._loaded:
            return
        self._loaded = True
        for source in sorted(self.catalogue, key=lambda one: (not one.specificity, one.id)):
            try:
                self._claims.append((source, claim_of(source)))
            except Exception as error:  # noqa: BLE001  (job boundary: a parser's own code)
                self._broken.append(f"{source.id} cannot be loaded ({error})")

    def judge(self, head: Head, parser: str | None = None) -> Verdict:
        """The verdict; `parser` overrides it. Raises `Missing` when there is no such parser."""
        if parser is not None:
            return self._as_told(head, parser)
        if head.size == 0:
            return Verdict(Recognised("", "", NOTHING, (), "empty file"))
        self.load()
        faults = list(self._broken)
        best: tuple[int, int, str] = (0, 0, "")
        won: tuple[Source | None, str, Match] = (None, "", NO)
        for kind, match in archives(head):
            rank = (match.score, 9, kind)
            if _higher(rank, best):
                best, won = rank, (None, kind, match)
        for source, claim in self._claims:
            if best[0] >= (CERTAIN if source.specificity else LIKELY):
                break
            try:
                match = claim(head)
            except Exception as error:  # noqa: BLE001  (job boundary: a parser's own code)
                faults.append(f"{source.id} broke while recognising ({error!r:.200})")
                continue
            rank = (match.score, source.specificity, source.id)
            if match.score > 0 and _higher(rank, best):
                best, won = rank, (source, source.id, match)
        source_won, name, match = won
        if not name:
            return Verdict(_nothing(head), None, tuple(faults))
        return _verdict(head, source_won, name, match.reason, tuple(faults))

    def _as_told(self, head: Head, parser: str) -> Verdict:
        if parser in ARCHIVES:
            return _verdict(head, None, parser, "as told", ())
        if parser not in self.catalogue.sources:
            raise unknown(parser, [*self.catalogue.sources, *ARCHIVES])
        return _verdict(head, self.catalogue.get(parser), parser, "as told", ())


def claim_of(source: Source) -> Claim:
    """The recognition of one parser: its own code, or the data of its `source.yaml`."""
    module = code(source)
    claim = getattr(module, "recognise", None) if module is not None else None
    if claim is not None:
        own: Claim = claim
        return own
    if "recognise" not in source.data:
        return lambda head: NO
    from locard.parsers import mapping

    data = dict(source.data)
    return lambda head: mapping.recognise(data, head)


def archives(head: Head) -> list[tuple[str, Match]]:
    """Claims of the archive formats that Locard unpacks."""
    first = head.first
    found = []
    if first[:4] in (b"PK\x03\x04", b"PK\x05\x06") or first[:8] == b"PK\x07\x08PK\x03\x04":
        found.append((ZIP, Match(70, "zip archive")))
    if first[:6] == b"7z\xbc\xaf\x27\x1c":
        found.append((SEVEN, Match(95, "7z archive")))
    if is_tar(first):
        found.append((TAR, Match(90, "tar archive")))
    return found


def is_tar(first: bytes) -> bool:
    """Whether the first block is a tar header: its own checksum says so."""
    block = first[:512]
    if len(block) < 512 or not block[0]:
        return False
    field = block[148:156].strip(b" \0")
    if not field or field.strip(b"01234567"):
        return False
    return int(field, 8) == sum(block[:148]) + 8 * 32 + sum(block[156:])


def _higher(rank: tuple[int, int, str], best: tuple[int, int, str]) -> bool:
    return rank[:2] > best[:2] or (rank[:2] == best[:2] and rank[2] < best[2])


def _nothing(head: Head) -> Recognised:
    look = looks_like(head)
    inside = f" inside {' in '.join(reversed(head.layers))}" if head.layers else ""
    return Recognised("", "", NOTHING, head.layers, look + inside)


def _verdict(
    head: Head, source: Source | None, name: str, reason: str, faults: tuple[str, ...]
) -> Verdict:
    random = source is None and name in (ZIP, SEVEN)
    if source is not None:
        random = source.kind == IMAGE or source.access == "random"
    if random and head.layers:
        title = source.title if source is not None else f"{reason or name}"
        why = f"{title} inside {' in '.join(reversed(head.layers))}: taken out to be read at will"
        return Verdict(Recognised(LAYER, ARCHIVE_VERSION, ARCHIVE, head.layers, why), None, faults)
    if source is None:
        told = Recognised(name, ARCHIVE_VERSION, ARCHIVE, head.layers, reason)
        return Verdict(told, None, faults)
    told = Recognised(name, source.version, source.kind, head.layers, reason or source.title)
    return Verdict(told, source, faults)
