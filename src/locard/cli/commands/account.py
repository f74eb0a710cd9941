# SPDX-License-Identifier: Apache-2.0
"""`locard account`: the accounts of clouds that Locard may act in, and what it needs there."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from locard.cli.terminal import Json, Who, desk, emit, errors, hand, listing, out, visible
from locard.model.errors import Error

if TYPE_CHECKING:
    from locard.cases.response.organizations import Found

ADDING = """Examples:

    locard account add prod --role arn:aws:iam::123456789012:role/Locard --region eu-central-1

    locard account add lab --region us-east-1

Without --role the credentials of this machine are used as they are. Nothing secret is kept.
"""
ORGANIZATION = """Examples:

    locard account add-organization acme --role arn:aws:iam::1...2:role/L --member-role Locard

    locard account refresh acme

The role lists the accounts (organizations:ListAccounts); into each of them Locard goes by the role
of that name there, which has to ask for the external id. Exit status 1: some cannot be entered.
"""
POLICY = """Examples:

    locard account policy > locard.json

    locard account policy --action isolate.aws.instance --form terraform

    locard account policy --trust arn:aws:iam::210987654321:role/Responder --account prod
"""

Regions = Annotated[
    list[str] | None, typer.Option(help="A region; the first is meant where none is named.")
]
Provider = Annotated[str, typer.Option(help="The provider.")]
Endpoint = Annotated[str, typer.Option(help="Another address of the API, for a simulated account.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    account = typer.Typer(no_args_is_help=True, help="Accounts of clouds that Locard may act in.")
    account.command("add", epilog=ADDING)(add)
    account.command("add-organization", epilog=ORGANIZATION)(add_organization)
    account.command("refresh", epilog=ORGANIZATION)(refresh)
    account.command("list")(list_accounts)
    account.command("policy", epilog=POLICY)(show_policy)
    account.command("protect")(protect)
    account.command("remove")(remove)
    app.add_typer(account, name="account")


def add(
    name: Annotated[str, typer.Argument(help="What it is called here.")],
    role: Annotated[str, typer.Option(help="The role to take there, by its ARN.")] = "",
    external_id: Annotated[
        str, typer.Option(help="The external id that the role asks for; made when left out.")
    ] = "",
    region: Regions = None,
    provider: Provider = "aws",
    endpoint: Endpoint = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Add an account by the role that Locard takes there."""
    from locard.state.accounts import Account

    wanted = Account(name, provider, "", role, external_id, tuple(region or ()), endpoint=endpoint)
    with desk() as at:
        made = at.response.accounts.add(wanted, who=hand(who))
    if as_json:
        emit(asdict(made))
        return
    out.print(f"{name} is account {made.number} of {provider}.", markup=False)
    if role:
        out.print(f"The role has to ask for the external id {made.external_id}", markup=False)
        out.print("Its policy: locard account policy", markup=False)


def add_organization(
    name: Annotated[str, typer.Argument(help="What the account that lists is called here.")],
    role: Annotated[str, typer.Option(help="The role that may list accounts, by its ARN.")],
    member_role: Annotated[str, typer.Option(help="The name of the role in every account.")],
    external_id: Annotated[
        str, typer.Option(help="The external id that all of them ask for; made when left out.")
    ] = "",
    region: Regions = None,
    provider: Provider = "aws",
    endpoint: Endpoint = "",
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Add every account of an organization whose role can be taken; tell those whose cannot."""
    from locard.state.accounts import Account

    wanted = Account(name, provider, "", role, external_id, tuple(region or ()), endpoint=endpoint)
    progress = _Each()
    with desk() as at:
        found = at.response.organizations.add(
            wanted, member_role, who=hand(who), told=progress.told, seen=progress.seen
        )
        made = at.response.accounts.get(name)
    if not as_json:
        out.print(f"Every role has to ask for the external id {made.external_id}", markup=False)
    _members(found, as_json)


def refresh(
    name: Annotated[str, typer.Argument(help="The account that lists the organization's.")],
    member_role: Annotated[
        str, typer.Option(help="The name of the role in every account, when none was added yet.")
    ] = "",
    forget: Annotated[
        bool, typer.Option("--forget", help="Forget the accounts that have left it.")
    ] = False,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Add the accounts that have come to an organization since, and tell those that have left."""
    progress = _Each()
    with desk() as at:
        found = at.response.organizations.refresh(
            name, member_role, forget=forget, who=hand(who),
            told=progress.told, seen=progress.seen,
        )  # fmt: skip
    _members(found, as_json)


class _Each:
    """Says what became of each account as soon as it is known."""

    def __init__(self) -> None:
        self._total = self._done = 0

    def told(self, _stage: str, _done: int, total: int) -> None:
        """How many there are."""
        self._total = total

    def seen(self, found: "Found") -> None:
        """One account, and why it cannot be entered."""
        self._done += 1
        of = f"{self._done:,} of {max(self._total, self._done):,}"
        said = f"{of}: {found.name} ({found.number}) {found.state} {found.reason}".rstrip()
        errors.print(visible(said), markup=False)


def _members(found: "list[Found]", as_json: bool) -> None:
    if as_json:
        emit([asdict(one) for one in found])
    else:
        listing(
            [{"account": one.number, "name": one.name, "state": one.state, "reason": one.reason}
             for one in found],
            "account",
        )  # fmt: skip
    if any(one.state == "refused" for one in found):
        raise typer.Exit(1)


def list_accounts(as_json: Json = False) -> None:
    """List the accounts."""
    with desk() as at:
        found = at.response.accounts.every()
    if as_json:
        emit([asdict(one) for one in found])
        return
    listing(
        [
            {
                "name": one.name,
                "provider": one.provider,
                "account": one.number,
                "regions": ", ".join(one.regions),
                "role": one.role or "(credentials of this machine)",
                "protected": ", ".join(one.protected),
            }
            for one in found
        ],
        "name",
    )


def show_policy(
    action: Annotated[
        list[str] | None, typer.Option(help="An action; all of the provider if left out.")
    ] = None,
    form: Annotated[str, typer.Option(help="json, terraform or cloudformation.")] = "json",
    provider: Annotated[str, typer.Option(help="The provider.")] = "aws",
    trust: Annotated[
        str, typer.Option(help="Print who may take the role instead: this principal's ARN.")
    ] = "",
    account: Annotated[str, typer.Option(help="The account whose external id is asked for.")] = "",
) -> None:
    """Print the least that Locard has to be allowed for actions, derived from what they declare."""
    from locard.actions import policy
    from locard.actions.catalogue import catalogue
    from locard.state import accounts

    if form not in policy.FORMS:
        raise Error(f"{form[:40]!r} is no form.", f"There are: {', '.join(policy.FORMS)}.")
    if trust:
        with desk() as at, at.state.session() as session:
            found = accounts.get(session, account)
        out.print(json.dumps(policy.trust(trust, found.external_id), indent=2), markup=False)
        return
    known = catalogue()
    chosen = [known.get(one) for one in action or ()] or [
        one for one in known.actions.values() if one.provider == provider
    ]
    whole = policy.enabled(chosen)
    out.print(policy.written(whole, form).rstrip("\n"), markup=False)
    if form == "json" and (count := len(policy.parts(whole))) > 1:
        errors.print(
            f"This is longer than one managed policy may be ({policy.MANAGED:,} characters). Write "
            f"it into the role itself, name fewer actions, or let --form terraform make {count}.",
            markup=False,
        )


def protect(
    name: Annotated[str, typer.Argument(help="The account.")],
    target: Annotated[str, typer.Argument(help="The target, by its id.")],
    off: Annotated[bool, typer.Option("--off", help="It may be isolated again.")] = False,
    who: Who = None,
) -> None:
    """Say that a target may never be isolated, whoever asks."""
    with desk() as at:
        at.response.accounts.protect(name, target, not off, who=hand(who))
    out.print(f"{target} may {'be isolated again' if off else 'not be isolated'}.", markup=False)


def remove(
    name: Annotated[str, typer.Argument(help="The account.")],
    who: Who = None,
) -> None:
    """Forget an account. What was done there stays recorded; what is isolated stays so."""
    with desk() as at:
        at.response.accounts.remove(name, who=hand(who))
    out.print(f"{name} is forgotten.", markup=False)
