# SPDX-License-Identifier: Apache-2.0
"""A Lambda function is isolated: its role denied to it alone, no run begins, nobody may ask.

A run that is under way goes on to its end, whatever is set, so its identity is denied first; then
no new one may begin; then what brings it work is switched off, so that nothing is lost by retries.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from locard.actions.contract import Action, Option
from locard.actions.isolate.aws import access
from locard.actions.isolate.aws.steps.function import (
    Concurrency,
    Invoker,
    Provisioned,
    Source,
    Url,
    permission,
    statements,
)
from locard.actions.isolate.aws.steps.identity import Denied
from locard.model.action import Json, Permission, Plan, Step, Target

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """What isolating it would do, and who else is concerned."""
    name, warnings = target.id, list[str]()
    found = cloud.call("lambda:GetFunctionConfiguration", FunctionName=name)
    arn = found["FunctionArn"]
    tags = cloud.call("lambda:ListTags", Resource=arn).get("Tags", {})
    role = access.role_of(cloud, found["Role"])
    steps = list(_stopping(cloud, name, role))
    mappings = list(
        cloud.pages("lambda:ListEventSourceMappings", "EventSourceMappings", FunctionName=name)
    )
    if options["sources"]:
        steps += [_unfed(one) for one in mappings]
    if options["invokers"]:
        steps += _closed(cloud, name, warnings)
    warnings += _told(cloud, found, role)
    return Plan(
        ACTION.id, ACTION.version, target, dict(options), tuple(steps),
        refusals=access.protected_by(tags), warnings=tuple(warnings),
        unknown=tuple(sorted({one.call for one in steps})),
        names={"role": access.path_of(role),
               "mapping": tuple(one["UUID"] for one in mappings) or ("none",)},
        volatility=ACTION.volatility,
    )  # fmt: skip


def _stopping(cloud: "Cloud", name: str, role: dict[str, Json] | None) -> Iterator[Step]:
    if role is not None and not access.reserved(role):
        yield access.deny_sessions(role, name, "function")
    ready = cloud.pages(
        "lambda:ListProvisionedConcurrencyConfigs", "ProvisionedConcurrencyConfigs",
        FunctionName=name,
    )  # fmt: skip
    for one in ready:
        alias = one["FunctionArn"].rpartition(":")[2]
        yield Step(
            f"provisioned:{alias}", f"Keep no environments of {name}:{alias} ready",
            "lambda:DeleteProvisionedConcurrencyConfig", {"function": name, "qualifier": alias},
            undo_title=f"Keep as many environments of {alias} ready as before, which takes minutes",
        )  # fmt: skip
    yield Step(
        "concurrency:nought", f"Let {name} run no times at once", "lambda:PutFunctionConcurrency",
        {"function": name},
        breaks=("Every call is turned away; asynchronous ones are tried again for up to six hours "
                "and then lost.",),
        undo_title="Set its concurrency back, or take the reservation away if there was none",
    )  # fmt: skip


def _unfed(mapping: Mapping[str, Json]) -> Step:
    source = mapping.get("EventSourceArn", "its source").rpartition(":")[2]
    return Step(
        f"source:{mapping['UUID']}", f"Switch off what brings it events of {source}",
        "lambda:UpdateEventSourceMapping", {"mapping": mapping["UUID"]},
        breaks=(f"Events wait in {source}, and are lost when they are older than it keeps them.",),
        undo_title=f"Switch the events of {source} on again, if they were",
    )  # fmt: skip


def _closed(cloud: "Cloud", name: str, warnings: list[str]) -> Iterator[Step]:
    """Its URLs and the statements of its policy, under its own name and under each alias."""
    urls = cloud.pages("lambda:ListFunctionUrlConfigs", "FunctionUrlConfigs", FunctionName=name)
    for one in urls:
        alias = one["FunctionArn"].partition(f":function:{name}")[2].lstrip(":")
        yield Step(
            f"url:{alias or 'function'}", f"Let {one['FunctionUrl']} answer nobody unsigned",
            "lambda:UpdateFunctionUrlConfig", {"function": name, "qualifier": alias},
            breaks=("Whoever calls that address without a signature is turned away.",),
            undo_title="Set its authentication back; the address stays the same",
        )  # fmt: skip
    aliases = [one["Name"] for one in cloud.pages("lambda:ListAliases", "Aliases",
                                                  FunctionName=name)]  # fmt: skip
    for alias in ("", *aliases):
        for statement in statements(cloud, name, alias):
            sid = str(statement.get("Sid", ""))
            if permission(statement) is None:
                warnings.append(
                    f"The statement {sid or 'without a name'} of its policy could not be put back, "
                    "so it stays; calls by it are turned away all the same."
                )
                continue
            yield Step(
                f"invoker:{alias or 'function'}/{sid}", f"Take {_who(statement)} out of its policy",
                "lambda:RemovePermission", {"function": name, "qualifier": alias, "sid": sid},
                breaks=(f"{_who(statement)} may not call it.",),
                undo_title=f"Write the statement {sid} again",
            )  # fmt: skip


def _who(statement: Mapping[str, Json]) -> str:
    principal = statement.get("Principal")
    values = principal.values() if isinstance(principal, Mapping) else [principal]
    found = ", ".join(str(one) for one in values)
    return "everybody" if found == "*" else found


def _told(cloud: "Cloud", found: Mapping[str, Json], role: dict[str, Json] | None) -> Iterator[str]:
    yield (f"Runs that are under way go on for up to {found.get('Timeout', 900)} s; "
           "they are denied AWS, not the network.")  # fmt: skip
    if role is None:
        yield f"Its role {found['Role']} is gone; there is none to deny."
        return
    if access.reserved(role):
        yield f"The role {role['RoleName']} belongs to AWS and cannot be denied anything."
    others = [
        one["FunctionName"]
        for one in cloud.pages("lambda:ListFunctions", "Functions")
        if one.get("Role") == found["Role"] and one["FunctionArn"] != found["FunctionArn"]
    ]
    if others:
        yield f"{len(others)} other functions use the same role; they are not touched."
    if any(one in str(found.get("Environment", "")) for one in ("SECRET", "TOKEN", "PASS", "KEY")):
        yield "Its environment names secrets: whoever ran code in it has them, so change them."


_FUNCTION = "arn:{partition}:lambda:{region}:{account}:function:{id}"
_MAPPING = "arn:{partition}:lambda:{region}:{account}:event-source-mapping:{mapping}"
_ROLE = "arn:{partition}:iam::{account}:role/{role}"


def _on(calls: str, *resources: str, reads: bool = True, why: str = "") -> Iterator[Permission]:
    for call in calls.split():
        for one in resources:
            yield Permission(call, one, reads=reads, why=why)


ACTION = Action(
    id="isolate.aws.function",
    title="Isolate a Lambda function",
    about="Denies its role to it alone, lets no run begin, and switches off what calls it: event "
    "sources, function URLs, the statements of its policy.",
    kind="function",
    names=r"arn:[\w-]+:lambda:(?P<region>[\w-]+):(?P<account>\d{12}):function:"
    r"(?P<id>[\w-]{1,64})(?::[\w$-]+)?",
    permissions=(
        *_on("lambda:ListFunctions lambda:ListEventSourceMappings", "*"),
        *_on(
            "lambda:GetFunctionConfiguration lambda:GetFunctionConcurrency lambda:ListTags "
            "lambda:ListAliases lambda:ListFunctionUrlConfigs "
            "lambda:ListProvisionedConcurrencyConfigs",
            _FUNCTION,
        ),
        *_on(
            "lambda:GetPolicy lambda:GetFunctionUrlConfig lambda:GetProvisionedConcurrencyConfig",
            _FUNCTION,
            f"{_FUNCTION}:*",
        ),
        *_on("lambda:GetEventSourceMapping", _MAPPING),
        *_on("iam:GetRole iam:GetRolePolicy", _ROLE),
        *_on("iam:PutRolePolicy iam:DeleteRolePolicy", _ROLE, reads=False,
             why="deny this function's sessions"),
        *_on("lambda:PutFunctionConcurrency lambda:DeleteFunctionConcurrency", _FUNCTION,
             reads=False),
        *_on(
            "lambda:DeleteProvisionedConcurrencyConfig lambda:PutProvisionedConcurrencyConfig "
            "lambda:UpdateFunctionUrlConfig lambda:RemovePermission lambda:AddPermission",
            _FUNCTION,
            f"{_FUNCTION}:*",
            reads=False,
        ),
        *_on("lambda:UpdateEventSourceMapping", _MAPPING, reads=False),
    ),
    plan=plan,
    steps={
        "identity": Denied(),
        "provisioned": Provisioned(),
        "concurrency": Concurrency(),
        "source": Source(),
        "url": Url(),
        "invoker": Invoker(),
    },
    volatility=9,
    harm="What it does is not done any more, and whoever calls it is turned away.",
    options=(
        Option("sources", "switch its event sources off", True),
        Option("invokers", "close its URLs and take who may call it out of its policy", True),
    ),
)  # fmt: skip
