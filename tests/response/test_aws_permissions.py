# SPDX-License-Identifier: Apache-2.0
"""Every action in AWS declares each permission that its calls need, and none for nothing.

Each isolation is planned with every option, applied, verified and released in its scene; the calls
that its sessions really made are compared with what it declares. Collections are held against what
they declare in the scenes of their own tests.
"""

import json
import re
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from locard.actions import policy
from locard.actions.catalogue import catalogue
from locard.cases.response.connecting import PLANNING
from locard.model.action import RunState, StepState, Target
from locard.providers.aws.permissions import permission_of
from locard.state import runs
from tests.clouds.aws.server import ACCOUNT
from tests.response import (
    test_aws_bucket,
    test_aws_database,
    test_aws_function,
    test_aws_identity,
    test_aws_instance,
    test_aws_snapshots,
    test_aws_task,
)
from tests.response.aws import scene
from tests.response.simulated import ANA, ASKED, Room, aws, room

__all__ = ["aws", "room"]
pytestmark = pytest.mark.server
Options = dict[str, object]
NAMES = (f"scene{number}" for number in count())
SCENES: dict[str, Callable[[Room], tuple[Target, Options]]] = {
    "function": lambda room: (test_aws_function.function(room, next(NAMES)), {}),
    "bucket": lambda room: (test_aws_bucket.bucket(room, next(NAMES)), {}),
    "database": lambda room: (test_aws_database.instance(room, next(NAMES)), {"stop": True}),
    "instance": lambda room: instance(room),
    "key": lambda room: key(room),
    "role": lambda room: (test_aws_identity.role(room, next(NAMES)), {}),
    "user": lambda room: (test_aws_identity.user(room, next(NAMES)), {"sessions": "before"}),
    "task": lambda room: (
        test_aws_task.shop(room, next(NAMES)).target(),
        {"stop": True, "cut": "untracked"},
    ),
}
OTHERS: dict[str, Callable[[Room], tuple[Target, Options]]] = {
    "bucket": lambda room: (test_aws_bucket.bucket(room, next(NAMES), bare=True), {}),
    "database": lambda room: (test_aws_database.cluster(room, next(NAMES)), {"stop": True}),
    "function": lambda room: (test_aws_function.function(room, next(NAMES), reserved=None), {}),
}
"""A second scene, of what had nothing set before or is of another form."""
GROUPS = {"ec2:CreateTags", "ec2:RevokeSecurityGroupIngress"}
"""Implied by tags; for a group of ours that others have given rules."""
OPEN = {*GROUPS, "ec2:AuthorizeSecurityGroupEgress"}
"""For a group that does not begin with everything allowed outwards."""
UNUSED: dict[str, set[str]] = {
    "bucket": {"iam:PassRole"},
    "database": {*GROUPS, "rds:AddTagsToResource"},
    "instance": {  # see test_aws_listening
        *OPEN, "logs:FilterLogEvents", "ssm:SendCommand", "ssm:GetCommandInvocation",
    },
    "task": OPEN,
}  # fmt: skip
"""What moto gives no occasion for, with the reason."""


def instance(room: Room) -> tuple[Target, Options]:
    """The awkward one, with everything done to it."""
    found = scene(room.aws, next(NAMES))
    return room.target("instance", found.instance), test_aws_instance.EVERY


def key(room: Room) -> tuple[Target, Options]:
    """A key of a user."""
    user = test_aws_identity.user(room, next(NAMES)).id
    return room.target("key", test_aws_identity.keys(room, user)[0], ""), {}


def test_every_collection_is_held_against_what_it_declares() -> None:
    told = "".join(one.read_text() for one in Path(__file__).parent.glob("test_aws_*.py"))
    held = set(re.findall(r'unused\("collect\.aws\.(\w+)"\)', told))
    held |= {*test_aws_snapshots.OF_THEMSELVES, *test_aws_snapshots.OF_INSTANCES}
    assert {one.id.rpartition(".")[2] for one in catalogue().of("collect", "aws")} == held


def test_every_isolation_has_its_scene() -> None:
    assert {f"isolate.aws.{one}" for one in SCENES} == {
        one.id for one in catalogue().of("isolate", "aws")
    }


@pytest.mark.parametrize("kind", SCENES)
def test_what_is_called_is_declared_and_what_is_declared_is_called(
    room: Room, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("locard.actions.isolate.aws.cutting.WAIT", 0)
    target, options = SCENES[kind](room)
    run = room.isolated(target, **options).run
    room.runner.verify(run, ANA)
    room.released(run)
    if kind in OTHERS:
        target, options = OTHERS[kind](room)
        room.released(room.isolated(target, **options).run)
    assert room.made() - room.declared(kind) == set()
    may = {one.action for one in catalogue().get(f"isolate.aws.{kind}").permissions
           if one.reads or one.tried}  # fmt: skip
    planned = {permission_of(call.call) for cloud in room.clouds
               if cloud.run.startswith(PLANNING) for call in cloud.requests}  # fmt: skip
    assert planned - ASKED <= may, "a plan asks for no more than its session may"
    assert room.declared(kind) - room.made() == UNUSED.get(kind, set())


@pytest.mark.parametrize("kind", SCENES)
def test_killed_after_each_change_and_before_its_record_nothing_is_done_twice(
    room: Room, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("locard.actions.isolate.aws.cutting.WAIT", 0)
    target, options = SCENES[kind](room)
    if kind == "task":  # nothing can be asked of one that has stopped
        options = options | {"stop": False}
    run = room.isolated(target, **options).run
    with room.runner.state.session() as session:
        runs.run(session, run).state = RunState.APPLYING.value
        for row in runs.steps(session, run):
            if row.step["changes"]:
                row.state, row.outcome = StepState.INTENDED.value, None
    done = room.runner.carry_on(run, ANA)
    assert done.state == RunState.DONE, [one.error for one in done.steps if one.error]
    changing = {one.action for one in catalogue().get(f"isolate.aws.{kind}").permissions
                if not one.reads}  # fmt: skip
    again = [one.call for one in room.clouds[-1].requests if permission_of(one.call) in changing]
    assert again == []
    room.released(run)


@pytest.mark.parametrize("kind", SCENES)
def test_a_session_policy_is_narrow_and_short_enough(room: Room, kind: str) -> None:
    action = catalogue().get(f"isolate.aws.{kind}")
    target, options = SCENES[kind](room)
    plan = room.plan(target, **options)
    many = {name: tuple(f"{name}-{n}" for n in range(90)) for name in plan.names}
    for names in (plan.names, many):
        text = json.dumps(policy.narrowed(action, target, names), separators=(",", ":"))
        assert len(text) <= policy.LONGEST
    text = json.dumps(policy.narrowed(action, target, plan.names))
    own = (target.id.rpartition(":")[2], *plan.names.get("user", ()))
    assert any(one in text for one in own), "it is about this target"
    text = json.dumps(policy.planning(action, target, "locard"), separators=(",", ":"))
    assert len(text) <= policy.LONGEST and "role/locard" in text
    asked = {one.action for one in action.permissions if not one.reads and not one.tried}
    assert not any(f'"{one}"' in text for one in asked), "a plan cannot change anything"


def test_a_plan_names_what_the_role_lacks(room: Room) -> None:
    iam, (target, _) = room.aws.client("iam"), SCENES["function"](room)
    plan = room.plan(target)
    assert plan.missing == () and "lambda:PutFunctionConcurrency" in plan.unknown
    trust = json.dumps(policy.trust(f"arn:aws:iam::{ACCOUNT}:root", "shared"))
    iam.create_role(RoleName="locard", AssumeRolePolicyDocument=trust)
    whole = policy.enabled([catalogue().get("isolate.aws.function")])
    for one in whole["Statement"]:
        if "lambda:RemovePermission" in one["Action"]:
            one["Action"].remove("lambda:RemovePermission")
    text = json.dumps(whole)
    iam.put_role_policy(RoleName="locard", PolicyName="locard", PolicyDocument=text)
    try:
        plan = room.plan(target)
    finally:
        iam.delete_role_policy(RoleName="locard", PolicyName="locard")
        iam.delete_role(RoleName="locard")
    assert plan.missing == ("lambda:RemovePermission",) and plan.unknown == ()
    assert room.clouds[-1].requests[-1].call == "iam:SimulatePrincipalPolicy"
