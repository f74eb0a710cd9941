# SPDX-License-Identifier: Apache-2.0
"""One account of a simulated AWS with a runner at it, whose every call is known afterwards."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from locard.actions import catalogue
from locard.actions.isolate.aws.steps import found as waiting
from locard.cases.desk import Desk
from locard.cases.response.connecting import connect
from locard.cases.response.runner import Asked, Runner
from locard.model.action import Plan, Receipt, RunState, Target
from locard.model.custody import Hand
from locard.providers.aws.permissions import permission_of
from locard.settings import Settings
from locard.state import accounts
from locard.state.accounts import Account
from tests.clouds.aws.server import ACCOUNT, REGION, Aws, simulated

ANA = Hand("ana", "command line")
OWN = f"arn:aws:iam::{ACCOUNT}:role/locard"
ASKED = {"sts:AssumeRole", "iam:SimulatePrincipalPolicy"}
"""What every session may call, whatever its action declares."""


DECRYPTED = {"kms:Decrypt"}
"""Needed inside of the calls that read what is encrypted; no call of ours has its name."""


@dataclass
class Room:
    """The account, and what is done in it."""

    aws: Aws
    runner: Runner
    clouds: list[Any] = field(default_factory=list)

    def target(self, kind: str, name: str, region: str = REGION) -> Target:
        return Target("aws", ACCOUNT, region, kind, name)

    def plan(self, target: Target, **options: object) -> Plan:
        return self.runner.plan(f"isolate.aws.{target.kind}", "prod", target, "c", options)

    def begin(self, target: Target, **options: object) -> str:
        plan = self.plan(target, **options)
        return self.runner.begin(plan, "prod", Asked("c", ANA, "stolen", exception="a test"))

    def isolated(self, target: Target, **options: object) -> Receipt:
        """Plan and apply; every step is done and none says that it does not hold."""
        done = self.runner.carry_on(self.begin(target, **options), ANA)
        assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
        assert False not in {one.verdict.holds for one in done.steps if one.verdict}
        return done

    def released(self, run: str, **given: Any) -> Receipt:
        """Everything of the run is put back."""
        done = self.runner.release(run, ANA, "over", **given)
        assert done.state == RunState.RELEASED, [one.error for one in done.steps if one.error]
        return done

    def made(self) -> set[str]:
        """The permissions that the calls of all sessions until now needed."""
        made = {permission_of(one.call) for cloud in self.clouds for one in cloud.requests}
        return made - ASKED

    def unused(self, action: str) -> set[str]:
        """What an action declares and no call needed; every call until now has to be declared."""
        declared = {one.action for one in self.runner.catalogue.get(action).permissions}
        assert self.made() <= declared, f"not declared: {self.made() - declared}"
        return declared - self.made()

    def look_everywhere(self, kind: str) -> None:
        """Plan a collection of the account without naming regions, which are asked for then."""
        self.runner.plan(f"collect.aws.{kind}", "prod", self.target("account", ACCOUNT), "c", {})

    def declared(self, kind: str) -> set[str]:
        """The permissions that the action says it needs."""
        action = self.runner.catalogue.get(f"isolate.aws.{kind}")
        return {one.action for one in action.permissions}


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """One server for the module; tests name what they make so that they do not meet."""
    with simulated() as server:
        yield server


@pytest.fixture
def room(aws: Aws, home: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    """The account `prod` behind a role with an external id, and a case `c`."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "responder")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "simulated")
    monkeypatch.setattr(waiting, "PAUSE", 0.05)
    monkeypatch.setattr(waiting, "LONGEST", 5.0)
    aws.forget()
    desk = Desk(Settings(home=home, workers=1))
    desk.create("c", who="ana")
    with desk.state.session() as session:
        account = Account("prod", "aws", ACCOUNT, OWN, "shared", (REGION,), endpoint=aws.endpoint)
        accounts.add(session, account, who="ana")
    clouds: list[Any] = []

    def watched(*given: Any) -> Any:
        clouds.append(connect(*given))
        return clouds[-1]

    connecting: Callable[..., Any] = watched
    runner = Runner(home, desk.state, desk.vault, catalogue.catalogue(), connecting)
    return Room(aws, runner, clouds)
