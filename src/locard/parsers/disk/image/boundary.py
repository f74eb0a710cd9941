# SPDX-License-Identifier: Apache-2.0
"""The boundary of one artefact: what fails inside becomes a counted problem, and the rest goes on.

The libraries that read disks raise whatever their structures run into when the bytes are hostile
(`struct.error`, `IndexError`, `RecursionError`, their own). So this is the one place of the disk
parser where every `Exception` is caught.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from locard.parsers.rows import Rows

Report = Callable[[str, str], None]
"""Takes a place and a problem."""

SOURCE = "disk.image"
_ROWS = Rows.row.__code__.co_filename


def fault_text(fault: BaseException) -> str:
    """One line that says what failed, with the cause when a library hid it behind its own error."""
    cause = fault.__cause__ or fault
    said = " ".join(str(cause).split())
    if isinstance(cause, EOFError):
        return f"the bytes end before it does ({said[:300] or 'no more'})"
    return f"{type(cause).__name__}: {said[:300]}" if said else type(cause).__name__


def problem(rows: Rows, locator: str, why: str, host: str = "") -> None:
    """Append a problem of the image itself: a layer, volume or artefact that cannot be read."""
    rows.problem(why, b"", locator, source=SOURCE, provider="linux", host=host, message=why)


def remark(rows: Rows, locator: str, what: str, host: str = "") -> None:
    """Append what is worth knowing of the image itself and is no problem."""
    rows.row(raw=b"", locator=locator, source=SOURCE, provider="linux", host=host, message=what)


def _of_rows(fault: BaseException) -> bool:
    """Whether the fault came out of handing rows over, which would lose rows of other artefacts."""
    trace = fault.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _ROWS:
            return True
        trace = trace.tb_next
    return False


@contextmanager
def kept(rows: Rows, locator: str, what: str, host: str = "") -> Iterator[None]:
    """Turn a failure while reading `what` into a problem row at `locator`."""
    try:
        yield
    except Exception as fault:
        if _of_rows(fault):
            raise
        problem(rows, locator, f"{what} could not be read in full: {fault_text(fault)}", host)
