# SPDX-License-Identifier: Apache-2.0
"""`locard user` and `locard token`: who may sign in."""

from dataclasses import asdict
from typing import Annotated

import typer

from locard.cli.terminal import Json, desk, emit, moment, out
from locard.model.errors import Error
from locard.state import sessions, tokens, users

User = Annotated[str, typer.Argument(help="User name.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    user = typer.Typer(no_args_is_help=True, help="People who may sign in.")
    user.command("add")(add_user)
    user.command("list")(list_users)
    user.command("password")(set_password)
    user.command("link")(link)
    app.add_typer(user, name="user")
    token = typer.Typer(no_args_is_help=True, help="API tokens of a person.")
    token.command("create")(create_token)
    token.command("list")(list_tokens)
    token.command("revoke")(revoke_token)
    app.add_typer(token, name="token")


def add_user(
    username: User,
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
    role: Annotated[users.Role, typer.Option(help="What the person may do.")] = users.Role.ANALYST,
) -> None:
    """Add a person; the password is asked for and never shown."""
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    with desk() as at, at.state.session() as session:
        users.create(session, username, name=name, role=role, password=password)
    out.print(f"{username} may sign in as {role.value}.")


def list_users(as_json: Json = False) -> None:
    """List the people who may sign in."""
    with desk() as at, at.state.session() as session:
        found = users.every(session)
    if as_json:
        emit([asdict(user) for user in found])
        return
    for user in found:
        state = "disabled" if user.disabled else user.role
        out.print(f"{user.username}  {user.name}  {state}", markup=False)


def set_password(username: User) -> None:
    """Set a person's password and end their sessions."""
    password = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
    with desk() as at, at.state.session() as session:
        users.change_password(session, username, password)
        sessions.end_all(session, username)
    out.print(f"The password of {username} is set; all sessions ended.")


def link(username: User) -> None:
    """Print the end of an address that signs the person in once: ADDRESS/sign-in#..."""
    with desk() as at, at.state.session() as session:
        secret = sessions.make_link(session, username)
    out.print(f"/sign-in#{secret}", markup=False)


def create_token(
    username: User,
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    days: Annotated[int, typer.Option(min=1, help="Days until it ends.")] = 30,
    as_json: Json = False,
) -> None:
    """Make an API token. It is shown once: Authorization: Bearer TOKEN."""
    with desk() as at, at.state.session() as session:
        token, secret = tokens.make(session, username, name, days)
    if as_json:
        emit({**asdict(token), "token": secret})
        return
    out.print(secret, markup=False)


def list_tokens(username: User, as_json: Json = False) -> None:
    """List a person's tokens."""
    with desk() as at, at.state.session() as session:
        found = tokens.of(session, username)
    if as_json:
        emit([asdict(token) for token in found])
        return
    for token in found:
        out.print(f"{token.id}  {token.name}  ends {moment(token.ends)}", markup=False)


def revoke_token(username: User, token: Annotated[int, typer.Argument(help="Its number.")]) -> None:
    """End a token at once."""
    with desk() as at, at.state.session() as session:
        if token not in {one.id for one in tokens.of(session, username)}:
            raise Error(f"{username} has no token {token}.", f"See: locard token list {username}")
        tokens.revoke(session, username, token)
    out.print(f"Token {token} is revoked.")
