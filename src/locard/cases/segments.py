# SPDX-License-Identifier: Apache-2.0
"""Images in several files: which holdings are further segments of an image, or named by it.

Names only say who might belong together; a file counts as a segment when the first of them was
recognised as an image from its content. So rotated logs called `app.001` stay logs. What an image
names itself (the backing file of a qcow2 image) is also evidence of its own and parsed as such.
"""

import re
from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from locard.state.investigations import Holding, Place, Stage

_NAME = re.compile(
    r"^(?P<stem>.+?)(?:\.(?P<number>[EeSsLl]x?[0-9A-Za-z]{2}|\d{3})"
    r"|-(?P<extent>[sf]\d{3}|flat)\.vmdk)$"
)
_FIRST = re.compile(r"^(?:[EeSsLl]x?01|00[01])$")


def later(name: str) -> bool:
    """Whether `name` looks like a further segment: `.E02`, `.002`, `-flat.vmdk`, `-s001.vmdk`."""
    matched = _NAME.match(name.rpartition("/")[2])
    if matched is None:
        return False
    return bool(matched["extent"]) or not _FIRST.match(matched["number"])


Whole = tuple[str, str]
"""The folder of an image, and what the names of all its segments begin with."""


def wholes(names: Iterable[str]) -> frozenset[Whole]:
    """The images of which further segments are among these names."""
    return frozenset(_split(name) for name in names if later(name))


def several(name: str, beside: Collection[Whole] | None) -> bool:
    """Whether the image `name` has further segments among those beside it.

    Where nobody knows what will be beside it: whether it may have some, by its name.
    """
    whole = _split(name)
    return bool(whole[1]) and (beside is None or whole in beside)


def segments(session: Session, case: str, name: str) -> dict[str, str]:
    """Names and evidence ids of the further segments beside the image `name`, in order."""
    folder, stem = _split(name)
    if not stem:
        return {}
    found = {}
    for other, evidence, _ in _beside(session, case, folder, stem):
        if later(other):
            found[other.rpartition("/")[2]] = evidence
    return found


def named(session: Session, case: str, name: str, leaf: str) -> str:
    """Evidence id of the file called `leaf` in the folder of `name`, or empty."""
    folder = name.rpartition("/")[0]
    wanted = f"{folder}/{leaf}" if folder else leaf
    found = session.scalars(
        select(Holding.evidence)
        .join(Place, Holding.id == Place.holding)
        .where(Holding.case == case, Place.name == wanted)
        .order_by(Place.id)
    ).first()
    return found or ""


def first(session: Session, case: str, name: str) -> str:
    """Name of the image that `name` is a further segment of, or empty when there is none."""
    folder, stem = _split(name)
    for other, _, holding in _beside(session, case, folder, stem):
        image = holding.kind == "image" and holding.stage in (Stage.PARSED, Stage.FAILED)
        if image and not later(other):
            return other
    return ""


def _split(name: str) -> Whole:
    folder, _, leaf = name.rpartition("/")
    matched = _NAME.match(leaf)
    if matched:
        return folder, matched["stem"]
    return folder, leaf.removesuffix(".vmdk") if leaf.endswith(".vmdk") else ""


def _beside(session: Session, case: str, folder: str, stem: str) -> list[tuple[str, str, Holding]]:
    start = f"{folder}/{stem}" if folder else stem
    rows = session.execute(
        select(Place.name, Holding)
        .join(Holding, Holding.id == Place.holding)
        .where(Holding.case == case, Place.name.startswith(start, autoescape=True))
        .order_by(Place.name)
    ).all()
    return [
        (name, holding.evidence, holding)
        for name, holding in rows
        if _split(name) == (folder, stem)
    ]
