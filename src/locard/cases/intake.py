# SPDX-License-Identifier: Apache-2.0
"""Intake: what a person names becomes evidence in the vault and holdings of the case."""

import difflib
import os
import stat
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from locard import __version__
from locard.cases.ahead import Ahead
from locard.cases.keeping import protect
from locard.cases.progress import Progress
from locard.evidence import Arrival, Put, Vault
from locard.evidence.spool import Readable
from locard.evidence.store import Watch, unwatched
from locard.model.custody import Acquisition, Authority, Hand, Method
from locard.model.errors import Missing, Unreadable
from locard.model.evidence import Origin, printable
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
    limits: Mapping[str, float] = field(default_factory=dict)
    """Limits other than those of the settings, by their names in `parsers.contract.Limits`."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is to be taken in."""

    path: Path
    name: str
    size: int
    modified: int
    named: bool
    """Whether the person named the file itself and not a folder around it."""


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
    renewed: int = 0
    """Known files that are to be read in another way than before."""
    holdings: set[int] = field(default_factory=set)
    empty: list[str] = field(default_factory=list)
    """Named files without a byte, and named folders without a file."""


def require(paths: Sequence[Path]) -> None:
    """Raise `Missing` for the first path that cannot be there, naming the nearest that is."""
    for path in paths:
        try:
            path.stat()
        except OSError as error:
            raise _missing(path, error) from None


def _missing(path: Path, error: OSError) -> Missing:
    if os.path.islink(path):  # noqa: PTH114 (the method raises where a name is too long)
        return Missing(
            f"{path} is a link to {path.readlink()}, and nothing is there.",
            "Name the file that it was meant to lead to.",
        )
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return Missing(f"There is no file or folder {path}.", _nearest(path.absolute()))
    return Missing(
        f"{path} cannot be reached: {error.strerror}.", "Check its name, and that you may read it."
    )


@dataclass(slots=True)
class Look:
    """What looking below the named paths found."""

    files: list[Found] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    """What is no file of its own, with the reason."""
    denied: list[str] = field(default_factory=list)
    """What could not be looked at, with the reason."""
    empty: list[str] = field(default_factory=list)
    """Named folders with nothing in them."""


def look(paths: Sequence[Path], home: Path) -> Look:
    """Every regular file below `paths` in a stable order, what was passed over, and what is denied.

    Links are not followed: they may point anywhere. A device is read when it is named itself; in a
    folder it is a copy of another machine's, which opens this machine's disk. What Locard itself
    keeps in `home` is no evidence, and changes while it is read. Raises `Missing` when a path does
    not exist.
    """
    require(paths)
    found = Look()
    for path in paths:
        root = Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow links)
        if root.is_symlink():
            root = root.resolve()
        if not root.is_dir():
            _file(root, root, found)
            continue
        before = _size(found)
        _folder(root, found, home)
        if _size(found) == before:
            found.empty.append(printable(root.name))
    return found


def _size(found: Look) -> int:
    return len(found.files) + len(found.passed) + len(found.denied)


def _folder(root: Path, found: Look, home: Path) -> None:
    own = _identity(home)

    def refused(error: OSError) -> None:
        found.denied.append(printable(f"{error.filename}: cannot be listed: {error.strerror}"))

    for folder, folders, files in os.walk(root, onerror=refused):
        if own is not None and _identity(Path(folder)) == own:
            folders.clear()
            found.passed.append(printable(f"{folder}: what Locard keeps itself (LOCARD_HOME)"))
            continue
        folders.sort()
        links = (Path(folder, name) for name in folders)
        found.passed += [_link(link) for link in links if link.is_symlink()]
        for name in sorted(files):
            _file(Path(folder, name), root, found)


def _file(path: Path, root: Path, found: Look) -> None:
    try:
        status = path.lstat()
    except OSError as error:  # it went while we looked
        found.denied.append(printable(f"{path}: cannot be looked at: {error.strerror}"))
        return
    named = path == root
    if stat.S_ISLNK(status.st_mode):
        found.passed.append(_link(path))
    elif stat.S_ISREG(status.st_mode) or (named and stat.S_ISBLK(status.st_mode)):
        name = path.name if named else str(path.relative_to(root.parent))
        found.files.append(Found(path, name, status.st_size, status.st_mtime_ns, named))
    else:
        found.passed.append(printable(f"{path}: not a regular file"))


def _identity(folder: Path) -> tuple[int, int] | None:
    """The folder whatever it is called; None where there is none."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _link(path: Path) -> str:
    return printable(f"{path}: a link, not followed")


def _nearest(path: Path) -> str:
    parent = path.parent
    try:
        while not parent.exists():
            parent = parent.parent
        close = difflib.get_close_matches(path.name, (p.name for p in parent.iterdir()), 1, 0.6)
    except OSError:
        return f"Look in {parent}."
    return f"Did you mean {parent / close[0]}?" if close else f"Look in {parent}."


ADDING = "added to the case"
ADDED = Method("file.read", __version__, "as found: each file at the moment at which it was read")
"""How files that a person names are got."""
UPLOADED = Method("upload", __version__, "as it was sent")
UPLOADING = "uploaded to the case"


def uploaded(name: str, hand: Hand) -> Origin:
    """Where an upload comes from: of its name only the last part, and who sent it."""
    leaf = name.rpartition("/")[2] or "upload"
    source = {"name": printable(leaf), "sent from": hand.address, "sent with": hand.agent}
    return Origin(name=leaf, acquisition=Acquisition(method=UPLOADED, source=source))


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
    ) -> None:
        self.state, self.vault, self.case, self.who, self.wish = state, vault, case, who, wish
        self.ahead = ahead
        """Parses what is large while it comes in."""
        self.queued = queued
        """Told the ids of holdings that have to be parsed, once they are durable."""
        self.taken = Taken()
        self._authority: Authority | None = None
        self._host = os.uname().nodename
        self._pending: list[tuple[Put, Origin, int]] = []
        self._since = time.monotonic()

    def take(self, files: Sequence[Found], progress: Progress) -> Taken:
        """Put `files` into the vault one after the other; a file that cannot be read is listed."""
        names = {file.name for file in files}
        for file in files:
            source = {"host": self._host, "path": printable(str(file.path))}
            got = Acquisition(method=ADDED, source=source)
            origin = Origin(name=file.name, modified=file.modified, acquisition=got)
            try:
                with file.path.open("rb", buffering=0) as stream:
                    put = self._added(stream, origin, progress.advance, names)
            except OSError as error:
                self.taken.denied.append(
                    printable(f"{file.name}: cannot be opened: {error.strerror}")
                )
                continue
            except Unreadable as error:
                self.taken.denied.append(printable(f"{file.name}: {error.message}"))
                continue
            if not put.evidence.size and file.named:
                self.taken.empty.append(printable(file.name))
            self.register(put, origin, 0)
        self.flush()
        return self.taken

    def _added(self, stream: BinaryIO, origin: Origin, watch: Watch, names: Collection[str]) -> Put:
        """Take in a file, of which a scout goes ahead when it is a large one."""
        size = self.ahead.length(stream, origin.name, names) if self.ahead else None
        return self.scouted(stream, origin, ADDING, watch, size)

    def scouted(
        self, stream: Readable, origin: Origin, reason: str, watch: Watch, size: int | None
    ) -> Put:
        """Take in what has this size, and parse it meanwhile; as ever where `size` is None."""
        if size is None or self.ahead is None:
            return self.put(stream, origin, reason, watch)
        with self.vault.arriving(stream, watch, size) as arrival:
            scout = self.ahead.send(arrival, self.ahead.task(origin, self.wish))
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
        known = origin.acquisition
        if known.authority == Authority():
            known = replace(known, authority=self._authority)
        return self.vault.keep(
            arrival,
            replace(origin, acquisition=known),
            case=self.case,
            actor=self.who,
            reason=reason,
            watch=watch,
        )

    def register(self, put: Put, origin: Origin, depth: int) -> None:
        """Make `put` a holding of the case soon; `flush` makes it durable at once."""
        self._pending.append((put, origin, depth))
        if len(self._pending) >= 500 or time.monotonic() - self._since > 1.0:
            self.flush()

    def flush(self) -> None:
        """Make what is pending durable: bytes, ledger, and the holdings of the case."""
        pending, self._pending = self._pending, []
        self._since, self._authority = time.monotonic(), None
        if not pending:
            return
        self.vault.settle()
        with self.state.session(alone=True) as session:
            holdings = self._hold(session, pending)
            waiting = [one.id for one in holdings if Stage(one.stage) not in FINAL]
        protect(self.state, self.vault, self.case, {put.evidence.id for put, _, _ in pending})
        self.queued(waiting)

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
                self._again(holding)
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
        return Holding(
            case=self.case,
            evidence=put.evidence.id,
            blake2b=put.evidence.blake2b,
            size=put.evidence.size,
            modified=origin.modified,
            added=time.time_ns(),
            added_by=self.who.name,
            depth=depth,
            wanted=self.wish.parser,
            zone=self.wish.zone,
            host=self.wish.host,
            mapping=self.wish.mapping,
            limits=dict(self.wish.limits),
            stage=Stage.QUEUED.value,
            attempts=0,
        )

    def _again(self, holding: Holding) -> None:
        """Adding again reads anew what failed, was disposed of, or is wanted in another way.

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
        )
        if other:
            holding.facts = {**holding.facts, REPLACE: "yes"}
            self.taken.renewed += 1
        if holding.stage in (Stage.FAILED, Stage.DISPOSED) or other:
            holding.limits = limits
            holding.stage, holding.attempts, holding.reason = Stage.QUEUED.value, 0, ""
            holding.wanted = wish.parser or holding.wanted
            holding.zone = wish.zone or holding.zone
            holding.host = wish.host or holding.host
            holding.mapping = wish.mapping or holding.mapping
