# SPDX-License-Identifier: Apache-2.0
"""Reading an image in the order in which a responder wants it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from locard.parsers.contract import Context, Opened
from locard.parsers.disk.image import blocks, boundary, filesystem_timeline, layers, sleuthkit
from locard.parsers.disk.image.machines import Machines
from locard.parsers.disk.image.tree import Tree
from locard.parsers.linux.artefacts import ARTEFACTS, Artefact, Machine, Turn
from locard.parsers.linux.compression import expanded
from locard.parsers.linux.place import Place, printable
from locard.parsers.rows import Rows

_ENCRYPTED = {"luks": "LUKS", "bitlocker": "BitLocker"}


@dataclass(slots=True)
class _Image:
    rows: Rows
    context: Context
    seen: set[tuple[str, str]]
    """Volume and identity of the files that were read."""

    def wanted(self, prefix: str) -> bool:
        """Whether anything below `prefix` is asked for."""
        return self.context.only is None or self.context.only.startswith(prefix)


def read(opened: Opened, rows: Rows, context: Context) -> None:
    """Append the rows of an image. Raises `Unreadable` when its container cannot be opened."""

    def report(place: str, why: str) -> None:
        if context.only in (None, f"{place}!"):
            boundary.problem(rows, f"{place}!", why, context.host)

    if context.learned:  # of the machine whose files the image was among
        context = replace(
            context,
            host="" if "host" in context.learned else context.host,
            zone="UTC" if "zone" in context.learned else context.zone,
        )
    disk = layers.open_container(opened, report)
    triage = context.triage or _is_triage(opened)
    volumes: list[layers.Volume] = []
    with boundary.kept(rows, "disk!volumes", "the volumes of the image"):
        volumes = layers.volumes(disk, report)
    image = _Image(rows, context, set())
    trees = [tree for volume in volumes for tree in _trees(volume, image)]
    machines = Machines(trees, rows, context)
    for turn in Turn:
        for tree in trees:
            machine = machines.of(tree.volume)
            for artefact in ARTEFACTS:
                if artefact.turn == turn:
                    _artefact(artefact, tree, machine, image)
    for tree in trees:
        for folder, fault in tree.unlisted.items():
            report(
                f"{tree.volume.name}{folder}!artefacts",
                f"the folder {folder} of {tree.volume.name} could not be read in full, so that "
                f"artefacts below it may be missing: {fault}",
            )
        for number, fault in enumerate(tree.faults if sleuthkit.reads(tree.volume.kind) else ()):
            report(f"{tree.volume.name}!names{number}", f"{tree.volume.name}: {fault}")
    for volume in volumes:
        if image.wanted(volume.name) and not triage:
            filesystem_timeline.read(
                volume, next((t for t in trees if t.volume is volume), None), rows, context,
                machines.of(volume).host,
            )  # fmt: skip
    if rows.seen == 0 and triage:
        report("disk", "nothing that a triage looks for was found: no volume that can be read, or "
               "no such files in it. The full copy shows more")  # fmt: skip
    elif rows.seen == 0 and any(volume.kind == "swap" for volume in volumes):
        report("disk", "nothing but swap space was found: pages of memory, without files and "
               "times. Its bytes are kept; other tools can look for strings in them")  # fmt: skip
    elif rows.seen == 0:
        report("disk", "no partition, no file system and no other byte than zeros was found: the "
               "disk was wiped or never used, or its image was not taken rightly")  # fmt: skip
    rows.facts["volumes"] = ", ".join(f"{v.name} {v.kind} {v.size}" for v in volumes)
    if triage:
        rows.facts["triage"] = "artefacts only; the file-system timeline needs the full copy"
    if machines.hosts:
        rows.facts["host"] = ", ".join(machines.hosts)


def _is_triage(opened: Opened) -> bool:
    """Whether these are the blocks that a triage without the file-system timeline read."""
    stream = opened.seekable()
    return stream.read(len(blocks.MAGIC)) == blocks.MAGIC and not blocks.head_of(stream)[0].files


def _trees(volume: layers.Volume, image: _Image) -> Iterator[Tree]:
    if volume.kind in _ENCRYPTED:
        boundary.problem(
            image.rows,
            f"{volume.name}!",
            f"volume {volume.name} is encrypted ({_ENCRYPTED[volume.kind]}); without its key "
            "nothing in it can be read. Decrypt it and add the decrypted image.",
        )
    elif volume.kind == "mdraid":
        boundary.problem(
            image.rows, f"{volume.name}!", f"volume {volume.name} is part of a software RAID, "
            "which is not put together",
        )  # fmt: skip
    elif Tree.readable(volume):
        with boundary.kept(
            image.rows, f"{volume.name}!", f"the {volume.kind} file system of {volume.name}"
        ):
            yield Tree(volume)


def _artefact(artefact: Artefact, tree: Tree, machine: Machine, image: _Image) -> None:
    for pattern in artefact.patterns_of(machine):
        for path, seen in tree.glob(pattern):
            _file(artefact, path, machine.accounts.owner_of(printable(seen)), tree, machine, image)


def _file(
    artefact: Artefact, path: str, owner: str, tree: Tree, machine: Machine, image: _Image
) -> None:
    shown = printable(path)
    prefix = f"{tree.volume.name}{shown}"
    if not image.wanted(f"{prefix}#"):
        return
    with boundary.kept(image.rows, f"{prefix}#broken", f"{artefact.source} in {shown}"):
        identity = (tree.volume.name, tree.identity(path))
        if identity in image.seen:
            return
        image.seen.add(identity)
        place = Place(
            source=artefact.source,
            path=shown,
            prefix=prefix,
            host=machine.host,
            zone=machine.zone,
            modified=tree.modified(path),
            owner=owner,
            only=image.context.only,
            limits=image.context.limits,
        )
        artefact.read(_opener(tree, path, image.context), place, image.rows, machine)


def _opener(tree: Tree, path: str, context: Context) -> Callable[[], BinaryIO]:
    return lambda: expanded(lambda: tree.open(path), context.limits)
