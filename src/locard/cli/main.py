# SPDX-License-Identifier: Apache-2.0
"""`locard`: finds its commands, runs one, and turns errors into sentences and an exit status."""

import errno
import gc
import json
import os
import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

import typer

from locard import __version__
from locard.cli import commands
from locard.cli.stopping import INTERRUPTED, UNREAD, stopped
from locard.cli.terminal import errors
from locard.model.errors import BadQuery, Error
from locard.parsers.lean import without_pandas, without_threads

EPILOG = """Start with: locard add CASE PATH..., then locard search CASE QUERY or locard serve.

Everything is kept in LOCARD_HOME (default ~/.locard)."""

MISTAKES = cast(
    "type[typer.BadParameter]",
    next(one for one in typer.BadParameter.__mro__ if one.__name__ == "ClickException"),
)
"""What typer raises for a mistake in the words of a command: it carries a click of its own."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Why a file takes nothing any more, the one that standard output goes into as well."""


def application() -> typer.Typer:
    """The application with every command of `cli/commands/`."""
    app = typer.Typer(
        name="locard",
        help="Cloud forensics: evidence in custody, and one timeline that proves every row.",
        epilog=EPILOG,
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def root(
        version: bool = typer.Option(
            False, "--version", help="Print the version.", is_eager=True, callback=_version
        ),
    ) -> None:
        pass

    for module in sorted(iter_modules(commands.__path__), key=lambda one: one.name):
        import_module(f"{commands.__name__}.{module.name}").register(app)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"locard {__version__}")
        raise typer.Exit


def run(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    without_pandas()
    without_threads()
    gc.set_threshold(50_000, 20, 20)  # what is loaded stays: looking through it takes a tenth
    status = outcome(sys.argv[1:] if arguments is None else arguments)
    gc.freeze()  # ending looks through all that was loaded, twice, and none of it is garbage
    sys.exit(status)


def outcome(arguments: list[str]) -> int:
    """Run the command line; the exit status."""
    try:
        status = application()(arguments, prog_name="locard", standalone_mode=False)
        if status == INTERRUPTED:  # typer's word for a Ctrl-C, of which it says nothing
            return _stopped()
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            _to_nowhere()
        return status if isinstance(status, int) else 0
    except Error as error:
        _say(error, "--json" in arguments)
        return error.exit_status
    except MISTAKES as error:
        if "--json" in arguments:
            typer.echo(json.dumps({"error": error.format_message(), "advice": ""}), err=True)
        else:
            error.show()
        return 2
    except (typer.Abort, KeyboardInterrupt):
        return _stopped()
    except SystemExit as ended:
        # What typer and rich make of a broken pipe has status 1, which is a finding in evidence.
        if not isinstance(ended.__context__, BrokenPipeError):
            raise
        _to_nowhere()
        return UNREAD
    except Exception as error:
        if stopped(error):
            return _stopped()
        if isinstance(error, OSError) and error.errno in FULL:
            _to_nowhere()
            _say(Error(f"{error.strerror}: not all could be written."), "--json" in arguments)
            return 2
        raise


def _to_nowhere() -> None:
    """What is still to be written has no reader any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _stopped() -> int:
    errors.print("Stopped. Run the same command again to go on where it stopped.")
    return INTERRUPTED


def _say(error: Error, as_json: bool) -> None:
    if as_json:
        members: dict[str, object] = {"error": error.message, "advice": error.advice}
        if isinstance(error, BadQuery):
            members |= {
                "position": error.position,
                "length": error.length,
                "suggestion": error.suggestion,
            }
        typer.echo(json.dumps(members), err=True)
        return
    errors.print(f"[red]error:[/red] {_plain(error.message)}", highlight=False)
    for note in getattr(error, "__notes__", ()):
        errors.print(note, markup=False, highlight=False)
    if error.advice:
        errors.print(_plain(error.advice), highlight=False)


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


if __name__ == "__main__":
    run()
