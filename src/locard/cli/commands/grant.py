# SPDX-License-Identifier: Apache-2.0
"""`locard grant` and `locard group`: who is what in which case."""

from dataclasses import asdict
from typing import Annotated

import typer

from locard.cli.terminal import BEYOND, Json, Who, desk, emit, hand, moment, out, visible
from locard.model.access import MEANINGS, TITLES, Role

Group = Annotated[str, typer.Argument(help="Name of the group.")]
User = Annotated[str, typer.Argument(help="User name.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the grant and in the ledger.")]

GRANTING = """Examples:

    locard grant add analyst --user ana --case harbour --reason "leads the inquiry"

    locard grant add viewer --group counsel --case harbour

    locard grant add administrator --user ana
"""
LISTING = """Examples:

    locard grant list

    locard grant list --case harbour --json
"""
GROUPING = """Examples:

    locard group add counsel --title "Legal counsel"

    locard group add analysts --claim dfir-analysts
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    grant = typer.Typer(no_args_is_help=True, help="Roles of people and groups in cases.")
    grant.command("add", epilog=GRANTING)(add)
    grant.command("list", epilog=LISTING)(list_grants)
    grant.command("remove")(remove)
    grant.command("roles")(roles)
    app.add_typer(grant, name="grant")
    group = typer.Typer(no_args_is_help=True, help="Groups of people.")
    group.command("add", epilog=GROUPING)(add_group)
    group.command("list")(list_groups)
    group.command("change")(change_group)
    group.command("remove")(remove_group)
    group.command("join")(join)
    group.command("leave")(leave)
    app.add_typer(group, name="group")


def add(
    role: Annotated[Role, typer.Argument(help="The role: locard grant roles")],
    user: Annotated[str, typer.Option(help="The user who gets it.")] = "",
    group: Annotated[str, typer.Option(help="The group that gets it.")] = "",
    case: Annotated[str, typer.Option(help="The case that it is for; all without it.")] = "",
    reason: Reason = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Grant a role to a user or a group, in one case or in all of them.

    It is refused when somebody could then both acquire evidence and dispose of it.
    """
    with desk() as at:
        made = at.people.grant(role, user=user, group=group, case=case, reason=reason, by=hand(who))
    if as_json:
        emit(asdict(made))
        return
    out.print(f"{made.whom} is {TITLES[role].lower()} {made.where} (grant {made.id}).")


def list_grants(
    case: Annotated[str, typer.Option(help="Only what reaches this case.")] = "",
    as_json: Json = False,
) -> None:
    """List the grants."""
    from rich.table import Table

    from locard.state import grants

    with desk() as at:
        if case:
            at.case(case)
        with at.state.session() as session:
            found = grants.every(session, case or None)
    if as_json:
        emit([asdict(one) for one in found])
        return
    table = Table("grant", "who", "role", "where", "since", "by", "reason", box=None)
    for one in found:
        table.add_row(
            str(one.id),
            one.user or f"group {one.group}",
            one.role,
            one.case or "all cases",
            moment(one.granted),
            visible(one.by),
            visible(one.reason, 60),
        )
    out.print(table)


def remove(
    grant: Annotated[int, typer.Argument(max=BEYOND, help="Its number.")],
    reason: Reason = "",
    who: Who = None,
) -> None:
    """Take a grant back."""
    with desk() as at:
        gone = at.people.revoke(grant, reason=reason, by=hand(who))
    out.print(f"{gone.whom} is no longer {TITLES[gone.role].lower()} {gone.where}.")


def roles(as_json: Json = False) -> None:
    """Show what each role may do."""
    from rich.table import Table

    if as_json:
        emit(
            [
                {"permission": one, "allows": means.allows, "roles": sorted(means.roles)}
                for one, means in MEANINGS.items()
            ]
        )
        return
    table = Table("may", *(role.value for role in Role), box=None)
    for means in MEANINGS.values():
        table.add_row(means.allows, *("yes" if role in means.roles else "" for role in Role))
    out.print(table)


def add_group(
    name: Group,
    title: Annotated[str, typer.Option(help="What it is, in words.")] = "",
    claim: Annotated[str, typer.Option(help="What the single sign-on provider calls it.")] = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Add a group; with --claim the provider says who is in it."""
    with desk() as at:
        made = at.people.add_group(name, title, claim, by=hand(who))
    if as_json:
        emit(asdict(made))
        return
    out.print(f"The group {made.name} is there. Put people in: locard group join {made.name} USER")


def list_groups(as_json: Json = False) -> None:
    """List the groups with their members."""
    from rich.table import Table

    from locard.state import groups

    with desk() as at, at.state.session() as session:
        found = groups.every(session)
    if as_json:
        emit([asdict(one) for one in found])
        return
    table = Table("group", "title", "claim", "members", box=None)
    for one in found:
        table.add_row(one.name, visible(one.title), visible(one.claim), ", ".join(one.members))
    out.print(table)


def change_group(
    name: Group,
    title: Annotated[str | None, typer.Option(help="What it is, in words.")] = None,
    claim: Annotated[
        str | None, typer.Option(help="What the provider calls it; empty ends its say.")
    ] = None,
    who: Who = None,
) -> None:
    """Change a group's title, or what the provider calls it."""
    with desk() as at:
        at.people.change_group(name, title=title, claim=claim, by=hand(who))
    out.print(f"The group {name} is changed.")


def remove_group(name: Group, who: Who = None) -> None:
    """Remove a group with its grants; the people stay."""
    with desk() as at:
        at.people.remove_group(name, by=hand(who))
    out.print(f"The group {name} is removed, with its grants.")


def join(group: Group, username: User, who: Who = None) -> None:
    """Put a person into a group."""
    with desk() as at:
        at.people.join(group, username, by=hand(who))
    out.print(f"{username} is in the group {group}.")


def leave(group: Group, username: User, who: Who = None) -> None:
    """Take a person out of a group."""
    with desk() as at:
        at.people.leave(group, username, by=hand(who))
    out.print(f"{username} is out of the group {group}.")
