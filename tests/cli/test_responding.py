# SPDX-License-Identifier: Apache-2.0
"""Accounts and actions on the command line, over the simulated AWS."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from locard.actions.isolate.aws.steps import found as waiting
from tests.cli.conftest import Locard
from tests.clouds.aws.server import ACCOUNT, REGION, Aws, simulated
from tests.response.aws import differences, scene

ROLE = f"arn:aws:iam::{ACCOUNT}:role/Locard"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """A simulated AWS, with credentials for it in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "responder")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "simulated")
    monkeypatch.setattr(waiting, "PAUSE", 0.05)
    with simulated() as server:
        yield server


def test_accounts_and_the_policy_they_need(locard: Locard) -> None:
    refused = locard("account", "add", "prod", "--role", "me", "--region", REGION)
    assert refused.status == 2 and "'me' is no ARN of a role" in refused.err
    added = locard("account", "add", "prod", "--role", ROLE, "--region", REGION, "--json").json
    assert added["number"] == ACCOUNT and len(added["external_id"]) >= 32
    again = locard("account", "add", "other", "--role", ROLE, "--region", REGION)
    assert again.status == 2 and "is known already, as prod" in again.err
    (listed,) = locard("account", "list", "--json").json
    assert listed["name"] == "prod"
    policy = json.loads(locard("account", "policy", "--action", "collect.aws.instance").out)
    allowed = str(policy["Statement"])
    assert "ec2:GetConsoleOutput" in allowed and "StopInstances" not in allowed
    form = locard("account", "policy", "--form", "cloudformation").out
    assert json.loads(form)["Resources"]["Locard"]["Type"] == "AWS::IAM::ManagedPolicy"
    trust = locard("account", "policy", "--trust", "arn:aws:iam::1:root", "--account", "prod")
    assert added["external_id"] in trust.out
    assert locard("account", "policy", "--action", "isolate.aws.instanc").status == 2


@pytest.mark.server
def test_an_instance_from_plan_to_release_on_another_machine(
    locard: Locard, aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = scene(aws, "shop")
    before = here.state()
    account = ("account", "add", "prod", "--role", ROLE, "--region", REGION, "--endpoint")
    assert locard(*account, aws.endpoint).status == 0
    (plan,) = locard("isolate", "breach", here.instance, "--json").json
    assert plan["uncollected"] == ["collect.aws.instance"]
    assert differences(before, here.state()) == []
    early = locard("isolate", "breach", here.instance, "--apply", "--reason", "beacons")
    assert early.status == 2 and "was not collected into this case yet" in early.err
    done = locard(
        "isolate", "breach", here.instance, "--collect", "--apply", "--reason", "beacons", "--json"
    )
    assert done.status == 0, done.err
    assert [one["plan"]["action"] for one in done.json] == [
        "collect.aws.instance",
        "isolate.aws.instance",
    ]
    run = done.json[1]["run"]
    second = locard("isolate", "breach", here.instance, "--apply", "--reason", "me too")
    assert second.status == 2 and f"run {run}, done" in second.err
    receipt = tmp_path / "receipt.json"
    receipt.write_text(locard("runs", "receipt", run).out)
    key = tmp_path / "here.vkey"
    key.write_text(locard("custody", "key").out.splitlines()[0])
    monkeypatch.setenv("LOCARD_HOME", str(tmp_path / "elsewhere"))
    assert locard(*account, aws.endpoint).status == 0
    strange = locard("release", "--receipt", receipt, "--json")
    assert strange.status == 2 and "a key that is not known here" in strange.err
    forged = tmp_path / "forged.json"
    forged.write_text(receipt.read_text().replace("10.0.1.", "10.9.9."))
    changed = locard("release", "--receipt", forged, "--key", key)
    assert changed.status == 2 and "it was changed" in changed.err
    undo = locard("release", "--receipt", receipt, "--key", key, "--json").json
    assert undo[-1]["step"] == "scaling:detach"
    back = locard("release", run[:9], "--apply", "--reason", "all clear")
    assert back.status == 0, back.out
    assert differences(before, here.state()) == []
    assert locard("release", run, "--apply", "--reason", "again").status == 2


def test_what_is_no_target_and_what_is_no_option(locard: Locard) -> None:
    assert "is no target" in locard("isolate", "c", "web-01").err
    assert "No account fits" in locard("isolate", "c", "i-0abc1234def567890").err
    locard("account", "add", "prod", "--role", ROLE, "--region", REGION)
    wrong = locard("isolate", "c", "i-0abc1234def567890", "--set", "stop=maybe")
    assert wrong.status == 2 and "yes or no" in wrong.err
    other = f"arn:aws:ec2:{REGION}:999999999999:instance/i-0abc1234def567890"
    assert locard("isolate", "c", other, "--account", "prod").status == 2


@pytest.mark.server
def test_an_organization_at_once_and_again(locard: Locard, aws: Aws) -> None:
    client = aws.client("organizations")
    client.create_organization(FeatureSet="ALL")
    client.create_account(Email="shop@example.com", AccountName="shop")
    given = ("--role", f"arn:aws:iam::{ACCOUNT}:role/Lists", "--member-role", "Locard",
             "--region", REGION, "--endpoint", aws.endpoint)  # fmt: skip
    aws.fault("sts:AssumeRole", "AccessDenied", after=1)
    told = locard("account", "add-organization", "acme", *given)
    assert told.status == 1 and "external id" in told.out and "refused" in told.out
    lines = [one for one in told.err.splitlines() if " of 2: " in one]
    assert lines[0].startswith("1 of 2: ") and lines[1].startswith("2 of 2: ")
    assert "refused" in told.err and "denied sts:AssumeRole" in " ".join(told.err.split())
    again = locard("account", "refresh", "acme", "--member-role", "Locard", "--json")
    assert again.status == 0
    assert {one["name"]: one["state"] for one in again.json} == {"acme": "known", "shop": "added"}
