# SPDX-License-Identifier: Apache-2.0
"""`locard mapping` and `locard parsers`: what can be read, and how logs of your own are read."""

from pathlib import Path
from typing import Annotated

import typer

from locard.cli.terminal import Json, Who, desk, emit, hand, out
from locard.model.errors import Error


def register(app: typer.Typer) -> None:
    """Add the commands."""
    mapping = typer.Typer(no_args_is_help=True, help="Mappings for JSON lines and CSV of your own.")
    mapping.command("save")(save)
    mapping.command("list")(list_mappings)
    mapping.command("remove")(remove)
    app.add_typer(mapping, name="mapping")
    app.command()(parsers)


def save(
    name: Annotated[str, typer.Argument(help="Name, used as: locard add --mapping NAME")],
    file: Annotated[Path, typer.Argument(help="YAML: columns, each with the field it comes from.")],
    who: Who = None,
) -> None:
    """Save a mapping from a YAML file (docs/howto/map-your-own-logs.md)."""
    from locard.cases import document, wishes

    try:
        with file.open("rb") as opened:
            text = opened.read(document.MOST_BYTES * 4).decode()
    except OSError as error:
        raise Error(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Error(f"{file} is not UTF-8 from byte {error.start:,} on.") from error
    found = wishes.read_mapping(text, str(file))
    with desk() as at:
        at.save_mapping(name, found, who=hand(who))
    out.print(f"Saved. Use it: locard add CASE PATH --mapping {name}")


def list_mappings(as_json: Json = False) -> None:
    """List the saved mappings."""
    from locard.state import mappings

    with desk() as at, at.state.session() as session:
        found = mappings.every(session)
    if as_json:
        emit({one.name: one.mapping for one in found})
        return
    for one in found:
        out.print(f"{one.name}  {', '.join(one.mapping.get('columns', one.mapping))}", markup=False)


def remove(name: str) -> None:
    """Forget a mapping. Rows that were read with it stay, but can't be proved any more."""
    from locard.state import mappings

    with desk() as at, at.state.session() as session:
        mappings.remove(session, name)


def parsers(as_json: Json = False) -> None:
    """List what can be read: the ids are what --as takes."""
    from locard.parsers import catalogue

    found = list(catalogue.load())
    if as_json:
        emit([{"id": one.id, "title": one.title, "version": one.version} for one in found])
        return
    width = max(len(one.id) for one in found)
    for one in found:
        out.print(f"{one.id:<{width}}  {one.title}", markup=False)
