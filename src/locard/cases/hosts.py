# SPDX-License-Identifier: Apache-2.0
"""Whose files they are: host name, time zone and accounts, as the files of a machine say.

What a collector brought home from a machine mostly holds `/etc/hostname`, and `/etc/timezone` or
the link `/etc/localtime`, beside the logs. Those name no zone of their own, so without this they
would be shown as UTC, which they seldom are. `/etc/passwd` says whose the user ids of a lastlog are
and whose the homes outside `/home`. What a person says goes before it.
"""

import re
from dataclasses import dataclass

from locard.evidence.spool import Readable
from locard.model.errors import Error
from locard.model.evidence import printable
from locard.parsers.contract import HOME
from locard.parsers.linux.accounts import PASSWD, Accounts, owner_of
from locard.parsers.times import zone

_SIGN = re.compile(r"((?:.*/)?)etc/(hostname|timezone|localtime|passwd)\Z", re.DOTALL)
_TREES = frozenset((
    "bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc", "root",
    "run", "sbin", "snap", "srv", "sys", "tmp", "usr", "var",
))  # fmt: skip
"""Folders at the root of every machine."""
_PROGRAMS = re.compile(r"(?:\A|/)usr/(?:bin|lib|sbin)/")
"""Where its programs lie as well, a machine was copied whole: all below its root is of it."""
_ROOT = "[root]/"
"""What collectors call the root of the machine."""
_RECORDS = re.compile(r"\.(?:jsonl?|csv|parquet|avro)(?:\.\w+)?\Z|(?:\A|/)AWSLogs/")
"""Trails and their like, which say themselves of what they are; they may lie beside a machine."""
_LASTLOG = "var/log/lastlog"
_MOST = 10_000
_IDS = 10_000
"""Accounts that are kept with a lastlog."""
_NAMES = 200_000
"""Accounts of all machines; what hostile files name beyond them is not taken in."""
_READ = 4096
_LONGEST = 253


@dataclass(slots=True)
class Machine:
    """What is known of a machine; empty where its files do not say."""

    host: str = ""
    zone: str = ""
    linked: str = ""
    """The zone that `/etc/localtime` leads to, which the machine went by."""


class Hosts:
    """The machines whose files are among those that were seen, by the folder of their root."""

    def __init__(self, otherwise: tuple[str, str] = ("", "")) -> None:
        """`otherwise`: host and zone of what lies in no folder of a machine that is seen here."""
        self._machines: dict[str, Machine] = {}
        self._accounts: dict[str, Accounts] = {}
        self._named = 0
        """User ids of all of them together."""
        self._whole: set[str] = set()
        self._otherwise = otherwise

    @property
    def any(self) -> bool:
        """Whether anything is known."""
        return bool(self._machines or self._accounts) or any(self._otherwise)

    def tells(self, path: str) -> bool:
        """Whether the content of this file says whose files those around it are."""
        return not path.endswith("localtime") and _SIGN.match(path) is not None

    def wants(self, path: str) -> int:
        """How many bytes are wanted of a file that `tells`."""
        return PASSWD if path.endswith("passwd") else _READ

    def saw(self, path: str) -> None:
        """Learn from the name of a file that there is one."""
        found = _PROGRAMS.search(path)
        if found is not None and len(self._whole) < _MOST:
            self._whole.add(path[: found.end()].removesuffix(found[0].lstrip("/")))

    def content(self, path: str, data: bytes) -> None:
        """Learn from the first bytes of a file that `tells`."""
        if path.endswith("passwd"):
            self._passwd(path, data)
            return
        text = data.decode("utf-8", "replace").strip().split("\n")[0].strip()
        machine = self._machine(path)
        if machine is None or not text.isprintable() or len(text) > _LONGEST:
            return
        if path.endswith("hostname"):
            machine.host = printable(text)
        else:
            machine.zone = _zone(text)

    def _passwd(self, path: str, data: bytes) -> None:
        root, found = path.removesuffix("etc/passwd"), Accounts()
        found.learn(data.decode("utf-8", "backslashreplace"))
        known = self._accounts.get(root, Accounts())
        more = len(found.names) - len(known.names)
        if self._named + more <= _NAMES:
            self._named += more
            self._accounts[root] = found

    @staticmethod
    def says(path: str, target: str) -> bool:
        """Whether a link says the zone of a machine."""
        return "/zoneinfo/" in target and _SIGN.match(path) is not None

    def link(self, path: str, target: str) -> None:
        """Learn from a link, if it is the one that says a zone."""
        _, found, name = target.partition("/zoneinfo/")
        if found and path.endswith("localtime") and (machine := self._machine(path)) is not None:
            machine.linked = _zone(name)

    def tapped(self, path: str, stream: Readable) -> Readable:
        """The stream; of a file that `tells` its first bytes are learned from as they pass."""
        self.saw(path)
        return _Tapped(self, path, stream) if self.tells(path) else stream

    def of(self, path: str) -> tuple[str, str]:
        """Host and zone of a file; empty where nothing says them."""
        parts = path.split("/")
        for count in range(len(parts) - 1, -1, -1) if self._machines else ():
            root = "".join(f"{part}/" for part in parts[:count])
            found = self._machines.get(root)
            if found is not None and self._belongs(root, path):
                return found.host, found.linked or found.zone
        return self._otherwise

    def accounts(self, path: str) -> dict[str, str]:
        """What passwd says of a file: names by user id for a lastlog, and whose home it lies in."""
        parts = path.split("/")
        for count in range(len(parts) - 1, -1, -1) if self._accounts else ():
            found = self._accounts.get("".join(f"{part}/" for part in parts[:count]))
            if found is None:
                continue
            inside = "/".join(parts[count:])
            if inside == _LASTLOG:
                kept = sorted(found.names.items())[:_IDS]
                return {f"{number}": printable(name) for number, name in kept}
            owner = printable(found.owner_of(f"/{inside}"))
            return {HOME: owner} if owner != owner_of(path) else {}
        return {}

    def may_be(self, path: str) -> bool:
        """Whether it may be a file of a machine, of which something may be learned yet."""
        return _RECORDS.search(path) is None or _usual(path)

    def _belongs(self, root: str, path: str) -> bool:
        """Whether a file below the root of a machine is a file of it."""
        if (inside := path[len(root) :]).partition("/")[0] in _TREES and "/" in inside:
            return True
        if _RECORDS.search(inside):
            return False
        homes = self._accounts[root].homes if root in self._accounts else {}
        return (
            root.endswith(_ROOT)
            or root in self._whole
            or any(inside.startswith(f"{home[1:]}/") for home in homes if len(home) > 1)
        )

    def _machine(self, path: str) -> Machine | None:
        match = _SIGN.match(path)
        if match is None or len(self._machines) >= _MOST:
            return None
        return self._machines.setdefault(match[1], Machine())


class _Tapped:
    """Passes bytes on and hands the first of them to whoever learns from them."""

    def __init__(self, hosts: Hosts, path: str, stream: Readable) -> None:
        self._hosts, self._path, self._stream = hosts, path, stream
        self._first, self._wanted = b"", hosts.wants(path)

    def read(self, size: int, /) -> bytes:
        """The next bytes."""
        data = self._stream.read(size)
        if data and len(self._first) < self._wanted:
            self._first = (self._first + data)[: self._wanted]
            self._hosts.content(self._path, self._first)
        return data


def _usual(path: str) -> bool:
    return any(part in _TREES for part in path.split("/")[:-1])


def _zone(name: str) -> str:
    """The name, when there is such a zone."""
    try:
        zone(name)
    except Error:
        return ""
    return name
