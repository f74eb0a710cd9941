# SPDX-License-Identifier: Apache-2.0
"""Whose files they are: host name and time zone, as the files of a machine say themselves.

What a collector brought home from a machine mostly holds `/etc/hostname`, and `/etc/timezone` or
the link `/etc/localtime`, beside the logs. Those name no zone of their own, so without this they
would be shown as UTC, which they seldom are. What a person says goes before it.
"""

import re
from dataclasses import dataclass

from locard.evidence.spool import Readable
from locard.model.errors import Error
from locard.model.evidence import printable
from locard.parsers.times import zone

_SIGN = re.compile(r"((?:.*/)?)etc/(hostname|timezone|localtime)\Z", re.DOTALL)
_TREES = frozenset((
    "boot", "dev", "etc", "home", "lib", "media", "mnt", "opt", "root", "run", "srv", "tmp", "usr",
    "var",
))  # fmt: skip
"""Folders at the root of a machine: only what lies in one is taken for a file of it."""
_MOST = 10_000
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
        self._otherwise = otherwise

    @property
    def any(self) -> bool:
        """Whether anything is known."""
        return bool(self._machines) or any(self._otherwise)

    def tells(self, path: str) -> bool:
        """Whether the content of this file says whose files those around it are."""
        return not path.endswith("localtime") and _SIGN.match(path) is not None

    def content(self, path: str, data: bytes) -> None:
        """Learn from the first bytes of a file that `tells`."""
        text = data.decode("utf-8", "replace").strip().split("\n")[0].strip()
        machine = self._machine(path)
        if machine is None or not text.isprintable() or len(text) > _LONGEST:
            return
        if path.endswith("hostname"):
            machine.host = printable(text)
        else:
            machine.zone = _zone(text)

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
        return _Tapped(self, path, stream) if self.tells(path) else stream

    def of(self, path: str) -> tuple[str, str]:
        """Host and zone of a file; empty where nothing says them."""
        parts = path.split("/")
        for count in range(len(parts) - 1, -1, -1) if self._machines else ():
            if parts[count] in _TREES and count + 1 < len(parts):
                found = self._machines.get("".join(f"{part}/" for part in parts[:count]))
                if found is not None:
                    return found.host, found.linked or found.zone
        return self._otherwise

    @staticmethod
    def may_be(path: str) -> bool:
        """Whether it looks like a file of a machine, of which something may be learned yet."""
        return any(part in _TREES for part in path.split("/")[:-1])

    def _machine(self, path: str) -> Machine | None:
        match = _SIGN.match(path)
        if match is None or len(self._machines) >= _MOST:
            return None
        return self._machines.setdefault(match[1], Machine())


class _Tapped:
    """Passes bytes on and hands the first of them to whoever learns from them."""

    def __init__(self, hosts: Hosts, path: str, stream: Readable) -> None:
        self._hosts, self._path, self._stream = hosts, path, stream
        self._first = b""

    def read(self, size: int, /) -> bytes:
        """The next bytes."""
        data = self._stream.read(size)
        if data and len(self._first) < _READ:
            self._first = (self._first + data)[:_READ]
            self._hosts.content(self._path, self._first)
        return data


def _zone(name: str) -> str:
    """The name, when there is such a zone."""
    try:
        zone(name)
    except Error:
        return ""
    return name
