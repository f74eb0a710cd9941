# SPDX-License-Identifier: Apache-2.0
"""Looking: which files are below what a person named, and what is no file of its own."""

import difflib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from locard.cases.hosts import Hosts
from locard.model.errors import Missing
from locard.model.evidence import printable


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is to be taken in."""

    path: Path
    name: str
    size: int
    modified: int
    named: bool
    """Whether the person named the file itself and not a folder around it."""


def require(paths: Sequence[Path]) -> None:
    """Raise `Missing` for the first path that cannot be there, naming the nearest that is.

    And for one that is a pipe, a socket or a terminal: it has no bytes that could be read twice.
    """
    for path in paths:
        try:
            mode = path.stat().st_mode
        except OSError as error:
            raise _missing(path, error) from None
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISBLK(mode)):
            raise Missing(
                f"{path} is neither a file nor a folder nor a disk.",
                "Write what comes out of it into a file first, and add that.",
            )


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
    hosts: Hosts = field(default_factory=Hosts)
    """The machines that files of are among them."""


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
    name = path.name if named else str(path.relative_to(root.parent))
    if stat.S_ISLNK(status.st_mode):
        found.passed.append(_link(path))
        _learn(path, name, found.hosts)
    elif stat.S_ISREG(status.st_mode) or (named and stat.S_ISBLK(status.st_mode)):
        _learn(path, name, found.hosts)
        found.files.append(Found(path, name, status.st_size, status.st_mtime_ns, named))
    else:
        found.passed.append(printable(f"{path}: not a regular file"))


def changed(before: os.stat_result, after: os.stat_result, kept: int) -> str:
    """How a file became another between two looks at it, when `kept` bytes were read; else empty.

    What was kept is what was read, from the first byte to the last; it may never have stood in the
    file at any one moment, and whoever relies on it has to know.
    """
    if not stat.S_ISREG(before.st_mode) or not before.st_size:
        return ""  # of disks and of /proc neither says anything
    if kept < before.st_size:
        return f"became shorter while it was read: {kept:,} of {before.st_size:,} bytes are kept"
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        return f"changed while it was read: the {kept:,} bytes that came are kept; add it again"
    return ""


def _learn(path: Path, name: str, hosts: Hosts) -> None:
    """Whose files those around it are; what cannot be read here is told when it is taken in."""
    try:
        if path.is_symlink():
            hosts.link(name, os.readlink(path))  # noqa: PTH115 (the method normalises)
            return
        hosts.saw(name)
        if hosts.tells(name):
            with path.open("rb") as stream:
                hosts.content(name, stream.read(hosts.wants(name)))
    except OSError:
        return


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
