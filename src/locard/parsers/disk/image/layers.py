# SPDX-License-Identifier: Apache-2.0
"""From the bytes of an image to its volumes: container, partitions, LVM.

`dissect` (AGPL-3.0) is imported inside the functions: this runs in the parsing worker only, and
only the modules that the image needs are loaded, because loading all of them takes seconds.
"""

import io
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from locard.model.errors import Unreadable
from locard.parsers.contract import Opened
from locard.parsers.disk.image import (
    blocks,
    companions,
    elsewhere,
    ext_nodes,
    lvm,
    partition_table,
    smart,
    subclusters,
)
from locard.parsers.disk.image.boundary import Report, fault_text
from locard.parsers.disk.image.companions import leaf
from locard.parsers.disk.image.magic import TITLES, container_of, filesystem_of


@dataclass(slots=True)
class Volume:
    """A stretch of bytes that holds a file system, or was meant to."""

    name: str
    """Unique inside the image: `p1` a partition, `disk` the whole, `GROUP-NAME` a logical one."""
    stream: BinaryIO
    size: int
    kind: str
    """What `filesystem_of` says of it."""
    number: int = 0
    title: str = ""


def open_container(opened: Opened, report: Report) -> BinaryIO:
    """The disk inside the image file, random access.

    Raises `Unreadable` when the container is damaged, encrypted, or lacks a file that it needs.
    """
    stream = opened.seekable()
    siblings = opened.siblings()
    first = _at(stream, 0, 4096)
    last = opened.end(512)
    kind = container_of(first, last)
    if kind == "blocks":
        return blocks.opened(stream)
    opener = _OPENERS.get(kind)
    if opener is None:
        return _raw(opened, stream, siblings)
    try:
        return _bounded(opener(stream, siblings, report))
    except Unreadable:
        raise
    except Exception as fault:
        raise Unreadable(
            f"the {TITLES[kind]} cannot be opened: {fault_text(fault)}",
            "Its header is damaged, or it is cut short. Take the image again if you can.",
        ) from fault


def volumes(disk: BinaryIO, report: Report) -> list[Volume]:
    """The volumes of a disk, logical ones included; those that cannot be opened are reported."""
    size = length(disk)
    told: list[str] = []

    def noted(place: str, why: str) -> None:
        told.append(place)
        report(place, why)

    found = list(_partitions(disk, size, "", noted)) or [_volume("disk", disk, size)]
    physical = {volume.name: volume.stream for volume in found if volume.kind == "lvm"}
    for name, stream, bytes_ in lvm.logical_volumes(physical, report):
        try:
            found.append(_volume(name, stream, bytes_, title=name))
        except EOFError:
            report(name, f"the logical volume {name} has no readable bytes")
    for volume in [v for v in found if v.kind == "unknown" and v.name != "disk"]:
        inner = list(_partitions(volume.stream, volume.size, f"{volume.name}.", report))
        if inner:
            found.remove(volume)
            found += inner
    for volume in found:
        if volume.name not in told:
            elsewhere.tell(volume.name, volume.kind, volume.size, volume.stream, report)
    names: dict[str, int] = {}
    for volume in found:
        names[volume.name] = count = names.get(volume.name, 0) + 1
        if count > 1:
            volume.name = f"{volume.name}~{count}"
    return found


def length(stream: BinaryIO) -> int:
    """Bytes of a random-access stream."""
    size = getattr(stream, "size", None)
    if isinstance(size, int):
        return size
    return stream.seek(0, io.SEEK_END)


def _bounded(stream: Any) -> BinaryIO:
    """The stream of a container that is never asked for bytes beyond its end.

    `AlignedStream` reads whole buffers, and some containers fail on the part beyond their end; how
    large a buffer is depends on the process (`io.DEFAULT_BUFFER_SIZE`).
    """
    inner = stream._read

    def read(offset: int, count: int) -> bytes:
        left = (stream.size - offset + 511) // 512 * 512
        return bytes(inner(offset, min(count, left)))

    stream._read = read
    return cast(BinaryIO, stream)


def _at(stream: BinaryIO, offset: int, count: int) -> bytes:
    stream.seek(offset)
    return stream.read(count)


def _volume(name: str, stream: BinaryIO, size: int, number: int = 0, title: str = "") -> Volume:
    kind = filesystem_of(lambda offset, count: _at(stream, offset, count))
    if kind == "ext":
        stream = ext_nodes.counted_in_blocks(stream, size)
    return Volume(name, stream, size, kind, number, title)


def _partitions(disk: BinaryIO, size: int, prefix: str, report: Report) -> list[Volume]:
    """The partitions of a disk; none when a file system or nothing known begins at its start."""
    from dissect.volume.exceptions import Error

    kind = filesystem_of(lambda offset, count: _at(disk, offset, count))
    gpt = partition_table.sector_of(disk) > 0
    place = f"{prefix.removesuffix('.') or 'disk'}!table"
    if kind != "unknown" and not gpt:
        return []
    found: list[Volume] = []
    try:
        table, said = partition_table.table(disk, size)
    except (Error, EOFError, ValueError, struct.error) as fault:
        if gpt or (not prefix and _at(disk, 510, 2) == b"\x55\xaa"):
            report(place, f"the partition table cannot be read: {fault}".split("\n")[0])
        return []
    if said:
        report(place, said)
    for part in table.partitions:
        name = f"{prefix}p{part.number}"
        if part.guid is not None:  # GPT names its last sector; dissect takes it for the end.
            part.size += part.disk.sector_size
        beyond = part.offset + part.size - size
        if beyond > 0:
            report(name, f"the image is cut short: partition {part.number} ends {beyond} bytes "
                   "beyond its end; what lies there cannot be read")  # fmt: skip
        if part.size <= 0:
            report(name, f"partition {part.number} ends before it begins: the partition table is "
                   "damaged")  # fmt: skip
        if part.offset >= size or part.size <= 0:
            continue
        stream = cast(BinaryIO, part.open())
        try:
            found.append(_volume(name, stream, part.size, part.number, str(part.name or "")))
        except EOFError:
            report(name, f"partition {part.number} has no readable bytes")
    return found


def _raw(opened: Opened, stream: BinaryIO, siblings: Mapping[str, BinaryIO]) -> BinaryIO:
    from dissect.util.stream import BufferedStream, MappingStream

    if not siblings:
        return cast(BinaryIO, BufferedStream(stream, size=opened.size))
    whole = MappingStream()
    offset = 0
    parts = {leaf(opened.name): (stream, opened.size)}
    parts |= {name: (part, length(part)) for name, part in siblings.items()}
    for _, (part, size) in sorted(parts.items()):
        whole.add(offset, size, part)
        offset += size
    return cast(BinaryIO, whole)


def _ewf(stream: BinaryIO, siblings: Mapping[str, BinaryIO], report: Report) -> BinaryIO:
    from dissect.evidence.ewf import EWF

    segments: dict[int, BinaryIO] = {}
    for part in (stream, *siblings.values()):
        head = _at(part, 0, 13)
        if head[:3] in (b"EVF", b"LVF") and len(head) == 13:
            segments[int.from_bytes(head[9:11], "little")] = part
        part.seek(0)
    missing = sorted(set(range(1, max(segments) + 1)) - segments.keys())
    if missing:
        raise Unreadable(
            f"segment {missing[0]} of the E01 image is missing",
            "Add all segments (E01, E02, ...) together, from one folder.",
        )
    image = EWF([smart.segment(segments[number]) for number in sorted(segments)])
    held = sum(image.segment(index).sector_count for index in range(len(segments)))
    wanted = image.volume.chunk_count * image.volume.sector_count
    if held + image.volume.sector_count <= wanted:
        report(
            "disk!container",
            f"the E01 image is cut short: its segments hold {held} of {wanted} sectors. "
            "Add all segments (E01, E02, ...) together, from one folder.",
        )
    return cast(BinaryIO, image.open())


def _qcow2(stream: BinaryIO, siblings: Mapping[str, BinaryIO], report: Report) -> BinaryIO:
    from dissect.hypervisor.disk.qcow2 import QCow2

    def at(offset: int, count: int) -> bytes:
        return _at(stream, offset, count)

    if at(4, 4) == b"\0\0\0\1":
        raise Unreadable("the image is QCOW version 1, which is not supported", _CONVERT)
    data = backing = None
    if name := companions.data_file(at):
        data = _named(siblings, name)
        if data is None:
            raise Unreadable(f"the qcow2 image needs its data file {leaf(name)!r}", _TOGETHER)
    if name := companions.backing_file(at):
        beside = _named(siblings, name)
        if beside is None:
            raise Unreadable(f"the qcow2 image needs its backing file {leaf(name)!r}", _TOGETHER)
        others = {key: one for key, one in siblings.items() if one is not beside}
        opener = _OPENERS.get(container_of(_at(beside, 0, 4096), b""))
        backing = _bounded(opener(beside, others, report)) if opener else beside
        backing.seek(0)
    stream.seek(0)
    return subclusters.opened(QCow2(stream, data, backing))


_TOGETHER = (
    "Add both together, from one folder, under the names that they had; or merge them with: "
    "qemu-img convert -O raw IMAGE merged.raw"
)
_CONVERT = "Convert it with: qemu-img convert -O raw IMAGE image.raw"


def _named(siblings: Mapping[str, BinaryIO], name: str) -> BinaryIO | None:
    return next((one for found, one in siblings.items() if leaf(found) == leaf(name)), None)


def _vmdk(stream: BinaryIO, siblings: Mapping[str, BinaryIO], report: Report) -> BinaryIO:
    from dissect.hypervisor.disk.vmdk import VMDK, DiskDescriptor

    if _at(stream, 0, 4) != b"# Di":
        stream.seek(0)
        extents = [_Nameless(stream)]
        return _held(VMDK(extents), extents)
    stream.seek(0)
    descriptor = DiskDescriptor.parse(stream.read(1 << 20).decode("utf-8", "replace"))
    if descriptor.attr.get("parentCID", "ffffffff").lower() != "ffffffff":
        raise Unreadable("the VMDK is a snapshot of another disk, which is not given", _CONVERT)
    extents = []
    for extent in descriptor.extents:
        part = _named(siblings, str(extent.filename or "").strip('"'))
        if part is None:
            raise Unreadable(
                f"the VMDK needs its extent {extent.filename!r}",
                "Add the descriptor and all of its extents together, from one folder.",
            )
        sparse = _at(part, 0, 4) == b"KDMV"
        part.seek(0)
        extents.append(_SparseExtent(part) if sparse else _Nameless(part))
    if not extents:
        raise Unreadable("the VMDK descriptor names no extents")
    return _held(VMDK(extents), extents)


class _Nameless:
    """A stream without `name`, so that no library opens a path beside it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.held = False
        """Whether the stream must hold all that is asked for, which raises `EOFError` if not."""
        self.seek = stream.seek
        self.tell = stream.tell

    def read(self, size: int = -1) -> bytes:
        """The next bytes: the libraries take fewer than they asked for as if there were no more."""
        data = self._stream.read(size)
        if self.held and len(data) < size:
            raise EOFError(f"the image file is cut short: it ends at byte {self.tell()}")
        return data


def _held(disk: object, parts: Sequence[_Nameless]) -> BinaryIO:
    """The disk, whose metadata was read: from now on its parts must hold what it asks for."""
    for part in parts:
        part.held = True
    return cast(BinaryIO, disk)


class _SparseExtent(_Nameless):
    """An extent that a descriptor names; that it has an (empty) descriptor itself is kept quiet.

    `dissect` takes such a one for the descriptor of a whole disk and misses its parent in it.
    """

    def read(self, size: int = -1) -> bytes:
        """The next bytes, without where the header says that a descriptor is."""
        start = self._stream.tell()
        data = bytearray(super().read(size))
        first, last = (min(max(at - start, 0), len(data)) for at in (28, 44))
        data[first:last] = bytes(last - first)
        return bytes(data)


def _vhd(stream: BinaryIO, siblings: Mapping[str, BinaryIO], report: Report) -> BinaryIO:
    from dissect.hypervisor.disk.vhd import VHD
    from dissect.util.stream import MappingStream

    size = length(stream)
    footer = _at(stream, max(size - 512, 0), 512)
    if not (footer.startswith(b"conectix") or footer[1:].startswith(b"conectix")):
        # Only a VHD with a copy of its footer at the beginning gets here.
        report(
            "disk!container", "the VHD image is cut short: its last 512 bytes are not its footer"
        )
        footer = _at(stream, 0, 512)
        whole = MappingStream(align=512)
        whole.add(0, size, stream)
        whole.add(size, 512, io.BytesIO(footer))
        stream = cast(BinaryIO, whole)
    if len(footer) == 512 and int.from_bytes(footer[60:64], "big") == 4:
        raise Unreadable("the VHD is a difference to another disk, which is not given", _CONVERT)
    part = _Nameless(stream)
    return _held(VHD(cast(BinaryIO, part)), [part])


def _vhdx(stream: BinaryIO, siblings: Mapping[str, BinaryIO], report: Report) -> BinaryIO:
    from dissect.hypervisor.disk.vhdx import VHDX

    stream.seek(0)
    part = _Nameless(stream)
    return _held(VHDX(cast(BinaryIO, part)), [part])


def _vdi(stream: BinaryIO, siblings: Mapping[str, BinaryIO], report: Report) -> BinaryIO:
    from dissect.hypervisor.disk.vdi import VDI

    part = _Nameless(stream)
    return _held(VDI(cast(BinaryIO, part)).open(), [part])


def _ewf2(stream: BinaryIO, siblings: Mapping[str, BinaryIO], report: Report) -> BinaryIO:
    raise Unreadable(
        "the image is in the Ex01 form (EWF version 2), which is not supported",
        "Convert it with: ewfexport -f raw IMAGE.Ex01",
    )


def _unsupported(kind: str) -> Callable[[BinaryIO, Mapping[str, BinaryIO], Report], BinaryIO]:
    def refuse(stream: BinaryIO, siblings: Mapping[str, BinaryIO], report: Report) -> BinaryIO:
        raise Unreadable(
            f"this is a {TITLES[kind]}, a form that is not supported.",
            f"{_CONVERT}, with the images that it is a difference to beside it. Then add that.",
        )

    return refuse


_OPENERS: dict[str, Callable[[BinaryIO, Mapping[str, BinaryIO], Report], BinaryIO]] = {
    "ewf": _ewf,
    "ewf2": _ewf2,
    "qcow2": _qcow2,
    "vmdk": _vmdk,
    "vhd": _vhd,
    "vhdx": _vhdx,
    "vdi": _vdi,
    "qed": _unsupported("qed"),
    "parallels": _unsupported("parallels"),
}
