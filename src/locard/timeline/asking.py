# SPDX-License-Identifier: Apache-2.0
"""Queries that somebody waits for, so that the store ends them when nobody does any more.

A page that is left, or a search that is overtaken by the next keystroke, would otherwise go on
reading ten million rows for an answer that nobody reads.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ClassVar

from locard.model.errors import Error


class Unwanted(Error):
    """The query was ended because nobody waits for its answer any more."""

    http_status: ClassVar[int] = 408


class Asking:
    """The queries of one who asks. Every one bears `group` as its comment in the store."""

    def __init__(self) -> None:
        self.group = f"locard-{secrets.token_hex(12)}"
        self.ended = False

    def comment(self) -> str:
        """What the next query bears. Raises `Unwanted` when nobody waits any more."""
        if self.ended:
            raise Unwanted("Nobody waits for this answer any more.")
        return self.group


_current: ContextVar[Asking | None] = ContextVar("asking", default=None)


@contextmanager
def asking() -> Iterator[Asking]:
    """Everything that is asked inside the `with`, in threads that it starts too, is one group."""
    mine = Asking()
    token = _current.set(mine)
    try:
        yield mine
    finally:
        _current.reset(token)


def comment() -> str | None:
    """What a query that is asked here bears; None outside of every group."""
    mine = _current.get()
    return None if mine is None else mine.comment()
