# SPDX-License-Identifier: Apache-2.0
"""Logical volumes of LVM2 on the physical volumes of one image.

`dissect` reads the metadata and linear volumes. Stripes are put together here: its reader takes the
size of a stripe, which LVM counts in sectors, for extents, and lays the stripes end to end.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, cast

from locard.parsers.disk.image.boundary import Report, fault_text
from locard.parsers.disk.image.thin import Pool

SECTOR = 512
_FAULTS = (
    RuntimeError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    struct.error,
)


_ACTIVATE = "Activate the group where all of its disks are, and add an image of the logical volume."


class Absent(Exception):
    """A physical volume that is not in the image."""


def logical_volumes(
    physical: Mapping[str, BinaryIO], report: Report
) -> Iterator[tuple[str, BinaryIO, int]]:
    """Name, stream and bytes of each logical volume on `physical`, which are named streams.

    Groups may have one name; each has an id of its own. What cannot be opened is reported.
    """
    from dissect.volume.exceptions import Error
    from dissect.volume.lvm import LVM2, LVM2Device

    groups: dict[tuple[str, str], list[Any]] = {}
    for name, stream in physical.items():
        try:
            device = LVM2Device(stream)
            metadata = device.metadata or {}
            identity = next(
                (key, str(value.get("id")))
                for key, value in metadata.items()
                if isinstance(value, dict)
            )
        except (Error, StopIteration, *_FAULTS) as fault:
            why = fault_text(fault) if not isinstance(fault, StopIteration) else "it names no group"
            report(name, f"the LVM metadata of {name} cannot be read: {why}")
            continue
        groups.setdefault(identity, []).append(device)
    for (group, _), devices in groups.items():
        if "logical_volumes" not in devices[0].metadata[group]:
            report(group, f"the LVM group {group} holds no logical volume: none was made, or all "
                   "were removed. What they held can be carved out of its disks")  # fmt: skip
            continue
        try:
            found = LVM2(devices).volume_group.logical_volumes
        except (Error, *_FAULTS) as fault:
            report(group, f"the LVM group {group} cannot be opened: {fault_text(fault)}")
            continue
        inner = _inside_pools(found)
        for name, volume in found.items():
            if name in inner:
                continue
            full = f"{group.replace('-', '--')}-{name.replace('-', '--')}"
            try:
                opened = _open(volume)
                yield full, opened, int(cast(Any, opened).size)
            except Absent as absent:
                report(
                    full,
                    f"the logical volume {full} needs the physical volume {absent}, which is not "
                    f"in this image. {_ACTIVATE}",
                )
            except NotImplementedError:
                report(
                    full,
                    f"the logical volume {full} is of the kind {volume.type!r}, which is not put "
                    f"together. {_ACTIVATE}",
                )
            except (Error, *_FAULTS) as fault:
                report(
                    full,
                    f"the logical volume {full} ({volume.type}) cannot be opened: "
                    f"{fault_text(fault)}",
                )


def _inside_pools(volumes: Mapping[str, Any]) -> set[str]:
    """Thin pools and what they are made of: the thin volumes in them are read in their place."""
    from dissect.volume.lvm.metadata import ThinPoolSegment

    inner = {name for name in volumes if name.endswith("_pmspare")}
    for name, volume in volumes.items():
        for segment in volume.segments:
            if isinstance(segment, ThinPoolSegment):
                inner |= {name, str(segment.metadata), str(segment.pool)}
    return inner


def _open(volume: Any) -> BinaryIO:
    """The bytes of a logical volume. Raises `Absent`, and whatever its hostile metadata causes."""
    from dissect.util.stream import MappingStream
    from dissect.volume.lvm.metadata import StripedSegment, ThinSegment

    extent = int(volume.volume_group.extent_size) * SECTOR
    whole = MappingStream()
    for segment in sorted(volume.segments, key=lambda one: int(one.start_extent)):
        size = int(segment.extent_count) * extent
        if isinstance(segment, StripedSegment):
            stream = _striped(segment, extent, size)
        elif isinstance(segment, ThinSegment):
            stream = _thin(segment, size)
        else:
            stream = segment.open()
        whole.add(int(segment.start_extent) * extent, size, stream)
    return cast(BinaryIO, whole)


def _thin(segment: Any, size: int) -> BinaryIO:
    """The bytes of a thin volume, out of its pool."""
    if segment.external_origin:
        raise NotImplementedError("a difference to a volume outside the pool")
    if segment.start_extent or segment.device_id is None:
        raise ValueError("a thin volume without a place in its pool")
    volumes = segment.logical_volume.volume_group.logical_volumes
    pool = volumes[segment.thin_pool].segments[0]
    whole = Pool(_open(volumes[pool.metadata]), _open(volumes[pool.pool]))
    return whole.device(int(segment.device_id), size)


def _striped(segment: Any, extent: int, size: int) -> BinaryIO:
    """The bytes of a linear segment (one stripe) or of a striped one."""
    devices = segment.logical_volume.volume_group.physical_volumes
    stripes = []
    for name, first in segment.stripes:
        if devices[name].dev is None:
            raise Absent(f"{name} ({devices[name].id})")
        stripes.append((devices[name].dev.open(), int(first) * extent))
    if not stripes or size <= 0:
        raise ValueError("a segment without extents")
    chunk = int(segment.stripe_size or 0) * SECTOR if len(stripes) > 1 else size
    if chunk <= 0 or size % (chunk * len(stripes)):
        raise ValueError(f"stripes of {chunk} bytes do not fill a segment of {size}")
    return _interleaved(stripes, chunk, size)


def _interleaved(stripes: list[tuple[BinaryIO, int]], chunk: int, size: int) -> BinaryIO:
    """`chunk` bytes of each stripe in turn; a stripe is a stream and where it begins in it."""
    from dissect.util.stream import AlignedStream

    class Interleaved(AlignedStream):  # type: ignore[misc]
        """A striped segment."""

        def _read(self, offset: int, length: int) -> bytes:
            parts = []
            end = min(offset + length, size)
            while offset < end:
                number, within = divmod(offset, chunk)
                row, column = divmod(number, len(stripes))
                stream, start = stripes[column]
                stream.seek(start + row * chunk + within)
                part = stream.read(min(chunk - within, end - offset))
                if not part:
                    break
                parts.append(part)
                offset += len(part)
            return b"".join(parts)

    return cast(BinaryIO, Interleaved(size))
