# SPDX-License-Identifier: Apache-2.0
"""Intake: what a person names becomes evidence in the vault and holdings of the case."""

import os
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from locard import __version__
from locard.cases import segments, whose
from locard.cases.ahead import Ahead
from locard.cases.hosts import Hosts
from locard.cases.keeping import protect
from locard.cases.looking import Found, changed
from locard.cases.segments import Whole
from locard.cases.unfinished import outdated, unasked, unpacked_by_another, within
from locard.evidence import Arrival, Put, Vault
from locard.evidence.spool import Readable
from locard.evidence.store import Watch, unwatched
from locard.model.custody import Acquisition, Authority, Hand, Method
from locard.model.errors import Unreadable
from locard.model.evidence import Origin, printable
from locard.parsers.disk.image.companions import companions
from locard.state.authorities import in_force
from locard.state.database import State
from locard.state.investigations import FINAL, REPLACE, Holding, Place, Stage


@dataclass(frozen=True, slots=True)
class Wish:
    """How the person wants the evidence to be read."""

    parser: str = ""
    """Parser id of `--as`, or empty: recognise from the content."""
    zone: str = ""
    """Time zone of logs that name none; empty: as the evidence was read before, or UTC."""
    host: str = ""
    mapping: str = ""
    learned: tuple[str, ...] = ()
    """Which of `host` and `zone` the files of the machine said, and no person."""
    accounts: Mapping[str, str] = field(default_factory=dict)
    """What a passwd of the machine says of the file."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """Limits other than those of the settings, by their names in `parsers.contract.Limits`."""


@dataclass(slots=True)
class Taken:
    """What intake did."""

    files: int = 0
    new: int = 0
    known: int = 0
    """Files whose bytes the case held already."""
    passed: list[str] = field(default_factory=list)
    """What is no file of its own, such as a link, with the reason."""
    denied: list[str] = field(default_factory=list)
    """Files and folders that could not be read, with the reason."""
    changed: list[str] = field(default_factory=list)
    """Files that became others while they were read, with what is kept of them."""
    renewed: int = 0
    """Known files that are to be read in another way than before."""
    holdings: set[int] = field(default_factory=set)
    queued: set[int] = field(default_factory=set)
    """Those of the holdings that had to be parsed when they came."""
    empty: list[str] = field(default_factory=list)
    """Named files without a byte, and named folders without a file."""


_ARCHIVES = (b"PK\3\4", b"7z\xbc\xaf\x27\x1c")
_PACKED = re.compile(r"\.(?:tar(?:\.\w+)?|t(?:gz|bz2?|xz|zst))\Z", re.IGNORECASE)
MOST = 500
"""Files that wait to be made durable together."""
SECONDS, FIRST_SECONDS = 1.0, 0.2
"""For how long they wait, and the first of them."""
ADDING = "added to the case"
ADDED = Method("file.read", __version__, "as found: each file at the moment at which it was read")
"""How files that a person names are got."""
UPLOADED = Method("upload", __version__, "as it was sent")
UPLOADING = "uploaded to the case"


def uploaded(name: str, hand: Hand, modified: int | None) -> Origin:
    """Where an upload comes from: of its name only the last part, and who sent it."""
    leaf = name.rpartition("/")[2] or "upload"
    source = {"name": printable(leaf), "sent from": hand.address, "sent with": hand.agent}
    got = Acquisition(method=UPLOADED, source=source)
    return Origin(name=leaf, modified=modified, acquisition=got)


class Intake:
    """Takes files of one case in and registers them as holdings."""

    def __init__(
        self,
        state: State,
        vault: Vault,
        case: str,
        who: Hand,
        wish: Wish,
        queued: Callable[[list[int]], None] = lambda _ids: None,
        ahead: Ahead | None = None,
        hosts: Hosts | None = None,
        *,
        unlisted: bool = False,
    ) -> None:
        """`unlisted`: nobody knows what will come in, as of an archive.

        Then files of a machine wait for `finish`, when all that says whose they are is known.
        """
        self.state, self.vault, self.case, self.who, self.wish = state, vault, case, who, wish
        self.hosts = hosts or Hosts()
        self._unlisted = unlisted
        self.ahead = ahead
        """Parses what is large while it comes in."""
        self.queued = queued
        """Told the ids of holdings that have to be parsed, once they are durable."""
        self.taken = Taken()
        self._authority: Authority | None = None
        self._host = os.uname().nodename
        self._pending: list[tuple[Put, Origin, int]] = []
        self._since = time.monotonic()
        self._beside: Collection[Whole] | None = None if unlisted else ()
        """The images of which further segments come in; None where nobody knows."""
        self._last: set[str] = set()
        """Evidence that is handed on last."""
        self._late: dict[int, str] = {}
        """Names of holdings that are handed on when nothing more comes in."""

    def take(self, files: Sequence[Found], watch: Watch) -> Taken:
        """Put `files` into the vault one after the other; a file that cannot be read is listed."""
        self._beside = segments.wholes(file.name for file in files)
        for file in files:
            source = {"host": self._host, "path": printable(str(file.path))}
            got = Acquisition(method=ADDED, source=source)
            origin = Origin(name=file.name, modified=file.modified, acquisition=got)
            try:
                with file.path.open("rb", buffering=0) as stream:
                    before = os.fstat(stream.fileno())
                    put = self._added(stream, origin, watch)
                    how = changed(before, os.fstat(stream.fileno()), put.evidence.size)
            except OSError as error:
                self.taken.denied.append(
                    printable(f"{file.name}: cannot be opened: {error.strerror}")
                )
                continue
            except Unreadable as error:
                self.taken.denied.append(printable(f"{file.name}: {error.message}"))
                continue
            if how:
                self.taken.changed.append(printable(f"{file.name}: {how}"))
            if not put.evidence.size and file.named:
                self.taken.empty.append(printable(file.name))
            self.register(put, origin, 0)
        self.finish()
        return self.taken

    def _added(self, stream: BinaryIO, origin: Origin, watch: Watch) -> Put:
        """Take in a file, of which a scout goes ahead when it is a large one."""
        size = self.ahead.length(stream, origin.name, self._beside or ()) if self.ahead else None
        return self.scouted(stream, origin, ADDING, watch, size)

    def scouted(
        self, stream: Readable, origin: Origin, reason: str, watch: Watch, size: int | None
    ) -> Put:
        """Take in what has this size, and parse it meanwhile; as ever where `size` is None."""
        if size is None or self.ahead is None:
            return self.put(stream, origin, reason, watch)
        with self.vault.arriving(stream, watch, size) as arrival:
            scout = self.ahead.send(arrival, self.ahead.task(origin, self._wish(origin.name)))
            try:
                arrival.fill()
                put = self.keep(arrival, origin, reason, watch)
            except BaseException:
                if scout is not None:
                    scout.drop()
                raise
        if scout is not None:
            self.ahead.keep(put.evidence.id, scout)
        return put

    def put(self, stream: Readable, origin: Origin, reason: str, watch: Watch = unwatched) -> Put:
        """Take bytes into the vault under the authority of the case, unless they bring their own.

        The authority is looked up anew whenever something was made durable.
        """
        with self.vault.arriving(stream, watch) as arrival:
            arrival.fill()
            return self.keep(arrival, origin, reason, watch)

    def keep(self, arrival: Arrival, origin: Origin, reason: str, watch: Watch = unwatched) -> Put:
        """The same for bytes that have arrived."""
        if self._authority is None:
            with self.state.session() as session:
                self._authority = in_force(session, self.case)
        last = self._comes_last(arrival, origin.name)
        known = origin.acquisition
        if known.authority == Authority():
            known = replace(known, authority=self._authority)
        put = self.vault.keep(
            arrival,
            replace(origin, acquisition=known),
            case=self.case,
            actor=self.who,
            reason=reason,
            watch=watch,
        )
        if last:
            self._last.add(put.evidence.id)
        return put

    def _comes_last(self, arrival: Arrival, name: str) -> bool:
        """Whether what arrived is handed on last.

        An image may need files beside it. What is in an archive comes after what a person named:
        bytes that are in both are called by the same name then, whichever is faster.
        """
        if segments.several(name, self._beside) or _PACKED.search(name):
            return True
        with arrival.reader() as file:
            first = os.pread(file.fileno(), 512, 0)
            if first.startswith(_ARCHIVES) or first[257:262] == b"ustar":
                return True
            return bool(companions(lambda at, count: os.pread(file.fileno(), count, at)))

    def register(self, put: Put, origin: Origin, depth: int) -> None:
        """Make `put` a holding of the case soon; `flush` makes it durable at once."""
        self._pending.append((put, origin, depth))
        waited = time.monotonic() - self._since
        if len(self._pending) >= MOST or waited > (SECONDS if self.taken.files else FIRST_SECONDS):
            self.flush()

    def flush(self) -> None:
        """Make what is pending durable: bytes, ledger, and the holdings of the case."""
        pending, self._pending = self._pending, []
        self._since, self._authority = time.monotonic(), None
        if not pending:
            return
        self.vault.settle()
        names = {put.evidence.id: origin.name for put, origin, _ in pending}
        with self.state.session(alone=True) as session:
            holdings = self._hold(session, pending)
            waiting = {
                one.id: names[one.evidence] for one in holdings if Stage(one.stage) not in FINAL
            }
            last = {one.id for one in holdings if one.evidence in self._last}
        self.taken.queued |= waiting.keys()
        self._late |= {
            one: name
            for one, name in waiting.items()
            if one in last or (self._unlisted and self.hosts.may_be(name))
        }
        protect(self.state, self.vault, self.case, {put.evidence.id for put, _, _ in pending})
        self.queued([one for one in waiting if one not in self._late])

    def finish(self) -> None:
        """Flush, and hand on what waited for that: what is beside it, and whose it is, is known."""
        self.flush()
        late, self._late = self._late, {}
        if not late:
            return
        with self.state.session(alone=True) as session:
            for one, name in late.items() if self.hosts.any else ():
                holding = session.get(Holding, one)
                if holding is None or holding.stage != Stage.QUEUED.value:
                    continue
                wish = self._wish(name, whose.said(holding))
                holding.host, holding.zone = wish.host, wish.zone
                facts = whose.with_learned(holding.facts, wish.learned)
                holding.facts = whose.with_accounts(facts, wish.accounts)
        self.queued(list(late))

    def _wish(self, name: str, said: Mapping[str, str] | None = None) -> Wish:
        """How one file is to be read: what a person said, else what its machine says."""
        wish, (host, zone) = self.wish, self.hosts.of(name)
        if said is not None:
            wish = replace(wish, host=said["host"], zone=said["zone"])
        found = {"host": host if not wish.host else "", "zone": zone if not wish.zone else ""}
        learned = tuple(word for word, value in found.items() if value)
        return replace(
            wish, host=wish.host or host, zone=wish.zone or zone, learned=learned,
            accounts=self.hosts.accounts(name),
        )  # fmt: skip

    def _hold(self, session: Session, pending: Sequence[tuple[Put, Origin, int]]) -> list[Holding]:
        """The holdings of what is pending, each with its place: a few statements for all of it."""
        ids = {put.evidence.id for put, _, _ in pending}
        mine = select(Holding).where(Holding.case == self.case, Holding.evidence.in_(ids))
        found = {holding.evidence: holding for holding in session.scalars(mine)}
        for put, origin, depth in pending:
            holding = found.get(put.evidence.id)
            self.taken.files += 1
            if holding is None:
                self.taken.new += 1
                found[put.evidence.id] = self._new(put, origin, depth)
            else:
                self.taken.known += 1
                if holding.id not in self.taken.holdings:
                    self._again(holding, within(session, holding), origin.modified)
                    if holding.stage == Stage.QUEUED:
                        accounts = self.hosts.accounts(origin.name)
                        holding.facts = whose.with_accounts(holding.facts, accounts)
        session.add_all(found.values())
        session.flush()
        numbers = {holding.id for holding in found.values()}
        self.taken.holdings |= numbers
        known = select(Place.holding, Place.name, Place.parent, Place.member)
        places = {tuple(row) for row in session.execute(known.where(Place.holding.in_(numbers)))}
        for put, origin, _ in pending:
            name, member = printable(origin.name), printable(origin.member)
            number = found[put.evidence.id].id
            place = (number, name, origin.parent, member)
            if place not in places:
                places.add(place)
                session.add(Place(holding=number, name=name, parent=origin.parent, member=member))
        return list(found.values())

    def _new(self, put: Put, origin: Origin, depth: int) -> Holding:
        wish = self._wish(origin.name)
        return Holding(
            case=self.case,
            evidence=put.evidence.id,
            blake2b=put.evidence.blake2b,
            size=put.evidence.size,
            modified=origin.modified,
            added=time.time_ns(),
            added_by=self.who.name,
            depth=depth,
            wanted=wish.parser,
            zone=wish.zone,
            host=wish.host,
            mapping=wish.mapping,
            limits=dict(wish.limits),
            facts=whose.with_accounts(whose.with_learned({}, wish.learned), wish.accounts),
            stage=Stage.QUEUED.value,
            attempts=0,
        )

    def _again(self, holding: Holding, members: Sequence[Holding], modified: int | None) -> None:
        """Adding again reads anew what failed, was disposed of, is wanted in another way, was
        read or unpacked by another version, was recognised by none of the parsers that there
        were then, or came without the time of its file, from which logs have their year; and an
        archive with such `members`.

        What is read anew gives the same events other values, or other events in their place, so the
        rows that stand on it are replaced.
        """
        wish, limits = self.wish, {**holding.limits, **self.wish.limits}
        other = (
            wish.parser not in ("", holding.wanted, holding.parser)
            or wish.zone not in ("", holding.zone or "UTC")
            or wish.host not in ("", holding.host)
            or wish.mapping not in ("", holding.mapping)
            or limits != holding.limits
            or (holding.modified is None and modified is not None)
            or any(map(outdated, (holding, *members)))
        )
        again = any(Stage(one.stage) is Stage.FAILED for one in members)
        again |= any(unasked(one) or unpacked_by_another(one) for one in (holding, *members))
        if other:
            holding.facts = {**holding.facts, REPLACE: "yes"}
            self.taken.renewed += 1
        if holding.stage in (Stage.FAILED, Stage.DISPOSED) or other or again:
            holding.limits = limits
            holding.modified = modified if holding.modified is None else holding.modified
            holding.stage, holding.attempts, holding.reason = Stage.QUEUED.value, 0, ""
            holding.wanted = wish.parser or holding.wanted
            holding.zone = wish.zone or holding.zone
            holding.host = wish.host or holding.host
            said = {"host": wish.host, "zone": wish.zone}
            left = tuple(word for word in whose.learned(holding) if not said[word])
            holding.facts = whose.with_learned(holding.facts, left)
            holding.mapping = wish.mapping or holding.mapping


def inside(holding: Holding) -> tuple[Wish, Hosts]:
    """How what comes out of a holding is to be read: as a person said, else as its files say."""
    said = whose.said(holding)
    wish = Wish(
        host=said["host"], zone=said["zone"], mapping=holding.mapping, limits=holding.limits
    )
    host, zone = (getattr(holding, word) if not said[word] else "" for word in ("host", "zone"))
    return wish, Hosts((host, zone))
