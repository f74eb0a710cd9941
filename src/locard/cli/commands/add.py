# SPDX-License-Identifier: Apache-2.0
"""`locard add` and `locard resume`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from locard.cases.adding import Added
from locard.cases.desk import whoami
from locard.cases.intake import Wish
from locard.cli.terminal import Json, Who, desk, emit, errors, out, shown, visible

EXAMPLES = """Examples:

    locard add intrusion evidence/

    locard add intrusion disk.E01 trail.zip --who ana

    locard add intrusion app.log --as generic.jsonl --mapping shop --zone Europe/Berlin
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog=EXAMPLES)(add)
    app.command()(resume)


def add(
    case: Annotated[str, typer.Argument(help="The case; it is made when it is new.")],
    paths: Annotated[list[Path], typer.Argument(help="Files, folders, archives, disk images.")],
    parser: Annotated[
        str, typer.Option("--as", help="Read it as this parser instead of recognising it.")
    ] = "",
    zone: Annotated[
        str, typer.Option(help="Time zone of logs that name none, such as Europe/Berlin.")
    ] = "UTC",
    host: Annotated[str, typer.Option(help="Host that the evidence is of.")] = "",
    mapping: Annotated[str, typer.Option(help="Saved mapping for logs of your own.")] = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Add evidence to a case: take it into custody, parse it, make it searchable."""
    wish = Wish(parser=parser, zone=zone, host=host, mapping=mapping)
    with desk() as at, shown() as watch:
        added = at.add(case, paths, who=who or whoami(), wish=wish, begun=watch.begun)
    _tell(added, as_json)


def resume(
    case: Annotated[str, typer.Argument(help="The case.")],
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Finish what an interrupted `add` left."""
    with desk() as at, shown() as watch:
        at.case(case)
        added = at.add(case, [], who=who or whoami(), begun=watch.begun)
    _tell(added, as_json)


def _tell(added: Added, as_json: bool) -> None:
    if as_json:
        emit(asdict(added))
        return
    if added.made:
        out.print(f"Made case {added.case}.")
    if added.files:
        again = f", {added.known_files:,} held already" if added.known_files else ""
        out.print(f"{added.files:,} files taken in{again}.")
    if added.events or not (added.known_events or (added.files and not added.new_files)):
        out.print(f"{added.events:,} events added.")
    else:
        out.print("No event added: the timeline has all of them already.")
    if added.sighted_events:
        out.print(f"{added.sighted_events:,} records were known from other files; both are named.")
    if added.problems:
        out.print(
            f"{added.problems:,} records could not be read in full. They are rows with a problem: "
            f"locard search {added.case} '_exists_:problem'"
        )
    for line in added.digests:
        out.print(f"Digest {visible(line)}", markup=False)
    for line in added.passed_over[:20]:
        errors.print(f"passed over: {visible(line)}", markup=False)
    for title, troubles in (("not parsed", added.not_parsed), ("failed", added.failed)):
        for one in troubles[:20]:
            errors.print(f"{title}: {visible(one.name)}: {visible(one.reason)}", markup=False)
        if len(troubles) > 20:
            errors.print(f"... and {len(troubles) - 20:,} more: locard evidence {added.case}")
    if added.confinement:
        errors.print(f"Parsed in confined workers ({added.confinement}).", style="dim")
