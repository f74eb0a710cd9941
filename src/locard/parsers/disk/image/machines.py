# SPDX-License-Identifier: Apache-2.0
"""Whose disk it is: the machines of an image, and which of its volumes belongs to which.

A disk may hold several systems. A volume with a root file system is a machine of its own; any other
volume belongs to the machine whose `/etc/fstab` names it, or to the only one that there is. Where
that stays open, its rows name no host rather than one of another system.
"""

import posixpath
import re
import uuid
from collections.abc import Iterator

from locard.parsers.contract import Context
from locard.parsers.disk.image import boundary
from locard.parsers.disk.image.layers import Volume
from locard.parsers.disk.image.tree import Tree
from locard.parsers.linux.accounts import HOMES, PASSWD
from locard.parsers.linux.artefacts import Machine
from locard.parsers.rows import Rows

_SIGNS = ("/etc/passwd", "/etc/hostname")
_PLACES = {"ext": (1024 + 104, 1024 + 120, 16), "xfs": (32, 108, 12)}
"""Where a file system keeps its UUID and its label, and the bytes of the label."""


class Machines:
    """The machines of an image. What cannot be read of their configuration is reported."""

    def __init__(self, trees: list[Tree], rows: Rows, context: Context) -> None:
        self._context = context
        self._of: dict[str, Machine] = {}
        mounts: list[tuple[Machine, dict[str, str]]] = []
        for tree in trees:
            with boundary.kept(rows, f"{tree.volume.name}!machine", "the machine's configuration"):
                if any(tree.exists(sign) for sign in _SIGNS):
                    self._of[tree.volume.name] = machine = Machine(context.host, context.zone)
                    mounts.append((machine, {}))
                    _learn(tree, machine, context)
                    mounts[-1][1].update(_mounts(tree.text("/etc/fstab")))
                    if len(machine.accounts.homes) >= HOMES:
                        boundary.problem(
                            rows, f"{tree.volume.name}!homes",
                            f"passwd names more than {HOMES} homes outside /home; histories and "
                            "keys were looked for in the first of them alone", machine.host,
                        )  # fmt: skip
        for tree in trees:
            if tree.volume.name not in self._of:
                self._place(tree, mounts)
        self._only = mounts[0][0] if len(mounts) == 1 else Machine(context.host, context.zone)
        self.hosts = list(dict.fromkeys(m.host for m, _ in mounts if m.host))
        """Names of the machines, in the order of their volumes."""

    def of(self, volume: Volume) -> Machine:
        """The machine that a volume belongs to; one without a name where that is not known."""
        return self._of.get(volume.name, self._only)

    def _place(self, tree: Tree, mounts: list[tuple[Machine, dict[str, str]]]) -> None:
        for name in _names(tree.volume):
            for machine, specified in mounts:
                if name in specified:
                    self._of[tree.volume.name] = machine
                    tree.mounts = (specified[name],)
                    return


def _learn(tree: Tree, machine: Machine, context: Context) -> None:
    """Take host name, time zone, account names and homes from a root file system."""
    if not machine.host:
        machine.host = tree.text("/etc/hostname", 4096).strip().split("\n")[0].strip()
    if context.zone == "UTC":
        zone = tree.text("/etc/timezone", 4096).strip()
        target = tree.link("/etc/localtime")
        if "/zoneinfo/" in target:
            zone = target.split("/zoneinfo/", 1)[1]
        machine.zone = zone or "UTC"
    machine.accounts.learn(tree.text("/etc/passwd", PASSWD))


def _mounts(fstab: str) -> dict[str, str]:
    """Mount points by what an fstab names: `UUID=...`, `LABEL=...` or `GROUP-NAME`."""
    found = {}
    for line in fstab.splitlines():
        parts = line.split()
        if len(parts) < 3 or parts[0].startswith("#") or not parts[1].startswith("/"):
            continue
        spec = parts[0].replace('"', "")
        if match := re.fullmatch(r"/dev/(?:mapper/)?([^/]+)(?:/([^/]+))?", spec):
            spec = f"{match[1]}-{match[2]}" if match[2] else match[1].replace("--", "-")
        elif spec.startswith("UUID="):
            spec = spec.lower().replace("uuid=", "UUID=")
        found[spec] = posixpath.normpath(parts[1])
    return found


def _names(volume: Volume) -> Iterator[str]:
    """The names under which an fstab may mean the volume."""
    yield volume.title or volume.name
    if volume.kind not in _PLACES:
        return
    at, label, size = _PLACES[volume.kind]
    volume.stream.seek(0)
    first = volume.stream.read(4096)
    if len(first) == 4096 and any(first[at : at + 16]):
        yield f"UUID={uuid.UUID(bytes=first[at : at + 16])}"
        text = first[label : label + size].split(b"\0")[0].decode("utf-8", "backslashreplace")
        yield f"LABEL={text}"
