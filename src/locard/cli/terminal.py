# SPDX-License-Identifier: Apache-2.0
"""What the commands share: how they print, how they show progress, and which desk they sit at.

Answers go to standard output, everything else to standard error, so that a pipe stays clean.
"""

import getpass
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import msgspec
import typer
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import (
    Progress as Bars,
)
from typer.core import TyperGroup

from locard import __version__, settings
from locard.model.amount import size as size
from locard.model.custody import Hand
from locard.model.errors import BadQuery, Error
from locard.model.evidence import printable
from locard.model.visible import visible as visible

if TYPE_CHECKING:
    from locard.cases.desk import Desk

out = Console(soft_wrap=True, highlight=False)
errors = Console(stderr=True, soft_wrap=True, highlight=False)

Json = Annotated[bool, typer.Option("--json", help="Answer as JSON, for scripts.")]
Who = Annotated[
    str | None,
    typer.Option("--who", help="Name for the custody ledger.", envvar="LOCARD_WHO"),
]


LONGEST_WHO = 200
"""Letters of a name in the custody ledger, as of a user of the page."""


def hand(who: str | None = None) -> Hand:
    """The hand at the command line: the name that was given, from this user and host.

    Raises `Error` for a name that is too long.
    """
    system = f"{getpass.getuser()}@{os.uname().nodename}"
    name = printable(who or os.environ.get("LOCARD_WHO") or system)
    if len(name) > LONGEST_WHO:
        raise Error(
            f"The name for the custody ledger has {len(name):,} letters, more than {LONGEST_WHO}.",
            "Give a shorter one with --who or LOCARD_WHO.",
        )
    return Hand(
        name,
        "command line",
        system,
        f"locard {__version__}",
    )


def group(app: typer.Typer, name: str, about: str, default: str = "") -> typer.Typer:
    """The group of commands of this name, which the first file that asks for it makes.

    So `locard case ...` may have commands in several files, and none of them is the first. The
    command `default` is meant where no command is named: `locard custody CASE`.
    """
    for known in app.registered_groups:
        if known.name == name and known.typer_instance is not None:
            made = known.typer_instance
            break
    else:
        made = typer.Typer(no_args_is_help=True, help=about)
        app.add_typer(made, name=name)
    if default:
        made.info.cls = type("Defaulting", (_Defaulting,), {"default": default})
    return made


class _Defaulting(TyperGroup):
    """A group that takes what is no command of its own as the first word of its `default`."""

    default = ""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


@contextmanager
def answered(instead: str) -> Iterator[None]:
    """Something is asked at the terminal. Raises `Error` when nobody is there to answer.

    `instead` says what a script does. Ctrl-C and a no remain `typer.Abort`.
    """
    try:
        yield
    except typer.Abort as abort:
        if isinstance(abort.__context__, EOFError):
            raise Error("This asks a question, and nobody is there to answer.", instead) from abort
        raise


@contextmanager
def desk() -> "Iterator[Desk]":
    """The desk of this installation, closed afterwards."""
    from locard.cases.desk import Desk

    opened = Desk(settings.from_environment())
    try:
        yield opened
    finally:
        opened.close()


def emit(value: Any) -> None:
    """One JSON value on one line of standard output."""
    sys.stdout.write(msgspec.json.encode(value, enc_hook=str).decode() + "\n")


AROUND = 100
"""Characters of a query that are shown on either side of a mistake."""


@contextmanager
def pointing(query: str) -> Iterator[None]:
    """Notes on a `BadQuery` the query, with marks below the characters that are wrong."""
    try:
        yield
    except BadQuery as error:
        begin = max(0, error.position - AROUND)
        end = error.position + min(error.length, AROUND)
        lead = "…" * (begin > 0) + visible(query[begin : error.position])
        wrong = visible(query[error.position : end])
        rest = visible(query[end : end + AROUND]) + "…" * (end + AROUND < len(query))
        marks = "^" * max(1, cell_len(wrong))
        error.add_note(f"  {lead}{wrong}{rest}\n  {' ' * cell_len(lead)}{marks}")
        raise


BEYOND = 1 << 40
"""What no number of a row reaches, and the state file can still be asked for."""

LONGEST = 250
"""Letters of a name in a table: one of 4,096, as archives of attackers have them, would make each
line of it as long. `--json` has all of it."""


def listing(rows: Sequence[Mapping[str, str]], title: str) -> None:
    """Rows as a table that cuts nothing off, or, where the terminal is too narrow, as paragraphs.

    `title` is the column that heads a paragraph. A pipe gets the table, however wide.
    """
    from rich.table import Column, Table

    if not rows:
        return
    table = Table(*(Column(name, no_wrap=True) for name in rows[0]), box=None)
    for row in rows:
        table.add_row(*map(escape, row.values()))
    wide = Measurement.get(out, out.options.update(max_width=1 << 20), table).maximum
    if not out.is_terminal or wide <= out.width:
        Console(width=wide, highlight=False).print(table)  # `out` would stay within its own width
        return
    for row in rows:
        rest = "  ".join(f"{n} {text}" for n, text in row.items() if n != title and text)
        out.print(row[title], style="bold", markup=False)
        out.print(Padding(escape(rest), (0, 0, 0, 2)), soft_wrap=False)


def moment(nanoseconds: int | None) -> str:
    """A time as ISO 8601 in UTC with milliseconds, or a dash."""
    if nanoseconds is None:
        return "-"
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"


def exhibits(number: int) -> str:
    """So many exhibits, in words."""
    return f"{number:,} exhibit" + "s" * (number != 1)


@contextmanager
def shown() -> Iterator["Watch"]:
    """Progress on standard error: a bar on a terminal, lines on a pipe."""
    watch = Watch()
    try:
        yield watch
    finally:
        watch.stop()


class Followed(Protocol):
    """Work that says how far it is."""

    def snapshot(self) -> tuple[str, int, int, str, float]:
        """Stage, done, total, unit and rate, now."""


class Watch:
    """Follows one job's progress until it is stopped."""

    def __init__(self) -> None:
        self._stop = Event()
        self._thread: Thread | None = None

    def begun(self, progress: Followed) -> None:
        """Follow `progress` from now on."""
        follow = self._bars if errors.is_terminal else self._lines
        self._thread = Thread(target=follow, args=(progress,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop and leave the screen tidy."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _bars(self, progress: Followed) -> None:
        with Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[amount]}"),
            TimeRemainingColumn(compact=True),
            console=errors,
            transient=True,
        ) as bars:
            task, last = bars.add_task("Starting", total=None, amount=""), ""
            while not self._stop.wait(0.1):
                stage, done, total, unit, rate = progress.snapshot()
                if stage != last:
                    bars.reset(task, description=stage, total=total or None)
                    last = stage
                amount = _amount(done, total, unit, rate)
                bars.update(task, completed=done, total=total or None, amount=amount)

    def _lines(self, progress: Followed) -> None:
        last, said = "", 0.0
        while not self._stop.wait(0.2):
            stage, done, total, unit, rate = progress.snapshot()
            if stage != last or time.monotonic() - said > 5:
                errors.print(_line(stage, done, total, unit, rate), markup=False)
                last, said = stage, time.monotonic()


def _left(seconds: float) -> str:
    """The time that is left, in a unit a person would use; nothing when the rate says nothing."""
    if seconds < 120:
        return f", {seconds:.0f} s left"
    if seconds < 7200:
        return f", {seconds / 60:.0f} min left"
    return f", {seconds / 3600:.0f} h left" if seconds < 48 * 3600 else ""


def _line(stage: str, done: int, total: int, unit: str, rate: float) -> str:
    if not total:
        return stage
    # As `seconds_left` of `cases.progress`, which is not loaded for a line: too early says nothing.
    left = _left((total - done) / rate) if rate > 0 and total > done >= total / 1000 else ""
    return f"{stage}: {_amount(done, total, unit, rate)}{left}"


def _amount(done: int, total: int, unit: str, rate: float) -> str:
    """How much is done and how fast, in the unit of the work."""
    if not total:
        return ""
    if unit != "bytes":
        return f"{done:,} of {total:,} {unit}"
    return f"{size(done)} of {size(total)}" + (f", {size(rate)}/s" if rate else "")
