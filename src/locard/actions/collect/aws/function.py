# SPDX-License-Identifier: Apache-2.0
"""A Lambda function: the code of every version, its configuration without secrets, and its logs."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from locard.actions.collect.aws import groups, spans
from locard.actions.collect.aws.answers import Answer, of
from locard.actions.collect.aws.groups import Group
from locard.actions.collect.aws.masked import masked
from locard.actions.collect.aws.spans import Span
from locard.actions.collect.aws.streams import Sum
from locard.actions.contract import Action, Keep, Option, Room
from locard.model.action import Json, Permission, Plan, Step, Target
from locard.model.errors import Tampered

if TYPE_CHECKING:
    from locard.providers.aws.session import Cloud


class Masked(Answer):
    """An answer whose secrets are masked, unless a person wants them: `secrets`."""

    def ask(self, cloud: "Cloud", step: Step) -> Mapping[str, Json]:
        """Ask, and mask."""
        found = cloud.call(step.call, **step.arguments["request"])
        found.get("Code", {}).pop("Location", None)  # a signed address, good for ten minutes
        return found if step.arguments["secrets"] else masked(found)


class Code:
    """The package of one version, held against the SHA-256 that Lambda has of it."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Ask where it lies, and take it."""
        request = step.arguments["request"]
        found = cloud.call("lambda:GetFunction", **request)
        code, told = found.get("Code", {}), found["Configuration"]
        if not code.get("Location"):
            image = code.get("ResolvedImageUri") or code.get("ImageUri", "an image")
            return {"not collected": f"It runs {image}, which is not taken: pull it by its digest."}
        stream = Sum(cloud.fetched(code["Location"]))
        kept = keep(step.arguments["name"], stream, of(cloud, covers="the package as deployed"))
        if stream.base64() != told["CodeSha256"]:
            raise Tampered(
                f"{step.arguments['name']} has another SHA-256 than Lambda says.",
                "It is in the vault as it came. Take it again, and compare.",
            )
        return {"evidence": kept, "sha256": told["CodeSha256"], "bytes": told.get("CodeSize", 0)}


def plan(cloud: "Cloud", target: Target, options: Mapping[str, Json]) -> Plan:
    """Steps for configuration, code and logs."""
    name, span = target.id, Span.of(options)
    now = cloud.call("lambda:GetFunctionConfiguration", FunctionName=name)
    versions = [
        one["Version"]
        for one in cloud.pages("lambda:ListVersionsByFunction", "Versions", FunctionName=name)
    ]
    layers = [one["Arn"] for one in now.get("Layers", ())]
    group = now.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}"
    steps = [
        *(_described(name, one, options) for one in versions),
        *_asked(name),
        *(_code(name, one) for one in versions),
        *(_layer(one) for one in layers),
        groups.group(group, target.region, span),
    ]
    return Plan(
        ACTION.id, ACTION.version, target, dict(options), tuple(steps),
        names={"group": (group,), "layer": tuple(layers) or ("none",)},
        volatility=ACTION.volatility,
    )  # fmt: skip


def _described(name: str, version: str, options: Mapping[str, Json]) -> Step:
    arguments = {
        "request": {"FunctionName": name, "Qualifier": version}, "secrets": options["secrets"],
        "name": f"lambda-GetFunction-{_plain(version)}.json", "optional": True,
    }  # fmt: skip
    return Step(f"masked:{version}", f"Ask GetFunction of {version}", "lambda:GetFunction",
                arguments, changes=False)  # fmt: skip


def _asked(name: str) -> Iterator[Step]:
    for call in ("ListAliases", "GetPolicy", "ListEventSourceMappings", "ListFunctionUrlConfigs",
                 "GetFunctionConcurrency", "ListFunctionEventInvokeConfigs"):  # fmt: skip
        arguments = {"request": {"FunctionName": name}, "name": f"lambda-{call}.json",
                     "optional": True}  # fmt: skip
        yield Step(f"answer:{call}", f"Ask {call}", f"lambda:{call}", arguments, changes=False)


def _code(name: str, version: str) -> Step:
    arguments = {"request": {"FunctionName": name, "Qualifier": version},
                 "name": f"{name}-{_plain(version)}.zip"}  # fmt: skip
    return Step(f"code:{version}", f"Take the code of {version}", "lambda:GetFunction", arguments,
                changes=False)  # fmt: skip


def _layer(arn: str) -> Step:
    arguments = {"arn": arn, "name": f"layer-{_plain(arn.rpartition(':layer:')[2])}.zip"}
    return Step(f"layer:{arn}", f"Take the layer {arn}", "lambda:GetLayerVersion", arguments,
                changes=False)  # fmt: skip


class Layer:
    """The package of a layer."""

    def collect(self, cloud: "Cloud", step: Step, keep: Keep, room: Room) -> Json:
        """Ask where it lies, and take it."""
        found = cloud.call("lambda:GetLayerVersionByArn", Arn=step.arguments["arn"])["Content"]
        stream = Sum(cloud.fetched(found["Location"]))
        kept = keep(step.arguments["name"], stream, of(cloud, covers="the layer as published"))
        if stream.base64() != found["CodeSha256"]:
            raise Tampered(f"{step.arguments['arn']} has another SHA-256 than Lambda says.", "")
        return {"evidence": kept, "sha256": found["CodeSha256"]}


def _plain(text: str) -> str:
    return re.sub(r"[^\w.-]", "_", text).strip("_")


_FUNCTION = "arn:{partition}:lambda:{region}:{account}:function:{id}"

ACTION = Action(
    id="collect.aws.function",
    title="Collect a Lambda function",
    about="The code of every version and its layers, configuration with secrets masked, aliases, "
    "policy, triggers, and its logs.",
    kind="function",
    names=r"arn:[\w-]+:lambda:(?P<region>[\w-]+):(?P<account>\d{12}):function:"
    r"(?P<id>[\w-]{1,64})(?::[\w$-]+)?",
    permissions=(
        Permission("lambda:GetFunctionConfiguration", _FUNCTION),
        Permission("lambda:ListVersionsByFunction", _FUNCTION),
        Permission("lambda:GetFunction", _FUNCTION),
        Permission("lambda:GetFunction", f"{_FUNCTION}:*"),
        Permission("lambda:ListAliases", _FUNCTION, optional=True),
        Permission("lambda:GetPolicy", _FUNCTION, optional=True),
        Permission("lambda:ListEventSourceMappings", optional=True),
        Permission("lambda:ListFunctionUrlConfigs", _FUNCTION, optional=True),
        Permission("lambda:GetFunctionConcurrency", _FUNCTION, optional=True),
        Permission("lambda:ListFunctionEventInvokeConfigs", _FUNCTION, optional=True),
        Permission("lambda:GetLayerVersion", "{layer}", why="layers"),
        *groups.PERMISSIONS,
    ),
    plan=plan,
    steps={"masked": Masked(), "answer": Answer(), "code": Code(), "layer": Layer(),
           "group": Group()},
    volatility=5,
    options=(
        Option("secrets", "Values of environment variables as they are, and not masked"),
        *spans.WHEN,
    ),
)  # fmt: skip
