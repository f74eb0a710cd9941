# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C, taken where it can be taken: see `held` and `stopped`."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
"""Exit status of a command that a Ctrl-C ended, as shells have it."""

UNREAD = 141
"""Exit status of a command whose reader went before the end, as `head` does; shells have it too."""

SIGNALS = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: 143}
"""Signals that ask to end, with the exit status that shells give them."""


@contextmanager
def held() -> Iterator[Callable[[], None]]:
    """Keep a signal that asks to end until what is given is called, or until the end of this.

    Then it is raised: `KeyboardInterrupt`, or `SystemExit` for a `SIGTERM`. The interpreter would
    raise in the middle of whatever is done, where libraries that are just loaded turn it into other
    errors or lose it. Asked for the second time it is raised at once.
    """
    asked: list[int] = []

    def ask(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        if len(asked) > 1:
            _raise(number)

    def check() -> None:
        if asked:
            _raise(asked.pop())

    before = {number: signal.signal(number, ask) for number in SIGNALS}
    try:
        yield check
        check()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stopped(error: BaseException | None) -> bool:
    """Whether this error is what a library made of a Ctrl-C, as `dataclasses` does in Python 3.11.

    Raised while a class is made, it comes out as "Error calling __set_name__".
    """
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _raise(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(SIGNALS[signal.Signals(number)])
