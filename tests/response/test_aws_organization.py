# SPDX-License-Identifier: Apache-2.0
"""An organization's accounts over moto: added, refused with the reason, come and gone."""

from contextlib import suppress
from typing import Any

import pytest

from locard.cases.response.accounts import Accounts
from locard.cases.response.organizations import Found, Organizations
from locard.model.errors import Denied, Error
from locard.state.accounts import Account
from tests.clouds.aws.server import ACCOUNT, REGION
from tests.response.simulated import ANA, Room, aws, room

__all__ = ["aws", "room"]
pytestmark = pytest.mark.server
LISTS = f"arn:aws:iam::{ACCOUNT}:role/Lists"


def silent(_stage: str, _done: int, _total: int) -> None:
    return


def organization(room: Room, *names: str) -> tuple[Organizations, Any]:
    """A new organization with these members."""
    client = room.aws.client("organizations")
    with suppress(client.exceptions.AlreadyInOrganizationException):
        client.create_organization(FeatureSet="ALL")
    for name in names:
        client.create_account(Email=f"{name[:4]}@example.com", AccountName=name)
    room.aws.forget()
    accounts = Accounts(room.runner.state, room.runner.vault)
    accounts.remove("prod", who=ANA)
    return Organizations(accounts), client


def wanted(room: Room, name: str) -> Account:
    return Account(name, "aws", "", LISTS, "", (REGION, "us-east-1"), endpoint=room.aws.endpoint)


def by_name(found: list[Found]) -> dict[str, Found]:
    return {one.name: one for one in found}


def test_all_at_once_then_what_comes_and_goes(room: Room) -> None:
    organizations, client = organization(room, "shop", "Data Lake (prod)", "shop")
    found = organizations.add(wanted(room, "acme"), "team/Locard", who=ANA, told=silent)
    states = {one.state for one in found}
    assert states == {"added", "known"}, "the account that lists is one of them"
    added = {one.name: one for one in organizations.accounts.every()}
    assert "Data-Lake-prod" in added and "shop" in added
    (second,) = [one for one in added if one.startswith("shop-")]
    assert added[second].number == second.removeprefix("shop-")
    one = added["shop"]
    assert one.role == f"arn:aws:iam::{one.number}:role/team/Locard"
    assert one.external_id == added["acme"].external_id and len(one.external_id) >= 32
    assert one.regions == (REGION, "us-east-1")
    entries = room.runner.vault.ledger.newest(limit=50)
    said = [e.details["account"] for e in entries if e.reason == "an account was added"]
    assert {"acme", "shop", second, "Data-Lake-prod"} <= set(said)
    calls = room.aws.calls("try-account")
    assert {one["action"] for one in calls} >= {"sts:AssumeRole", "sts:GetCallerIdentity"}

    client.create_account(Email="new@example.com", AccountName="new one")
    client.close_account(AccountId=added["shop"].number)
    client.remove_account_from_organization(AccountId=added[second].number)
    found = organizations.refresh("acme", forget=False, who=ANA, told=silent)
    assert by_name(found)["new-one"].state == "added"
    gone = by_name(found)[second]
    assert gone.state == "gone" and "no account of acme any more" in gone.reason
    found = organizations.refresh("acme", forget=True, who=ANA, told=silent)
    assert by_name(found)[second].state == "forgotten"
    assert second not in {one.name for one in organizations.accounts.every()}
    assert {one.state for one in found if one.name != second} == {"known"}


def test_what_cannot_be_entered_is_told_with_the_reason_and_tried_again(room: Room) -> None:
    organizations, _ = organization(room, "locked")
    room.aws.fault("sts:AssumeRole", "AccessDenied", after=1)
    found = organizations.add(wanted(room, "corp"), "Locard", who=ANA, told=silent)
    (refused,) = [one for one in found if one.state == "refused"]
    assert "denied sts:AssumeRole" in refused.reason and refused.number in refused.reason
    assert refused.number not in {one.number for one in organizations.accounts.every()}
    again = organizations.refresh("corp", forget=False, who=ANA, told=silent)
    assert {one.number: one.state for one in again}[refused.number] == "added"
    assert "refused" not in {one.state for one in again}


def test_nothing_is_added_when_the_accounts_cannot_be_listed(room: Room) -> None:
    organizations, _ = organization(room)
    room.aws.fault("organizations:ListAccounts", "AccessDeniedException")
    with pytest.raises(Denied, match="denied organizations:ListAccounts"):
        organizations.add(wanted(room, "none"), "Locard", who=ANA, told=silent)
    assert organizations.accounts.every() == []
    with pytest.raises(Error, match="no name of a role"):
        organizations.add(wanted(room, "none"), "no role", who=ANA, told=silent)
    organizations.accounts.add(wanted(room, "bare"), who=ANA)
    with pytest.raises(Error, match="the name of their role is not known"):
        organizations.refresh("bare", forget=False, who=ANA, told=silent)
