# SPDX-License-Identifier: Apache-2.0
"""qcow2 images with extended L2 entries, whose clusters are allocated in 32 parts each.

`dissect` tells what one part is, but counts neighbours wrongly: it takes the entry for its bitmap,
and zero bits for set ones. So the parts are gone through one by one here.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, cast


def opened(image: Any) -> BinaryIO:
    """The disk of a `dissect` qcow2 image, extended L2 entries or not."""
    stream: Any = image.open()
    if image.has_subclusters:
        stream._yield_runs = lambda offset, length: _runs(stream, offset, length)
    return cast(BinaryIO, stream)


def _runs(stream: Any, offset: int, length: int) -> Iterator[tuple[Any, int, int, int]]:
    """Kind, place in the disk, place in the file and bytes of each piece of a stretch.

    A piece is a cluster where it is compressed, else one part of it, or several that are of one
    kind and lie one behind the other.
    """
    from dissect.hypervisor.disk.c_qcow2 import QCow2SubclusterType as Kind

    kept: tuple[Any, int, int, int] | None = None
    end = min(offset + length, stream.size)
    while offset < end:
        kind, place, left = _part(stream, offset)
        count = min(left, end - offset)
        if kind == Kind.QCOW2_SUBCLUSTER_INVALID:
            raise ValueError(f"the cluster of byte {offset} is both stored and zero")
        if kept is not None and kept[0] == kind and kept[2] + kept[3] == place:
            kept = (kind, kept[1], kept[2], kept[3] + count)
        else:
            if kept is not None:
                yield kept
            kept = (kind, offset, place, count)
        offset += count
    if kept is not None:
        yield kept


def _part(stream: Any, offset: int) -> tuple[Any, int, int]:
    """Kind, place in the file, and bytes to the end of the part that holds byte `offset`."""
    from dissect.hypervisor.disk import qcow2
    from dissect.hypervisor.disk.c_qcow2 import QCow2SubclusterType as Kind
    from dissect.hypervisor.disk.c_qcow2 import c_qcow2

    image = stream.qcow2
    within = offset & (image.cluster_size - 1)
    left = image.subcluster_size - offset % image.subcluster_size
    first = qcow2.offset_to_l1_index(image, offset)
    table = stream.l1_table[first] & c_qcow2.L1E_OFFSET_MASK if first < len(stream.l1_table) else 0
    if not table:
        return Kind.QCOW2_SUBCLUSTER_UNALLOCATED_PLAIN, 0, image.cluster_size - within
    entries = image.l2_table(table)
    index = qcow2.offset_to_l2_index(image, offset)
    entry, part = entries.entry(index), qcow2.offset_to_sc_index(image, offset)
    kind = qcow2.get_subcluster_type(image, entry, entries.bitmap(index), part)
    if kind == Kind.QCOW2_SUBCLUSTER_COMPRESSED:
        place = entry & c_qcow2.L2E_COMPRESSED_OFFSET_SIZE_MASK
        return kind, place, image.cluster_size - within
    if kind == Kind.QCOW2_SUBCLUSTER_NORMAL:
        return kind, (entry & c_qcow2.L2E_OFFSET_MASK) + within, left
    return kind, 0, left
