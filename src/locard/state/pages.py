# SPDX-License-Identifier: Apache-2.0
"""Lists that are read page by page, the newest first, each from where the one before ended.

A place is a time and an id, so that what begins meanwhile moves nothing, and two that began in the
same instant are neither left out nor shown twice.
"""

import re
from typing import Any, TypeVar

from sqlalchemy import Select, and_, or_
from sqlalchemy.orm import InstrumentedAttribute

from locard.model.errors import Error

Place = tuple[int, str]
"""When the last one shown began, in UTC nanoseconds, and its id."""
_TEXT = re.compile(r"([0-9]{1,19})\.([a-z0-9-]{1,60})")
_LARGEST = (1 << 63) - 1


def text_of(place: Place) -> str:
    """A place as it leaves."""
    return f"{place[0]}.{place[1]}"


def place_of(text: str) -> Place:
    """The place that a text says. Raises `Error` for what is none."""
    found = _TEXT.fullmatch(text)
    if found is None or int(found[1]) > _LARGEST:
        raise Error("This is no place in the list.", "Read the list from its beginning.")
    return int(found[1]), found[2]


Asked = TypeVar("Asked", bound=Select[Any])


def older(
    wanted: Asked,
    started: InstrumentedAttribute[int],
    identity: InstrumentedAttribute[str] | InstrumentedAttribute[int],
    before: Place | tuple[int, int] | None,
) -> Asked:
    """The newest first; only those that come after a place in that order, if one is given."""
    ordered = wanted.order_by(started.desc(), identity.desc())
    if before is None:
        return ordered
    time, name = before
    return ordered.where(or_(started < time, and_(started == time, identity < name)))
