# SPDX-License-Identifier: Apache-2.0
"""`locard user` and `locard token`: who may sign in, and what their scripts show.

The command line acts for the owner of the files: it asks for no permission, and every change enters
the ledger with the user of the operating system.
"""

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from locard.cli.terminal import BEYOND, Json, Who, answered, desk, emit, hand, moment, out, visible
from locard.model.access import TITLES, Role, Scope
from locard.model.errors import Error

User = Annotated[str, typer.Argument(help="User name.")]

ADDING = """Examples:

    locard user add ana --name "Ana Silva" --role analyst

    locard user add olga --role viewer --case harbour

    locard user add ben --no-password --single-sign-on
"""
CHANGING = """Examples:

    locard user change ben --disable

    locard user change ana --single-sign-on
"""
FACTOR = """Examples:

    locard user totp ana

    locard user totp ana --off
"""
MAKING = """Examples:

    locard token create ana --name nightly --scope write --case harbour --days 30

    curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8321/api/cases
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    user = typer.Typer(no_args_is_help=True, help="People who may sign in.")
    user.command("add", epilog=ADDING)(add_user)
    user.command("list")(list_users)
    user.command("change", epilog=CHANGING)(change_user)
    user.command("password")(set_password)
    user.command("link")(link)
    user.command("totp", epilog=FACTOR)(totp)
    app.add_typer(user, name="user")
    token = typer.Typer(no_args_is_help=True, help="API tokens of a person.")
    token.command("create", epilog=MAKING)(create_token)
    token.command("list")(list_tokens)
    token.command("revoke")(revoke_token)
    app.add_typer(token, name="token")


def add_user(
    username: User,
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
    role: Annotated[
        Role | None, typer.Option(help="A first role; without one the person may do nothing yet.")
    ] = None,
    case: Annotated[str, typer.Option(help="The case that the role is for; all without it.")] = "",
    password: Annotated[
        bool, typer.Option(help="Ask for a password; without one a link lets the person in.")
    ] = True,
    single_sign_on: Annotated[
        bool, typer.Option("--single-sign-on", help="Join whom the provider calls by this name.")
    ] = False,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Add a person; the password is asked for and never shown."""
    secret = _password("Password", "Use --no-password, then: locard user link") if password else ""
    with desk() as at:
        made = at.people.add_user(
            username,
            name=name,
            password=secret,
            single_sign_on=single_sign_on,
            role=role,
            case=case,
            by=hand(who),
        )
    if as_json:
        emit({**asdict(made), "role": role, "case": case})
        return
    where = f"in {case}" if case else "in all cases"
    what = f"is {TITLES[role].lower()} {where}" if role else "may do nothing yet: locard grant add"
    out.print(f"{made.username} may sign in and {what}.", markup=False)


def list_users(as_json: Json = False) -> None:
    """List the people who may sign in, with what they are where."""
    from rich.table import Table

    from locard.state import factors, grants, groups, users

    with desk() as at, at.state.session() as session:
        people, granted = users.every(session), grants.every(session)
        asked = factors.asked(session)
        member = {one.username: groups.of(session, one.username) for one in people}
    found = [
        {
            **asdict(one),
            "second_factor": one.username in asked,
            "groups": member[one.username],
            "roles": [
                {"role": grant.role, "case": grant.case, "group": grant.group}
                for grant in granted
                if grant.user == one.username or grant.group in member[one.username]
            ],
        }
        for one in people
    ]
    if as_json:
        emit(found)
        return
    table = Table("user", "name", "roles", "groups", "sign-in", box=None)
    for one in found:
        roles = [
            f"{held['role']} {held['case'] or '(all cases)'}"
            + (f" by {held['group']}" if held["group"] else "")
            for held in one["roles"]
        ]
        table.add_row(
            one["username"],
            visible(one["name"]),
            ", ".join(roles) or "-",
            ", ".join(one["groups"]),
            _standing(one),
        )
    out.print(table)


def _standing(one: dict[str, object]) -> str:
    if one["disabled"]:
        return "disabled"
    ways = [
        word
        for word, is_so in (
            ("password", one["has_password"]),
            ("code", one["second_factor"]),
            ("single sign-on", one["single_sign_on"]),
        )
        if is_so
    ]
    return ", ".join(ways) or "link only"


def change_user(
    username: User,
    name: Annotated[str | None, typer.Option(help="The person's name.")] = None,
    disabled: Annotated[
        bool | None, typer.Option("--disable/--enable", help="End all sessions and let none begin.")
    ] = None,
    single_sign_on: Annotated[
        bool | None,
        typer.Option(
            "--single-sign-on/--no-single-sign-on",
            help="Whether to join whom the provider calls by this name.",
        ),
    ] = None,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Change a person's name or standing."""
    with desk() as at:
        changed = at.people.change_user(
            username, name=name, disabled=disabled, single_sign_on=single_sign_on, by=hand(who)
        )
    if as_json:
        emit(asdict(changed))
        return
    out.print(f"{username} is changed.", markup=False)


def set_password(username: User, who: Who = None) -> None:
    """Set a person's password and end their sessions."""
    password = _password("New password", "Let the person in instead: locard user link")
    with desk() as at:
        at.people.change_password(username, password, by=hand(who))
    out.print(f"The password of {username} is set; all sessions ended.", markup=False)


def _password(what: str, instead: str) -> str:
    with answered(instead):
        return str(typer.prompt(what, hide_input=True, confirmation_prompt=True, err=True))


def link(username: User, who: Who = None, as_json: Json = False) -> None:
    """Print the end of an address that signs the person in once: ADDRESS/sign-in#..."""
    with desk() as at:
        secret = at.people.make_link(username, by=hand(who))
    if as_json:
        emit({"username": username, "link": f"/sign-in#{secret}"})
        return
    out.print(f"/sign-in#{secret}", markup=False)


def totp(
    username: User,
    off: Annotated[bool, typer.Option("--off", help="Ask for codes no more.")] = False,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Ask a person for a code of an authenticator app at sign-in, or turn it off again.

    With --json the code is not asked back: whoever hands the secret on has to try it.
    """
    import segno

    with desk() as at:
        if off:
            at.people.remove_factor(username, by=hand(who))
            if as_json:
                emit({"username": username, "second_factor": False})
                return
            out.print(f"{username} is asked for no code any more.", markup=False)
            return
        made = at.people.propose_factor(username)
        if as_json:
            codes = at.people.confirm_factor(username, None, by=hand(who))
            secret = {"secret": made.secret, "address": made.address}
            emit({"username": username, **secret, "recovery_codes": codes})
            return
        if sys.stdout.isatty():
            segno.make(made.address, error="m").terminal(compact=True)
        out.print(f"{made.address}\nSecret: {made.secret}", markup=False)
        with answered("With --json the code is not asked for."):
            code = typer.prompt("The code that the app shows now", err=True)
        codes = at.people.confirm_factor(username, code, by=hand(who))
    out.print(f"{username} is asked for a code from now on. Each of these stands for one:")
    for one in codes:
        out.print(f"  {one}", markup=False)


def create_token(
    username: User,
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    days: Annotated[int, typer.Option(min=1, max=36_600, help="Days until it ends.")] = 30,
    scope: Annotated[
        Scope, typer.Option(help="How much of what the person may do it carries.")
    ] = Scope.READ,
    case: Annotated[str, typer.Option(help="The one case that it reaches; all without it.")] = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Make an API token. It is shown once: Authorization: Bearer TOKEN."""
    with desk() as at:
        token, secret = at.people.make_token(
            username, name, days, scope=scope, case=case, by=hand(who)
        )
    if as_json:
        emit({**asdict(token), "token": secret})
        return
    out.print(secret, markup=False)


def list_tokens(username: User, as_json: Json = False) -> None:
    """List a person's tokens."""
    from locard.state import tokens, users

    with desk() as at, at.state.session() as session:
        users.find(session, username)
        found = tokens.of(session, username)
    if as_json:
        emit([asdict(token) for token in found])
        return
    for token in found:
        where = token.case or "all cases"
        text = f"{token.id}  {token.name}  {token.scope} {where}  ends {moment(token.ends)}"
        out.print(text, markup=False)


def revoke_token(
    username: User,
    token: Annotated[int, typer.Argument(max=BEYOND, help="Its number.")],
    who: Who = None,
) -> None:
    """End a token at once."""
    with desk() as at:
        try:
            at.people.revoke_token(username, token, by=hand(who))
        except Error as error:
            raise type(error)(error.message, f"See: locard token list {username}") from error
    out.print(f"Token {token} is revoked.")
