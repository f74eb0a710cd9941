# SPDX-License-Identifier: Apache-2.0
"""`locard add` and `locard resume`."""

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from locard.cases.background import handed_on
from locard.cli.terminal import Json, Who, desk, emit, errors, hand, out, shown, visible
from locard.model.errors import Missing
from locard.settings import LIMITS, from_environment, limits_of
from locard.timeline.process import starting

if TYPE_CHECKING:
    from locard.cases.adding import Added

EXAMPLES = """Examples:

    locard add intrusion evidence/

    locard add intrusion disk.E01 trail.zip --who ana

    locard add intrusion app.log --as generic.jsonl --mapping shop --zone Europe/Berlin

    locard add intrusion backup.zip --limit ratio=5000 --limit decoded_bytes=1T

Exit status: 0 when all was read in full (a file of no known kind is kept, listed and no failure);
1 when evidence failed, was cut short, broken, empty, could not be opened, changed while it was read
or was stopped at a limit, or holds records with a problem, or when a CloudTrail digest says that a
log was changed: what could be read is in the timeline all the same; 2 when the command was mistaken
or the disk is full, and then the same command goes on where it stopped.
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=EXAMPLES)(add)
    app.command()(resume)


def add(
    case: Annotated[str, typer.Argument(help="The case; it is made when it is new.")],
    paths: Annotated[list[str], typer.Argument(help="Files, folders, archives, disk images.")],
    parser: Annotated[
        str, typer.Option("--as", help="Read it as this parser instead of recognising it.")
    ] = "",
    zone: Annotated[
        str,
        typer.Option(
            help="Time zone of logs that name none, such as Europe/Berlin; else that of the "
            "machine whose files they are, where its /etc is among them, else UTC."
        ),
    ] = "",
    host: Annotated[
        str, typer.Option(help="Host that the evidence is of; else as its files say.")
    ] = "",
    mapping: Annotated[str, typer.Option(help="Saved mapping for logs of your own.")] = "",
    limit: Annotated[
        list[str] | None,
        typer.Option(
            help="Another bound for hostile evidence, NAME=NUMBER with K, M, G or T: "
            f"{', '.join(LIMITS)}. May be repeated; LOCARD_LIMITS sets it for good."
        ),
    ] = None,
    who: Who = None,
    as_json: Json = False,
) -> int:
    """Add evidence to a case: take it into custody, parse it, make it searchable.

    Rows are found by searches while the rest is still being taken in, those of a disk image from
    its first blocks on.
    """
    bounds = limits_of(limit or ())
    if "" in paths:
        # It would be the folder that one is in: what an unset variable of a script would add.
        raise Missing("One of the paths is empty.", "Name a file or a folder; . is this one.")
    named = [Path(path) for path in paths]
    with _store(paths), shown() as watch:
        from locard.cases.intake import Wish

        wish = Wish(parser=parser, zone=zone, host=host, mapping=mapping, limits=bounds)
        with desk() as at:
            advice = "" if at.vault.ledger.path.exists() else at.storage.advice()
            added = at.add(case, named, who=hand(who), wish=wish, begun=watch.begun)
    if advice and not as_json:
        errors.print(advice, style="dim")
    return _tell(added, as_json)


def _store(paths: list[str]) -> AbstractContextManager[None]:
    """The store starts while code is loaded; not for a path that is a mistake."""
    if all(map(os.path.exists, paths)):
        return starting(from_environment().timeline)
    return nullcontext()


def resume(
    case: Annotated[str, typer.Argument(help="The case.")],
    who: Who = None,
    as_json: Json = False,
) -> int:
    """Finish what an interrupted `add` left."""
    with desk() as at, shown() as watch:
        at.case(case)
        added = at.add(case, [], who=handed_on() or hand(who), begun=watch.begun)
    return _tell(added, as_json)


def _tell(added: "Added", as_json: bool) -> int:
    status = 0 if added.whole and not added.altered else 1
    if as_json:
        emit({**asdict(added), "whole": added.whole})
        return status
    _counts(added)
    _troubles(added)
    if added.confinement:
        errors.print(f"Parsed in confined workers ({added.confinement}).", style="dim")
    return status


def _counts(added: "Added") -> None:
    if added.made:
        out.print(f"Made case {added.case}.")
    if added.files:
        again = f", {added.known_files:,} held already" if added.known_files else ""
        files = f"{added.files:,} file" + "s" * (added.files != 1)
        out.print(f"{files} taken in{again}.")
    if added.renewed_files:
        were = "1 file was" if added.renewed_files == 1 else f"{added.renewed_files:,} files were"
        out.print(f"{were} read in another way than before; the rows of it are replaced.")
    if added.restored_files:
        files = "1 file" if added.restored_files == 1 else f"{added.restored_files:,} files"
        out.print(f"The timeline had lost all rows of this case: {files} read again.")
    _events(added)
    if added.sighted_events:
        were = (
            "1 record was"
            if added.sighted_events == 1
            else f"{added.sighted_events:,} records were"
        )
        out.print(f"{were} known from other files; both are named.")
    if added.problems:
        met = "1 problem was" if added.problems == 1 else f"{added.problems:,} problems were"
        out.print(
            f"{met} met. A record that has one is a row all the same: "
            f"locard search {added.case} '_exists_:problem'. What is no record, such as a member "
            f"that is encrypted, stands in: locard evidence {added.case}"
        )
    for line in added.digests:
        out.print(f"Digest {visible(line)}", markup=False)


def _events(added: "Added") -> None:
    if added.read_elsewhere:
        records = f"{added.seen_elsewhere:,} record" + "s" * (added.seen_elsewhere != 1)
        out.print(
            "Another run in this case, for which this one waited, has read "
            f"{added.read_elsewhere:,} of these files: {records}."
        )
        if not (added.events or added.known_events):
            return
    if added.events or not (added.known_events or (added.files and not added.new_files)):
        out.print(f"{added.events:,} event{'s' * (added.events != 1)} added.")
    else:
        out.print("No event added: the timeline has all of them already.")


def _troubles(added: "Added") -> None:
    for line in added.passed_over[:20]:
        errors.print(f"passed over: {visible(line)}", markup=False)
    if (more := len(added.passed_over) - 20) > 0:
        errors.print(f"... and {more:,} more were passed over; --json lists them")
    for line in added.unread[:20]:
        errors.print(f"cannot be read: {visible(line)}", markup=False)
    for line in added.changed[:20]:
        errors.print(f"not as it was: {visible(line)}", markup=False)
    for name in added.empty[:20]:
        errors.print(f"empty: {visible(name)}: there is nothing in it", markup=False)
    titled = (
        ("not parsed", added.not_parsed),
        ("read in part", added.damaged),
        ("failed", added.failed),
    )
    for title, troubles in titled:
        for one in troubles[:20]:
            share = f"{one.problems:,} of {one.seen:,} with a problem: " if one.problems else ""
            errors.print(
                f"{title}: {visible(one.name)}: {share}{visible(one.reason)}", markup=False
            )
        if len(troubles) > 20:
            errors.print(f"... and {len(troubles) - 20:,} more: locard evidence {added.case}")
