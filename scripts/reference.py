#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/reference/ from the code: parsers, commands, fields, roles and actions.

`python scripts/reference.py` writes them; with `--check` it writes nothing, names every page that
is not what the code says, and exits with 1. The pages depend on the code alone, never on the width
of a terminal, the clock or the machine, so that a difference is always a change of the code.
"""

import argparse
import ast
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import typer

from locard.actions.catalogue import catalogue
from locard.actions.contract import Action
from locard.api import app
from locard.api.routes.about import fields as fields_of_the_api
from locard.cli.main import application
from locard.model import access, event
from locard.parsers import recognise
from locard.parsers.catalogue import Source, code, load
from locard.parsers.disk.image import filesystem_timeline
from locard.parsers.linux.artefacts import ARTEFACTS

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
HEADER = "<!-- Written by scripts/reference.py (`make docs`). Do not edit. -->\n\n"
EXPECTED = ".expected.jsonl"
MOST_NAMES = 60


def pages() -> dict[Path, str]:
    """Every page of the reference as the code says it now."""
    return {
        REFERENCE / "parsers.md": HEADER + parsers(),
        REFERENCE / "commands.md": HEADER + commands(),
        REFERENCE / "fields.md": HEADER + fields(),
        REFERENCE / "roles.md": HEADER + roles(),
        REFERENCE / "actions.md": HEADER + actions(),
    }


def stale(expected: Mapping[Path, str]) -> list[Path]:
    """The pages that are missing or say something else."""
    return [
        path
        for path, text in expected.items()
        if not path.is_file() or path.read_text("utf-8") != text
    ]


def cell(text: str) -> str:
    """Text that stays inside one cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell(one) for one in line)} |\n" for line in lines)


def names(found: list[str]) -> str:
    """Names as code, those beyond the sixtieth counted."""
    text = ", ".join(f"`{name}`" for name in found[:MOST_NAMES])
    more = len(found) - MOST_NAMES
    return f"{text} and {more} more" if more > 0 else text


# Parsers


def parsers() -> str:
    """The page of all parsers."""
    catalogue = list(load())
    overview = [(f"[`{s.id}`](#{anchor(s.id)})", s.title, s.version) for s in catalogue]
    found = {one.source for one in ARTEFACTS}
    places = [
        (f"`{source}`", ", ".join(f"`{pattern}`" for pattern in patterns_of(source)))
        for source in sorted(found)
    ]
    return (
        "# Parsers\n\n"
        "What a file is, is judged by its content. `locard add --as ID` overrides that, and\n"
        "`locard parsers` prints this list. Which columns and attributes a parser fills is taken\n"
        "from the expected rows of its own samples, so other evidence may hold more attributes.\n\n"
        + table(("id", "reads", "version"), overview)
        + "\nArchives are unpacked and their members recognised one by one. Their ids:\n"
        f"{names(list(recognise.ARCHIVES))}.\n"
        "Compression (gz, bz2, xz, zst) around any of them is taken off, several layers deep.\n"
        "So are UTF-16, with or without a byte order mark, and UTF-32 with one. Bytes behind the\n"
        "end of a compression or an archive that are not zeros are a problem of the file.\n\n"
        + "".join(parser(source) for source in catalogue)
        + "## Files of a Linux machine inside a disk image\n\n"
        "`disk.image` opens the image and reads these paths of every machine that it finds; the\n"
        "rows name the parser as their `source`. Beside them stands the timeline of every file\n"
        f"system, deleted entries included, with the source `{filesystem_timeline.SOURCE}`.\n"
        "`~` is `/root`, every folder of `/home` and every home that `/etc/passwd` names.\n\n"
        + table(("source", "paths"), places)
    )


def anchor(parser_id: str) -> str:
    """The anchor that a heading with this id gets."""
    return re.sub(r"[^a-z0-9_ -]", "", parser_id.lower()).replace(" ", "-")


def patterns_of(source: str) -> Iterator[str]:
    """The paths inside an image that belong to one parser."""
    for artefact in ARTEFACTS:
        if artefact.source == source:
            yield from artefact.patterns


def parser(source: Source) -> str:
    """The section of one parser."""
    lines = [f"- Recognised by: {recognised(source)}"]
    samples = sorted((source.folder / "samples").rglob(f"*{EXPECTED}"))
    if samples:
        rows = [json.loads(line) for path in samples for line in lines_of(path)]
        filled = {name for row in rows for name in row}
        attributes = sorted({name for row in rows for name in row.get("attributes", {})})
        meanings = sorted({row["time_meaning"] for row in rows if row.get("time_meaning")})
        beside = source.folder / "samples"
        lines += [
            "- Columns: " + names([c.name for c in event.COLUMNS if c.name in filled]),
            "- `time_meaning`: " + names(meanings),
            *(["- Attributes: " + names(attributes)] if attributes else []),
            "- Samples: "
            + names([str(p.relative_to(beside)).removesuffix(EXPECTED) for p in samples]),
        ]
    return f"## {source.id}\n\n{source.title}, version {source.version}.\n\n" + "".join(
        f"{line}\n" for line in [*lines, ""]
    )


def lines_of(path: Path) -> list[str]:
    """The lines of a file of expected rows."""
    return [line for line in path.read_text("utf-8").split("\n") if line]


def recognised(source: Source) -> str:
    """How a file is known to be this parser's: its own words, its data, or its code's docstring."""
    told = source.data.get("recognised_by")
    if isinstance(told, str):
        return cell(told)
    asked = source.data.get("recognise")
    if isinstance(asked, Mapping):
        form = asked.get("format", "json or csv")
        return f"{form} records with the fields {names(list(asked.get('fields', ())))}"
    claim = getattr(code(source), "recognise", None)
    if claim is None:
        return "nothing: it is asked for with `--as`"
    return cell((inspect.getdoc(claim) or "its own code").split("\n\n")[0])


# Commands


def commands() -> str:
    """The page of all commands."""
    root = typer.main.get_command(application())
    found = sorted(leaves(root, ("locard",)), key=lambda one: one[0])
    overview = [
        (f"[`{' '.join(path)}`](#{'-'.join(path)})", first(command.help)) for path, command in found
    ]
    return (
        f"# Commands\n\n{root.help}\n\n"
        "Answers go to standard output, progress and remarks to standard error. Exit status: 0\n"
        "success, 1 a finding against the data (a failed proof, a changed ledger, evidence that\n"
        "could not be read in full), 2 a mistake of the caller, 130 stopped by the keyboard, 141 whoever\n"
        "read the answer went before its end (`| head`). `-h` and `--help` explain each command.\n\n"
        "Environment: `LOCARD_HOME` is the folder that everything is kept in (default\n"
        "`~/.locard`), `LOCARD_WORKERS` the number of parsing processes (default: one for each\n"
        "core), `LOCARD_WHO` the name that the custody ledger gets, `LOCARD_VAULT` where evidence is\n"
        "kept and `LOCARD_ENCRYPT` what it is encrypted to\n"
        "([how](../howto/keep-evidence-where-nobody-can-delete-it.md)). What stands behind the ledger\n"
        "([what](../explanation/custody.md)): `LOCARD_SIGNING_KEY` (`kms:ARN`; default: a key in a\n"
        "file), `LOCARD_TSA` and `LOCARD_TSA_ROOTS` (a time-stamping authority and the files of its\n"
        "root certificates, with colons between them), `LOCARD_CHECKPOINT_ENTRIES` and\n"
        "`LOCARD_CHECKPOINT_MINUTES` (how often there is a checkpoint; default 1000 and 60).\n\n"
        + table(("command", ""), overview)
        + "\n"
        + "## locard\n\n"
        + parameters(root)
        + "".join(command(path, one) for path, one in found)
    ).rstrip("\n") + "\n"


def leaves(one: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The commands below a group, with the words that call them."""
    below = getattr(one, "commands", None)
    if below is None:
        yield path, one
        return
    for name, inner in below.items():
        if not inner.hidden:
            yield from leaves(inner, (*path, name))


def first(text: str | None) -> str:
    """The first paragraph of a help text."""
    return (text or "").split("\n\n")[0]


def command(path: tuple[str, ...], one: Any) -> str:
    """The section of one command."""
    words = [w for p in one.params if not p.opts[0].startswith("-") for w in [placeholder(p)]]
    usage = " ".join([*path, *(["[OPTIONS]"] if options(one) else []), *words])
    text = f"## {' '.join(path)}\n\n{(one.help or '').strip()}\n\n```\n{usage}\n```\n\n"
    return text + parameters(one) + examples(one.epilog or "")


def placeholder(argument: Any) -> str:
    """An argument as the usage line shows it."""
    word = argument.opts[0].upper() + ("..." if argument.nargs == -1 else "")
    return word if argument.required else f"[{word}]"


def options(one: Any) -> list[Any]:
    """The options of a command."""
    return [p for p in one.params if p.opts[0].startswith("-") and not p.hidden]


def parameters(one: Any) -> str:
    """The tables of arguments and options."""
    arguments = [p for p in one.params if not p.opts[0].startswith("-") and not p.hidden]
    text = ""
    if arguments:
        rows = [(f"`{placeholder(p)}`", p.help or "") for p in arguments]
        text += table(("argument", ""), rows) + "\n"
    if options(one):
        rows = [(spelt(p), p.help or "", default(p)) for p in options(one)]
        text += table(("option", "", "default"), rows) + "\n"
    return text


def spelt(option: Any) -> str:
    """An option with the value that it takes."""
    spellings = " or ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    return spellings if option.is_flag else f"{spellings} {value(option)}"


def value(option: Any) -> str:
    """What an option takes, in one word, and whether it may be given again."""
    kind = option.type_descriptor.annotation
    inner = [one for one in get_args(kind) if one is not type(None)]
    if inner:
        kind = inner[0]
    if isinstance(kind, type) and issubclass(kind, Enum):
        word = " or ".join(f"`{one.value}`" for one in kind)
    else:
        word = {int: "NUMBER", float: "NUMBER", Path: "PATH"}.get(kind, "TEXT")
    return f"{word} (again for more)" if option.multiple else word


def default(option: Any) -> str:
    """The default as a person would write it, and the variable that gives another one."""
    found = option.default.value if isinstance(option.default, Enum) else option.default
    shown = "" if found in (None, "", (), []) or option.is_flag else f"`{found}`"
    if option.is_flag and option.secondary_opts:
        shown = f"`{(option.opts if found else option.secondary_opts)[0]}`"
    variable = option.envvar
    return f"{shown} `${variable}`".strip() if isinstance(variable, str) else shown


def examples(epilog: str) -> str:
    """The indented lines of an epilog as one block; other paragraphs as they stand."""
    block = [line.strip() for line in epilog.split("\n") if line.startswith("    ")]
    prose = [line for line in epilog.split("\n") if line.strip() and not line.startswith("    ")]
    text = "\n".join(line for line in prose if line.strip() != "Examples:")
    shown = "```\n" + "\n".join(block) + "\n```\n\n" if block else ""
    return (f"{text}\n\n" if text else "") + shown


# Fields


def fields() -> str:
    """The page of all fields of an event."""
    known = fields_of_the_api(None)
    head = ("field", "kind", "what it holds", "facet")
    rows = [(f"`{f.name}`", f.kind, f.title, "yes" if f.facet else "", f.query) for f in known]
    kinds = [(name, text) for name, text in kinds_of(event.Kind)]
    return (
        "# Fields of an event\n\n"
        "The same names in queries ([the language](../query.md)), page, API and exports.\n\n"
        "## First of all\n\n"
        + table(head, [row[:4] for row in rows if row[4]])
        + "\n## All others\n\n"
        + table(head, [row[:4] for row in rows if not row[4]])
        + "\n`tag`, `starred` and `comment` are what people marked, kept beside the timeline; an\n"
        "export carries the tags. A facet is a column whose values the page counts.\n\n"
        "## Kinds\n\n" + table(("kind", "how its values behave"), kinds)
    )


# Roles


def roles() -> str:
    """The page of who may do what."""
    titles = tuple(access.TITLES[role] for role in access.Role)
    rows = [
        (
            f"`{one.value}`",
            means.allows + (" (all cases only)" if means.everywhere else ""),
            *("yes" if role in means.roles else "" for role in access.Role),
        )
        for one, means in access.MEANINGS.items()
    ]
    described = app.description(app.assemble())
    routes = [
        (f"`{method.upper()} {path}`", ", ".join(f"`{one}`" for one in operation["x-permission"]))
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    scopes = [
        (
            f"`{scope.value}`",
            names([one.value for one in access.Permission if access.carries(scope, one)]),
        )
        for scope in access.Scope
    ]
    return (
        "# Roles and permissions\n\n"
        "A role is granted to a user or a group, in one case or in all of them\n"
        "([how](../howto/people-and-roles.md)). Nobody holds `acquire` and `dispose` in one case,\n"
        "and nobody ever disposes of what they brought in.\n\n"
        + table(("permission", "allows to", *titles), rows)
        + "\n## Scopes of API tokens\n\n"
        "A token carries what its owner may do, as far as its scope and its case go.\n\n"
        + table(("scope", "carries"), scopes)
        + "\n## What each route needs\n\n"
        "`open` is for strangers, `signed-in` for everybody about themselves, `in-person` the same\n"
        "but not with an API token. A route that names a case needs the permission there.\n\n"
        + table(("route", "needs"), sorted(routes, key=lambda row: row[0].split()[1]))
    )


# Actions


def actions() -> str:
    """The page of what can be collected and isolated, with every permission that it needs."""
    sections = [action(one) for one in catalogue().actions.values()]
    return (
        "# Actions in clouds\n\n"
        "What `locard collect` and `locard isolate` can do, the most that each needs to be allowed,\n"
        "and what it does to whoever uses the target. `locard account policy` writes the policy.\n"
        "Names in braces are filled in for one run, so that it may touch nothing else. Calls were\n"
        "proved against moto's server with the additions of tests/clouds/aws/front.py and\n"
        "tests/clouds/aws/lacking (a module for each service, which names the calls that are answered\n"
        "by its service's model and not by moto); never yet against AWS itself.\n\n"
        + "\n".join(sections)
    )


def action(found: Action) -> str:
    """One action."""
    permissions = [
        (
            f"`{one.action}`",
            f"`{one.resource}`",
            "reads" if one.reads else "changes",
            one.why + ("; it goes without" if one.optional else ""),
        )
        for one in found.permissions
    ]
    chosen = [(f"`{one.name}`", f"`{one.default}`", one.title) for one in found.options]
    return (
        f"## {found.id}\n\n{found.title}. {found.about}\n\n"
        + (f"Harm: {found.harm}\n\n" if found.harm else "")
        + (f"Has to be collected before: {names(list(found.loses))}.\n\n" if found.loses else "")
        + (table(("option", "default", "what it does"), chosen) + "\n" if chosen else "")
        + table(("permission", "on", "", "why"), permissions)
    )


def kinds_of(kind: type[Enum]) -> Iterator[tuple[str, str]]:
    """The members of an enumeration with the docstrings under them."""
    body = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(body, ast.ClassDef)
    for member, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(member, ast.Assign) and isinstance(text, ast.Expr):
            assert isinstance(member.targets[0], ast.Name)
            assert isinstance(text.value, ast.Constant)
            yield kind[member.targets[0].id].value, str(text.value.value)


def main() -> int:
    """Write the pages, or check them; the exit status."""
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--check", action="store_true", help="write nothing; 1 when stale")
    check = arguments.parse_args().check
    expected = pages()
    for path in (old := stale(expected)):
        if check:
            print(f"{path.relative_to(ROOT)} is stale. Run: make docs", file=sys.stderr)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(expected[path], "utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 1 if check and old else 0


if __name__ == "__main__":
    sys.exit(main())
