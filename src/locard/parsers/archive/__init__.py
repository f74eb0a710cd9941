# SPDX-License-Identifier: Apache-2.0
"""Archives: members are streamed out to the parent, and nothing is ever written by their names."""

from locard.model.errors import Unreadable
from locard.parsers.archive.members import Members, Run
from locard.parsers.frames import Order
from locard.parsers.opened import Evidence


def unpack(kind: str, opened: Evidence, order: Order, run: Run) -> None:
    """Tell every member of `opened`, which is an archive of this kind (`archive.zip`, ...).

    Raises `Unreadable` when the archive as a whole breaks, after the members before it.
    """
    if order.depth >= order.limits.depth:
        raise Unreadable(
            f"Archives are nested more than {order.limits.depth} deep; this one stays packed.",
            "Raise the limit 'depth' if you trust this file.",
        )
    members = Members(run, order)
    if kind == "archive.layer":
        from locard.parsers.archive import layer

        layer.unpack(opened, members)
    elif kind == "archive.zip":
        from locard.parsers.archive import zipped

        zipped.unpack(opened, members)
    elif kind == "archive.tar":
        from locard.parsers.archive import tarred

        tarred.unpack(opened, members)
    else:
        from locard.parsers.archive import seven

        seven.unpack(opened, members)
